//! `[attach]`: who may do what through the socket.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tcp::Tcp;
use crate::model::Role;

/// `[attach]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [attach]")]
pub struct Attach {
    /// Who is at the computer's own console goes before who is not.
    pub local_priority: bool,
    /// What becomes of a program when the screen that is in control is lost.
    pub on_client_loss: OnClientLoss,
    /// The role of who may open the socket and is in none of the groups.
    pub others: Role,
    /// Roles of groups of users.
    pub groups: BTreeMap<String, Role>,
    /// The hub over the network.
    pub tcp: Tcp,
}

impl Default for Attach {
    fn default() -> Self {
        Self {
            local_priority: false,
            on_client_loss: OnClientLoss::default(),
            others: Role::Operate,
            groups: BTreeMap::new(),
            tcp: Tcp::default(),
        }
    }
}

/// What becomes of a program when the screen that is in control is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnClientLoss {
    /// It goes on.
    #[default]
    Continue,
    /// It is held.
    Hold,
    /// It is ended, at a standstill.
    Stop,
}
