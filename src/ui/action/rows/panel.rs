//! Rows that every tab with a table has.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};

const PANEL: Kind = (Group::Screen, Danger::None, Context::Panel);

pub(super) const ROWS: &[Row] = &[
    row(Action::PanelUp, "up", &["Up"], PANEL, "Up in the table of a tab."),
    row(Action::PanelDown, "down", &["Down"], PANEL, "Down in the table of a tab."),
];
