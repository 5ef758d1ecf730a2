//! The benchmark's text (schedulingbenchmarks.org) into a [`Problem`], and plans as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::problem::{Assignment, Cover, Employee, Plan, Problem, Request, Shift, bounds};

/// What is wrong, where: the line counts from 1, the field is named as in the benchmark's comments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {section}, {field}: {problem}")]
pub struct FormatError {
    pub line: usize,
    pub section: String,
    pub field: String,
    pub problem: String,
}

const SECTIONS: [&str; 7] =
    ["SECTION_HORIZON", "SECTION_SHIFTS", "SECTION_STAFF", "SECTION_DAYS_OFF", "SECTION_SHIFT_ON_REQUESTS", "SECTION_SHIFT_OFF_REQUESTS", "SECTION_COVER"];

/// Longest text read.
const TEXT_BYTES: usize = 64 << 20;

/// Reads the benchmark's text. Lines may end in LF, CR LF or CR; `#` starts a comment line.
///
/// # Errors
/// Names the first line and field that cannot be read, is out of bounds, or refers to something unknown.
pub fn parse(text: &str) -> Result<Problem, FormatError> {
    let mut reader = Reader::default();
    if text.len() > TEXT_BYTES {
        return Err(reader.error("file", format!("has {} bytes, more than {TEXT_BYTES}", text.len())));
    }
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    for (at, line) in text.split('\n').enumerate() {
        reader.line = at + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with("SECTION_") {
            reader.begin(line)?;
        } else {
            reader.read(line)?;
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    line: usize,
    section: Option<usize>,
    problem: Problem,
    shift_of: BTreeMap<String, usize>,
    employee_of: BTreeMap<String, usize>,
    /// Per shift, the line and the ids that must not follow, until every shift is known.
    bans: Vec<(usize, Vec<String>)>,
    seen: BTreeSet<(usize, usize, usize, usize)>,
}

/// The fields of one line, taken one after another.
struct Fields<'r, 't> {
    reader: &'r Reader,
    rest: std::str::Split<'t, char>,
}

impl<'t> Fields<'_, 't> {
    fn text(&mut self, field: &str) -> Result<&'t str, FormatError> {
        self.rest.next().map(str::trim).ok_or_else(|| self.reader.error(field, "is missing".to_owned()))
    }

    fn id(&mut self, field: &str) -> Result<&'t str, FormatError> {
        let text = self.text(field)?;
        if text.is_empty() { Err(self.reader.error(field, "is empty".to_owned())) } else { Ok(text) }
    }

    fn number(&mut self, field: &str, most: u32) -> Result<u32, FormatError> {
        let text = self.text(field)?;
        self.reader.number(field, text, most)
    }

    fn day(&mut self, field: &str) -> Result<usize, FormatError> {
        let text = self.text(field)?;
        self.reader.day(field, text)
    }

    fn employee(&mut self) -> Result<usize, FormatError> {
        let id = self.id("EmployeeID")?;
        self.reader.employee_of.get(id).copied().ok_or_else(|| self.reader.error("EmployeeID", format!("{id} is nobody of SECTION_STAFF")))
    }

    fn shift(&mut self) -> Result<usize, FormatError> {
        let id = self.id("ShiftID")?;
        self.reader.shift("ShiftID", id)
    }

    fn end(mut self) -> Result<(), FormatError> {
        match self.rest.next() {
            None => Ok(()),
            Some(more) => Err(self.reader.error("line", format!("has more fields than wanted, from {:?}", clip(more)))),
        }
    }
}

/// Words of the file in messages are kept short.
fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

impl Reader {
    fn error(&self, field: &str, problem: String) -> FormatError {
        let section = self.section.map_or("before the first section", |at| SECTIONS[at]);
        FormatError { line: self.line, section: section.to_owned(), field: field.to_owned(), problem }
    }

    fn number(&self, field: &str, text: &str, most: u32) -> Result<u32, FormatError> {
        let value: u32 = text.parse().map_err(|_| self.error(field, format!("{:?} is no whole number from 0", clip(text))))?;
        if value > most { Err(self.error(field, format!("{value} is more than {most}"))) } else { Ok(value) }
    }

    fn day(&self, field: &str, text: &str) -> Result<usize, FormatError> {
        let day = self.number(field, text, u32::MAX)? as usize;
        let days = self.problem.days;
        if day < days { Ok(day) } else { Err(self.error(field, format!("{day} lies outside the horizon of {days} days, which start at 0"))) }
    }

    fn shift(&self, field: &str, id: &str) -> Result<usize, FormatError> {
        self.shift_of.get(id).copied().ok_or_else(|| self.error(field, format!("{:?} is no shift of SECTION_SHIFTS", clip(id))))
    }

    fn fields<'t>(&self, line: &'t str) -> Fields<'_, 't> {
        Fields { reader: self, rest: line.split(',') }
    }

    fn begin(&mut self, line: &str) -> Result<(), FormatError> {
        let Some(at) = SECTIONS.iter().position(|name| *name == line) else {
            return Err(self.error("section", format!("{:?} is unknown", clip(line))));
        };
        if self.section.is_some_and(|before| before >= at) {
            return Err(self.error("section", format!("{line} stands twice or out of order")));
        }
        self.settle()?;
        self.section = Some(at);
        Ok(())
    }

    /// What can be said only when a section is complete.
    fn settle(&mut self) -> Result<(), FormatError> {
        for (shift, (line, ids)) in std::mem::take(&mut self.bans).into_iter().enumerate() {
            let known = |id: &String| self.shift("Shifts which cannot follow", id).map_err(|error| FormatError { line, ..error });
            let bans = ids.iter().map(known).collect::<Result<Vec<_>, _>>()?;
            self.problem.shifts[shift].not_followed_by = bans;
        }
        Ok(())
    }

    fn read(&mut self, line: &str) -> Result<(), FormatError> {
        match self.section {
            None => Err(self.error("section", format!("{:?} stands before any section", clip(line)))),
            Some(0) => self.horizon(line),
            Some(1) => self.read_shift(line),
            Some(2) => self.read_employee(line),
            Some(3) => self.days_off(line),
            Some(section @ (4 | 5)) => self.request(line, section),
            Some(_) => self.read_cover(line),
        }
    }

    fn horizon(&mut self, line: &str) -> Result<(), FormatError> {
        if self.problem.days > 0 {
            return Err(self.error("Horizon", "stands twice".to_owned()));
        }
        let days = self.number("Horizon", line, bounds::DAYS as u32)? as usize;
        if days == 0 {
            return Err(self.error("Horizon", "is 0 days".to_owned()));
        }
        self.problem.days = days;
        Ok(())
    }

    fn read_shift(&mut self, line: &str) -> Result<(), FormatError> {
        let mut fields = self.fields(line);
        let id = fields.id("ShiftID")?.to_owned();
        let minutes = fields.number("Length in mins", bounds::MINUTES_OF_SHIFT)?;
        // The comma before an empty list may be missing.
        let bans = fields.rest.next().unwrap_or_default();
        fields.end()?;
        let bans: Vec<String> = bans.split('|').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
        let at = self.problem.shifts.len();
        if minutes == 0 {
            return Err(self.error("Length in mins", "is 0".to_owned()));
        }
        if at == bounds::SHIFTS {
            return Err(self.error("ShiftID", format!("is one more than {} shifts", bounds::SHIFTS)));
        }
        if self.shift_of.insert(id.clone(), at).is_some() {
            return Err(self.error("ShiftID", format!("{:?} stands twice", clip(&id))));
        }
        self.problem.shifts.push(Shift { id, minutes, not_followed_by: vec![] });
        self.bans.push((self.line, bans));
        Ok(())
    }

    fn read_employee(&mut self, line: &str) -> Result<(), FormatError> {
        let mut fields = self.fields(line);
        let id = fields.id("ID")?.to_owned();
        let max_shifts = fields.text("MaxShifts")?;
        let employee = Employee {
            max_shifts: self.max_shifts(max_shifts)?,
            max_minutes: fields.number("MaxTotalMinutes", bounds::COUNT)?,
            min_minutes: fields.number("MinTotalMinutes", bounds::COUNT)?,
            max_consecutive: fields.number("MaxConsecutiveShifts", bounds::COUNT)?,
            min_consecutive: fields.number("MinConsecutiveShifts", bounds::COUNT)?,
            min_days_off: fields.number("MinConsecutiveDaysOff", bounds::COUNT)?,
            max_weekends: fields.number("MaxWeekends", bounds::COUNT)?,
            days_off: vec![],
            id: id.clone(),
        };
        fields.end()?;
        let at = self.problem.staff.len();
        if at == bounds::STAFF || (at + 1) * self.problem.days * (self.problem.shifts.len() + 1) > bounds::CHOICES {
            return Err(self.error("ID", format!("is one more than {at} people on {} days, more than is planned at once", self.problem.days)));
        }
        if self.employee_of.insert(id.clone(), at).is_some() {
            return Err(self.error("ID", format!("{:?} stands twice", clip(&id))));
        }
        self.problem.staff.push(employee);
        Ok(())
    }

    /// `E=28|D=28|L=0`; a shift that is not named is not limited.
    fn max_shifts(&self, text: &str) -> Result<Vec<u32>, FormatError> {
        let mut most = vec![self.problem.days as u32; self.problem.shifts.len()];
        for part in text.split('|').map(str::trim).filter(|part| !part.is_empty()) {
            let (id, number) = part.split_once('=').ok_or_else(|| self.error("MaxShifts", format!("{:?} is not shift=number", clip(part))))?;
            most[self.shift("MaxShifts", id.trim())?] = self.number("MaxShifts", number.trim(), bounds::COUNT)?;
        }
        Ok(most)
    }

    fn days_off(&mut self, line: &str) -> Result<(), FormatError> {
        let mut fields = self.fields(line);
        let employee = fields.employee()?;
        let days = fields.rest.map(str::trim).filter(|text| !text.is_empty());
        let mut days = days.map(|text| self.day("DayIndexes", text)).collect::<Result<Vec<_>, _>>()?;
        let own = &mut self.problem.staff[employee].days_off;
        own.append(&mut days);
        own.sort_unstable();
        own.dedup();
        Ok(())
    }

    fn request(&mut self, line: &str, section: usize) -> Result<(), FormatError> {
        let mut fields = self.fields(line);
        let (employee, day, shift) = (fields.employee()?, fields.day("Day")?, fields.shift()?);
        let weight = fields.number("Weight", bounds::WEIGHT)?;
        fields.end()?;
        self.once(section, employee, day, shift)?;
        let requests = if section == 4 { &mut self.problem.on_requests } else { &mut self.problem.off_requests };
        requests.push(Request { employee, day, shift, weight });
        Ok(())
    }

    fn read_cover(&mut self, line: &str) -> Result<(), FormatError> {
        let mut fields = self.fields(line);
        let (day, shift) = (fields.day("Day")?, fields.shift()?);
        let required = fields.number("Requirement", bounds::STAFF as u32)?;
        let under = fields.number("Weight for under", bounds::WEIGHT)?;
        let over = fields.number("Weight for over", bounds::WEIGHT)?;
        fields.end()?;
        self.once(6, 0, day, shift)?;
        self.problem.cover.push(Cover { day, shift, required, under, over });
        Ok(())
    }

    fn once(&mut self, section: usize, employee: usize, day: usize, shift: usize) -> Result<(), FormatError> {
        if self.seen.insert((section, employee, day, shift)) { Ok(()) } else { Err(self.error("line", "says the same day and shift twice".to_owned())) }
    }

    fn finish(mut self) -> Result<Problem, FormatError> {
        self.settle()?;
        let missing = [(self.problem.days == 0, 0), (self.problem.shifts.is_empty(), 1), (self.problem.staff.is_empty(), 2)];
        match missing.into_iter().find(|(is_missing, _)| *is_missing) {
            Some((_, at)) => Err(self.error("section", format!("{} is missing or empty", SECTIONS[at]))),
            None => Ok(self.problem),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct PlanText {
    objective: u64,
    assignments: Vec<AssignmentText>,
}

#[derive(Serialize, Deserialize)]
struct AssignmentText {
    employee: String,
    day: usize,
    shift: String,
}

/// The plan as JSON: the checker's objective and one object per assignment, people and shifts by their ids.
pub fn write_plan(problem: &Problem, plan: &Plan, objective: u64) -> String {
    let text = |a: &Assignment| AssignmentText {
        employee: problem.staff.get(a.employee).map_or_else(String::new, |e| e.id.clone()),
        day: a.day,
        shift: problem.shifts.get(a.shift).map_or_else(String::new, |s| s.id.clone()),
    };
    let plan = PlanText { objective, assignments: plan.assignments.iter().map(text).collect() };
    serde_json::to_string(&plan).unwrap_or_default()
}

/// Reads what [`write_plan`] wrote, with the objective it claims.
///
/// # Errors
/// Says what is no JSON of this shape (with line and column), or which assignment names something unknown.
pub fn read_plan(problem: &Problem, text: &str) -> Result<(Plan, u64), String> {
    let plan: PlanText = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut assignments = Vec::new();
    for (at, a) in plan.assignments.iter().enumerate() {
        let employee = problem.staff.iter().position(|e| e.id == a.employee);
        let shift = problem.shifts.iter().position(|s| s.id == a.shift);
        let employee = employee.ok_or_else(|| format!("assignment {at}, employee: {:?} is nobody of the problem", clip(&a.employee)))?;
        let shift = shift.ok_or_else(|| format!("assignment {at}, shift: {:?} is no shift of the problem", clip(&a.shift)))?;
        assignments.push(Assignment { employee, day: a.day, shift });
    }
    assignments.sort_unstable();
    Ok((Plan { assignments }, plan.objective))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{WEEK, week};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_section_is_read() {
        let problem = week();
        assert_eq!((problem.days, problem.shifts.len(), problem.staff.len()), (7, 2, 3));
        assert_eq!(problem.shifts[1], Shift { id: "N".into(), minutes: 600, not_followed_by: vec![0] });
        assert_eq!(problem.staff[0].max_shifts, vec![7, 2]);
        assert_eq!((problem.staff[0].max_minutes, problem.staff[0].min_minutes), (2640, 1440));
        assert_eq!(problem.staff[0].days_off, vec![3]);
        assert_eq!(problem.on_requests[2], Request { employee: 2, day: 2, shift: 1, weight: 2 });
        assert_eq!(problem.off_requests, vec![Request { employee: 0, day: 0, shift: 0, weight: 2 }]);
        assert_eq!(problem.cover[6], Cover { day: 4, shift: 1, required: 1, under: 90, over: 5 });
    }

    #[test]
    fn line_ends_and_marks_of_other_systems_read_the_same() {
        for other in [WEEK.replace('\n', "\r\n"), WEEK.replace('\n', "\r"), format!("\u{feff}{WEEK}")] {
            assert_eq!(parse(&other), Ok(week()));
        }
        let broken = WEEK.replace("Ann,3\n", "Ann,9\n").replace('\n', "\r");
        assert_eq!(parse(&broken).unwrap_err().line, 15);
    }

    #[test]
    fn every_mistake_names_its_line_and_field() {
        let cases = [
            ("7\n\nSECTION_SHIFTS", "0\n\nSECTION_SHIFTS", 3, "Horizon"),
            ("7\n\nSECTION_SHIFTS", "7\n8\nSECTION_SHIFTS", 4, "Horizon"),
            ("D,480,", "D,-1,", 6, "Length in mins"),
            ("D,480,", "D", 6, "Length in mins"),
            ("N,600,D", "N,600,X", 7, "Shifts which cannot follow"),
            ("N,600,D", "D,600,", 7, "ShiftID"),
            ("D=7|N=2", "D:7", 10, "MaxShifts"),
            ("D=7|N=2", "X=7", 10, "MaxShifts"),
            ("Bo,D=7", "Ann,D=7", 11, "ID"),
            ("4,1,1,1", "4,1,1", 11, "MaxWeekends"),
            ("4,1,1,1", "4,1,1,1,1", 11, "line"),
            ("Ann,3", "Zoe,3", 15, "EmployeeID"),
            ("Ann,3", "Ann,7", 15, "DayIndexes"),
            ("Bo,1,D,3", "Bo,0,D,3", 19, "line"),
            ("Cy,2,N,2", "Cy,2,N,9999999", 20, "Weight"),
            ("0,D,1,100,1", "0,D,x,100,1", 26, "Requirement"),
            ("SECTION_COVER", "SECTION_HORIZON", 25, "section"),
            ("SECTION_COVER", "SECTION_TEA", 25, "section"),
        ];
        for (from, to, line, field) in cases {
            assert!(WEEK.contains(from), "{from}");
            let error = parse(&WEEK.replacen(from, to, 1)).expect_err(to);
            assert_eq!((error.line, error.field.as_str()), (line, field), "{error}");
        }
        assert!(parse("").unwrap_err().to_string().contains("SECTION_HORIZON is missing"));
        assert!(parse("x").unwrap_err().to_string().contains("before any section"));
    }

    #[test]
    fn plans_are_written_and_read_back() {
        let problem = week();
        let plan = Plan { assignments: vec![Assignment { employee: 0, day: 1, shift: 0 }, Assignment { employee: 2, day: 0, shift: 1 }] };
        let text = write_plan(&problem, &plan, 42);
        assert_eq!(text, r#"{"objective":42,"assignments":[{"employee":"Ann","day":1,"shift":"D"},{"employee":"Cy","day":0,"shift":"N"}]}"#);
        assert_eq!(read_plan(&problem, &text), Ok((plan, 42)));
        assert!(read_plan(&problem, &text.replace("Cy", "Zoe")).unwrap_err().starts_with("assignment 1, employee"));
        assert!(read_plan(&problem, "{").is_err());
    }

    proptest! {
        #[test]
        fn damaged_texts_are_read_or_refused(cut in 0..WEEK.len(), with in "[,|=\\-0-9A-Z#\\r\\n ]{0,6}", drop in 0usize..12) {
            let text: String = WEEK.chars().take(cut).chain(with.chars()).chain(WEEK.chars().skip(cut + drop)).collect();
            if let Err(error) = parse(&text) {
                prop_assert!(error.line <= text.len() + 1 && !error.field.is_empty());
            }
        }
    }
}
