//! Screening on a running ledger: every test runs on SQLite and, where `BATON_TEST_POSTGRES=postgres://…` is set, on PostgreSQL.

#![allow(clippy::print_stdout)] // a skipped test says so, a measurement says what it saw

/// Makes one test per store of each function `fn(&House)`.
macro_rules! on_both_stores {
    ($($test:ident),+ $(,)?) => {
        mod embedded {
            $(#[test] fn $test() { super::$test(&crate::house::House::embedded()) })+
        }
        mod postgres {
            $(#[test] fn $test() {
                if let Some(house) = crate::house::House::postgres(stringify!($test)) { super::$test(&house) }
            })+
        }
    };
}

mod house;
mod orders;
mod pages;
mod refusals;
mod speed;
mod stories;
