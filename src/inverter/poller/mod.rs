//! What to ask a device next, and what its answers change: the poll schedule as a state machine without IO.
//!
//! The owner of the bus asks [`Poller::next_request`], carries the request out and tells what came of it with
//! [`Poller::handle_reply`] or [`Poller::handle_failure`]; [`Poller::poll_timeout`] says when to ask again. One
//! request is open at a time. After a time-out or an answer that does not fit, the owner brings the link into order
//! (reconnects, or lets a serial line fall silent and drains it); the poller asks for the serial number then, and
//! trusts nothing before it is the right one.

mod core;
mod failures;
mod schedule;
mod search;
mod writing;

pub use core::{Event, Options, Poller, Stats, Turn};
