//! baton-ledger
