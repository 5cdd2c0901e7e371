//! What is known of the spindle: what reports tell, as far as nothing was sent since that may have switched it; and whether it was
//! stopped in a hold or by a door, so that going on starts it again. Pure.

use std::time::Duration;

use crate::model::Time;
use crate::model::command::{Realtime, TicketId};
use crate::model::machine::StateKind;
use crate::program::Turn;

/// After the toggle a report may still tell of before for so long.
const SETTLES: Duration = Duration::from_millis(500);

/// The spindle over time.
#[derive(Clone, Debug, Default)]
pub(super) struct Turning {
    /// When a report told its switch last: not each of them does.
    told: Option<Time>,
    /// When something was carried out last that may have switched it.
    switched: Option<Time>,
    /// A command on its way that may do so.
    open: Option<TicketId>,
    /// Which way it turned before the machine was held, or its door opened.
    before: Option<Turn>,
    /// When the toggle was sent last in this hold.
    toggled: Option<Time>,
    /// It was stopped since, and stands.
    stands: bool,
}

impl Turning {
    /// A command is on its way that may switch it.
    pub(super) fn asked(&mut self, ticket: TicketId) {
        self.open = Some(ticket);
    }

    /// A command has ended, and may have been sent or not.
    pub(super) fn ended(&mut self, ticket: TicketId, sent: bool, at: Time) {
        if self.open.take_if(|open| *open == ticket).is_some() && sent {
            self.switched(at);
        }
    }

    /// It may have been switched until then.
    pub(super) fn switched(&mut self, at: Time) {
        self.switched = self.switched.max(Some(at));
    }

    /// The link is gone: nothing is told any more. How it stood stays known until a report says otherwise.
    pub(super) fn link_lost(&mut self) {
        (self.told, self.switched, self.open) = (None, None, None);
    }

    /// It turned when that was told last, and was not seen to stand since.
    pub(super) const fn may_turn(&self) -> bool {
        self.before.is_some() && !self.stands
    }

    /// What reports tell is newer than all that may have switched it.
    pub(super) fn is_told(&self) -> bool {
        self.open.is_none() && self.told.is_some() && self.told > self.switched
    }

    /// A realtime action was sent in this state.
    pub(super) fn sent(&mut self, realtime: Realtime, state: Option<StateKind>, at: Time) {
        if realtime == Realtime::SpindleStop && matches!(state, Some(StateKind::Hold | StateKind::Held)) {
            (self.toggled, self.stands) = (Some(at), false);
        }
    }

    /// A report came: whether it told the switch of the spindle, the state, and which way it turns as far as that is known.
    pub(super) fn reported(&mut self, at: Time, tells: bool, state: StateKind, turns: Option<Turn>) {
        if tells {
            self.told = Some(at);
        }
        match state {
            StateKind::Hold | StateKind::Held => {
                let settled = self.toggled.is_some_and(|sent| at.since(sent) >= SETTLES && self.told >= Some(sent));
                self.seen(turns, settled);
            }
            // Behind a door, and while grblHAL has its tool changed, the controller stops it and starts it by itself.
            StateKind::Door | StateKind::Tool => self.seen(turns, self.told.is_some()),
            // Since the link came back nothing was told.
            _ if self.told.is_none() && turns.is_none() => {}
            _ => (self.before, self.toggled, self.stands) = (turns, None, false),
        }
    }

    fn seen(&mut self, turns: Option<Turn>, is_news: bool) {
        match turns {
            Some(turn) => {
                self.before = Some(turn);
                self.stands &= !is_news;
            }
            None => self.stands |= is_news,
        }
    }

    /// Which way it begins to turn if the machine goes on, or if it is toggled once more in a hold.
    pub(super) fn starts_again(&self, key: Realtime) -> Option<Turn> {
        let toggles = key == Realtime::SpindleStop;
        self.before.filter(|_| self.stands && (!toggles || self.toggled.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: Option<Turn> = Some(Turn::Clockwise);

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    fn starts(turning: &Turning) -> [bool; 2] {
        [Realtime::CycleStart, Realtime::SpindleStop].map(|key| turning.starts_again(key).is_some())
    }

    #[test]
    fn a_report_from_before_what_was_sent_tells_nothing() {
        let mut turning = Turning::default();
        assert!(!turning.is_told());
        turning.reported(at(1000), true, StateKind::Idle, ON);
        assert!(turning.is_told());
        turning.asked(TicketId(7));
        turning.reported(at(1100), true, StateKind::Idle, ON);
        assert!(!turning.is_told(), "it is on its way");
        turning.ended(TicketId(6), true, at(1150));
        turning.ended(TicketId(7), true, at(1200));
        turning.reported(at(1250), false, StateKind::Idle, ON);
        assert!(!turning.is_told(), "that report does not tell the switch");
        turning.reported(at(1300), true, StateKind::Idle, None);
        assert!(turning.is_told());
        turning.asked(TicketId(8));
        turning.ended(TicketId(8), false, at(1350));
        assert!(turning.is_told(), "what was refused has switched nothing");
        turning.switched(at(1400));
        assert!(!turning.is_told());
    }

    #[test]
    fn what_was_stopped_in_a_hold_starts_again_by_going_on_and_by_the_toggle() {
        let mut turning = Turning::default();
        turning.reported(at(0), true, StateKind::Run, ON);
        turning.reported(at(200), true, StateKind::Hold, ON);
        assert_eq!(starts(&turning), [false, false]);
        turning.sent(Realtime::SpindleStop, Some(StateKind::Hold), at(300));
        // Told before the toggle was carried out, or not told at all.
        turning.reported(at(400), true, StateKind::Hold, ON);
        turning.reported(at(900), false, StateKind::Hold, ON);
        assert_eq!(starts(&turning), [false, false], "a key that stops it is never taken for one that starts it");
        turning.reported(at(1000), true, StateKind::Hold, None);
        assert_eq!(starts(&turning), [true, true]);
        // It is started anyway, and can be stopped at once.
        turning.sent(Realtime::SpindleStop, Some(StateKind::Hold), at(1100));
        assert_eq!(starts(&turning), [false, false]);
        turning.reported(at(1200), true, StateKind::Hold, None);
        assert_eq!(starts(&turning), [false, false], "that may be a report from before");
        turning.reported(at(1700), true, StateKind::Hold, ON);
        assert_eq!(starts(&turning), [false, false]);
        turning.reported(at(1900), true, StateKind::Run, ON);
        assert_eq!(starts(&turning), [false, false]);
    }

    #[test]
    fn a_program_that_has_switched_it_off_before_the_hold_starts_nothing() {
        let mut turning = Turning::default();
        turning.reported(at(0), true, StateKind::Run, ON);
        // M5 went by; only a report in the hold tells so.
        turning.reported(at(200), true, StateKind::Hold, None);
        turning.reported(at(2000), true, StateKind::Hold, None);
        assert_eq!(starts(&turning), [false, false]);
    }

    #[test]
    fn after_a_lost_link_it_stands_only_when_a_report_says_so() {
        let mut turning = Turning::default();
        assert!(!turning.may_turn());
        turning.reported(at(0), true, StateKind::Run, ON);
        turning.link_lost();
        assert!(turning.may_turn() && !turning.is_told());
        // Nothing is told of it yet, in whatever state the machine is.
        for state in [StateKind::Door, StateKind::Tool, StateKind::Hold, StateKind::Idle] {
            turning.reported(at(5000), false, state, None);
            assert!(turning.may_turn() && starts(&turning) == [false, false], "{state:?}");
        }
        turning.reported(at(5200), true, StateKind::Door, None);
        assert!(!turning.may_turn());
        assert_eq!(starts(&turning), [true, false], "it turned before, so going on starts it");
        // What stood in a hold before the link was lost starts again after it, too.
        let mut held = Turning::default();
        held.reported(at(0), true, StateKind::Run, ON);
        held.sent(Realtime::SpindleStop, Some(StateKind::Hold), at(100));
        held.reported(at(700), true, StateKind::Hold, None);
        held.link_lost();
        held.reported(at(9000), false, StateKind::Hold, None);
        assert_eq!(starts(&held), [true, true]);
        // It was seen to stand in Idle.
        held.reported(at(9200), true, StateKind::Idle, None);
        assert!(!held.may_turn() && starts(&held) == [false, false]);
    }

    #[test]
    fn a_door_stops_it_and_going_on_starts_it_again() {
        let mut turning = Turning::default();
        turning.reported(at(0), true, StateKind::Run, ON);
        turning.reported(at(200), false, StateKind::Door, ON);
        turning.reported(at(400), true, StateKind::Door, None);
        assert_eq!(starts(&turning), [true, false]);
        let mut off = Turning::default();
        off.reported(at(0), true, StateKind::Run, None);
        off.reported(at(400), true, StateKind::Door, None);
        assert_eq!(starts(&off), [false, false]);
    }
}
