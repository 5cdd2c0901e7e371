//! Rows that open tabs.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};
use crate::ui::tab::Tab;

const VIEW: Kind = (Group::Screen, Danger::None, Context::Main);

pub(super) const ROWS: &[Row] = &[
    row(Action::Open(Tab::Machine), "Machine", &["M"], VIEW, "The machine: position, state, jog, console."),
    row(Action::Open(Tab::Programs), "Programs", &["P"], VIEW, "Programs: files, checks, pictures, runs."),
    row(Action::Open(Tab::Offsets), "Offsets", &["O"], VIEW, "Work coordinate systems and other offsets."),
    row(Action::Open(Tab::Settings), "Settings", &["S"], VIEW, "Settings of the controller."),
    row(
        Action::Open(Tab::Power),
        "Power",
        &["W"],
        VIEW,
        "Inverters: where power comes from and goes, settings, how it went (P is Programs: W as in watts).",
    ),
    row(Action::Open(Tab::Devices), "Devices", &["D"], VIEW, "Ports, and how the link does."),
    row(Action::NextTab, "next tab", &["Tab"], VIEW, "The tab to the right."),
    row(Action::PreviousTab, "previous tab", &["Shift+Tab"], VIEW, "The tab to the left."),
];
