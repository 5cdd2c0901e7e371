//! Keys of a tab; see [`panel`](super::panel).

use super::panel::{PanelKey, scrolled};
use crate::ui::state::{Effect, Ui};

/// A key while the tab is open. `None`: the main screen's meaning holds.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    ui.offsets.top = scrolled(ui.offsets.top, key.action)?;
    Some(Vec::new())
}
