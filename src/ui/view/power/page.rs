//! Which page is drawn, the strip of pages above it, and its hints.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::super::text::{Cx, Rows, fit, printable, put, put_right};
use super::facts::nothing;
use super::{bars, buses, changes, course, faults, flow, inverters, registers, settings, sun, windows};
use crate::model::power::{Unit, UnitState};
use crate::ui::action::Action;
use crate::ui::power::{PowerKey, PowerPage, SettingsView, seconds_to, words};
use crate::ui::theme::Role;

/// Columns from which the pages have their whole names.
const WIDE: u16 = 100;

/// Draws it. Returns the cursor's place, if a text field is open.
pub(in crate::ui::view) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let cursor = draw_page(cx, area, buf);
    if cx.theme.symbols.line.is_ascii() {
        // Units and words of profiles are not ours to choose: degrees, accents.
        for at in area.intersection(buf.area).positions() {
            let cell = &mut buf[at];
            if !cell.symbol().is_ascii() {
                cell.set_symbol(if cell.symbol() == "°" { " " } else { "?" });
            }
        }
    }
    cursor
}

fn draw_page(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let mut rows = Rows { rest: area };
    strip(cx, rows.top(1), buf);
    if cx.ui.power.page == PowerPage::Sun {
        sun::draw(cx, rows.rest, buf);
        return None;
    }
    if cx.snapshot.power.inverters.is_empty() {
        let text = "No inverter is configured. [[inverter]] in config.toml names one: its profile, and where it is; \
                    `sunmill inverter scan` looks for what answers.";
        nothing(cx, rows.rest, text, buf);
        return None;
    }
    let power = &cx.ui.power;
    let unit = power.unit(&cx.snapshot.power).map(AsRef::as_ref);
    if matches!(power.page, PowerPage::Flow | PowerPage::Settings | PowerPage::Registers | PowerPage::History) {
        head(cx, unit, rows.top(1), buf);
    }
    match (power.page, unit) {
        (PowerPage::Flow, unit) => flow::draw(cx, unit, rows.rest, buf),
        (PowerPage::Inverters, _) => inverters::draw(cx, rows.rest, buf),
        (PowerPage::Faults, _) => faults::draw(cx, rows.rest, buf),
        (PowerPage::Settings, Some(unit)) => match power.view {
            SettingsView::List => return settings::draw(cx, unit, rows.rest, buf),
            SettingsView::Changes => changes::draw(cx, unit, rows.rest, buf),
            SettingsView::Windows => return windows::draw(cx, unit, rows.rest, buf),
        },
        (PowerPage::Registers, Some(unit)) => return registers::draw(cx, unit, rows.rest, buf),
        (PowerPage::History, _) if power.course.bars => bars::draw(cx, rows.rest, buf),
        (PowerPage::History, _) => course::draw(cx, rows.rest, buf),
        (PowerPage::Buses, _) => buses::draw(cx, rows.rest, buf),
        (PowerPage::Settings | PowerPage::Registers, None) | (PowerPage::Sun, _) => {}
    }
    None
}

fn strip(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let mut spans = vec![Span::raw(" ")];
    for page in PowerPage::ALL {
        let (long, short) = page.title();
        let title = if area.width >= WIDE { long } else { short };
        let key = cx.key(Action::Power(PowerKey::Page(page)));
        if page == cx.ui.power.page {
            spans.push(cx.span(format!("{key} {title}"), Role::Selected));
        } else {
            spans.push(cx.span(key, Role::Key));
            spans.push(cx.span(format!(" {title}"), Role::Text));
        }
        spans.push(Span::raw(if area.width >= WIDE { "  " } else { " " }));
    }
    put(buf, area, 0, &Line::from(spans));
}

/// Which inverter, how it stands, what is collected, whether dangerous settings may be written.
fn head(cx: &Cx<'_>, unit: Option<&Unit>, area: Rect, buf: &mut Buffer) {
    let snapshot = &cx.snapshot.power;
    let dot = cx.theme.symbols.dot;
    let mut right = Vec::new();
    if let Some(until) = snapshot.armed_until.filter(|_| snapshot.is_armed(cx.now)) {
        right.push(cx.span(format!(" ARMED {} s ", seconds_to(until, cx.now)), Role::Alarm));
        right.push(Span::raw(" "));
    }
    let collected = cx.ui.power.changes.wanted.len();
    if collected > 0 {
        right.push(
            cx.span(format!("{collected} to write ({}) ", cx.key(Action::Power(PowerKey::Changes))), Role::Warning),
        );
    }
    let right = Line::from(right);
    let mut left = vec![Span::raw("  ")];
    if let Some(unit) = unit {
        if unit.simulated {
            left.push(cx.span(" SIM ", Role::Sim));
            left.push(Span::raw(" "));
        }
        left.push(cx.span(printable(&unit.known.name), Role::Title));
        let mut facts = vec![words::unit_state(unit)];
        facts.extend((!unit.known.brand.is_empty()).then(|| unit.known.brand.clone()));
        facts.extend(unit.known.serial.as_ref().map(|serial| format!("no. {serial}")));
        facts.extend(unit.read_only.is_some().then(|| "read-only".to_owned()));
        let text = facts.iter().fold(String::new(), |text, fact| format!("{text} {dot} {fact}"));
        let used: usize = left.iter().map(Span::width).sum();
        let room = usize::from(area.width).saturating_sub(used + right.width() + 1);
        let bad = matches!(unit.state, UnitState::Silent { .. }) || !unit.enabled;
        let role = if bad { Role::Warning } else { Role::Quiet };
        left.push(cx.span(fit(&printable(&text), room, cx.theme.symbols.more), role));
    } else {
        left.push(cx.span("all together", Role::Title));
        let names: Vec<&str> = snapshot.inverters.iter().map(|unit| unit.known.name.as_str()).collect();
        left.push(cx.span(format!(" {dot} {}", names.join(", ")), Role::Quiet));
    }
    put(buf, area, 0, &Line::from(left));
    put_right(buf, area, 0, &right);
}

/// Hints of the open page, most useful first.
pub(in crate::ui::view) fn hints(cx: &Cx<'_>) -> Vec<Action> {
    use PowerKey as Key;
    let several = cx.snapshot.power.inverters.len() > 1;
    let drifts = cx.ui.power.unit(&cx.snapshot.power).is_some_and(|unit| !unit.drift.is_empty());
    let keys: &[Key] = match (cx.ui.power.page, cx.ui.power.view) {
        (PowerPage::Flow, _) => &[Key::Confirm],
        (PowerPage::Inverters, _) => &[Key::Take, Key::Switch, Key::Confirm],
        (PowerPage::Faults, _) => &[],
        (PowerPage::Settings, SettingsView::List) if drifts => {
            &[Key::Take, Key::Reapply, Key::Forget, Key::Filter, Key::Changes, Key::Bars, Key::Read, Key::Arm]
        }
        (PowerPage::Settings, SettingsView::List) => {
            &[Key::Take, Key::Filter, Key::Changes, Key::Bars, Key::Read, Key::Arm]
        }
        (PowerPage::Settings, SettingsView::Changes) => &[Key::Take, Key::Drop, Key::Arm, Key::Changes],
        (PowerPage::Settings, SettingsView::Windows) => &[Key::Take, Key::Back, Key::On, Key::Changes, Key::Bars],
        (PowerPage::Registers, _) => &[Key::Filter, Key::Save],
        (PowerPage::History, _) => &[Key::Span, Key::Back, Key::On, Key::Bars],
        (PowerPage::Buses, _) => &[Key::Retry],
        (PowerPage::Sun, _) if cx.ui.power.plan => &[Key::Bars],
        (PowerPage::Sun, _) => &[Key::Aside, Key::Bars],
    };
    let own = keys.iter().map(|key| Action::Power(*key));
    let next = several.then_some(Action::Power(Key::NextInverter));
    let last = [Action::Help, Action::Open(crate::ui::tab::Tab::Machine), Action::Quit];
    [Action::AlarmPanel, Action::Resume].into_iter().chain(own).chain(next).chain(last).collect()
}

/// What a key is called here, where that is not its usual name.
pub(in crate::ui::view) fn hint_name(cx: &Cx<'_>, action: Action) -> Option<&'static str> {
    let power = &cx.ui.power;
    match (action, power.page) {
        (Action::Power(PowerKey::Bars), PowerPage::Sun) => Some(if power.plan { "rules" } else { "plan" }),
        (Action::Power(PowerKey::Bars), PowerPage::Settings) => {
            Some(if power.view == SettingsView::Windows { "list" } else { "windows" })
        }
        _ => None,
    }
}
