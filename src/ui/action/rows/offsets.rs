//! Rows of the tab Offsets.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};
use crate::ui::tab::Tab;

const OFFSET: Kind = (Group::Offsets, Danger::Changes, Context::Tab(Tab::Offsets));

pub(super) const ROWS: &[Row] = &[
    row(Action::OffsetActivate, "activate", &["a"], OFFSET, "Make the selected coordinate system the active one."),
    row(Action::OffsetSet, "set", &["="], OFFSET, "Type what the present position shall read, or the tool length."),
    row(Action::OffsetHalf, "half", &["/"], OFFSET, "Halve what an axis reads: the middle becomes zero."),
    row(Action::OffsetClear, "zero or clear", &["0"], OFFSET, "Zero the active system, clear G92 or the tool length."),
    row(Action::OffsetStore, "store", &["."], OFFSET, "Store the present position as G28 or G30."),
];
