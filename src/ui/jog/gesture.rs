//! What a jog key is, the circumstances in which it comes, and what a gesture asks for.

use std::time::Duration;

use crossterm::event::KeyEventKind;

use crate::model::jog::JogVector;
use crate::model::{AxisVec, Time};

/// Which way, −1, 0 or +1 for X, Y, Z and the axis that the extra pair of keys moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Direction(pub [i8; 4]);

/// How far or fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// The step and feed in force.
    Normal,
    /// Shift or a capital: ×10.
    Coarse,
    /// Alt: ×0.1.
    Fine,
}

/// A jog key: what the keymap makes of a chord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JogKey {
    /// Which way.
    pub direction: Direction,
    /// How far or fast.
    pub scale: Scale,
    /// Never continuous (Ctrl+arrow).
    pub single: bool,
}

/// Circumstances of a key event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// When it came.
    pub at: Time,
    /// Press, repeat, release. Without release reports everything is a press.
    pub kind: KeyEventKind,
    /// Keys that came in the same read.
    pub keys_in_batch: usize,
    /// The read it came in.
    pub batch: u64,
    /// The terminal tells when this key is let go.
    pub reports_release: bool,
}

/// What a gesture asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum JogAct {
    /// One exact step: signed mm or degrees per axis, at a feed.
    Step(AxisVec, f64),
    /// Start or renew continuous motion, for so long.
    Continue(JogVector, Duration),
    /// Stop jogging.
    Cancel,
    /// Ask the terminal for a sign of life.
    Prove,
    /// Tell the user.
    Say(String),
}
