//! baton-laboratory
