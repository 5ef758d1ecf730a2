//! baton-city
