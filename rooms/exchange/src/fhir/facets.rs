//! What a search asks of a resource.

use baton_fhir::{Moment, Reference, Release, Resource};
use baton_kit::Refusal;

/// The kinds that are served, with the parameters each can be searched by. What is not here is refused, never ignored: a
/// filter that is passed over gives away more than was asked.
pub(crate) const SERVED: [(&str, &[(&str, &str)]); 7] = [
    ("Patient", &[("_id", "token"), ("identifier", "token"), ("name", "string")]),
    (
        "Specimen",
        &[
            ("_id", "token"),
            ("patient", "reference"),
            ("subject", "reference"),
            ("identifier", "token"),
            ("accession", "token"),
            ("status", "token"),
            ("collected", "date"),
        ],
    ),
    ("ServiceRequest", &[("_id", "token"), ("patient", "reference"), ("subject", "reference"), ("status", "token"), ("occurrence", "date")]),
    (
        "Observation",
        &[
            ("_id", "token"),
            ("patient", "reference"),
            ("subject", "reference"),
            ("specimen", "reference"),
            ("status", "token"),
            ("code", "token"),
            ("date", "date"),
        ],
    ),
    (
        "DiagnosticReport",
        &[
            ("_id", "token"),
            ("_lastUpdated", "date"),
            ("patient", "reference"),
            ("subject", "reference"),
            ("identifier", "token"),
            ("specimen", "reference"),
            ("status", "token"),
            ("date", "date"),
            ("issued", "date"),
        ],
    ),
    ("Provenance", &[("_id", "token"), ("_lastUpdated", "date"), ("patient", "reference"), ("target", "reference"), ("recorded", "date")]),
    ("Task", &[("_id", "token"), ("patient", "reference"), ("subject", "reference"), ("status", "token"), ("authored-on", "date")]),
];

/// A page is never longer, and as long unless asked otherwise.
pub(crate) const COUNT_MAX: usize = 100;
const COUNT_USUAL: usize = 20;

/// A search as understood.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Search {
    pub(crate) count: usize,
    pub(crate) after: Option<String>,
    pub(crate) patient: Option<String>,
    pub(crate) specimen: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) identifier: Option<String>,
    pub(crate) name: Option<String>,
    /// Parameter and its alternatives.
    tokens: Vec<(String, Vec<String>)>,
    /// Parameter, from, to: in microseconds, half open.
    dates: Vec<(String, i64, i64)>,
    pub(crate) id: Option<Vec<String>>,
}

impl Search {
    pub(crate) fn parse(kind: &str, pairs: &[(String, String)]) -> Result<Self, Refusal> {
        let (_, served) = SERVED.iter().find(|(served, _)| *served == kind).ok_or_else(|| Refusal::absent("exchange-kind-unknown").with("kind", kind))?;
        let mut search = Search { count: COUNT_USUAL, ..Search::default() };
        for (name, value) in pairs {
            let wrong = || Refusal::malformed("exchange-parameter-wrong").with("name", name).with("value", value.chars().take(60).collect::<String>());
            match name.as_str() {
                "_count" => search.count = value.parse::<usize>().map_err(|_| wrong())?.clamp(1, COUNT_MAX),
                "_after" => search.after = Some(value.clone()),
                "_format" | "_pretty" => {}
                _ => {
                    let (_, sort) =
                        served.iter().find(|(served, _)| served == name).ok_or_else(|| Refusal::malformed("exchange-parameter-unknown").with("name", name))?;
                    search.take(name, sort, value).ok_or_else(wrong)?;
                }
            }
        }
        Ok(search)
    }

    fn take(&mut self, name: &str, sort: &str, value: &str) -> Option<()> {
        if value.is_empty() {
            return None;
        }
        let bare = |kind: &str| value.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).unwrap_or(value).to_owned();
        let once = |slot: &mut Option<String>, value: String| slot.replace(value).is_none().then_some(());
        match (name, sort) {
            ("_id", _) => self.id = Some(value.split(',').map(str::to_owned).collect()),
            ("patient" | "subject", _) => return once(&mut self.patient, bare("Patient")),
            ("specimen", _) => return once(&mut self.specimen, bare("Specimen")),
            ("target", _) => return once(&mut self.target, bare("DiagnosticReport")),
            ("identifier" | "accession", _) => return once(&mut self.identifier, value.to_owned()),
            ("name", _) => return once(&mut self.name, value.to_owned()),
            (_, "date") => {
                let (from, to) = span(value)?;
                self.dates.push((name.to_owned(), from, to));
            }
            _ => self.tokens.push((name.to_owned(), value.split(',').map(|one| one.rsplit('|').next().unwrap_or(one).to_owned()).collect())),
        }
        Some(())
    }

    /// The span in which `_lastUpdated` must lie, if it is asked for.
    pub(crate) fn updated(&self) -> Option<(i64, i64)> {
        let asked = self.dates.iter().filter(|(name, ..)| name == "_lastUpdated");
        asked.map(|(_, from, to)| (*from, *to)).reduce(|a, b| (a.0.max(b.0), a.1.min(b.1)))
    }

    /// Whether a resource is what is asked for, as far as the resource itself tells.
    pub(crate) fn fits(&self, resource: &Resource) -> bool {
        let id = self.id.as_ref().is_none_or(|ids| ids.iter().any(|id| id == resource.id()));
        let tokens = self.tokens.iter().all(|(name, wanted)| codes(name, resource).iter().any(|code| wanted.iter().any(|wanted| wanted == code)));
        let dates = self.dates.iter().all(|(name, from, to)| {
            let of = time(name, resource).and_then(|at| Moment::span(&at.0)).map(|(at, _)| at);
            of.is_some_and(|at| *from <= at && at < *to)
        });
        id && tokens && dates
    }
}

/// `ge2026-03-27`: from when to when.
fn span(value: &str) -> Option<(i64, i64)> {
    let (prefix, text) = value.split_at_checked(2).filter(|(prefix, _)| prefix.bytes().all(|b| b.is_ascii_lowercase())).unwrap_or(("eq", value));
    let (from, to) = Moment::span(text)?;
    Some(match prefix {
        "eq" => (from, to),
        "ge" => (from, i64::MAX),
        "gt" | "sa" => (to, i64::MAX),
        "le" => (i64::MIN, to),
        "lt" | "eb" => (i64::MIN, from),
        _ => return None,
    })
}

fn codes(name: &str, resource: &Resource) -> Vec<String> {
    let status = |text: &str| vec![text.to_owned()];
    match (name, resource) {
        ("status", Resource::Specimen(one)) => one.status.clone().into_iter().collect(),
        ("status", Resource::ServiceRequest(one)) => status(&one.status),
        ("status", Resource::Observation(one)) => status(&one.status),
        ("status", Resource::DiagnosticReport(one)) => status(&one.status),
        ("status", Resource::Task(one)) => status(&one.status),
        ("code", Resource::Observation(one)) => one.code.coding.iter().filter_map(|coding| coding.code.clone()).collect(),
        _ => Vec::new(),
    }
}

fn time<'r>(name: &str, resource: &'r Resource) -> Option<&'r Moment> {
    match (name, resource) {
        ("_lastUpdated", any) => any.meta()?.last_updated.as_ref(),
        ("collected", Resource::Specimen(one)) => one.collection.as_ref()?.collected_date_time.as_ref(),
        ("occurrence", Resource::ServiceRequest(one)) => one.occurrence_period.as_ref()?.start.as_ref(),
        ("date", Resource::Observation(one)) => one.effective_date_time.as_ref(),
        ("date", Resource::DiagnosticReport(one)) => one.effective_date_time.as_ref(),
        ("issued", Resource::DiagnosticReport(one)) => one.issued.as_ref(),
        ("recorded", Resource::Provenance(one)) => one.recorded.as_ref(),
        ("authored-on", Resource::Task(one)) => one.authored_on.as_ref(),
        _ => None,
    }
}

/// The person a resource is about.
pub(crate) fn person_of(resource: &Resource) -> Option<&str> {
    let reference: &Reference = match resource {
        Resource::Patient(one) => return one.id.as_deref(),
        Resource::Specimen(one) => one.subject.as_ref()?,
        Resource::ServiceRequest(one) => &one.subject,
        Resource::Observation(one) => one.subject.as_ref()?,
        Resource::DiagnosticReport(one) => one.subject.as_ref()?,
        Resource::Task(one) => one.beneficiary.as_ref()?,
        Resource::Provenance(_) => return None,
    };
    reference.reference.as_deref()?.strip_prefix("Patient/")
}

/// `R4` or `R5`.
pub(crate) fn release(name: &str) -> Result<Release, Refusal> {
    Release::from_name(name).ok_or_else(|| Refusal::absent("exchange-release-unknown").with("release", name.chars().take(20).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: &str, pairs: &[(&str, &str)]) -> Result<Search, &'static str> {
        let pairs: Vec<(String, String)> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Search::parse(kind, &pairs).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_filter_that_is_not_known_is_refused() {
        assert_eq!(parse("Patient", &[("birthdate", "1990")]), Err("exchange-parameter-unknown"));
        assert_eq!(parse("Device", &[]), Err("exchange-kind-unknown"));
        assert_eq!(parse("Observation", &[("date", "soon")]), Err("exchange-parameter-wrong"));
        assert_eq!(parse("Observation", &[("patient", "")]), Err("exchange-parameter-wrong"));
        assert_eq!(parse("Observation", &[("_count", "many")]), Err("exchange-parameter-wrong"));
        assert_eq!(parse("Observation", &[("patient", "1"), ("subject", "2")]), Err("exchange-parameter-wrong"));
        assert_eq!(release("R3").map_err(|refusal| refusal.code), Err("exchange-release-unknown"));
    }

    #[test]
    fn what_is_asked_is_understood() {
        let search =
            parse("DiagnosticReport", &[("subject", "Patient/5"), ("_count", "1000"), ("_lastUpdated", "ge1970"), ("_lastUpdated", "lt1971")]).unwrap();
        assert_eq!((search.patient.as_deref(), search.count), (Some("5"), COUNT_MAX));
        assert_eq!(search.updated(), Some((0, 365 * 86_400_000_000)));
        let mut report = baton_fhir::DiagnosticReport::with_id("7");
        report.status = "final".to_owned();
        assert!(!search.fits(&report.clone().into()), "it was never released");
        let wanted = parse("DiagnosticReport", &[("status", "amended,final"), ("_id", "7,8")]).unwrap();
        assert!(wanted.fits(&report.clone().into()));
        report.status = "preliminary".to_owned();
        assert!(!wanted.fits(&report.into()));
    }
}
