//! A message in memory: texts are unescaped.

/// The signs a message declares in MSH-1 and MSH-2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Separators {
    pub field: char,
    pub component: char,
    pub repetition: char,
    pub escape: char,
    pub subcomponent: char,
    /// From version 2.7 on; what follows it was cut off.
    pub truncation: Option<char>,
}

impl Default for Separators {
    fn default() -> Self {
        Self { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&', truncation: None }
    }
}

impl Separators {
    /// What stands in MSH-2.
    pub fn encoding(&self) -> String {
        [self.component, self.repetition, self.escape, self.subcomponent].into_iter().chain(self.truncation).collect()
    }
}

/// One value of a field: components, each of subcomponents.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Repetition(pub Vec<Vec<String>>);

impl Repetition {
    /// Components without subcomponents.
    pub fn of(components: &[&str]) -> Self {
        Self(components.iter().map(|component| vec![(*component).to_owned()]).collect())
    }
    /// A component, from 1: its first subcomponent.
    pub fn component(&self, number: usize) -> &str {
        self.subcomponent(number, 1)
    }
    pub fn subcomponent(&self, component: usize, number: usize) -> &str {
        let subcomponents = component.checked_sub(1).and_then(|at| self.0.get(at));
        subcomponents.zip(number.checked_sub(1)).and_then(|(all, at)| all.get(at)).map_or("", String::as_str)
    }
}

/// A field: its repetitions; none when nothing stands there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Field(pub Vec<Repetition>);

/// A segment; `fields[0]` is field 1. In MSH, field 1 is the field separator and field 2 the others, as plain texts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Segment {
    pub name: String,
    pub fields: Vec<Field>,
}

impl Segment {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), fields: Vec::new() }
    }

    /// A field, from 1.
    pub fn field(&self, number: usize) -> Option<&Field> {
        self.fields.get(number.checked_sub(1)?)
    }
    pub fn repetitions(&self, number: usize) -> &[Repetition] {
        self.field(number).map_or(&[], |field| &field.0)
    }
    /// A component of a field's first repetition; empty when it is not there.
    pub fn get(&self, field: usize, component: usize) -> &str {
        self.repetitions(field).first().map_or("", |first| first.component(component))
    }

    /// Puts components into a field; trailing empty ones are left out.
    pub fn with(mut self, field: usize, components: &[&str]) -> Self {
        let filled = components.iter().rposition(|component| !component.is_empty()).map_or(0, |last| last + 1);
        if field > 0 && filled > 0 {
            if self.fields.len() < field {
                self.fields.resize(field, Field::default());
            }
            self.fields[field - 1].0.push(Repetition::of(&components[..filled]));
        }
        self
    }
    /// Puts a plain text into a field.
    pub fn text(self, field: usize, text: &str) -> Self {
        self.with(field, &[text])
    }
}

/// A message; the first segment is MSH.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    pub separators: Separators,
    pub segments: Vec<Segment>,
}

impl Message {
    /// The first segment of a name.
    pub fn segment(&self, name: &str) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.name == name)
    }
    pub fn all<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m Segment> {
        self.segments.iter().filter(move |segment| segment.name == name)
    }
    /// A component of the first segment of a name; empty when it is not there.
    pub fn get(&self, segment: &str, field: usize, component: usize) -> &str {
        self.segment(segment).map_or("", |segment| segment.get(field, component))
    }
    /// `ORU^R01`.
    pub fn kind(&self) -> String {
        format!("{}^{}", self.get("MSH", 9, 1), self.get("MSH", 9, 2))
    }
    pub fn control_id(&self) -> &str {
        self.get("MSH", 10, 1)
    }
    /// Application and facility that sent it.
    pub fn sender(&self) -> (&str, &str) {
        (self.get("MSH", 3, 1), self.get("MSH", 4, 1))
    }
}
