//! Small instances for the tests of rosters.

use super::format;
use super::problem::Problem;

/// Two shifts, three people, one week.
pub(super) const WEEK: &str = "\
# by hand
SECTION_HORIZON
7

SECTION_SHIFTS
D,480,
N,600,D

SECTION_STAFF
Ann,D=7|N=2,2640,1440,3,2,2,1
Bo,D=7|N=0,2400,960,4,1,1,1
Cy,D=2|N=7,3000,1200,3,1,1,0

SECTION_DAYS_OFF
Ann,3

SECTION_SHIFT_ON_REQUESTS
Bo,0,D,3
Bo,1,D,3
Cy,2,N,2

SECTION_SHIFT_OFF_REQUESTS
Ann,0,D,2

SECTION_COVER
0,D,1,100,1
0,N,1,100,1
1,D,1,100,1
2,D,2,100,1
2,N,1,100,1
3,D,1,100,1
4,N,1,90,5
5,D,1,100,1
6,D,1,100,1
";

pub(super) fn week() -> Problem {
    format::parse(WEEK).expect("the week is well formed")
}

/// A generated instance of the family: rules drawn from its usual ranges.
pub(super) fn drawn(seed: u64, days: usize, staff: usize) -> Problem {
    let mut random = crate::random::Random::new(seed, 0);
    let mut text = format!("SECTION_HORIZON\n{days}\nSECTION_SHIFTS\nE,480,\nD,480,E\nN,600,E|D\nSECTION_STAFF\n");
    for person in 0..staff {
        let most = days * 480 * 5 / 7;
        let (run, rest) = (4 + random.below(3), 1 + random.below(2));
        text += &format!(
            "P{person},E={}|D={days}|N={},{most},{},{run},{},{rest},{}\n",
            random.below(days),
            random.below(4),
            most * 2 / 3,
            1 + random.below(2),
            days / 8
        );
    }
    text += "SECTION_SHIFT_ON_REQUESTS\n";
    for person in 0..staff {
        text += &format!("P{person},{},D,{}\n", random.below(days), 1 + random.below(3));
    }
    text += "SECTION_COVER\n";
    for day in 0..days {
        for (shift, share) in [("E", 5), ("D", 4), ("N", 8)] {
            text += &format!("{day},{shift},{},100,1\n", random.below(staff / share + 2));
        }
    }
    format::parse(&text).expect("drawn instances are well formed")
}
