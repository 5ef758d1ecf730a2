//! Who is asking: roles, and the zones they reach.

use baton_kit::{AccountId, Device, Language, PlaceId, Refusal, SessionId};
use serde::{Deserialize, Serialize};

/// What somebody may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Administrator,
    ZoneManager,
    GridWarden,
    EnterpriseContact,
    SamplingNurse,
    PointLeader,
    Courier,
    Accession,
    Technician,
    LaboratoryDirector,
    Auditor,
}

impl Role {
    pub const ALL: [Role; 11] = [
        Role::Administrator,
        Role::ZoneManager,
        Role::GridWarden,
        Role::EnterpriseContact,
        Role::SamplingNurse,
        Role::PointLeader,
        Role::Courier,
        Role::Accession,
        Role::Technician,
        Role::LaboratoryDirector,
        Role::Auditor,
    ];

    /// Its name in JSON, on the command line and in the texts (`role-<name>`).
    pub fn name(self) -> &'static str {
        match self {
            Role::Administrator => "administrator",
            Role::ZoneManager => "zone_manager",
            Role::GridWarden => "grid_warden",
            Role::EnterpriseContact => "enterprise_contact",
            Role::SamplingNurse => "sampling_nurse",
            Role::PointLeader => "point_leader",
            Role::Courier => "courier",
            Role::Accession => "accession",
            Role::Technician => "technician",
            Role::LaboratoryDirector => "laboratory_director",
            Role::Auditor => "auditor",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// How far a role reaches.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The whole installation.
    Everywhere,
    /// These zones, grids, enterprises or laboratories and all that lies in them.
    Places(Vec<PlaceId>),
    /// Nowhere.
    #[default]
    Nowhere,
}

impl Scope {
    pub fn reaches(&self, place: PlaceId) -> bool {
        match self {
            Scope::Everywhere => true,
            Scope::Places(places) => places.contains(&place),
            Scope::Nowhere => false,
        }
    }

    /// True when any place on the way from a thing up to its zone is in reach.
    pub fn reaches_any(&self, chain: &[PlaceId]) -> bool {
        matches!(self, Scope::Everywhere) || chain.iter().any(|place| self.reaches(*place))
    }
}

/// Who is asking, resolved from a session cookie or a device token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    pub account: Option<AccountId>,
    pub session: Option<SessionId>,
    /// The number under which this browser or device says its events.
    pub device: Option<Device>,
    pub name: String,
    pub roles: Vec<Role>,
    pub scope: Scope,
    pub language: Language,
    /// The secret a form or script shows again, so that no other site can act for this session.
    pub csrf: String,
}

impl Actor {
    /// Nobody in particular.
    pub fn anonymous(language: Language) -> Self {
        Self { account: None, session: None, device: None, name: String::new(), roles: Vec::new(), scope: Scope::Nowhere, language, csrf: String::new() }
    }

    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
    pub fn has_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.has(*role))
    }

    /// Refuses what lies outside the scope. `chain` is the thing's place and everything above it.
    pub fn must_reach(&self, chain: &[PlaceId]) -> Result<(), Refusal> {
        if self.scope.reaches_any(chain) { Ok(()) } else { Err(Refusal::forbidden("out-of-scope")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Language};

    #[test]
    fn a_role_has_one_name() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{}\"", role.name()));
        }
    }

    #[test]
    fn scope_reaches_what_lies_inside() {
        let place = |n| PlaceId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), n);
        let mut actor = Actor::anonymous(Language::English);
        assert_eq!(actor.must_reach(&[place(1)]).unwrap_err().code, "out-of-scope");
        actor.scope = Scope::Places(vec![place(2)]);
        assert!(actor.must_reach(&[place(9), place(2)]).is_ok());
        assert!(actor.must_reach(&[place(9)]).is_err());
        actor.scope = Scope::Everywhere;
        assert!(actor.must_reach(&[]).is_ok());
    }
}
