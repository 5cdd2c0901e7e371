//! Rows of the tab Power.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};
use crate::ui::power::{PowerKey, PowerPage};
use crate::ui::tab::Tab;

const LOOK: Kind = (Group::Power, Danger::None, Context::Tab(Tab::Power));
const CHANGE: Kind = (Group::Power, Danger::Changes, Context::Tab(Tab::Power));

const fn key(key: PowerKey) -> Action {
    Action::Power(key)
}

const fn page(page: PowerPage) -> Action {
    Action::Power(PowerKey::Page(page))
}

pub(super) const ROWS: &[Row] = &[
    row(page(PowerPage::Flow), "flow", &["1"], LOOK, "Where power comes from and goes: sun, battery, grid, load."),
    row(page(PowerPage::Inverters), "inverters", &["2"], LOOK, "The inverters as rows, with their sum."),
    row(page(PowerPage::Faults), "faults", &["3"], LOOK, "Faults and warnings, and those since the start."),
    row(page(PowerPage::Settings), "what can be set", &["4"], LOOK, "Settings of the inverter."),
    row(page(PowerPage::Registers), "registers", &["5"], LOOK, "All its registers, raw and scaled, with their age."),
    row(page(PowerPage::History), "course", &["6"], LOOK, "How power went: charts of an hour, a day, a week."),
    row(page(PowerPage::Buses), "buses", &["7"], LOOK, "The buses: answers, time-outs, errors."),
    row(
        page(PowerPage::Sun),
        "sun and machine",
        &["8"],
        LOOK,
        "Rules: what each sees and did; battery, park, program.",
    ),
    row(
        key(PowerKey::Aside),
        "set aside",
        &["x"],
        CHANGE,
        "Rules: the selected one does not act in this program (or the next one); again: it does.",
    ),
    row(key(PowerKey::NextInverter), "next inverter", &["n"], LOOK, "The next inverter; after the last, all together."),
    row(
        key(PowerKey::Take),
        "choose",
        &["Enter"],
        CHANGE,
        "Setting: change it (collected, not written). Change set: write it; asks. Window: type its time.",
    ),
    row(key(PowerKey::Filter), "narrow", &["/"], LOOK, "Settings, registers: show only those with these words."),
    row(
        key(PowerKey::Changes),
        "change set",
        &["w"],
        LOOK,
        "What is collected, before and after, and what became of the last; again: the settings.",
    ),
    row(key(PowerKey::Drop), "drop", &["Delete", "Backspace"], LOOK, "Take the selected change out of the change set."),
    row(
        key(PowerKey::Bars),
        "bars",
        &["b"],
        LOOK,
        "Settings: time windows as bars of 24 hours. Course: kWh as bars. Rules: the plan of the battery. Again: back.",
    ),
    row(
        key(PowerKey::Arm),
        "arm",
        &["A"],
        CHANGE,
        "Let dangerous settings be written for 60 s, or not any more. Writes nothing.",
    ),
    row(key(PowerKey::Switch), "switch on or off", &["s"], CHANGE, "Poll the inverter, or leave it alone; asks."),
    row(
        key(PowerKey::Confirm),
        "right device",
        &["y"],
        CHANGE,
        "Say that the device that answers is the right one, so that it can be written; asks.",
    ),
    row(key(PowerKey::Reapply), "re-apply", &["u"], LOOK, "Put what was saved of a setting into the change set."),
    row(key(PowerKey::Forget), "forget", &["f"], CHANGE, "Forget what was saved of a setting; asks."),
    row(key(PowerKey::Read), "read settings", &["l"], LOOK, "Read the settings from the inverter now."),
    row(key(PowerKey::Save), "export", &["Ctrl+S"], LOOK, "Registers: write all into a dated file."),
    row(key(PowerKey::Span), "span", &["h"], LOOK, "Course: an hour, a day, a week."),
    row(
        key(PowerKey::Back),
        "back",
        &["Left"],
        LOOK,
        "Course: back in time. Window: its selected end 15 minutes earlier (collected, not written).",
    ),
    row(key(PowerKey::On), "on", &["Right"], LOOK, "Course: on in time. Window: its selected end 15 minutes later."),
    row(key(PowerKey::Retry), "retry", &["r"], LOOK, "Buses: try the selected one now instead of waiting."),
];
