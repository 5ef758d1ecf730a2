//! baton-custody
