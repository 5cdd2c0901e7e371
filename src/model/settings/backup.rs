//! Settings kept for later: what a backup says, how two differ, and what a restore would change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::{check, same_value};
use super::table::{Access, SettingsTable, is_hidden};
use crate::model::machine::Identity;

/// Settings of a machine at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// When it was made, `YYYYMMDD-HHMMSS` in UTC.
    pub made_at: String,
    /// Firmware family, as [`Firmware`](crate::model::Firmware) prints it.
    pub firmware: String,
    /// Its version.
    pub version: String,
    /// Name that the machine gave itself; empty where it has none.
    #[serde(default)]
    pub machine: String,
    /// Number of its axes.
    pub axes: usize,
    /// Values by key, as the controller printed them.
    pub settings: BTreeMap<String, String>,
}

impl Backup {
    /// Of what a machine has listed. What the controller hides (passwords) is left out.
    pub fn of(table: &SettingsTable, identity: &Identity, axes: usize, made_at: String) -> Self {
        let told = table.rows.iter().filter(|row| !row.is_hidden());
        Self {
            made_at,
            firmware: identity.firmware.to_string(),
            version: identity.version.clone(),
            machine: identity.name.clone().unwrap_or_default(),
            axes,
            settings: told.map(|row| (row.key.clone(), row.value.clone())).collect(),
        }
    }

    /// In what this backup is of another machine, one sentence each; empty: it is of this one.
    pub fn strange(&self, identity: &Identity, axes: usize) -> Vec<String> {
        let mut strange = Vec::new();
        let firmware = identity.firmware.to_string();
        if self.firmware != firmware {
            strange.push(format!("it is of {}, this controller runs {firmware}", self.firmware));
        }
        if self.axes != axes {
            strange.push(format!("it has {} axes, this machine {axes}", self.axes));
        }
        let name = identity.name.as_deref().unwrap_or_default();
        if self.machine != name {
            let named = |name: &str| if name.is_empty() { "no name".to_owned() } else { format!("the name {name:?}") };
            strange.push(format!("its machine has {}, this one has {}", named(&self.machine), named(name)));
        }
        strange
    }
}

/// One difference between two sets of settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The setting.
    pub key: String,
    /// Value on the first side. `None`: there is no such setting.
    pub before: Option<String>,
    /// Value on the second side.
    pub after: Option<String>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "(not there)".to_owned());
        write!(f, "${}: {} -> {}", self.key, side(&self.before), side(&self.after))
    }
}

/// Numbered settings by number, the others by name.
fn order(key: &str) -> (u32, String) {
    (key.parse().unwrap_or(u32::MAX), key.to_ascii_lowercase())
}

/// How two sets of settings differ, in the order of their keys.
pub fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Change> {
    let mut keys: Vec<_> = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))).collect();
    keys.sort_by_key(|key| order(key));
    keys.into_iter()
        .map(|key| Change { key: key.clone(), before: before.get(key).cloned(), after: after.get(key).cloned() })
        .filter(|change| match (&change.before, &change.after) {
            (Some(before), Some(after)) => !same_value(before, after),
            _ => true,
        })
        .collect()
}

/// What a restore would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// These are set, in this order; `after` is the value to send.
    pub set: Vec<Change>,
    /// These differ and are left, each with the reason.
    pub left: Vec<(Change, String)>,
}

/// What it takes to make the machine's settings those of `backup`.
pub fn plan(table: &SettingsTable, backup: &Backup) -> Plan {
    let told = table.rows.iter().filter(|row| !row.is_hidden());
    let now = told.map(|row| (row.key.clone(), row.value.clone())).collect();
    let mut plan = Plan::default();
    for change in changes(&now, &backup.settings) {
        match fit(table, &change) {
            Ok(value) => plan.set.push(Change { after: Some(value), ..change }),
            Err(why) => plan.left.push((change, why)),
        }
    }
    // Soft limits ($20) are refused while homing ($22) is off, so homing goes first when it goes on.
    if let Some(at) = plan.set.iter().position(|c| c.key == "22" && c.after.as_deref().is_some_and(|v| v != "0")) {
        let homing = plan.set.remove(at);
        plan.set.insert(0, homing);
    }
    plan
}

fn fit(table: &SettingsTable, change: &Change) -> Result<String, String> {
    let Some(after) = &change.after else {
        return Err("the backup does not have it".to_owned());
    };
    let Some(row) = table.find(&change.key) else {
        return Err("this machine does not have it".to_owned());
    };
    if is_hidden(after) {
        return Err("the backup does not tell it".to_owned());
    }
    if row.access == Access::UntilRestart {
        return Err("it would hold until the next start only: change it in config.yaml".to_owned());
    }
    check(row, after).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::table::{Kind, Setting};
    use super::*;
    use crate::model::Firmware;

    fn row(key: &str, value: &str, access: Access) -> Setting {
        Setting {
            key: key.into(),
            value: value.into(),
            name: key.into(),
            unit: String::new(),
            meaning: String::new(),
            caution: String::new(),
            group: String::new(),
            kind: if key == "20" { Kind::Switch } else { Kind::Number { min: Some(0.0), max: None, whole: false } },
            access,
            needs_restart: false,
        }
    }

    fn identity(firmware: Firmware, name: &str) -> Identity {
        Identity {
            firmware,
            version: "1".into(),
            name: (!name.is_empty()).then(|| name.to_owned()),
            options: String::new(),
            planner_blocks: None,
            rx_bytes: None,
            axes: None,
        }
    }

    fn table(rows: Vec<Setting>) -> SettingsTable {
        SettingsTable { rows, complete: true }
    }

    fn stored(values: &[(&str, &str)]) -> SettingsTable {
        table(values.iter().map(|(key, value)| row(key, value, Access::Stored)).collect())
    }

    fn backup(table: &SettingsTable) -> Backup {
        Backup::of(table, &identity(Firmware::Grbl, "mill"), 3, "20260102-030405".into())
    }

    #[test]
    fn a_backup_of_another_machine_is_known_by_firmware_axes_and_name() {
        let backup = backup(&stored(&[("110", "1")]));
        assert_eq!(backup.strange(&identity(Firmware::Grbl, "mill"), 3), Vec::<String>::new());
        let strange = backup.strange(&identity(Firmware::FluidNc, "router"), 4);
        assert_eq!(strange.len(), 3);
        assert!(strange[0].contains("FluidNC") && strange[1].contains('4') && strange[2].contains("router"));
    }

    #[test]
    fn a_password_is_not_kept() {
        let table = table(vec![row("Sta/Password", "********", Access::Stored), row("110", "5", Access::Stored)]);
        assert_eq!(backup(&table).settings.keys().collect::<Vec<_>>(), ["110"]);
    }

    #[test]
    fn differences_are_by_value_and_in_the_order_of_the_numbers() {
        let map = |values: &[(&str, &str)]| values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let before = map(&[("100", "80.000"), ("20", "1"), ("3", "0"), ("9", "1")]);
        let after = map(&[("100", "80"), ("20", "0"), ("3", "4"), ("Hostname", "mill")]);
        let told: Vec<_> = changes(&before, &after).iter().map(Change::to_string).collect();
        assert_eq!(told, ["$3: 0 -> 4", "$9: 1 -> (not there)", "$20: 1 -> 0", "$Hostname: (not there) -> mill"]);
    }

    #[test]
    fn a_plan_sets_what_fits_and_says_why_the_rest_is_left() {
        let saved = backup(&stored(&[("20", "1"), ("22", "1"), ("110", "2500"), ("111", "-5"), ("999", "1")]));
        let fixed = row("112", "7", Access::ReadOnly("a view".into()));
        let mut now = stored(&[("20", "0"), ("22", "0"), ("110", "3000.000"), ("111", "3000.000")]);
        now.rows.push(fixed);
        let plan = plan(&now, &saved);
        assert_eq!(plan.set.iter().map(|c| c.key.as_str()).collect::<Vec<_>>(), ["22", "20", "110"]);
        let left: Vec<_> = plan.left.iter().map(|(change, why)| format!("{} {why}", change.key)).collect();
        assert!(left[0].contains("111") && left[0].contains("out of range"), "{left:?}");
        assert!(left[1].contains("112") && left[1].contains("backup does not have it"), "{left:?}");
        assert!(left[2].contains("999") && left[2].contains("machine does not have it"), "{left:?}");
    }

    #[test]
    fn what_holds_until_a_restart_is_not_restored() {
        let saved = backup(&stored(&[("/axes/x/max_travel_mm", "300")]));
        let now = table(vec![row("/axes/x/max_travel_mm", "200", Access::UntilRestart)]);
        let plan = plan(&now, &saved);
        assert!(plan.set.is_empty() && plan.left[0].1.contains("config.yaml"));
    }
}
