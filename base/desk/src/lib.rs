//! baton-desk
