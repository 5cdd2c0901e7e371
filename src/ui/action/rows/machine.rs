//! Rows of running the machine.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};

const MACHINE: Kind = (Group::Machine, Danger::None, Context::Main);

pub(super) const ROWS: &[Row] = &[
    row(
        Action::Resume,
        "resume",
        &["~"],
        (Group::Machine, Danger::Moves, Context::Main),
        "Go on after a hold or a closed door; only after a quiet moment, never from a paste.",
    ),
    row(Action::JogMode, "jog", &["i"], MACHINE, "Enter jog mode: now keys move the machine."),
    row(Action::Mdi, "type G-code", &["Enter", "m"], MACHINE, "Open the line for G-code and $ commands."),
    row(
        Action::Home,
        "home",
        &["H"],
        (Group::Machine, Danger::Moves, Context::Main),
        "Home the machine: choose all or one axis, Enter confirms.",
    ),
    row(
        Action::AlarmPanel,
        "clear alarm",
        &["$"],
        (Group::Machine, Danger::Changes, Context::Main),
        "What the alarm means and the way out of it; home is offered before unlock.",
    ),
    row(
        Action::Zero,
        "zero",
        &["z"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Make the present position the work zero: choose the axis, Enter confirms.",
    ),
    row(
        Action::GoTo,
        "go to",
        &["g"],
        (Group::Machine, Danger::Moves, Context::Main),
        "Go to work zero, G28 or G30, Z up first: choose, Enter confirms.",
    ),
    row(
        Action::GoToPoint,
        "go to point",
        &["t"],
        (Group::Machine, Danger::None, Context::Main),
        "Type a point to go to; the line is shown before it is sent.",
    ),
    row(
        Action::Undo,
        "undo offset",
        &["x"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Write back the newest change of offsets; asks first.",
    ),
    row(
        Action::Overrides,
        "overrides",
        &["o"],
        MACHINE,
        "Show the overrides of feed, rapids and spindle; arrows change them.",
    ),
    row(
        Action::Spindle,
        "spindle",
        &["F9"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Spindle on, off, speed; in a hold it stops and restarts the spindle.",
    ),
    row(Action::Flood, "flood", &["F8"], (Group::Machine, Danger::Changes, Context::Main), "Flood coolant on or off."),
    row(Action::Mist, "mist", &["F7"], (Group::Machine, Danger::Changes, Context::Main), "Mist coolant on or off."),
    row(
        Action::Outputs,
        "outputs",
        &["F4"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Switch an output that config.toml names: choose, Enter confirms.",
    ),
    row(
        Action::Door,
        "safety door",
        &["d"],
        (Group::Machine, Danger::Stops, Context::Main),
        "As if the safety door opened: stops motion, spindle and coolant; ~ goes on.",
    ),
    row(
        Action::Park,
        "park",
        &["K"],
        (Group::Machine, Danger::Moves, Context::Main),
        "Bring it down safely: hold, spindle off, position kept, Z up, park position; asks first.",
    ),
    row(
        Action::PutAway,
        "put away",
        &["Y"],
        (Group::Machine, Danger::None, Context::Main),
        "Put away what a rule or parking has told; it stays in log and audit.",
    ),
    row(
        Action::CheckMode,
        "check mode",
        &["c"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Check G-code without moving, or leave that mode; asks first.",
    ),
    row(
        Action::Sleep,
        "sleep",
        &["p"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Send the controller to sleep, motors off; asks first.",
    ),
    row(
        Action::TakeControl,
        "take control",
        &["T"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Take control from another screen or script; asks first, and the others are told.",
    ),
    row(
        Action::ReleaseControl,
        "give control back",
        &["R"],
        MACHINE,
        "Give control back: then it is whose who moves something next.",
    ),
    row(Action::Reconnect, "try now", &["r"], MACHINE, "Try the link now instead of waiting."),
];
