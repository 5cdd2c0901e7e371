//! What a line is for, whichever way it was read.

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Nothing; asks for an `ok` (and ends the sticky error of grblHAL).
    Empty,
    /// A block of G-code.
    GCode {
        /// Something could move. Codes that are not known to be harmless count as moving.
        may_move: bool,
        /// Holds a `G4`.
        dwell: bool,
    },
    /// `$J=…`.
    Jog,
    /// `$H` and its relatives.
    Home,
    /// `$X`.
    Unlock,
    /// `$C`.
    CheckToggle,
    /// `$SLP`.
    Sleep,
    /// Restarts the controller: `$Bye`, `$REBOOT`.
    Restart,
    /// Only prints something: `$G`, `$#`, `$I`, `$$`, …
    Query,
    /// Stores something: `$n=v`, `$Nn=…`, `$RST=…`, FluidNC `$name=value`.
    SettingWrite,
    /// Any other `$` line (FluidNC `[ESP…]` too).
    OtherDollar,
}
