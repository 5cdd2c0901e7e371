//! Rows of jog mode.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};
use crate::ui::jog::Direction;

const MOVE: Kind = (Group::Jog, Danger::Moves, Context::Jog);
const JOG: Kind = (Group::Jog, Danger::None, Context::Jog);

const fn jog(x: i8, y: i8, z: i8, a: i8) -> Action {
    Action::Jog(Direction([x, y, z, a]))
}

pub(super) const ROWS: &[Row] = &[
    row(jog(-1, 0, 0, 0), "X-", &["Left", "h", "Keypad4"], MOVE, "X-"),
    row(jog(1, 0, 0, 0), "X+", &["Right", "l", "Keypad6"], MOVE, "X+"),
    row(jog(0, 1, 0, 0), "Y+", &["Up", "k", "Keypad8"], MOVE, "Y+"),
    row(jog(0, -1, 0, 0), "Y-", &["Down", "j", "Keypad2"], MOVE, "Y-"),
    row(jog(0, 0, 1, 0), "Z+", &["PgUp", "w"], MOVE, "Z+, at a lower feed"),
    row(jog(0, 0, -1, 0), "Z-", &["PgDn", "s"], MOVE, "Z-, at a lower feed"),
    row(jog(-1, 1, 0, 0), "X- Y+", &["y", "Keypad7"], MOVE, "X- and Y+ together"),
    row(jog(1, 1, 0, 0), "X+ Y+", &["u", "Keypad9"], MOVE, "X+ and Y+ together"),
    row(jog(-1, -1, 0, 0), "X- Y-", &["b", "Keypad1"], MOVE, "X- and Y- together"),
    row(jog(1, -1, 0, 0), "X+ Y-", &["n", "Keypad3"], MOVE, "X+ and Y- together"),
    row(jog(0, 0, 0, -1), "A-", &["<"], MOVE, "A- (or the axis that a chose), rotary ones in degrees"),
    row(jog(0, 0, 0, 1), "A+", &[">"], MOVE, "A+ (or the axis that a chose), rotary ones in degrees"),
    row(Action::StepPreset(0), "step 1", &["1"], JOG, "First step preset (0.01 mm)"),
    row(Action::StepPreset(1), "step 2", &["2"], JOG, "Second step preset (0.1 mm)"),
    row(Action::StepPreset(2), "step 3", &["3"], JOG, "Third step preset (1 mm)"),
    row(Action::StepPreset(3), "step 4", &["4"], JOG, "Fourth step preset (10 mm)"),
    row(Action::StepUp, "longer step", &["+"], JOG, "Next longer step"),
    row(Action::StepDown, "shorter step", &["-"], JOG, "Next shorter step"),
    row(Action::StepTimesTen, "step x10", &["*"], JOG, "Step times ten"),
    row(Action::StepOverTen, "step /10", &["/"], JOG, "Step divided by ten"),
    row(Action::NextExtraAxis, "other axis", &["a"], JOG, "The next axis beyond Z (B, C, U, V, W) gets the keys of A"),
    row(Action::LatchJog, "latch", &["c"], JOG, "The next direction goes on by itself, a bounded way, until any key"),
    row(Action::FeedUp, "faster", &["."], JOG, "Next faster jog feed"),
    row(Action::FeedDown, "slower", &[","], JOG, "Next slower jog feed"),
    row(Action::ToggleContinuous, "hold = continuous", &["Tab"], JOG, "Holding a key moves on, or is one step only"),
];
