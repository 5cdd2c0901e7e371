//! State of a tab: ports, and how the link does.

/// What the tab knows beside the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// The first row that is shown.
    pub top: usize,
}
