//! `xtask tidy`: the rules of the house that no compiler holds. Also a test, one per rule, so `cargo test` runs it.

mod dead;
mod dependencies;
mod imports;
mod invariants;
mod purity;
mod refusals;
mod schemas;
mod size;
mod source;
mod sql;
mod texts;
mod tree;

use std::fmt;

use tree::Tree;

/// Something out of order: where, what, and what to do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    pub file: String,
    pub line: usize,
    pub problem: String,
}

impl Finding {
    fn new(file: &str, line: usize, problem: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, problem: problem.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.problem)
    }
}

type Rule = fn(&Tree) -> Vec<Finding>;

/// Every rule with its name.
const RULES: [(&str, Rule); 11] = [
    ("sources parse", source::check),
    ("imports run one way", imports::check),
    ("dependencies are told and used", dependencies::check),
    ("rules, models, engines and codecs are pure", purity::check),
    ("SQL that both stores understand alike", sql::check),
    ("schemas can be distributed by bucket", schemas::check),
    ("files and functions are short", size::check),
    ("no dead file", dead::check),
    ("texts in three languages", texts::check),
    ("every refusal has words and a test", refusals::check),
    ("invariants are named where they are told", invariants::check),
];

/// Runs every rule; an error when anything is out of order.
#[allow(clippy::print_stdout)] // this is a command
pub fn run() -> anyhow::Result<()> {
    let tree = Tree::load(&tree::root())?;
    let mut count = 0;
    for (name, rule) in RULES {
        let findings = sorted(rule(&tree));
        println!("{}: {}", name, if findings.is_empty() { "in order".to_owned() } else { format!("{} findings", findings.len()) });
        for finding in &findings {
            println!("  {finding}");
        }
        count += findings.len();
    }
    anyhow::ensure!(count == 0, "{count} findings");
    Ok(())
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::load(&tree::root()).expect("the tree can be read"));

    fn holds(rule: Rule) {
        let findings = sorted(rule(&TREE));
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
    }

    /// One test per rule, so that a failing one says which.
    macro_rules! the_tree {
        ($($test:ident: $rule:path),+ $(,)?) => {
            $(#[test] fn $test() { holds($rule) })+
        };
    }

    the_tree! {
        sources_parse: source::check,
        imports_run_one_way: imports::check,
        dependencies_are_told_and_used: dependencies::check,
        rules_models_engines_and_codecs_are_pure: purity::check,
        sql_is_what_both_stores_understand_alike: sql::check,
        schemas_can_be_distributed_by_bucket: schemas::check,
        files_and_functions_are_short: size::check,
        there_is_no_dead_file: dead::check,
        texts_are_in_three_languages: texts::check,
        every_refusal_has_words_and_a_test: refusals::check,
        invariants_are_named_where_they_are_told: invariants::check,
    }
}
