//! baton-instruments
