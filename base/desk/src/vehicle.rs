//! A vehicle: a Baton that works on a copy of the centre, away from it, and sends the centre what happened.
//!
//! Copy and centre speak under different numbers from the first day, so that nothing one says is ever taken for what the other said.

use std::ops::Range;

use baton_kit::Device;

/// Numbers below are kept for servers: 1 for the centre, the next for its vehicles.
const FIRST_DEVICE: u32 = 1024;
/// Numbers from here on are given on vehicles, so many on each.
const FIRST_ON_VEHICLES: u32 = 1 << 23;
const GIVEN_ON_EACH: u32 = 1 << 16;
const CENTRE: u32 = 1;

/// The number of a vehicle, from 1 to 127.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vehicle(u8);

impl Vehicle {
    pub fn new(number: u8) -> Option<Self> {
        (1..=127).contains(&number).then_some(Self(number))
    }

    pub fn number(self) -> u8 {
        self.0
    }

    /// Under which number its server speaks.
    pub fn server(self) -> Device {
        Device::new(CENTRE + u32::from(self.0)).expect("below the limit")
    }

    /// Which vehicle's server speaks under this number.
    pub fn of_server(server: Device) -> Option<Self> {
        server.number().checked_sub(CENTRE).and_then(|number| u8::try_from(number).ok()).and_then(Self::new)
    }
}

/// Numbers that the server under this number gives to sign-ins and handheld devices.
pub(crate) fn numbers_given_by(server: Device) -> Range<i64> {
    let range = match Vehicle::of_server(server) {
        None => FIRST_DEVICE..FIRST_ON_VEHICLES,
        Some(Vehicle(number)) => {
            let first = FIRST_ON_VEHICLES + u32::from(number - 1) * GIVEN_ON_EACH;
            first..first + GIVEN_ON_EACH
        }
    };
    i64::from(range.start)..i64::from(range.end)
}

/// The centre's server.
pub fn centre() -> Device {
    Device::new(CENTRE).expect("below the limit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_batons_give_one_number_twice() {
        let servers = std::iter::once(centre()).chain((1..=127).filter_map(Vehicle::new).map(Vehicle::server));
        let mut last = i64::from(FIRST_DEVICE);
        for server in servers {
            let given = numbers_given_by(server);
            assert_eq!(given.start, last, "{server:?}");
            assert!(given.end > given.start && i64::from(server.number()) < i64::from(FIRST_DEVICE));
            last = given.end;
        }
        assert!(last <= i64::from(Device::LIMIT));
        assert_eq!((Vehicle::new(0), Vehicle::new(128)), (None, None));
        assert_eq!(Vehicle::of_server(Vehicle::new(7).unwrap().server()), Vehicle::new(7));
        assert_eq!((Vehicle::of_server(centre()), Vehicle::of_server(Device::new(1024).unwrap())), (None, None));
    }
}
