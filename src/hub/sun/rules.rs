//! Rules by themselves, for whoever wants to know what they would do without a hub.

use std::time::Duration;

use super::look::View;
use super::watch::Watch;
use crate::model::Time;
use crate::model::snapshot::Snapshot;
use crate::model::sun::Rule;

/// Rules, and what they remember.
#[derive(Clone, Debug)]
pub struct RuleSet(Vec<Watch>);

impl RuleSet {
    /// Nothing was looked at yet.
    pub fn new(rules: Vec<Rule>, now: Time) -> Self {
        Self(rules.into_iter().map(|rule| Watch::new(rule, now)).collect())
    }

    /// Looks at all of them; the names of those that fire.
    pub fn look(&mut self, snapshot: &Snapshot, park: Duration, now: Time) -> Vec<&str> {
        let only = match snapshot.power.inverters.as_slice() {
            [one] => Some(one.known.name.as_str()),
            _ => None,
        };
        let mut firing = Vec::new();
        for watch in &mut self.0 {
            let named = watch.rule.inverter.clone();
            let inverter = named.as_deref().or(only);
            if watch.look(&View { snapshot, inverter, park, now }) {
                firing.push(watch.rule.name.as_str());
            }
        }
        firing
    }
}
