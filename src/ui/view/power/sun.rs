//! Sun and machine: what is left, what the program needs, each rule with what it sees and what it did.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::text::{Cx, Rows, printable};
use super::energy;
use super::facts::{moment, nothing, row};
use super::plan;
use crate::model::Time;
use crate::model::power::Unit;
use crate::model::sun::{RuleState, Truth};
use crate::ui::power::{batteries_last, words};
use crate::ui::programs::facts::open_run;
use crate::ui::theme::Role;

/// No rule takes more rows than that.
const TALLEST: u16 = 60;

/// Draws it.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    if cx.ui.power.plan {
        return plan::draw(cx, area, buf);
    }
    let mut rows = Rows { rest: area };
    row(cx, &mut rows, "left", &left(cx), Role::Text, buf);
    let assumed = energy::rows(cx, &mut rows, buf);
    if let Some(why) = cx.snapshot.sun.start_blocked() {
        row(cx, &mut rows, "no start", &printable(&why), Role::Warning, buf);
    }
    if let Some(why) = &cx.snapshot.sun.park_place {
        row(
            cx,
            &mut rows,
            "park",
            &printable(&format!("[park] in config.toml does not fit: {why}")),
            Role::Warning,
            buf,
        );
    }
    plan::brief(cx, &mut rows, buf);
    rows.top(1);
    let rules = &cx.snapshot.sun.rules;
    if rules.is_empty() {
        let text = "No rule is configured. [[rule]] in config.toml names one: when it fires, and what is done then; \
                    `sunmill rules check` explains it.";
        if !assumed.is_empty() {
            energy::assumed(cx, &assumed, &mut rows, buf);
            rows.top(1);
        }
        return nothing(cx, rows.rest, text, buf);
    }
    draw_rules(cx, rules, &mut rows, buf);
    rows.top(1);
    energy::assumed(cx, &assumed, &mut rows, buf);
}

/// The rules from the top of the list on, or from a later one on where the selected one would not be in sight. Where not all of
/// them fit, the selected one says which of how many it is.
fn draw_rules(cx: &Cx<'_>, rules: &[RuleState], rows: &mut Rows, buf: &mut Buffer) {
    let selected = cx.ui.power.selected.min(rules.len() - 1);
    let heights: Vec<u16> = rules.iter().map(|rule| height(cx, rule, rows.rest)).collect();
    let room = rows.rest.height;
    let place = (heights.iter().sum::<u16>() > room).then(|| format!(" ({} of {})", selected + 1, rules.len()));
    let mut first = 0;
    while first < selected && heights[first..=selected].iter().sum::<u16>() > room {
        first += 1;
    }
    for (i, rule) in rules.iter().enumerate().skip(first) {
        let place = place.as_deref().filter(|_| i == selected);
        draw_rule(cx, rule, i == selected, place.unwrap_or_default(), rows, buf);
    }
}

/// Rows that a rule takes.
fn height(cx: &Cx<'_>, rule: &RuleState, area: Rect) -> u16 {
    let area = Rect { height: TALLEST, ..area };
    let mut scratch = Buffer::empty(area);
    let mut rows = Rows { rest: area };
    draw_rule(cx, rule, false, "", &mut rows, &mut scratch);
    TALLEST - rows.rest.height
}

/// What the battery lasts, and what the program needs.
fn left(cx: &Cx<'_>) -> String {
    let units = cx.snapshot.power.inverters.iter().filter(|unit| unit.enabled);
    let lasts = units.map(|unit| match unit.minutes_left(cx.now) {
        Some(left) => format!("{} lasts {} at this load", unit.known.name, words::minutes(left)),
        None => format!("{} {}", unit.known.name, no_time(unit, cx.now)),
    });
    let mut parts: Vec<String> = lasts.collect();
    if parts.is_empty() {
        parts.push("no inverter is configured".to_owned());
    }
    parts.extend(batteries_last(cx.snapshot, &cx.ui.settings, cx.now));
    if let Some(run) = open_run(cx.snapshot) {
        parts.push(match run.remaining_s {
            Some(left) => format!("{} needs {} more", run.name, words::minutes(left / 60.0)),
            None => format!("{} runs; how long is not known", run.name),
        });
    }
    printable(&parts.join("; "))
}

/// Why a battery has no time that it lasts.
fn no_time(unit: &Unit, now: Time) -> &'static str {
    let (battery, power) = (&unit.known.battery, &unit.known.flow.battery_w);
    if power.fresh(now).is_none() || battery.soc_percent.fresh(now).is_none() {
        "tells nothing of its battery now"
    } else if unit.capacity_kwh.is_none() {
        "has no capacity_kwh in config.toml"
    } else if battery.soc_min_percent.shown(now).is_none() {
        "does not tell at which charge it ends"
    } else {
        "takes nothing from its battery"
    }
}

fn draw_rule(cx: &Cx<'_>, rule: &RuleState, selected: bool, place: &str, rows: &mut Rows, buf: &mut Buffer) {
    let pointer = if selected { format!("{} ", cx.theme.symbols.pointer) } else { String::new() };
    let (state, role) = match (rule.truth, rule.latched && rule.aside.is_none()) {
        (Truth::True, true) => ("holds, has fired", Role::Bad),
        (Truth::True, false) => ("holds", Role::Bad),
        (Truth::False, true) => ("is over; waits a minute", Role::Text),
        (Truth::False, false) => ("does not hold", Role::Good),
        (Truth::Unknown, _) => ("NOT KNOWN: does nothing", Role::Warning),
    };
    let since = moment(cx, rule.since);
    let (head, role) = match rule.aside {
        Some(aside) => {
            let head = format!("{}: SET ASIDE at {}; {state} since {since}", rule.action.name(), moment(cx, aside));
            (head, Role::Warning)
        }
        None => (format!("{}: {state} since {since}", rule.action.name()), role),
    };
    row(cx, rows, &format!("{pointer}{}", printable(&rule.name)), &format!("{head}{place}"), role, buf);
    row(cx, rows, "when", &printable(&rule.when), Role::Text, buf);
    let seen: Vec<String> = rule.seen.iter().map(|seen| seen.words(cx.now)).collect();
    if !seen.is_empty() {
        row(cx, rows, "sees", &printable(&seen.join(", ")), Role::Quiet, buf);
    }
    if let Some(fired) = &rule.fired {
        let text = format!("{}: {}. {}", moment(cx, fired.at), fired.did, fired.why);
        row(cx, rows, "fired", &printable(&text), Role::Text, buf);
    }
}
