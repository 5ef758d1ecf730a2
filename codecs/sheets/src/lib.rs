//! baton-sheets
