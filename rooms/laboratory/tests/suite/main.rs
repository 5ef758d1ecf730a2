//! The laboratory's suite on a real ledger: every test runs on SQLite and, where `BATON_TEST_POSTGRES=postgres://…` is set, on PostgreSQL.

#![allow(clippy::print_stdout)] // a skipped test says so

mod day;
mod files;
mod house;
mod pages;
mod papers;
mod pools;
mod recall;
