//! Ids: who said it, and where in their order. `bucket (7) · device (24) · sequence (32)` in one positive `i64`.
//!
//! The sayer makes the id, so a resend is the same id; the shard key travels in it; the index stays local.
//! Events and the things they create share the packing but not the type.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A shard of the ledger: 0…127. Bucket 0 is the installation itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
pub struct Bucket(u8);

impl Bucket {
    /// The bucket of the installation: accounts, zones, campaigns, assays.
    pub const INSTALLATION: Bucket = Bucket(0);
    /// How many buckets there are.
    pub const COUNT: u8 = 128;

    pub fn new(number: u8) -> Result<Self, IdError> {
        if number < Self::COUNT { Ok(Self(number)) } else { Err(IdError::Bucket(number)) }
    }
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Bucket {
    type Error = IdError;
    fn try_from(number: u8) -> Result<Self, IdError> {
        Self::new(number)
    }
}
impl From<Bucket> for u8 {
    fn from(bucket: Bucket) -> u8 {
        bucket.0
    }
}

/// A sayer: a phone, a scanner, an import, a server, an instrument. 24 bits, unique in an installation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "u32", into = "u32")]
pub struct Device(u32);

impl Device {
    pub const LIMIT: u32 = 1 << 24;
    pub fn new(number: u32) -> Result<Self, IdError> {
        if number < Self::LIMIT { Ok(Self(number)) } else { Err(IdError::Device(number)) }
    }
    pub fn number(self) -> u32 {
        self.0
    }
}
impl TryFrom<u32> for Device {
    type Error = IdError;
    fn try_from(number: u32) -> Result<Self, IdError> {
        Self::new(number)
    }
}
impl From<Device> for u32 {
    fn from(device: Device) -> u32 {
        device.0
    }
}

/// Why a number is not an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdError {
    #[error("bucket {0} is not in 0..=127")]
    Bucket(u8),
    #[error("device {0} does not fit in 24 bits")]
    Device(u32),
    #[error("an id is a positive 63-bit number, not {0}")]
    Negative(i64),
    #[error("an id is a whole number")]
    NotANumber,
}

/// The packed form shared by all typed ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packed(i64);

impl Packed {
    pub fn new(bucket: Bucket, device: Device, sequence: u32) -> Self {
        Self((i64::from(bucket.0) << 56) | (i64::from(device.0) << 32) | i64::from(sequence))
    }
    pub fn from_raw(raw: i64) -> Result<Self, IdError> {
        if raw >= 0 { Ok(Self(raw)) } else { Err(IdError::Negative(raw)) }
    }
    pub fn raw(self) -> i64 {
        self.0
    }
    pub fn bucket(self) -> Bucket {
        Bucket((self.0 >> 56) as u8)
    }
    pub fn device(self) -> Device {
        Device(((self.0 >> 32) & 0xff_ffff) as u32)
    }
    pub fn sequence(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }
}

/// An id type: the packing with a name. In JSON it is a decimal string, because a browser's numbers stop at 2^53.
pub trait TypedId: Copy + Ord + fmt::Display {
    fn packed(self) -> Packed;
    fn from_packed(packed: Packed) -> Self;
    fn raw(self) -> i64 {
        self.packed().raw()
    }
    fn bucket(self) -> Bucket {
        self.packed().bucket()
    }
    /// Shard key as stored.
    fn bucket_number(self) -> i64 {
        i64::from(self.bucket().number())
    }
}

/// Defines id types.
macro_rules! typed_id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::id::Packed);

        impl $name {
            pub fn new(bucket: $crate::Bucket, device: $crate::Device, sequence: u32) -> Self {
                Self($crate::id::Packed::new(bucket, device, sequence))
            }
            pub fn from_raw(raw: i64) -> Result<Self, $crate::id::IdError> {
                $crate::id::Packed::from_raw(raw).map(Self)
            }
        }
        impl $crate::id::TypedId for $name {
            fn packed(self) -> $crate::id::Packed { self.0 }
            fn from_packed(packed: $crate::id::Packed) -> Self { Self(packed) }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{}", self.0.raw()) }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({}.{}.{})"), self.0.bucket().number(), self.0.device().number(), self.0.sequence())
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::id::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(&self.0.raw()) }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                $crate::id::deserialize_packed(d).map(Self)
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "pattern": "^[0-9]{1,19}$", "description": "bucket·device·sequence packed in 63 bits, in decimal"})
            }
        }
    )+};
}

typed_id! {
    /// Any packed id, when the kind of thing is not known.
    AnyId,
    /// One event of the ledger; for a decision, also its command.
    EventId,
    /// A person of the roster.
    PersonId,
    /// A zone, grid, building, enterprise, sampling point, laboratory or gate.
    PlaceId,
    /// A person who signs in.
    AccountId,
    /// A sign-in.
    SessionId,
    /// A round of sampling: who, when, which assay, how pooled.
    CampaignId,
    /// A specimen tube, single or pooled.
    TubeId,
    /// A transport box.
    BoxId,
    /// A 96- or 384-well plate.
    PlateId,
    /// One instrument run of a plate.
    RunId,
    /// A lot of reagent, extraction kit or preservation fluid.
    LotId,
    /// An import of a roster.
    ImportId,
}

impl FromStr for Packed {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        text.trim().parse::<i64>().map_err(|_| IdError::NotANumber).and_then(Self::from_raw)
    }
}

/// Reads an id from a JSON string or whole number.
pub fn deserialize_packed<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Packed, D::Error> {
    struct Visitor;
    impl serde::de::Visitor<'_> for Visitor {
        type Value = Packed;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an id: a decimal string of a positive 63-bit number")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Packed, E> {
            text.parse().map_err(E::custom)
        }
        fn visit_i64<E: serde::de::Error>(self, raw: i64) -> Result<Packed, E> {
            Packed::from_raw(raw).map_err(E::custom)
        }
        fn visit_u64<E: serde::de::Error>(self, raw: u64) -> Result<Packed, E> {
            i64::try_from(raw).map_err(E::custom).and_then(|raw| self.visit_i64(raw))
        }
    }
    d.deserialize_any(Visitor)
}

impl EventId {
    /// The thing this event creates bears the event's own number.
    pub fn created<T: TypedId>(self) -> T {
        T::from_packed(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packing_loses_nothing(bucket in 0u8..128, device in 0u32..Device::LIMIT, sequence: u32) {
            let id = EventId::new(Bucket::new(bucket).unwrap(), Device::new(device).unwrap(), sequence);
            prop_assert!(id.raw() >= 0);
            prop_assert_eq!(id.bucket().number(), bucket);
            prop_assert_eq!(id.packed().device().number(), device);
            prop_assert_eq!(id.packed().sequence(), sequence);
            prop_assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<EventId>(&json).unwrap(), id);
        }

        #[test]
        fn ids_of_one_device_sort_by_sequence(a: u32, b: u32) {
            let id = |sequence| TubeId::new(Bucket::new(5).unwrap(), Device::new(77).unwrap(), sequence);
            prop_assert_eq!(id(a).cmp(&id(b)), a.cmp(&b));
        }
    }

    #[test]
    fn what_is_no_id_is_named() {
        assert_eq!(Bucket::new(128), Err(IdError::Bucket(128)));
        assert_eq!(Device::new(Device::LIMIT), Err(IdError::Device(Device::LIMIT)));
        assert_eq!("-4".parse::<EventId>(), Err(IdError::Negative(-4)));
        assert_eq!("x".parse::<EventId>(), Err(IdError::NotANumber));
        assert!(serde_json::from_str::<EventId>("\"-1\"").is_err());
    }
}
