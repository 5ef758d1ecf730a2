//! baton-registry
