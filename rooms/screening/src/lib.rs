//! baton-screening
