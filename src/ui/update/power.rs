//! Keys of the tab Power. No key writes anything to an inverter without a question.

mod ask;
mod edit;
#[cfg(test)]
mod tests;

use crossterm::event::{KeyCode, KeyEventKind};

use super::BURST;
use super::panel::PanelKey;
use crate::model::desk::Query;
use crate::model::power::{PowerAnswer, PowerOrder, PowerQuery, Unit};
use crate::model::snapshot::Snapshot;
use crate::model::sun::SunOrder;
use crate::model::{Command, Time, legal};
use crate::ui::action::Action;
use crate::ui::console::Tone;
use crate::ui::input::InputEvent;
use crate::ui::power::{Field, PowerKey, PowerPage, SettingsView, plan_facts, register_table};
use crate::ui::state::{Effect, Mode, Tab, Ui};

/// Rows of a page.
const PAGE: isize = 10;
/// Further than any list is long.
const ALL: isize = 1_000_000;

/// A key while the tab is open. `None`: the main screen's meaning holds.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    if ui.mode == Mode::Field {
        return edit::key(ui, key);
    }
    let steps = match (key.action, key.chord.code) {
        (Some(Action::PanelUp), _) => -1,
        (Some(Action::PanelDown), _) => 1,
        (None, KeyCode::PageUp) => -PAGE,
        (None, KeyCode::PageDown) => PAGE,
        (None, KeyCode::Home) => -ALL,
        (None, KeyCode::End) => ALL,
        (None, KeyCode::Esc) => return back(ui),
        // A key that means nothing on this page has the main screen's meaning.
        (Some(Action::Power(PowerKey::Save)), _) if ui.power.page != PowerPage::Registers => return None,
        (Some(Action::Power(PowerKey::Aside)), _) if ui.power.page != PowerPage::Sun => return None,
        // Nor is a rule set aside while none is in sight.
        (Some(Action::Power(PowerKey::Aside)), _) if ui.power.plan => {
            ui.say("no rule is in sight here: b shows them", Tone::Plain, key.input.at);
            return Some(Vec::new());
        }
        (Some(Action::Power(PowerKey::Retry)), _) if ui.power.page != PowerPage::Buses => return None,
        (Some(Action::Power(_)), _) if key.kind != KeyEventKind::Press && !repeats(key.action) => {
            return Some(Vec::new());
        }
        (Some(action @ Action::Power(_)), _) => return Some(super::run(ui, action, key.input, key.snapshot)),
        _ => return None,
    };
    let len = rows(ui, key.snapshot);
    ui.power.select(steps, len);
    Some(Vec::new())
}

/// Keys that go on while they are held: they change nothing outside of the screen.
const fn repeats(action: Option<Action>) -> bool {
    matches!(action, Some(Action::Power(PowerKey::Back | PowerKey::On | PowerKey::NextInverter)))
}

/// Pasted text for the open field.
pub(super) fn paste(ui: &mut Ui, text: &str) {
    match ui.power.field {
        Field::None => {}
        Field::Filter => ui.power.filter.insert(text),
        Field::Value(_) | Field::Time => ui.power.typed.insert(text),
    }
}

/// One page back. `None`: there is none, and nothing to clear.
fn back(ui: &mut Ui) -> Option<Vec<Effect>> {
    let power = &mut ui.power;
    if power.page == PowerPage::Settings && power.view != SettingsView::List {
        (power.view, power.selected) = (SettingsView::List, 0);
    } else if power.page == PowerPage::History && power.course.bars {
        power.course.bars = false;
    } else if !power.filter.text().is_empty() {
        power.filter.clear();
    } else if power.page != PowerPage::Flow {
        power.turn(PowerPage::Flow);
    } else {
        return None;
    }
    Some(Vec::new())
}

/// Rows of what the page shows.
fn rows(ui: &Ui, snapshot: &Snapshot) -> usize {
    let power = &ui.power;
    let name = unit(ui, snapshot).map_or("", |unit| unit.known.name.as_str());
    match (power.page, power.view) {
        (PowerPage::Inverters, _) => snapshot.power.inverters.len(),
        (PowerPage::Buses, _) => snapshot.power.buses.len(),
        (PowerPage::Faults, _) => power.faults.seen.len(),
        (PowerPage::Settings, SettingsView::List) => power.settings_left(name).len(),
        (PowerPage::Settings, SettingsView::Changes) => power.changes.wanted.len(),
        (PowerPage::Settings, SettingsView::Windows) => 2 * power.windows_of(name).len(),
        (PowerPage::Registers, _) => power.registers_left(name).len(),
        (PowerPage::History, _) => match &power.course.energies {
            Some(Ok(bars)) if power.course.bars => bars.len(),
            _ => 0,
        },
        (PowerPage::Sun, _) if power.plan => match &snapshot.sun.plan {
            Some(Ok(plan)) => plan_facts(plan, 1).len(),
            _ => 0,
        },
        (PowerPage::Sun, _) => snapshot.sun.rules.len(),
        (PowerPage::Flow, _) => 0,
    }
}

fn unit<'a>(ui: &Ui, snapshot: &'a Snapshot) -> Option<&'a Unit> {
    ui.power.unit(&snapshot.power).map(AsRef::as_ref)
}

fn asks(queries: impl IntoIterator<Item = PowerQuery>) -> Vec<Effect> {
    queries.into_iter().map(|query| Effect::Ask(Query::Power(query))).collect()
}

/// Asks for what the open page shows.
fn load(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let now_ms = ui.settings.started_unix_ms.map(|start| start + (now.as_micros() / 1000).cast_signed());
    asks(ui.power.ask(&snapshot.power, now, now_ms))
}

/// The tab was opened.
pub(super) fn opened(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    load(ui, snapshot, now)
}

/// What is due.
pub(super) fn timeout(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let due = ui.tab == Tab::Power && ui.power.refresh_at.is_some_and(|at| at <= now);
    if due { load(ui, snapshot, now) } else { Vec::new() }
}

/// Takes an answer.
pub(super) fn answer(ui: &mut Ui, answer: &PowerAnswer) -> Vec<Effect> {
    ui.power.take(answer);
    Vec::new()
}

/// There is a newer snapshot.
pub(super) fn follow(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    ui.power.faults.follow(&snapshot.power, now);
    let changes = &mut ui.power.changes;
    let report = snapshot.power.find(&changes.inverter).and_then(|unit| unit.last_write.clone());
    let Some(report) = report.filter(|report| changes.follow(report)) else { return Vec::new() };
    ui.power.selected = 0;
    let bad = report.rows.iter().filter(|row| !row.good).count();
    if bad == 0 {
        ui.say(format!("{} settings say now what was asked for", report.rows.len()), Tone::Good, now);
        return Vec::new();
    }
    ui.say(format!("{bad} of {} settings do NOT say what was asked for", report.rows.len()), Tone::Bad, now);
    let changes = &mut ui.power.changes;
    if changes.is_empty() { Vec::new() } else { asks([changes.ask()]) }
}

/// Sends an order, where it can be carried out.
fn order(ui: &mut Ui, order: PowerOrder, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let command = Command::Power(order);
    match legal::check(&command, snapshot, now) {
        Ok(()) => vec![Effect::Submit(command)],
        Err(why) => {
            ui.say(why.to_string(), Tone::Warning, now);
            Vec::new()
        }
    }
}

/// Carries out a key of the tab.
pub(super) fn act(ui: &mut Ui, what: PowerKey, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    ui.tab = Tab::Power;
    match what {
        PowerKey::Page(page) => {
            ui.power.turn(page);
            let mut effects = Vec::new();
            // The page opens: what it shows is read now, not when its turn comes.
            if let (PowerPage::Settings, Some(unit)) = (page, unit(ui, snapshot)) {
                let read = PowerOrder::ReadSettings { inverter: unit.known.name.clone() };
                effects.extend(silently(read, snapshot, now));
            }
            effects.extend(load(ui, snapshot, now));
            return effects;
        }
        PowerKey::NextInverter => {
            ui.power.next_unit(&snapshot.power);
            return load(ui, snapshot, now);
        }
        PowerKey::Filter if ui.power.page.needs_one() => {
            ui.power.view = SettingsView::List;
            (ui.power.field, ui.mode) = (Field::Filter, Mode::Field);
        }
        PowerKey::Changes => return show(ui, SettingsView::Changes, snapshot, now),
        PowerKey::Bars if ui.power.page == PowerPage::History => {
            ui.power.course.bars = !ui.power.course.bars;
            ui.power.selected = 0;
        }
        PowerKey::Bars if ui.power.page == PowerPage::Sun => {
            (ui.power.plan, ui.power.selected) = (!ui.power.plan, 0);
        }
        PowerKey::Bars => return show(ui, SettingsView::Windows, snapshot, now),
        PowerKey::Drop if is_on(ui, SettingsView::Changes) => {
            let at = ui.power.selected;
            let query = ui.power.changes.drop(at);
            ui.power.select(0, ui.power.changes.wanted.len());
            return asks(query);
        }
        PowerKey::Arm => {
            let armed = snapshot.power.is_armed(now);
            return order(ui, if armed { PowerOrder::Disarm } else { PowerOrder::Arm }, snapshot, now);
        }
        PowerKey::Take => return take(ui, input, snapshot),
        PowerKey::Switch | PowerKey::Confirm | PowerKey::Forget => ask::question(ui, what, input, snapshot),
        PowerKey::Reapply => return edit::reapply(ui, snapshot, now),
        PowerKey::Read => {
            let Some(unit) = unit(ui, snapshot) else { return Vec::new() };
            let read = PowerOrder::ReadSettings { inverter: unit.known.name.clone() };
            let mut effects = order(ui, read, snapshot, now);
            effects.extend(load(ui, snapshot, now));
            return effects;
        }
        PowerKey::Save => return save(ui, snapshot, now),
        PowerKey::Span if ui.power.page == PowerPage::History => {
            ui.power.course.turn();
            return load(ui, snapshot, now);
        }
        PowerKey::Back | PowerKey::On => {
            let by = if what == PowerKey::Back { -1 } else { 1 };
            if ui.power.page == PowerPage::History {
                ui.power.course.step(-by);
                return load(ui, snapshot, now);
            }
            if is_on(ui, SettingsView::Windows) {
                return edit::move_edge(ui, by, snapshot, now);
            }
        }
        PowerKey::Retry => {
            let at = ui.power.selected.min(snapshot.power.buses.len().saturating_sub(1));
            let Some(bus) = snapshot.power.buses.get(at) else { return Vec::new() };
            return order(ui, PowerOrder::Reconnect { bus: bus.name.clone() }, snapshot, now);
        }
        PowerKey::Aside => return set_aside(ui, snapshot, now),
        PowerKey::Filter | PowerKey::Drop | PowerKey::Span => {}
    }
    Vec::new()
}

/// The selected rule does not act in this program, or does again.
fn set_aside(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let rules = &snapshot.sun.rules;
    let Some(rule) = rules.get(ui.power.selected.min(rules.len().saturating_sub(1))) else { return Vec::new() };
    let name = rule.name.clone();
    let (order, text) = if rule.aside.is_some() {
        (SunOrder::TakeBack { rule: name.clone() }, format!("rule {name} acts again"))
    } else {
        (SunOrder::SetAside { rule: name.clone() }, format!("rule {name} does nothing until the program is over"))
    };
    ui.say(text, Tone::Good, now);
    vec![Effect::Submit(Command::Sun(order))]
}

/// Sends an order that a person did not ask for by name; that it is not possible needs no word.
fn silently(order: PowerOrder, snapshot: &Snapshot, now: Time) -> Option<Effect> {
    let command = Command::Power(order);
    legal::check(&command, snapshot, now).is_ok().then_some(Effect::Submit(command))
}

fn is_on(ui: &Ui, view: SettingsView) -> bool {
    ui.power.page == PowerPage::Settings && ui.power.view == view
}

/// Shows a view of the settings, or the list again if it is there already.
fn show(ui: &mut Ui, view: SettingsView, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let next = if is_on(ui, view) { SettingsView::List } else { view };
    ui.power.turn(PowerPage::Settings);
    (ui.power.view, ui.power.selected) = (next, 0);
    let mut effects = load(ui, snapshot, now);
    let changes = &mut ui.power.changes;
    if view == SettingsView::Changes && !changes.is_empty() && changes.checked.is_none() {
        effects.extend(asks([changes.ask()]));
    }
    effects
}

/// Enter.
fn take(ui: &mut Ui, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    // A burst was not typed, so its Enter was not either.
    if input.keys_in_batch >= BURST {
        return Vec::new();
    }
    match (ui.power.page, ui.power.view) {
        (PowerPage::Inverters, _) if !snapshot.power.inverters.is_empty() => {
            ui.power.place = ui.power.selected.min(snapshot.power.inverters.len() - 1);
            ui.power.turn(PowerPage::Flow);
            return load(ui, snapshot, input.at);
        }
        (PowerPage::Settings, SettingsView::List) => edit::open(ui, snapshot, input.at),
        (PowerPage::Settings, SettingsView::Windows) => edit::open_time(ui, snapshot),
        (PowerPage::Settings, SettingsView::Changes) => ask::write(ui, input, snapshot),
        _ => {}
    }
    Vec::new()
}

/// The registers into a file.
fn save(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let Some(name) = unit(ui, snapshot).map(|unit| unit.known.name.clone()) else { return Vec::new() };
    let rows = ui.power.registers.as_ref().filter(|(of, _)| *of == name).and_then(|(_, rows)| rows.as_ref().ok());
    let Some(rows) = rows else {
        ui.say("the registers are not known yet", Tone::Warning, now);
        return Vec::new();
    };
    let text = register_table(rows, now);
    vec![Effect::Ask(Query::SaveTable { name: format!("registers-{name}"), text })]
}
