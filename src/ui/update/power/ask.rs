//! The questions before anything is written or switched.

use crate::model::Command;
use crate::model::legal;
use crate::model::power::{Danger, PowerOrder, Unit};
use crate::model::snapshot::Snapshot;
use crate::ui::console::Tone;
use crate::ui::input::InputEvent;
use crate::ui::power::{PowerKey, PowerPage, words};
use crate::ui::state::{Popup, Then, Ui};
use crate::ui::update::popups::confirm;

/// Changes that a question tells one by one; the others are on the page behind.
const TOLD: usize = 8;

/// Asks before the change set is written.
pub(super) fn write(ui: &mut Ui, input: &InputEvent, snapshot: &Snapshot) {
    let now = input.at;
    let armed = snapshot.power.is_armed(now);
    let rows = match ui.power.changes.to_write(armed) {
        Ok(rows) => rows.to_vec(),
        Err(why) => return ui.say(why, Tone::Warning, now),
    };
    let inverter = ui.power.changes.inverter.clone();
    let settings = ui.power.changes.orders(&rows);
    let order = Command::Power(PowerOrder::Set { inverter: inverter.clone(), settings });
    if let Err(why) = legal::check(&order, snapshot, now) {
        return ui.say(why.to_string(), Tone::Warning, now);
    }
    let changed: Vec<_> = rows.iter().filter(|row| !row.unchanged).collect();
    let mut body: Vec<String> = Vec::new();
    for row in changed.iter().take(TOLD) {
        let danger = words::danger(row.danger).map_or(String::new(), |word| format!("  ({word})"));
        body.push(format!("{}: {} -> {}{danger}", row.id, row.before, row.after));
        body.extend(row.warnings.iter().map(|warning| format!("  {warning}")));
    }
    if changed.len() > TOLD {
        body.push(format!("and {} more, on the page behind", changed.len() - TOLD));
    }
    body.push("Each is written, then read back.".to_owned());
    let label = format!("Write {} to {inverter}", plural(changed.len()));
    let mut question = confirm(format!("Write settings of {inverter}"), body, &label, Then::Submit(order), input.batch);
    if ui.power.changes.danger() > Danger::Normal {
        // Enter opened this question, so a held Enter must not answer it.
        question.selected = question.choices.len() - 1;
    }
    ui.popup = Some(question);
    let last = snapshot.power.find(&inverter).and_then(|unit| unit.last_write.as_ref().map(|report| report.at));
    ui.power.changes.offered(last);
}

fn plural(n: usize) -> String {
    if n == 1 { "1 setting".to_owned() } else { format!("{n} settings") }
}

/// Asks before an inverter is switched on or off, called the right one, or before what was saved is forgotten.
pub(super) fn question(ui: &mut Ui, what: PowerKey, input: &InputEvent, snapshot: &Snapshot) {
    let at = ui.power.selected.min(snapshot.power.inverters.len().saturating_sub(1));
    let chosen = match ui.power.page {
        PowerPage::Inverters => snapshot.power.inverters.get(at),
        _ => ui.power.unit(&snapshot.power),
    };
    let Some(unit) = chosen else {
        return ui.say("choose one inverter first: n, or 2 for the list", Tone::Warning, input.at);
    };
    let found = match what {
        PowerKey::Switch => Ok(switch(unit, input.batch)),
        PowerKey::Confirm => right_device(unit, input.batch),
        _ => forget(ui, unit, input.batch),
    };
    match found {
        Ok(question) => ui.popup = Some(question),
        Err(why) => ui.say(why, Tone::Warning, input.at),
    }
}

fn switch(unit: &Unit, batch: u64) -> Popup {
    let inverter = unit.known.name.clone();
    let on = !unit.enabled;
    let (body, label) = if on {
        ("It is asked for its values again.", format!("Poll {inverter}"))
    } else {
        (
            "It is left alone: no values, no history, nothing is written. It goes on working by itself.",
            format!("Leave {inverter} alone"),
        )
    };
    let body = vec![body.to_owned(), "That is kept when sunmill ends.".to_owned()];
    let order = Command::Power(PowerOrder::Enable { inverter: inverter.clone(), on });
    confirm(format!("Inverter {inverter}"), body, &label, Then::Submit(order), batch)
}

fn right_device(unit: &Unit, batch: u64) -> Result<Popup, String> {
    let inverter = unit.known.name.clone();
    let why = unit.to_confirm.clone().ok_or_else(|| format!("there is nothing to confirm about {inverter}"))?;
    let body = vec![why, "Until somebody says that it is the right one, nothing is written to it.".to_owned()];
    let order = Command::Power(PowerOrder::ConfirmIdentity { inverter: inverter.clone() });
    let label = format!("This is {inverter}: it may be written");
    let mut question = confirm("Is this the right device?", body, &label, Then::Submit(order), batch);
    question.selected = question.choices.len() - 1;
    Ok(question)
}

fn forget(ui: &Ui, unit: &Unit, batch: u64) -> Result<Popup, String> {
    let inverter = unit.known.name.clone();
    let id = super::edit::selected(ui, unit).filter(|row| unit.drift.contains_key(&row.id)).map(|row| row.id.clone());
    let Some(id) = id else { return Err("select a setting that is not what was saved".to_owned()) };
    let drift = &unit.drift[&id];
    let body = vec![
        format!("Saved: {}. The inverter says {}.", drift.saved, drift.actual),
        "What was saved is forgotten; the inverter stays as it is.".to_owned(),
    ];
    let order = Command::Power(PowerOrder::ForgetSaved { inverter, id: id.clone() });
    Ok(confirm(format!("Forget what was saved of {id}"), body, "Forget it", Then::Submit(order), batch))
}
