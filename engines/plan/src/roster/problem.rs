//! The nouns of staff rostering, in the terms of Curtois and Qu (2014), "Computational results on new staff scheduling
//! benchmark instances". Employees, shifts and days are indices from 0; day 0 is a Monday.

/// A kind of shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    pub id: String,
    /// Paid length.
    pub minutes: u32,
    /// Shifts that must not be worked the day after this one.
    pub not_followed_by: Vec<usize>,
}

/// A person and the hard rules of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Employee {
    pub id: String,
    /// Most shifts of each kind, by index of [`Problem::shifts`]; 0 = may never work it.
    pub max_shifts: Vec<u32>,
    pub max_minutes: u32,
    pub min_minutes: u32,
    /// Longest run of working days.
    pub max_consecutive: u32,
    /// Shortest run of working days; runs that touch the first or last day are exempt.
    pub min_consecutive: u32,
    /// Shortest run of days off; runs that touch the first or last day are exempt.
    pub min_days_off: u32,
    /// Most weekends with a Saturday or a Sunday worked.
    pub max_weekends: u32,
    /// Days that must be off.
    pub days_off: Vec<usize>,
}

/// A wish of an employee about one shift on one day, and what it costs not to grant it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    pub employee: usize,
    pub day: usize,
    pub shift: usize,
    pub weight: u32,
}

/// How many people a shift wants on a day, and what each one missing or too many costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cover {
    pub day: usize,
    pub shift: usize,
    pub required: u32,
    pub under: u32,
    pub over: u32,
}

/// A cell that is decided beforehand: a published duty, or a day off when `shift` is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    pub employee: usize,
    pub day: usize,
    pub shift: Option<usize>,
}

/// Everything a roster is made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// Length of the horizon.
    pub days: usize,
    pub shifts: Vec<Shift>,
    pub staff: Vec<Employee>,
    /// Each costs its weight when the employee does not work that shift that day.
    pub on_requests: Vec<Request>,
    /// Each costs its weight when the employee works that shift that day.
    pub off_requests: Vec<Request>,
    pub cover: Vec<Cover>,
    /// Not part of the benchmark's text: cells the solver must not change.
    pub pins: Vec<Pin>,
}

/// One person on one shift on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assignment {
    pub employee: usize,
    pub day: usize,
    pub shift: usize,
}

/// A roster: immutable, sorted by employee and day. Its cost is the checker's to say ([`crate::roster::check`]).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pub assignments: Vec<Assignment>,
}

/// Largest problem that is read or solved; beyond it lies a mistake, not a roster.
pub mod bounds {
    /// Ten years and a bit.
    pub const DAYS: usize = 3_700;
    pub const STAFF: usize = 5_000;
    /// A row's allowed shifts fit in one 64-bit word.
    pub const SHIFTS: usize = 60;
    /// Cells times shifts kept in memory.
    pub const CHOICES: usize = 20_000_000;
    pub const MINUTES_OF_SHIFT: u32 = 2_880;
    pub const WEIGHT: u32 = 1_000_000;
    /// Any other count of days, shifts or minutes.
    pub const COUNT: u32 = 10_000_000;
}
