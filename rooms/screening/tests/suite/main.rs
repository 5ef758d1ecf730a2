//! Screening on a running ledger: every test runs on SQLite and, where `BATON_TEST_POSTGRES=postgres://…` is set, on PostgreSQL.

#![allow(clippy::print_stdout)] // a skipped test says so, a measurement says what it saw

/// Makes one test per store of each function `async fn(&App)`. House and desk live outside the runtime: a connection to PostgreSQL closes only there.
macro_rules! on_both_desks {
    ($($test:ident),+ $(,)?) => {
        mod embedded {
            $(#[test] fn $test() {
                let house = crate::house::House::embedded();
                let app = crate::pages::desk(&house);
                tokio::runtime::Runtime::new().unwrap().block_on(super::$test(&app));
            })+
        }
        mod postgres {
            $(#[test] fn $test() {
                let Some(house) = crate::house::House::postgres(stringify!($test)) else { return };
                let app = crate::pages::desk(&house);
                tokio::runtime::Runtime::new().unwrap().block_on(super::$test(&app));
            })+
        }
    };
}

mod house;
mod orders;
mod pages;
mod refusals;
mod report;
mod speed;
mod stories;
