//! [`Line`]: a line that is safe to send.

/// A line that is safe to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(Box<str>);
