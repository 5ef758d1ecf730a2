//! Reading a resource: what the struct does not know is told by its path.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A resource is never longer.
const BYTES_MAX: usize = 4 << 20;
/// So many problems are told one by one.
const PROBLEMS_MAX: usize = 100;

/// Something odd that did not stop the reading.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    #[error("{path} is not read")]
    NotRead { path: String },
    #[error("{count} more problems")]
    More { count: usize },
}

/// Why a text is not a resource of this kind.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the text is {0} bytes long; a resource has at most {BYTES_MAX}")]
    TooLong(usize),
    #[error("not this resource: {0}")]
    NotAResource(String),
}

/// Reads a resource, and names everything in the text that the struct does not hold.
pub fn read<T: DeserializeOwned + Serialize>(text: &str) -> Result<(T, Vec<Problem>), ReadError> {
    if text.len() > BYTES_MAX {
        return Err(ReadError::TooLong(text.len()));
    }
    let wrong = |error: serde_json::Error| ReadError::NotAResource(error.to_string());
    let resource: T = serde_json::from_str(text).map_err(wrong)?;
    let given: Value = serde_json::from_str(text).map_err(wrong)?;
    let kept: Value = serde_json::from_str(&serde_json::to_string(&resource).map_err(wrong)?).map_err(wrong)?;
    let mut problems = Vec::new();
    compare(&given, &kept, String::new(), &mut problems);
    if problems.len() > PROBLEMS_MAX {
        let count = problems.len() - PROBLEMS_MAX;
        problems.truncate(PROBLEMS_MAX);
        problems.push(Problem::More { count });
    }
    Ok((resource, problems))
}

fn compare(given: &Value, kept: &Value, path: String, problems: &mut Vec<Problem>) {
    match (given, kept) {
        (Value::Object(given), Value::Object(kept)) => {
            for (name, value) in given {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match kept.get(name) {
                    Some(kept) => compare(value, kept, path, problems),
                    None => problems.push(Problem::NotRead { path }),
                }
            }
        }
        (Value::Array(given), Value::Array(kept)) if given.len() == kept.len() => {
            for (n, (given, kept)) in given.iter().zip(kept).enumerate() {
                compare(given, kept, format!("{path}[{n}]"), problems);
            }
        }
        (given, kept) if given != kept => problems.push(Problem::NotRead { path }),
        _ => {}
    }
}
