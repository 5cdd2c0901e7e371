//! The firings that nobody has put away yet, what the machine felt most first. Pure.

use crate::model::sun::{Action, Firing};

/// So many are kept; the audit has all of them.
const MOST: usize = 4;

/// Firings that are to be told, the strongest action first, among the same the newest.
#[derive(Clone, Debug, Default)]
pub(super) struct Notices(Vec<(Action, Firing)>);

impl Notices {
    /// A rule has fired. Of each rule the last firing is kept.
    pub(super) fn take(&mut self, action: Action, firing: Firing) {
        self.0.retain(|(_, known)| known.rule != firing.rule);
        // The newest is told in any case.
        self.0.truncate(MOST - 1);
        let place = self.0.iter().position(|(known, _)| *known <= action).unwrap_or(self.0.len());
        self.0.insert(place, (action, firing));
    }

    /// The one that is told first.
    pub(super) fn first(&self) -> Option<Firing> {
        self.0.first().map(|(_, firing)| firing.clone())
    }

    /// The others.
    pub(super) fn rest(&self) -> Vec<Firing> {
        self.0.iter().skip(1).map(|(_, firing)| firing.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;

    fn firing(rule: &str) -> Firing {
        Firing { rule: rule.into(), at: Time::ZERO, at_ms: 0, why: String::new(), did: String::new() }
    }

    #[test]
    fn the_strongest_is_told_first_and_each_rule_once() {
        let mut notices = Notices::default();
        for (action, rule) in [
            (Action::Notify, "a"),
            (Action::Park, "b"),
            (Action::Notify, "c"),
            (Action::Hold, "d"),
            (Action::Notify, "a"),
            (Action::Notify, "e"),
        ] {
            notices.take(action, firing(rule));
        }
        let rules: Vec<String> = notices.first().into_iter().chain(notices.rest()).map(|firing| firing.rule).collect();
        assert_eq!(rules, ["b", "d", "e", "a"]);
        for rule in ["f", "g", "h"] {
            notices.take(Action::Park, firing(rule));
        }
        notices.take(Action::Notify, firing("new"));
        assert_eq!(
            notices.rest().last().map(|firing| firing.rule.as_str()),
            Some("new"),
            "the newest is told in any case"
        );
        assert_eq!(Notices::default().first(), None);
    }
}
