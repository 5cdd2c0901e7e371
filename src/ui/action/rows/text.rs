//! Rows of text fields and lists.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};

const TEXT: Kind = (Group::Text, Danger::None, Context::Text);

pub(super) const ROWS: &[Row] = &[
    row(Action::Accept, "send", &["Enter"], TEXT, "Send the line, or take the choice."),
    row(Action::HistoryBack, "earlier", &["Up"], TEXT, "Earlier line, or choice above."),
    row(
        Action::HistorySearch,
        "find earlier",
        &["Ctrl+R"],
        TEXT,
        "Line for G-code: an earlier line that holds what is typed; again for an older one.",
    ),
    row(Action::Complete, "complete", &["Tab"], TEXT, "Line for G-code: complete a $ command of this firmware."),
    row(Action::HistoryOn, "later", &["Down"], TEXT, "Later line, or choice below."),
];
