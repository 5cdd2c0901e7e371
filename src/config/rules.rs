//! `[[rule]]` and `[park]`: what is done when power runs short, and where the machine is brought.

use serde::{Deserialize, Serialize};

use super::range;
use super::schema::Config;
use super::sun::unknown_inverter;
use crate::model::sun::{self, Action, Condition, WhenUnknown};

/// Longest name in characters: it stands in a row of a screen.
const MAX_NAME: usize = 24;
/// Rules in all.
const MAX_RULES: usize = 32;

/// One of `[[rule]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, [[rule]]")]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// When it fires.
    pub when: Condition,
    /// What is done then.
    #[serde(rename = "do", default)]
    pub action: Action,
    /// The inverter that it reads. `None`: the only one.
    #[serde(default)]
    pub inverter: Option<String>,
    /// What follows while it is not known whether it holds.
    #[serde(default)]
    pub unknown: WhenUnknown,
}

impl Rule {
    /// As the hub takes it.
    pub fn to_model(&self) -> sun::Rule {
        sun::Rule {
            name: self.name.clone(),
            when: self.when.clone(),
            action: self.action,
            inverter: self.inverter.clone(),
            unknown: self.unknown,
        }
    }
}

/// `[park]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [park]")]
pub struct Park {
    /// Height of Z. `None`: the usual safe height.
    #[serde(deserialize_with = "range::machine_mm")]
    pub z: Option<f64>,
    /// Where X goes then. `None`: it stays.
    #[serde(deserialize_with = "range::machine_mm")]
    pub x: Option<f64>,
    /// Where Y goes then. `None`: it stays.
    #[serde(deserialize_with = "range::machine_mm")]
    pub y: Option<f64>,
    /// Seconds that parking takes.
    #[serde(deserialize_with = "range::whole::<_, _, 5, 600>")]
    pub takes_s: u32,
}

impl Default for Park {
    fn default() -> Self {
        Self { z: None, x: None, y: None, takes_s: 60 }
    }
}

/// What does not fit in the list: the place in it, the key to blame, and why.
pub(super) fn misfit(config: &Config) -> Option<(usize, &'static str, String)> {
    config.rule.iter().enumerate().find_map(|(at, rule)| one_misfit(config, at, rule).map(|(key, why)| (at, key, why)))
}

fn one_misfit(config: &Config, at: usize, rule: &Rule) -> Option<(&'static str, String)> {
    if at >= MAX_RULES {
        return Some(("name", format!("is rule {}; there is room for {MAX_RULES}", at + 1)));
    }
    let length = rule.name.chars().count();
    if rule.name.trim().is_empty() || length > MAX_NAME || rule.name.chars().any(char::is_control) {
        return Some(("name", format!("{:?} must be 1 to {MAX_NAME} visible characters", rule.name)));
    }
    if config.rule[..at].iter().any(|other| other.name == rule.name) {
        return Some(("name", format!("{:?} is the name of another rule", rule.name)));
    }
    let names: Vec<&str> = config.inverter.iter().map(|inverter| inverter.name.as_str()).collect();
    let why = unknown_inverter(rule.inverter.as_deref(), rule.when.expr.needs_inverter(), &names)?;
    Some(("inverter", why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn a_rule_tells_and_does_no_more_unless_it_says_so() {
        let config = parse("f.toml", "[[rule]]\nname = \"low\"\nwhen = \"battery_soc < 20 for 30s\"").unwrap();
        let rule = config.rule[0].to_model();
        assert_eq!((rule.action, rule.unknown, rule.inverter), (Action::Notify, WhenUnknown::Show, None));
        let park =
            parse("f.toml", "[[rule]]\nname = \"a\"\nwhen = \"overload\"\ndo = \"park\"\n[park]\nz = -2").unwrap();
        assert_eq!((park.rule[0].action, park.park.z), (Action::Park, Some(-2.0)));
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_line() {
        let one = "[[rule]]\nname = \"low\"\nwhen = \"battery_soc < 20\"\n";
        let two = "[[bus]]\nname = \"b\"\nport = \"/dev/x\"\n[[inverter]]\nname = \"one\"\nbus = \"b\"\nprofile = \"srne\"\nunit = 1\n\
                   [[inverter]]\nname = \"two\"\nbus = \"b\"\nprofile = \"srne\"\nunit = 2\n";
        for (text, expected) in [
            (
                "[[rule]]\nname = \"low\"\nwhen = \"batery_soc < 20\"".to_owned(),
                "f.toml:3:8: rule.when: there is no \"batery_soc\"; did you mean \"battery_soc\"?",
            ),
            (
                format!("{one}do = \"prak\""),
                "f.toml:4:6: rule.do is \"prak\", but must be \"notify\", \"block_start\", \"delay_spindle\", \"hold\", \"door\" or \"park\"; did you mean \"park\"?",
            ),
            (format!("{one}{one}"), "f.toml:5:8: rule.name: \"low\" is the name of another rule"),
            (format!("{one}wen = 1"), "f.toml:4:1: unknown key \"wen\" in [rule]; did you mean \"when\"?"),
            (format!("{one}inverter = \"x\""), "f.toml:4:12: rule.inverter: there is no inverter \"x\"; there is no"),
            (format!("{two}{one}"), "f.toml:14:1: rule.inverter: has to say which inverter is meant: one of one, two"),
            (
                format!("{two}{one}inverter = \"twoo\""),
                "f.toml:17:12: rule.inverter: there is no inverter \"twoo\"; did",
            ),
            ("[park]\ntakes_s = 1".to_owned(), "f.toml:2:11: park.takes_s is integer 1, but must be"),
            ("[park]\nz = nan".to_owned(), "f.toml:2:5: park.z is floating point NaN, but must be"),
        ] {
            let error = parse("f.toml", &text).expect_err(&text).to_string();
            assert!(error.starts_with(expected), "{error}\n  expected {expected}");
        }
    }
}
