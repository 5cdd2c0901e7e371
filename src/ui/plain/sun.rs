//! Rules, parking, and what waits for power or for the sun, as sentences.

use crate::model::Time;
use crate::model::snapshot::Snapshot;
use crate::model::sun::{ParkStep, RuleState, SpindleWait, StartPhase, SunStart, Truth};

/// All of it, what is under way first.
pub fn told(snapshot: &Snapshot, now: Time) -> Vec<String> {
    let sun = &snapshot.sun;
    let mut lines = Vec::new();
    if let Some(park) = &sun.park {
        let how = match &park.step {
            ParkStep::Done(_) => "Parked",
            ParkStep::Failed(_) => "NOT parked",
            _ => "Parking",
        };
        lines.push(format!("{how}: {}{}. Why: {}.", park.step.words(), park.told(), park.why));
    }
    lines.extend(sun.spindle.as_ref().map(spindle));
    lines.extend(sun.start.as_ref().map(start));
    lines.extend(sun.behind.iter().map(start));
    if let Some(why) = sun.start_blocked() {
        lines.push(format!("No program is started: {why}."));
    }
    lines.extend(sun.rules.iter().map(|found| rule(found, now)));
    if sun.rules.is_empty() {
        lines.push("No rule is configured: [[rule]] in config.toml names one.".to_owned());
    }
    lines
}

/// A spindle start that waits.
pub fn spindle(wait: &SpindleWait) -> String {
    if wait.kept {
        let (what, why, starts) = (&wait.what, &wait.why, wait.starts());
        return format!("{what} was NOT sent: it {starts}, and {why}. resume starts it anyway.");
    }
    format!("The spindle start of {} waits for power: {}. resume starts it anyway.", wait.what, wait.why)
}

/// A program that waits for the sun.
pub fn start(start: &SunStart) -> String {
    match (start.phase, start.left_s) {
        (StartPhase::Counts { .. }, Some(left)) => {
            format!("{} STARTS IN {left} SECONDS: {}. stop cancels it.", start.name, start.why)
        }
        (StartPhase::Starts, _) => format!("{} STARTS NOW: its file is read. stop cancels it.", start.name),
        (StartPhase::Spent, _) => format!("{}: {}.", start.name, start.why),
        _ => format!("{} waits for the sun: {}. stop cancels that.", start.name, start.why),
    }
}

fn rule(rule: &RuleState, now: Time) -> String {
    let holds = match rule.truth {
        Truth::True => "holds",
        Truth::False => "does not hold",
        Truth::Unknown => "is NOT KNOWN and does nothing",
    };
    let state = if rule.aside.is_some() { format!("{holds}, and is set aside") } else { holds.to_owned() };
    let seen: Vec<String> = rule.seen.iter().map(|seen| seen.words(now)).collect();
    let seen = if seen.is_empty() { String::new() } else { format!(" It sees {}.", seen.join(", ")) };
    format!("Rule {}, {}: {} {state}.{seen}", rule.name, rule.action.name(), rule.when)
}
