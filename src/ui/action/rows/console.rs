//! Rows of the console.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};

const VIEW: Kind = (Group::Screen, Danger::None, Context::Main);

pub(super) const ROWS: &[Row] = &[
    row(
        Action::WireView,
        "wire",
        &["v"],
        (Group::Screen, Danger::None, Context::Main),
        "Console: all, then every line on the wire, messages only, what you sent only.",
    ),
    row(Action::WireReports, "reports", &["V"], VIEW, "Show status reports on the wire, or hide them."),
    row(Action::ConsoleSave, "save console", &["Ctrl+S"], VIEW, "Write what the console holds into a dated file."),
    row(
        Action::ScrollBack,
        "scroll back",
        &["PgUp", "Up"],
        (Group::Screen, Danger::None, Context::Main),
        "Console one page (or line) back; it stays where you look.",
    ),
    row(
        Action::ScrollOn,
        "scroll on",
        &["PgDn", "Down"],
        (Group::Screen, Danger::None, Context::Main),
        "Console one page (or line) on.",
    ),
    row(
        Action::ScrollEnd,
        "latest",
        &["End"],
        (Group::Screen, Danger::None, Context::Main),
        "Console to the latest line, and follow it.",
    ),
];
