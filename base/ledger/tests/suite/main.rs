//! The ledger's suite: every test runs on SQLite and, where `BATON_TEST_POSTGRES=postgres://…` is set, on PostgreSQL.

#![allow(clippy::print_stdout)] // a skipped test says so

mod copies;
mod crash;
mod decisions;
mod disk;
mod facts;
mod folding;
mod house;
mod idioms;
mod keys;
mod servers;
mod verifying;
