//! baton-kit
