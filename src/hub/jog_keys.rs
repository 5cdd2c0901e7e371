//! A held jog key, and a stop by somebody else: the stop holds until the key was let go.
//!
//! Who holds a key renews a lease several times in a second. A renewal that was on its way when another client stopped the
//! machine is newer than that stop, and would start it again.

use std::time::Duration;

use crate::model::command::{Command, Origin, Realtime, TicketId};
use crate::model::hub::Request;
use crate::model::latch::Latch;
use crate::model::time::Time;

/// A key that was stopped and is not heard of for so long was let go. Longer than a lease: a link that stood still for a moment is no
/// finger that was lifted.
const LET_GO: Duration = Duration::from_secs(1);

/// The key that was heard of last.
#[derive(Debug, Default)]
pub(super) struct JogKeys {
    last: Option<(Origin, TicketId, Time)>,
    /// It was stopped since it was pressed.
    stopped: bool,
}

impl JogKeys {
    /// Hears of a command. `true`: it is the renewal of a jog that was stopped, and must not begin it anew.
    pub(super) fn is_stopped(&mut self, request: &Request, latch: &Latch, now: Time) -> bool {
        if !matches!(request.command, Command::JogContinue { .. }) {
            return false;
        }
        let before = self.last.replace((request.origin.clone(), request.ticket, now));
        self.stopped = before.filter(|(origin, ..)| *origin == request.origin).is_some_and(|(origin, ticket, at)| {
            let stopped = self.stopped || is_stopped_since(ticket, &origin, latch);
            stopped && now.since(at) <= LET_GO
        });
        self.stopped
    }
}

/// Whether somebody stopped the machine after this command. Who cancels a jog of their own has let the key go, and may press it again.
fn is_stopped_since(ticket: TicketId, origin: &Origin, latch: &Latch) -> bool {
    let is_cancelled = latch.is_void(ticket, true) && latch.last_asker(Realtime::JogCancel) != *origin;
    latch.is_void(ticket, false) || is_cancelled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AxisVec;
    use crate::model::command::ClientId;
    use crate::model::jog::{JogVector, MAX_LEASE};

    const MS: Duration = Duration::from_millis(1);
    const ONE: Origin = Origin::Screen(ClientId(1));
    const OTHER: Origin = Origin::Screen(ClientId(2));

    /// Whether a renewal after `pause` is taken for one of a jog that was stopped.
    fn renew(keys: &mut JogKeys, latch: &Latch, now: &mut Time, pause: Duration) -> bool {
        *now += pause;
        let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 600.0 };
        let command = Command::JogContinue { vector, lease: MAX_LEASE };
        keys.is_stopped(&Request { ticket: latch.next_ticket(), origin: ONE, command }, latch, *now)
    }

    #[test]
    fn a_stop_of_anybody_holds_until_the_key_was_let_go() {
        for stop in [Realtime::Stop, Realtime::FeedHold, Realtime::SoftReset, Realtime::JogCancel] {
            let (mut keys, latch, mut now) = (JogKeys::default(), Latch::default(), Time::from_millis(1000));
            for _ in 0..5 {
                assert!(!renew(&mut keys, &latch, &mut now, 80 * MS));
            }
            latch.set_by(stop, &OTHER);
            for _ in 0..20 {
                assert!(renew(&mut keys, &latch, &mut now, 80 * MS), "{stop:?}: the key is still down");
            }
            assert!(!renew(&mut keys, &latch, &mut now, LET_GO + MS), "{stop:?}: it was let go");
            assert!(!renew(&mut keys, &latch, &mut now, 80 * MS), "{stop:?}");
        }
    }

    #[test]
    fn who_lets_a_key_go_may_press_it_again_at_once() {
        let (mut keys, latch, mut now) = (JogKeys::default(), Latch::default(), Time::from_millis(1000));
        assert!(!renew(&mut keys, &latch, &mut now, MS));
        latch.set_by(Realtime::JogCancel, &ONE);
        assert!(!renew(&mut keys, &latch, &mut now, 100 * MS));
        // A stop before the key was pressed is none of it.
        latch.set_by(Realtime::Stop, &OTHER);
        assert!(!renew(&mut keys, &latch, &mut now, LET_GO + MS));
    }
}
