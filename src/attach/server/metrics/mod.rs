//! The page for Prometheus and its like: OpenMetrics, in base units.
//!
//! A value that is not known, or is older than it should be, is not on the page: a monitor sees a gap, never a 0 that nobody
//! measured.

mod book;
mod machine;
mod page;
mod power;

pub(super) use page::{CONTENT_TYPE, page};
