//! Keys of a tab (see [`panel`](super::panel)), and the questions about offsets and moves that every tab can ask.

#[cfg(test)]
mod tests;

use crossterm::event::{KeyCode, KeyEventKind};

use super::panel::{PanelKey, scrolled};
use super::popups::{choice, popup};
use super::{BURST, run};
use crate::model::quantity::number;
use crate::model::snapshot::Snapshot;
use crate::model::work::{Frame, GoTo, Slot, Stored, Work, check_target, compose, newest_to_undo, safe_z_mm};
use crate::model::{Axis, AxisSet, Command, Time, Units, legal};
use crate::ui::action::Action;
use crate::ui::console::Tone;
use crate::ui::input::InputEvent;
use crate::ui::offsets::{Form, Purpose, rows};
use crate::ui::state::{Choice, Effect, Mode, Popup, Tab, Then, Ui};

/// A key while the tab is open. `None`: the main screen's meaning holds.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    if ui.mode == Mode::Field {
        return field_key(ui, key);
    }
    let slots = rows(&key.snapshot.machine);
    let last = slots.len().saturating_sub(1);
    ui.offsets.selected = ui.offsets.selected.min(last);
    if let Some(selected) = scrolled(ui.offsets.selected, key.action) {
        ui.offsets.selected = selected.min(last);
        return Some(Vec::new());
    }
    let action = key.action.filter(|action| {
        matches!(
            action,
            Action::OffsetActivate | Action::OffsetSet | Action::OffsetHalf | Action::OffsetClear | Action::OffsetStore
        )
    })?;
    Some(run(ui, action, key.input, key.snapshot))
}

/// The form, undo, or an action of the tab on its selected row.
pub(super) fn act(ui: &mut Ui, action: Action, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    match action {
        Action::GoToPoint => return open_form(ui, Purpose::GoTo(Frame::Work), snapshot),
        Action::Undo => return undo(ui, input, snapshot),
        _ => {}
    }
    let machine = &snapshot.machine;
    let Some(slot) = rows(machine).get(ui.offsets.selected).copied() else { return Vec::new() };
    let active = machine.modal.as_ref().and_then(|modal| modal.wcs());
    let said = match (action, slot) {
        (Action::OffsetActivate, Slot::Wcs(wcs)) => {
            return submit(ui, Command::Work(Work::Select(wcs)), input, snapshot);
        }
        (Action::OffsetSet, Slot::Tlo) => return open_form(ui, Purpose::ToolLength, snapshot),
        (Action::OffsetSet | Action::OffsetHalf | Action::OffsetClear, Slot::Wcs(wcs))
            if active.is_some_and(|active| active != wcs.name()) =>
        {
            "that is not the active system: press a to make it active first"
        }
        (Action::OffsetSet, Slot::Wcs(_)) => return open_form(ui, Purpose::Set, snapshot),
        (Action::OffsetHalf, Slot::Wcs(_)) => {
            ui.popup = Some(half(snapshot, ui.units, input.batch));
            return Vec::new();
        }
        (Action::OffsetClear, Slot::Wcs(_)) => {
            ui.popup = Some(super::popups::zero(snapshot, ui.units, input.batch));
            return Vec::new();
        }
        (Action::OffsetClear, Slot::G92) => return ask(ui, Command::Work(Work::ClearG92), input, snapshot),
        (Action::OffsetClear, Slot::Tlo) => return ask(ui, Command::Work(Work::ClearToolLength), input, snapshot),
        (Action::OffsetStore, Slot::Stored(stored)) => {
            return ask(ui, Command::Work(Work::Store(stored)), input, snapshot);
        }
        (Action::OffsetActivate, _) => "only G54 and the like can be made active",
        (Action::OffsetStore, _) => "only G28 and G30 store the present position",
        (Action::OffsetClear, _) => "G28 and G30 cannot be cleared, only stored anew",
        (Action::OffsetHalf, _) => "only a work coordinate system can be halved",
        _ => "this row takes no numbers: G28 and G30 are stored, G92 is cleared",
    };
    ui.say(said, Tone::Plain, input.at);
    Vec::new()
}

/// Opens a form, with what was typed last where it was for the same.
fn open_form(ui: &mut Ui, purpose: Purpose, snapshot: &Snapshot) -> Vec<Effect> {
    let (count, units) = (snapshot.machine.axis_count(), ui.units);
    let same = |old: &Form| {
        std::mem::discriminant(&old.purpose) == std::mem::discriminant(&purpose)
            && old.units == units
            && old.fields.iter().filter_map(|field| field.axis).all(|axis| axis.index() < count)
    };
    let kept = ui.offsets.form.take().filter(same);
    ui.offsets.form = Some(kept.unwrap_or_else(|| Form::new(purpose, count, units)));
    ui.tab = Tab::Offsets;
    ui.mode = Mode::Field;
    Vec::new()
}

fn field_key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    let form = ui.offsets.form.as_mut()?;
    match (key.action, key.chord.code) {
        (_, KeyCode::Esc | KeyCode::F(_)) => return None,
        (Some(Action::Accept), _) => {
            // A line that came with a burst was not typed, so its Enter was not either.
            if key.kind == KeyEventKind::Press && key.input.keys_in_batch < BURST {
                return Some(accept(ui, key.input, key.snapshot));
            }
        }
        (Some(Action::HistoryBack), _) => form.step(-1),
        (Some(Action::HistoryOn), _) | (_, KeyCode::Tab) => form.step(1),
        (_, KeyCode::PageDown) => form.next_frame(),
        _ => {
            form.error = None;
            if !form.focused().is_some_and(|field| field.text.key(key.chord)) {
                return None;
            }
        }
    }
    Some(Vec::new())
}

/// Pasted text for the field.
pub(super) fn paste(ui: &mut Ui, text: &str) {
    if let Some(field) = ui.offsets.form.as_mut().and_then(Form::focused) {
        field.text.insert(text);
    }
}

fn accept(ui: &mut Ui, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let Some(form) = &mut ui.offsets.form else { return Vec::new() };
    let checked = form.command().and_then(|command| {
        legal::check(&command, snapshot, input.at).map_err(|why| why.0)?;
        compose(&command, snapshot).map_err(|why| why.0)?;
        Ok(command)
    });
    match checked {
        Err(why) => {
            form.error = Some(why);
            Vec::new()
        }
        Ok(command) => {
            ui.mode = Mode::Main;
            if largest_shift(&command, snapshot) > ui.settings.confirm_offset_mm {
                let effects = ask(ui, command, input, snapshot);
                // Enter opened this question, so a held Enter must not answer it.
                if let Some(popup) = &mut ui.popup {
                    popup.selected = popup.choices.len().saturating_sub(1);
                }
                return effects;
            }
            ui.offsets.form = None;
            vec![Effect::Submit(command)]
        }
    }
}

/// By how much an order changes what a position reads; a move is always asked about.
fn largest_shift(command: &Command, snapshot: &Snapshot) -> f64 {
    let machine = &snapshot.machine;
    match command {
        Command::Work(Work::Set(values)) => values.iter().fold(0.0, |most, (axis, value)| {
            let reads = machine.work_position.and_then(|position| position.get(*axis));
            reads.map_or(f64::INFINITY, |reads| f64::max(most, (reads - value).abs()))
        }),
        Command::Work(Work::SetToolLength(mm)) => {
            let now = machine.offsets.get("TLO").map_or(f64::INFINITY, crate::model::AxisVec::norm);
            (now - mm.abs()).abs()
        }
        _ => f64::INFINITY,
    }
}

fn submit(ui: &mut Ui, command: Command, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    match legal::check(&command, snapshot, input.at) {
        Ok(()) => vec![Effect::Submit(command)],
        Err(why) => {
            ui.say(why.to_string(), Tone::Warning, input.at);
            Vec::new()
        }
    }
}

/// Asks, with the very lines that will be sent.
fn ask(ui: &mut Ui, command: Command, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let lines = legal::check(&command, snapshot, input.at).and_then(|()| compose(&command, snapshot));
    match lines {
        Err(why) => ui.say(why.to_string(), Tone::Warning, input.at),
        Ok(lines) => {
            let (title, label) = match &command {
                Command::GoTo(_) => ("Go to", "Go: the machine moves"),
                _ => ("Change offsets", "Do it: nothing moves"),
            };
            let mut body = vec!["This will be sent:".to_owned()];
            body.extend(lines.into_iter().map(|line| format!("  {line}")));
            body.extend(remarks(&command, snapshot, ui.units));
            let yes = choice(Some('g'), label, Then::Submit(command));
            ui.popup = Some(popup(title, body, vec![yes], input.batch));
        }
    }
    Vec::new()
}

/// What to know before answering.
fn remarks(command: &Command, snapshot: &Snapshot, units: Units) -> Vec<String> {
    let machine = &snapshot.machine;
    let mut remarks = Vec::new();
    let mut travel = |targets: &[(Axis, f64)], frame| {
        let open: AxisSet = targets
            .iter()
            .filter(|(axis, value)| check_target(machine, *axis, *value, frame) == Ok(false))
            .map(|(axis, _)| *axis)
            .collect();
        if open.is_empty() {
            remarks.push("Within the travel of every axis that moves.".to_owned());
        } else {
            remarks.push(format!("Travel NOT checked for {open}: not homed, or its travel is not known."));
        }
    };
    match command {
        Command::GoTo(GoTo::Point { targets, frame, .. }) => travel(targets, *frame),
        Command::GoTo(GoTo::WorkZero { axes, .. }) => {
            travel(&axes.iter().map(|axis| (axis, 0.0)).collect::<Vec<_>>(), Frame::Work);
        }
        Command::Work(Work::Set(values)) => remarks.extend(values.iter().map(|(axis, value)| {
            let reads = machine.work_position.and_then(|position| position.get(*axis));
            let reads = reads.map_or_else(|| "?".into(), |reads| number(units.on(*axis, reads)));
            format!("{axis} reads {reads} and will read {} {}.", number(units.on(*axis, *value)), units.of(*axis))
        })),
        Command::Work(Work::Undo(id)) => {
            remarks.extend(
                snapshot
                    .offset_history
                    .iter()
                    .filter(|change| change.id == *id)
                    .map(|change| format!("It undoes \"{}\" ({} {}).", change.what, change.slot.name(), change.axes())),
            );
        }
        _ => {}
    }
    remarks
}

fn half(snapshot: &Snapshot, units: Units, batch: u64) -> Popup {
    let machine = &snapshot.machine;
    let choices = AxisSet::first(machine.axis_count())
        .iter()
        .map(|axis| {
            let reads = machine.work_position.and_then(|position| position.get(axis)).unwrap_or_default();
            let reads = units.on(axis, reads);
            let label = format!("{axis} {} = {} here", number(reads), number(reads / 2.0));
            let axes = [axis].into_iter().collect();
            choice(Some(axis.letter().to_ascii_lowercase()), label, Then::Submit(Command::Work(Work::Half(axes))))
        })
        .collect();
    popup("Half", vec!["The middle between zero and here becomes zero. Nothing moves.".into()], choices, batch)
}

/// `x`: the newest change that still stands.
fn undo(ui: &mut Ui, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    match newest_to_undo(&snapshot.offset_history).map(|change| change.id) {
        Some(id) => ask(ui, Command::Work(Work::Undo(id)), input, snapshot),
        None => {
            ui.say("no change of offsets to undo", Tone::Plain, input.at);
            Vec::new()
        }
    }
}

/// `g`: work zero and the stored positions, with Z lifted first where its height is known.
pub(super) fn go_to(snapshot: &Snapshot, now: Time, batch: u64) -> Popup {
    let machine = &snapshot.machine;
    let count = machine.axis_count();
    let all = AxisSet::first(count);
    let across: AxisSet = all.iter().filter(|axis| *axis != Axis::Z).collect();
    let lift = safe_z_mm(machine);
    let (lift_to_mm, mut body) = match &lift {
        Ok(Some(z)) => (Some(*z), vec![format!("Z goes up to machine {} first.", number(*z))]),
        Ok(None) => (None, vec!["Z is at a safe height.".to_owned()]),
        Err(why) => {
            (None, vec![format!("Z is NOT lifted first: {why}."), "Look: is the way clear at this height?".into()])
        }
    };
    body.push("The lines are in the log as they are sent.".into());
    let zero = |axes| GoTo::WorkZero { axes, lift_to_mm };
    let stored = |stored| GoTo::Stored { stored, lift_to_mm };
    let single = |axis: Axis| GoTo::WorkZero { axes: [axis].into_iter().collect(), lift_to_mm: None };
    let mut orders: Vec<(Option<char>, String, GoTo)> =
        vec![(Some('0'), format!("{across} to work zero"), zero(across))];
    orders.extend(all.iter().filter(|axis| *axis != Axis::Z).map(|axis| {
        let axes = [axis].into_iter().collect();
        (Some(axis.letter().to_ascii_lowercase()), format!("{axis} to work zero"), zero(axes))
    }));
    if count > Axis::Z.index() {
        orders.push((Some('z'), "Z to work zero, straight".into(), single(Axis::Z)));
    }
    orders.push((None, "G28".into(), stored(Stored::G28)));
    orders.push((None, "G30".into(), stored(Stored::G30)));
    let mut choices: Vec<Choice> = Vec::new();
    for (letter, label, go_to) in orders {
        let command = Command::GoTo(go_to);
        match legal::check(&command, snapshot, now).and_then(|()| compose(&command, snapshot)) {
            Ok(lines) => {
                let label = format!("{label}: {}", lines.last().map_or("", String::as_str));
                choices.push(choice(letter, label, Then::Submit(command)));
            }
            Err(why) => body.push(format!("{label}: not now, {why}.")),
        }
    }
    let mut question = popup("Go to", body, choices, batch);
    question.selected = question.choices.len().saturating_sub(1);
    question
}
