//! Rows of the overrides, while they are shown.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};
use crate::ui::overrides::OverrideKey;

const OVERRIDE: Kind = (Group::Overrides, Danger::Changes, Context::Override);

pub(super) const ROWS: &[Row] = &[
    row(Action::Override(OverrideKey::More), "more", &["Right"], OVERRIDE, "10 % more; rapids 25, 50, 100 %"),
    row(Action::Override(OverrideKey::Less), "less", &["Left"], OVERRIDE, "10 % less"),
    row(Action::Override(OverrideKey::FineMore), "fine more", &["+"], OVERRIDE, "1 % more"),
    row(Action::Override(OverrideKey::FineLess), "fine less", &["-"], OVERRIDE, "1 % less"),
    row(Action::Override(OverrideKey::Reset), "back to 100", &["0"], OVERRIDE, "Back to 100 %"),
    row(Action::Override(OverrideKey::Up), "above", &["Up"], OVERRIDE, "The override above"),
    row(Action::Override(OverrideKey::Down), "below", &["Down"], OVERRIDE, "The override below"),
];
