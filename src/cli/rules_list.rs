//! `sunmill rules list` and `sunmill rules aside`: the rules of the sunmill that runs.

use std::fmt::Write as _;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::exit::Failure;
use super::out;
use super::remote::{TakeArgs, commands, pretty, with_hub};
use super::settings::Settings;
use crate::model::sun::{RuleState, Sun, SunOrder, Truth};
use crate::model::{Command, Time};

/// Prints how the rules stand.
pub(super) fn list(settings: &Settings, json: bool) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        let (snapshot, now) = (attached.hub.snapshot(), attached.clock.now());
        let text = if json { pretty(&as_json(&snapshot.sun, now)) } else { in_words(&snapshot.sun, now) };
        Ok(out::data(&text)?)
    })
}

/// Sets a rule aside, or lets it act again.
pub(super) fn aside(settings: &Settings, rule: String, back: bool, take: &TakeArgs) -> Result<ExitCode, Failure> {
    let order = if back { SunOrder::TakeBack { rule } } else { SunOrder::SetAside { rule } };
    commands(settings, vec![Command::Sun(order)], take)
}

fn in_words(sun: &Sun, now: Time) -> String {
    if sun.rules.is_empty() {
        return "no rules: [[rule]] in config.toml names one\n".to_owned();
    }
    sun.rules.iter().fold(String::new(), |mut text, rule| {
        tell(&mut text, rule, now);
        text
    })
}

fn tell(text: &mut String, rule: &RuleState, now: Time) {
    let holds = match rule.truth {
        Truth::True => "holds",
        Truth::False => "does not hold",
        Truth::Unknown => "NOT KNOWN, does nothing",
    };
    let ago = |at: Time| now.since(at).as_secs();
    let aside = rule.aside.map_or_else(String::new, |at| format!("SET ASIDE since {} s; ", ago(at)));
    let _ = writeln!(text, "{}", rule.name);
    let _ = writeln!(text, "  does     {}", rule.action.name());
    let _ = writeln!(text, "  when     {}", rule.when);
    let _ = writeln!(text, "  state    {aside}{holds} since {} s", ago(rule.since));
    let seen: Vec<String> = rule.seen.iter().map(|seen| seen.words(now)).collect();
    if !seen.is_empty() {
        let _ = writeln!(text, "  sees     {}", seen.join(", "));
    }
    match &rule.fired {
        Some(fired) => {
            let waits = if rule.latched { "; fires again once this event is over" } else { "" };
            let _ = writeln!(text, "  fired    {}: {}; {}{waits}", date(fired.at_ms), fired.did, fired.why);
        }
        None => text.push_str("  fired    not since sunmill has started\n"),
    }
    if let Some(why) = rule.blocks.as_ref().filter(|_| rule.aside.is_none()) {
        let _ = writeln!(text, "  blocks   no program is started: {why}");
    }
}

fn date(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(
        |_| format!("{at_ms} ms"),
        |at| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

fn as_json(sun: &Sun, now: Time) -> Value {
    let seconds = |at: Time| now.since(at).as_secs_f64();
    let rule = |rule: &RuleState| {
        let values = rule.seen.iter().map(|seen| {
            json!({ "name": seen.name, "shown": seen.shown, "age_s": seen.at.map(seconds), "unknown": seen.unknown })
        });
        let fired = rule.fired.as_ref().map(|it| json!({ "at_ms": it.at_ms, "why": it.why, "did": it.did }));
        json!({
            "name": rule.name,
            "do": rule.action.name(),
            "when": rule.when,
            "state": rule.truth.word(),
            "since_s": seconds(rule.since),
            "values": values.collect::<Vec<_>>(),
            "fired": fired,
            "waits_for_end": rule.latched,
            "aside": rule.aside.is_some(),
            "aside_s": rule.aside.map(seconds),
            "blocks": rule.blocks.as_ref().filter(|_| rule.aside.is_none()),
        })
    };
    sun.rules.iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sun::{Action, Firing, Seen};

    fn sun() -> Sun {
        let at = Time::from_millis(60_000);
        let seen = |name: &str, at, unknown: Option<&str>| Seen {
            name: name.into(),
            shown: if unknown.is_some() { "-".into() } else { "lost".into() },
            at,
            unknown: unknown.map(str::to_owned),
        };
        let evening = RuleState {
            name: "evening".into(),
            when: "grid = lost for 10s".into(),
            action: Action::Park,
            truth: Truth::True,
            since: at,
            seen: vec![seen("grid", Some(at), None)],
            fired: Some(Firing {
                rule: "evening".into(),
                at,
                at_ms: 0,
                why: "grid = lost for 10s: grid lost".into(),
                did: "the machine is being parked".into(),
            }),
            latched: true,
            aside: None,
            blocks: Some("grid = lost for 10s (grid lost)".into()),
        };
        let dark = RuleState {
            name: "dark".into(),
            action: Action::Notify,
            truth: Truth::Unknown,
            seen: vec![seen("pv_power", None, Some("12 s old"))],
            fired: None,
            latched: false,
            aside: Some(at),
            ..evening.clone()
        };
        Sun { rules: vec![evening, dark], ..Sun::default() }
    }

    #[test]
    fn each_rule_is_told_with_what_it_sees_and_did() {
        let text = in_words(&sun(), Time::from_millis(65_000));
        for line in [
            "evening\n  does     park\n  when     grid = lost for 10s\n  state    holds since 5 s\n  sees     grid lost (5.0 s old)\n",
            ": the machine is being parked; grid = lost for 10s: grid lost; fires again once this event is over\n",
            "  blocks   no program is started: grid = lost for 10s (grid lost)\ndark\n",
            "  state    SET ASIDE since 5 s; NOT KNOWN, does nothing since 5 s\n  sees     pv_power unknown (12 s old)\n",
            "  fired    not since sunmill has started\n",
        ] {
            assert!(text.contains(line), "{text}\n  lacks {line}");
        }
        assert_eq!(text.matches("blocks").count(), 1, "what is set aside blocks nothing");
        assert!(in_words(&Sun::default(), Time::ZERO).starts_with("no rules"));
    }

    #[test]
    fn a_script_gets_the_same() {
        let told = as_json(&sun(), Time::from_millis(65_000));
        assert_eq!(
            (&told[0]["state"], &told[0]["do"], &told[0]["since_s"]),
            (&json!("true"), &json!("park"), &json!(5.0))
        );
        assert_eq!(told[0]["values"][0], json!({ "name": "grid", "shown": "lost", "age_s": 5.0, "unknown": null }));
        assert_eq!((&told[0]["fired"]["at_ms"], &told[0]["waits_for_end"]), (&json!(0), &json!(true)));
        assert_eq!(
            (&told[1]["aside"], &told[1]["fired"], &told[1]["blocks"]),
            (&json!(true), &Value::Null, &Value::Null)
        );
        assert_eq!(told[1]["values"][0]["unknown"], "12 s old");
    }
}
