//! What the session believes the machine is doing: the last report joined with what has been sent since.
//!
//! The snapshot alone is not enough to decide a stop: a jog that left 5 ms ago is not in any report yet.

use crate::model::machine::{MachineState, StateKind};

/// Motion that was sent and may not show in a report yet. Ordered by what it takes to stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SentMotion {
    /// A jog.
    Jog,
    /// G-code that may move, or a cycle start.
    Run,
    /// A homing cycle.
    Home,
}

/// What the machine is believed to be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// The link is closed.
    Closed,
    /// No report, or too old a one.
    Unknown {
        /// The last motion that the session sent was a jog.
        last_was_jog: bool,
    },
    /// Nothing moves.
    Idle,
    /// G-code is executed.
    Run,
    /// A jog.
    Jog,
    /// A homing cycle.
    Home,
    /// Feed hold, stopped or slowing.
    Hold {
        /// It stands still.
        stopped: bool,
    },
    /// Safety door.
    Door {
        /// It stands still.
        stopped: bool,
    },
    /// The safety door is left: the spindle starts, then motion goes on.
    LeavingDoor,
    /// Locked.
    Alarm,
    /// Check mode.
    Check,
    /// Asleep.
    Sleep,
    /// grblHAL waits for a tool change.
    Tool,
    /// FluidNC starts, or waits for its banner after a reset.
    Starting,
}

impl Situation {
    fn from_report(state: MachineState) -> Self {
        match state.kind {
            StateKind::Idle => Self::Idle,
            StateKind::Run => Self::Run,
            StateKind::Jog => Self::Jog,
            StateKind::Home => Self::Home,
            StateKind::Hold => Self::Hold { stopped: state.sub == Some(0) },
            StateKind::Held => Self::Hold { stopped: true },
            // 3; on grblHAL 3 is the end of that, 4 that itself (facts §6, sub-state).
            StateKind::Door if matches!(state.sub, Some(3 | 4)) => Self::LeavingDoor,
            StateKind::Door => Self::Door { stopped: matches!(state.sub, Some(0 | 1)) },
            StateKind::Alarm => Self::Alarm,
            StateKind::Check => Self::Check,
            StateKind::Sleep => Self::Sleep,
            StateKind::Tool => Self::Tool,
            StateKind::Starting => Self::Starting,
        }
    }

    /// Joins the last report (if young enough) with motion sent and not yet settled.
    /// `since`: the report came after that motion was sent.
    pub(super) fn join(
        report: Option<MachineState>,
        sent: Option<SentMotion>,
        since: bool,
        last_was_jog: bool,
    ) -> Self {
        let Some(state) = report else {
            return match sent {
                Some(SentMotion::Home) => Self::Home,
                _ => Self::Unknown { last_was_jog: sent.map_or(last_was_jog, |s| s == SentMotion::Jog) },
            };
        };
        let reported = Self::from_report(state);
        match (sent, reported) {
            (None, _) => reported,
            // These swallow what was sent: the firmware keeps lines back in them.
            (Some(_), Self::Hold { .. } | Self::Door { .. } | Self::LeavingDoor | Self::Sleep | Self::Tool)
                if since =>
            {
                reported
            }
            // Nothing moves in check mode.
            (Some(_), Self::Check) if since => reported,
            (Some(SentMotion::Home), _) | (_, Self::Home) => Self::Home,
            (Some(SentMotion::Run), _) | (_, Self::Run) => Self::Run,
            (Some(SentMotion::Jog), _) => Self::Jog,
        }
    }

    /// No line may be begun: all three firmwares keep it and run it in a burst after a resume.
    pub(super) const fn keeps_lines_back(self) -> bool {
        matches!(
            self,
            Self::Hold { .. }
                | Self::Door { .. }
                | Self::LeavingDoor
                | Self::Sleep
                | Self::Tool
                | Self::Starting
                | Self::Closed
                | Self::Unknown { .. }
        )
    }

    /// There may be something to resume.
    pub(super) const fn may_resume(self) -> bool {
        matches!(self, Self::Hold { .. } | Self::Door { .. } | Self::LeavingDoor | Self::Tool | Self::Unknown { .. })
    }

    /// A reset now would keep position. grblHAL waits for a tool change only when all motion has ended. All three raise the
    /// alarm of a lost position for a cycle, homing, a jog, a hold or a system motion that still moves, and a door at which
    /// the machine stands is none of them.
    pub(super) const fn is_standstill(self) -> bool {
        matches!(
            self,
            Self::Idle | Self::Check | Self::Tool | Self::Hold { stopped: true } | Self::Door { stopped: true }
        )
    }
}

/// A situation in words, for refusals.
pub(super) fn describe(situation: Situation) -> &'static str {
    match situation {
        Situation::Closed => "the link is down",
        Situation::Unknown { .. } => "the machine's state is not known, no report for too long",
        Situation::Idle => "the machine is idle",
        Situation::Run => "the machine is running",
        Situation::Jog => "the machine is jogging",
        Situation::Home => "the machine is homing",
        Situation::Hold { .. } => "the machine is on hold: resume or stop first",
        Situation::Door { .. } => "the safety door is open or waits for a resume",
        Situation::LeavingDoor => "the machine goes on after the safety door",
        Situation::Alarm => "the machine is locked by an alarm",
        Situation::Check => "check mode is on",
        Situation::Sleep => "the controller sleeps: only a soft reset wakes it",
        Situation::Tool => "the controller waits for a tool change",
        Situation::Starting => "the controller is restarting",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: MachineState = MachineState::plain(StateKind::Idle);
    const JOG: MachineState = MachineState::plain(StateKind::Jog);
    const RUN: MachineState = MachineState::plain(StateKind::Run);
    const HOLD0: MachineState = MachineState::with_sub(StateKind::Hold, 0);
    const TOOL: MachineState = MachineState::plain(StateKind::Tool);
    const CHECK: MachineState = MachineState::plain(StateKind::Check);
    const ALARM: MachineState = MachineState::plain(StateKind::Alarm);

    #[test]
    fn a_reset_keeps_position_where_nothing_moves() {
        let door = |sub| Situation::join(Some(MachineState::with_sub(StateKind::Door, sub)), None, false, false);
        assert_eq!([0, 1, 2, 3, 4].map(|sub| door(sub).is_standstill()), [true, true, false, false, false]);
        let hold = |sub| Situation::join(Some(MachineState::with_sub(StateKind::Hold, sub)), None, false, false);
        assert!(hold(0).is_standstill() && !hold(1).is_standstill());
    }

    #[test]
    fn what_was_sent_counts_before_it_is_reported() {
        use SentMotion::{Home, Jog, Run};
        for (report, sent, since, want) in [
            (Some(IDLE), None, false, Situation::Idle),
            (Some(IDLE), Some(Jog), false, Situation::Jog),
            (Some(IDLE), Some(Jog), true, Situation::Jog),
            (Some(IDLE), Some(Run), false, Situation::Run),
            (Some(JOG), Some(Run), false, Situation::Run),
            (Some(RUN), Some(Jog), false, Situation::Run),
            (Some(ALARM), Some(Run), true, Situation::Run),
            (Some(HOLD0), Some(Run), false, Situation::Run), // a cycle start that left after this report
            (Some(HOLD0), Some(Run), true, Situation::Hold { stopped: true }),
            (Some(TOOL), Some(Run), true, Situation::Tool),
            (Some(CHECK), Some(Run), true, Situation::Check),
            (Some(CHECK), Some(Run), false, Situation::Run), // sent after check mode was left
            (Some(IDLE), Some(Home), false, Situation::Home),
            (None, Some(Home), false, Situation::Home),
            (None, Some(Jog), false, Situation::Unknown { last_was_jog: true }),
            (None, Some(Run), false, Situation::Unknown { last_was_jog: false }),
        ] {
            assert_eq!(Situation::join(report, sent, since, false), want, "{report:?} {sent:?} {since}");
        }
        assert_eq!(Situation::join(None, None, false, true), Situation::Unknown { last_was_jog: true });
    }
}
