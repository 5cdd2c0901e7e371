//! Rows that help find the others.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};

const SCREEN: Kind = (Group::Screen, Danger::None, Context::Global);

pub(super) const ROWS: &[Row] = &[
    row(Action::Help, "help", &["?", "F1"], SCREEN, "This help; F1 also in text fields."),
    row(
        Action::Palette,
        "actions",
        &[":"],
        (Group::Screen, Danger::None, Context::Main),
        "List the actions by name; type to narrow it, Enter runs one.",
    ),
    row(
        Action::SwitchUnits,
        "mm or inch",
        &["F6"],
        SCREEN,
        "Show and type lengths and feeds in mm or in inches; what is sent stays mm.",
    ),
];
