//! Instances of the benchmark's family: every person has a row worked out beforehand that keeps all hard rules, and the
//! contract is drawn tight around it. So a legal roster exists, though little else may.

/// Draws from a seed (SplitMix64).
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((word ^ (word >> 31)) >> 32) as usize * bound.max(1)) >> 32
    }
}

/// Shifts start every `1440 / shifts` minutes; an earlier start must not follow a later one. Some are longer.
fn shift_minutes(shift: usize) -> usize {
    [480, 480, 600, 480, 540, 480, 720][shift % 7]
}

/// What one person's contract says, and the row it was drawn around.
struct Person {
    row: Vec<Option<usize>>,
    may: Vec<bool>,
    max_run: usize,
    min_run: usize,
    min_rest: usize,
}

impl Person {
    fn drawn(draws: &mut Draws, days: usize, shifts: usize) -> Person {
        let (max_run, min_run, min_rest) = (5 + draws.below(2), 2 + draws.below(2), 2 + draws.below(2));
        let mut may: Vec<bool> = (0..shifts).map(|_| draws.below(3) > 0).collect();
        may[draws.below(shifts)] = true;
        let known: Vec<usize> = (0..shifts).filter(|shift| may[*shift]).collect();
        let mut row = Vec::new();
        while row.len() < days {
            row.extend(std::iter::repeat_n(None, min_rest + draws.below(2)));
            let mut from = draws.below(known.len());
            for _ in 0..min_run + draws.below(max_run - min_run + 1) {
                row.push(Some(known[from]));
                from += draws.below(known.len() - from) / 2;
            }
        }
        row.truncate(days);
        Person { row, may, max_run, min_run, min_rest }
    }

    fn minutes(&self) -> usize {
        self.row.iter().flatten().map(|shift| shift_minutes(*shift)).sum()
    }

    fn weekends(&self) -> usize {
        self.row.chunks(7).filter(|week| week.iter().skip(5).any(Option::is_some)).count()
    }

    /// `tight` leaves half a shift of slack in minutes and none in weekends and limited shifts.
    fn line(&self, name: usize, days: usize, tight: bool) -> String {
        let slack = if tight { 240 } else { 960 };
        let most = self.may.iter().enumerate().map(|(shift, may)| {
            let own = self.row.iter().flatten().filter(|s| **s == shift).count();
            let limit = if !may {
                0
            } else if shift % 3 == 2 {
                own + usize::from(!tight)
            } else {
                days
            };
            format!("S{shift}={limit}")
        });
        let most: Vec<String> = most.collect();
        let minutes = self.minutes();
        let (max, min) = (minutes + slack, minutes.saturating_sub(slack));
        let weekends = self.weekends() + usize::from(!tight);
        format!("P{name},{},{max},{min},{},{},{},{weekends}\n", most.join("|"), self.max_run, self.min_run, self.min_rest)
    }
}

/// The text of an instance of `days` × `staff` with so many shifts.
pub fn instance(seed: u64, days: usize, staff: usize, shifts: usize, tight: bool) -> String {
    let mut draws = Draws(seed);
    let mut text = format!("SECTION_HORIZON\n{days}\n\nSECTION_SHIFTS\n");
    for shift in 0..shifts {
        let earlier: Vec<String> = (0..shift).map(|s| format!("S{s}")).collect();
        text += &format!("S{shift},{},{}\n", shift_minutes(shift), earlier.join("|"));
    }
    let people: Vec<Person> = (0..staff).map(|_| Person::drawn(&mut draws, days, shifts)).collect();
    text += "\nSECTION_STAFF\n";
    people.iter().enumerate().for_each(|(name, person)| text += &person.line(name, days, tight));
    text += "\nSECTION_DAYS_OFF\n";
    for (name, person) in people.iter().enumerate() {
        let free: Vec<usize> = (0..days).filter(|day| person.row[*day].is_none()).collect();
        let mut chosen: Vec<usize> = (0..days / 14).map(|_| free[draws.below(free.len())]).collect();
        chosen.sort_unstable();
        chosen.dedup();
        let chosen: Vec<String> = chosen.iter().map(ToString::to_string).collect();
        text += &if chosen.is_empty() { String::new() } else { format!("P{name},{}\n", chosen.join(",")) };
    }
    for section in ["ON", "OFF"] {
        text += &format!("\nSECTION_SHIFT_{section}_REQUESTS\n");
        for name in 0..staff {
            for week in 0..days / 7 {
                text += &format!("P{name},{},S{},{}\n", 7 * week + draws.below(7), draws.below(shifts), 1 + draws.below(3));
            }
        }
    }
    text += "\nSECTION_COVER\n";
    for day in 0..days {
        for shift in 0..shifts {
            let present = people.iter().filter(|p| p.row[day] == Some(shift)).count();
            text += &format!("{day},S{shift},{},100,1\n", present + draws.below(3) / 2);
        }
    }
    text
}
