//! State of a tab: work coordinate systems and other offsets.

/// What the tab knows beside the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    /// The first row that is shown.
    pub top: usize,
}
