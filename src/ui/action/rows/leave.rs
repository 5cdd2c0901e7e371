//! Rows of the terminal itself, and of leaving it.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};

const SCREEN: Kind = (Group::Screen, Danger::None, Context::Global);

pub(super) const ROWS: &[Row] = &[
    row(Action::Redraw, "redraw", &["Ctrl+L"], SCREEN, "Draw the screen anew."),
    row(
        Action::Suspend,
        "to the shell",
        &["Ctrl+Z"],
        SCREEN,
        "Back to the shell (fg returns); not while the machine moves.",
    ),
    row(Action::Quit, "quit", &["q", "Ctrl+Q", "Ctrl+C"], SCREEN, "Leave; asks first when the machine is busy."),
];
