//! baton-pooling
