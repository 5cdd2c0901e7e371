//! State of a tab: settings of the controller.

/// What the tab knows beside the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    /// The first row that is shown.
    pub top: usize,
}
