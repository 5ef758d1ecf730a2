//! Tasks of the repository: `cargo xtask tidy`, `cargo xtask screens`, `cargo xtask train-pcr`, `cargo xtask measure-cq`.

mod measure_cq;
mod screens;
mod tidy;
mod train_pcr;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("tidy") => tidy::run(),
        Some("screens") => screens::run(),
        Some("train-pcr") => train_pcr::run(&arguments[1..]),
        Some("measure-cq") => measure_cq::run(&arguments[1..]),
        _ => anyhow::bail!("usage: cargo xtask tidy | screens | train-pcr DATA [--write FILE] | measure-cq DATA"),
    }
}
