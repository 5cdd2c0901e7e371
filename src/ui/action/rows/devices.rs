//! Rows of the tab Devices.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};
use crate::ui::tab::Tab;

const VIEW: Kind = (Group::Screen, Danger::None, Context::Main);
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
    row(Action::ShowLog, "log", &["L"], VIEW, "What happened, with levels; it follows until you scroll."),
    row(Action::LogFilter, "find in log", &["/"], DEVICES, "Log: show only entries with these words, as you type."),
    row(Action::LogLevel, "level", &["v"], DEVICES, "Log: what happened, warnings and errors, errors, all."),
    row(Action::LogSave, "save log", &["Ctrl+S"], DEVICES, "Log: write what is shown into a dated file."),
    row(Action::ShowClients, "clients", &["C"], VIEW, "Who is attached, how they fare, who is in control."),
];
