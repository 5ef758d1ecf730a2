//! baton-pcr
