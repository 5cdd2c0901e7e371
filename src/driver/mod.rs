//! The only device IO: one task per link.
