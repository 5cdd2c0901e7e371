//! Rows of what stops: the same keys from every screen.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};

const STOP: Kind = (Group::Stop, Danger::Stops, Context::Stop);

pub(super) const ROWS: &[Row] = &[
    row(
        Action::Stop,
        "stop",
        &["Space", "Ctrl+Space"],
        STOP,
        "Stop motion and keep position; Ctrl+Space also in text fields. Never resumes.",
    ),
    row(Action::Hold, "hold", &["!"], STOP, "Feed hold; ~ goes on."),
    row(
        Action::StopProgram,
        "stop program",
        &["@"],
        STOP,
        "End the program: hold, stand still, reset. Keeps position.",
    ),
    row(
        Action::SoftReset,
        "reset",
        &["Ctrl+X"],
        (Group::Stop, Danger::Changes, Context::Stop),
        "Soft reset, at once while moving (position is lost then); asks when idle.",
    ),
    row(
        Action::Escape,
        "close",
        &["Esc"],
        (Group::Stop, Danger::Stops, Context::Global),
        "Cancel a jog, leave jog mode, close what is open. Never holds, starts or resumes.",
    ),
];
