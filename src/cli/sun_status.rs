//! What `sunmill status` says of power, rules and parking.

use std::fmt::Write as _;

use crate::model::Snapshot;
use crate::model::power::UnitState;
use crate::model::sun::{ParkStep, StartPhase};

/// A line for each thing that there is to say.
pub(super) fn lines(snapshot: &Snapshot) -> String {
    let (sun, mut text) = (&snapshot.sun, String::new());
    for unit in snapshot.power.inverters.iter().filter(|unit| unit.enabled) {
        let answers = unit.state == UnitState::Answers;
        let grid = if answers { unit.known.grid.state.word() } else { "not known, it does not answer" };
        let _ = writeln!(text, "grid      {}: {grid}", unit.known.name);
    }
    if let Some(park) = &sun.park {
        let how = match park.step {
            ParkStep::Done(_) => "parked",
            ParkStep::Failed(_) => "NOT parked",
            _ => "being parked",
        };
        let _ = writeln!(text, "park      {how}: {}{}; why: {}", park.step.words(), park.told(), park.why);
    }
    for firing in sun.notice.iter().chain(&sun.notices) {
        let _ = writeln!(text, "rule      {}: {}; {}", firing.rule, firing.did, firing.why);
    }
    for rule in sun.rules.iter().filter(|rule| rule.aside.is_some()) {
        let _ = writeln!(text, "aside     rule {} does nothing until the program is over", rule.name);
    }
    if let Some(why) = sun.start_blocked() {
        let _ = writeln!(text, "no start  {why}");
    }
    if let Some(wait) = &sun.spindle {
        let _ = writeln!(text, "spindle   {} waits for power: {}", wait.what, wait.why);
    }
    for start in sun.start.iter().chain(&sun.behind) {
        let how = match (start.phase, start.left_s) {
            (StartPhase::Spent, _) => String::new(),
            (_, Some(left)) => format!(" STARTS IN {left} s"),
            _ => " waits for the sun".to_owned(),
        };
        let _ = writeln!(text, "sun       {}{how}: {}", start.name, start.why);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Time;
    use crate::model::power::{Grid, GridState, Inverter, Power, Unit};
    use crate::model::sun::{Firing, Park, SpindleWait, Sun, SunStart};

    #[test]
    fn what_has_happened_and_what_waits_is_said_in_lines() {
        assert_eq!(lines(&Snapshot::default()), "");
        let grid = Grid { state: GridState::Lost, ..Grid::default() };
        let known = Inverter { name: "roof".into(), grid, ..Inverter::default() };
        let unit = Unit { known, enabled: true, state: UnitState::Answers, ..Unit::default() };
        let firing = |rule: &str| Firing {
            rule: rule.into(),
            at: Time::ZERO,
            at_ms: 0,
            why: "grid = lost: grid lost".into(),
            did: "the machine is being parked".into(),
        };
        let sun = Sun {
            park: Some(Park {
                why: "rule \"evening\"".into(),
                who: "rule evening".into(),
                step: ParkStep::Done("spindle off".into()),
                began: Time::ZERO,
                notes: vec!["Z is not homed".into()],
            }),
            notice: Some(firing("evening")),
            notices: vec![firing("tell")],
            spindle: Some(SpindleWait {
                what: "M3 S1".into(),
                line: None,
                why: "no room".into(),
                since: Time::ZERO,
                maybe: false,
                kept: false,
            }),
            start: Some(SunStart {
                name: "part.nc".into(),
                path: "/part.nc".into(),
                who: "ana".into(),
                need_w: 1.0,
                phase: StartPhase::Counts { until: Time::ZERO },
                left_s: Some(42),
                why: "surplus 2000 W".into(),
            }),
            ..Sun::default()
        };
        let power = Power { inverters: vec![Arc::new(unit)], ..Power::default() };
        let text = lines(&Snapshot { sun: Arc::new(sun), power: Arc::new(power), ..Snapshot::default() });
        for line in [
            "park      parked: spindle off; Z is not homed; why: rule \"evening\"\n",
            "rule      evening: the machine is being parked; grid = lost: grid lost\n",
            "rule      tell: ",
            "spindle   M3 S1 waits for power: no room\n",
            "sun       part.nc STARTS IN 42 s: surplus 2000 W\n",
        ] {
            assert!(text.contains(line), "{text}\n  lacks {line}");
        }
        assert!(text.starts_with("grid      roof: ") && text.to_lowercase().contains("lost"), "{text}");
    }
}
