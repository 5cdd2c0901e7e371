//! Rows of the tab Devices.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};
use crate::ui::tab::Tab;

const DEVICES: Kind = (Group::Screen, Danger::None, Context::Tab(Tab::Devices));

pub(super) const ROWS: &[Row] = &[
    row(Action::ListPorts, "list devices", &["l"], DEVICES, "Devices: list the serial devices; opens none of them."),
    row(
        Action::AskPort,
        "ask device",
        &["a"],
        DEVICES,
        "Devices: open the selected device, ask ? and $I, show the answer, close it.",
    ),
    row(
        Action::RememberPort,
        "use device",
        &["w"],
        DEVICES,
        "Devices: use the selected device now, and keep it in config.toml; asks which.",
    ),
];
