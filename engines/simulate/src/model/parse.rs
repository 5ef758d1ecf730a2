//! From the text of a model file to a [`Model`].

use super::json::{self, Node, Value};
use super::{Model, ModelError};
use crate::distribution::Distribution;
use crate::fault::{Fault, at_least, between};
use crate::kernel::{Arrivals, Batch, Calendar, MOST_BATCH, MOST_SERVERS, MOST_STATIONS, Network, Route, Station, Step};

/// Longest model file.
pub const MOST_BYTES: usize = 256 << 20;
/// Most entities of one replication.
pub const MOST_ENTITIES: u32 = 10_000_000;
pub const MOST_RATE_PER_S: f64 = 1e9;

/// Reads a model. Absent `batch`, `next` and `calendar` mean null; every other absent, unknown or repeated key is an error.
pub fn parse(text: &str) -> Result<Model, ModelError> {
    if text.len() > MOST_BYTES {
        return Err(ModelError { line: 1, field: "JSON".to_owned(), problem: format!("may be {MOST_BYTES} bytes long at most, is {}", text.len()) });
    }
    let root = json::read(text)?;
    let root = Field { node: &root, path: String::new() };
    root.only(&["arrivals", "entities", "stations", "calendar"])?;
    let arrivals = arrivals(&root)?;
    let nodes = root.required("stations")?;
    let fields = nodes.list()?;
    if fields.is_empty() || fields.len() > MOST_STATIONS {
        return Err(nodes.error(format!("must be 1 to {MOST_STATIONS}, are {}", fields.len())));
    }
    let calendars = root.optional("calendar")?;
    let names = names(&fields, calendars.as_ref())?;
    let stations = fields.iter().map(|field| station(field, &names, calendars.as_ref())).collect::<Result<Vec<_>, _>>()?;
    // What is left to refuse are cycles.
    let network = Network::new(stations).map_err(|fault| name_cycle(&fields, &fault))?;
    Ok(Model { network, arrivals })
}

fn name_cycle(stations: &[Field], fault: &Fault) -> ModelError {
    let index = stations.iter().position(|field| fault.field == format!("{}.route", field.path));
    let next = index.and_then(|index| stations[index].optional("next").ok().flatten());
    next.unwrap_or_else(|| stations[0].clone()).error(&fault.problem)
}

fn arrivals(root: &Field) -> Result<Arrivals, ModelError> {
    let field = root.required("arrivals")?;
    let entities = root.optional("entities")?;
    if field.optional("times")?.is_some() {
        field.only(&["times"])?;
        return times(&field.required("times")?, entities);
    }
    field.only(&["distribution", "rate_per_s"])?;
    let distribution = field.required("distribution")?;
    if distribution.text()? != "exponential" {
        return Err(distribution.error("must be \"exponential\"; other arrivals are given as \"times\""));
    }
    let rate = field.required("rate_per_s")?;
    let value = rate.number()?;
    if value <= 0.0 {
        return Err(rate.error(format!("must be above 0, is {value}")));
    }
    rate.checked(between("", value, 1.0 / MOST_RATE_PER_S, MOST_RATE_PER_S))?;
    let entities = entities.ok_or_else(|| root.missing("entities"))?;
    Ok(Arrivals::Exponential { mean_gap_s: 1.0 / value, count: entities.whole(1, MOST_ENTITIES)? })
}

fn times(field: &Field, entities: Option<Field>) -> Result<Arrivals, ModelError> {
    let Value::List(items) = &field.node.value else { return Err(field.error("must be a list of times")) };
    if items.is_empty() || items.len() > MOST_ENTITIES as usize {
        return Err(field.error(format!("must be 1 to {MOST_ENTITIES} times, are {}", items.len())));
    }
    let mut times: Vec<f64> = Vec::with_capacity(items.len());
    for (index, node) in items.iter().enumerate() {
        // The path is put together only for an error: there may be millions.
        let item = || Field { node, path: format!("{}[{index}]", field.path) };
        let Value::Number(time) = node.value else { return Err(item().error("must be a number")) };
        let time = at_least("", time, 0.0).map_err(|fault| item().error(fault.problem))?;
        if times.last().is_some_and(|last| time < *last) {
            return Err(item().error("times may not decrease"));
        }
        times.push(time);
    }
    if let Some(entities) = entities
        && entities.whole(1, MOST_ENTITIES)? as usize != times.len()
    {
        return Err(entities.error(format!("differs from the {} arrival times: leave it out", times.len())));
    }
    Ok(Arrivals::Times(times))
}

/// The names of all stations, each once; calendars name only those.
fn names(stations: &[Field], calendars: Option<&Field>) -> Result<Vec<String>, ModelError> {
    let mut names: Vec<String> = Vec::with_capacity(stations.len());
    for field in stations {
        let name = field.required("name")?;
        let text = name.text()?;
        if text.is_empty() || text.len() > 200 {
            return Err(name.error("must have 1 to 200 bytes"));
        }
        if names.iter().any(|other| other == text) {
            return Err(name.error(format!("{text:?} names two stations")));
        }
        names.push(text.to_owned());
    }
    if let Some(calendars) = calendars {
        for (name, node) in calendars.object()? {
            if !names.contains(name) {
                return Err(Field { node, path: format!("calendar.{name}") }.error("names no station"));
            }
        }
    }
    Ok(names)
}

fn station(field: &Field, names: &[String], calendars: Option<&Field>) -> Result<Station, ModelError> {
    field.only(&["name", "servers", "service", "batch", "next"])?;
    let name = field.required("name")?.text()?.to_owned();
    let servers = field.required("servers")?;
    let count = servers.whole(1, MOST_SERVERS)?;
    let calendar = match calendars.map(|calendars| calendars.optional(&name)).transpose()?.flatten() {
        Some(steps) => calendar(&steps)?,
        None => servers.checked(Calendar::constant(count))?,
    };
    let route = match field.optional("next")? {
        None => Route::Leave,
        Some(next) => {
            let text = next.text()?;
            let place = names.iter().position(|name| name == text);
            Route::To(place.ok_or_else(|| next.error(format!("{text:?} names no station")))? as u32)
        }
    };
    let service = service(&field.required("service")?)?;
    let batch = field.optional("batch")?.map(|field| batch(&field)).transpose()?;
    Ok(Station { batch, route, ..Station::new(name, calendar, service) })
}

fn batch(field: &Field) -> Result<Batch, ModelError> {
    field.only(&["size", "max_wait_s"])?;
    let size = field.required("size")?.whole(1, MOST_BATCH)?;
    let wait = field.required("max_wait_s")?;
    let max_wait_s = wait.checked(at_least("", wait.number()?, 0.0))?;
    Ok(Batch { size, max_wait_s })
}

fn service(field: &Field) -> Result<Distribution, ModelError> {
    let distribution = field.required("distribution")?;
    let number = |name: &str| field.required(name)?.number();
    let only = |names: &[&str]| field.only(&[&["distribution"], names].concat());
    let result = match distribution.text()? {
        "exponential" => {
            only(&["mean_s"])?;
            Distribution::exponential(number("mean_s")?)
        }
        "deterministic" => {
            only(&["value_s"])?;
            Distribution::deterministic(number("value_s")?)
        }
        "uniform" => {
            only(&["low_s", "high_s"])?;
            Distribution::uniform(number("low_s")?, number("high_s")?)
        }
        "lognormal" => {
            only(&["mean_s", "cv"])?;
            Distribution::lognormal(number("mean_s")?, number("cv")?)
        }
        _ => return Err(distribution.error("must be \"exponential\", \"deterministic\", \"uniform\" or \"lognormal\"")),
    };
    result.map_err(|fault| match field.required(&fault.field) {
        Ok(inner) => inner.error(fault.problem),
        Err(error) => error,
    })
}

fn calendar(field: &Field) -> Result<Calendar, ModelError> {
    let items = field.list()?;
    let mut steps = Vec::with_capacity(items.len());
    for item in &items {
        item.only(&["from_s", "servers"])?;
        steps.push(Step { from_s: item.required("from_s")?.number()?, servers: item.required("servers")?.whole(0, MOST_SERVERS)? });
    }
    Calendar::new(steps).map_err(|fault| {
        // A fault of one step is called `[index].name`; of all, `calendar`.
        let place = fault.field.trim_start_matches('[').split_once("].");
        let item = place.and_then(|(index, name)| items.get(index.parse::<usize>().ok()?)?.required(name).ok());
        item.as_ref().unwrap_or(field).error(fault.problem)
    })
}

/// A value and where it stands.
#[derive(Clone)]
struct Field<'n> {
    node: &'n Node,
    path: String,
}

impl<'n> Field<'n> {
    fn error(&self, problem: impl Into<String>) -> ModelError {
        let field = if self.path.is_empty() { "model".to_owned() } else { self.path.clone() };
        ModelError { line: self.node.line, field, problem: problem.into() }
    }

    fn checked<T>(&self, result: Result<T, Fault>) -> Result<T, ModelError> {
        result.map_err(|fault| self.error(fault.problem))
    }

    fn below(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn missing(&self, name: &str) -> ModelError {
        Field { node: self.node, path: self.below(name) }.error("is missing")
    }

    fn object(&self) -> Result<&'n [(String, Node)], ModelError> {
        match &self.node.value {
            Value::Object(fields) => Ok(fields),
            _ => Err(self.error("must be an object")),
        }
    }

    /// Refuses other keys.
    fn only(&self, names: &[&str]) -> Result<(), ModelError> {
        match self.object()?.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            Some((name, node)) => Err(Field { node, path: self.below(name) }.error(format!("is no key here; known are {}", names.join(", ")))),
            None => Ok(()),
        }
    }

    /// `None` when absent or null.
    fn optional(&self, name: &str) -> Result<Option<Field<'n>>, ModelError> {
        let found = self.object()?.iter().find(|(key, node)| key == name && node.value != Value::Null);
        Ok(found.map(|(_, node)| Field { node, path: self.below(name) }))
    }

    fn required(&self, name: &str) -> Result<Field<'n>, ModelError> {
        self.optional(name)?.ok_or_else(|| self.missing(name))
    }

    fn list(&self) -> Result<Vec<Field<'n>>, ModelError> {
        let Value::List(items) = &self.node.value else { return Err(self.error("must be a list")) };
        Ok(items.iter().enumerate().map(|(index, node)| Field { node, path: format!("{}[{index}]", self.path) }).collect())
    }

    fn text(&self) -> Result<&'n str, ModelError> {
        match &self.node.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.error("must be a text")),
        }
    }

    fn number(&self) -> Result<f64, ModelError> {
        match self.node.value {
            Value::Number(number) => Ok(number),
            _ => Err(self.error("must be a number")),
        }
    }

    fn whole(&self, least: u32, most: u32) -> Result<u32, ModelError> {
        let number = self.number()?;
        if number.fract() != 0.0 || number < f64::from(least) || number > f64::from(most) {
            return Err(self.error(format!("must be a whole number of {least} to {most}, is {number}")));
        }
        Ok(number as u32)
    }
}
