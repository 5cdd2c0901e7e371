//! The realtime latch: a set of bits beside the queue, so that a stop never waits and never fails.
//!
//! A stop also *voids*: every command whose ticket is not newer than the stop is answered
//! [`Voided`](super::command::Outcome::Voided) and never reaches the wire, wherever it waits.
//!
//! Beside each bit stands who set it. Where several did before the driver came by, it is the last of them.

use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;

use super::command::{ClientId, Origin, OverrideStep, RapidStep, Realtime, TicketId};

/// Shared by all who may press a realtime key and the one driver task that sends the bytes.
#[derive(Debug, Default)]
pub struct Latch {
    bits: AtomicU32,
    feed_coarse: AtomicI32,
    feed_fine: AtomicI32,
    spindle_coarse: AtomicI32,
    spindle_fine: AtomicI32,
    void_all: AtomicU64,
    void_jogs: AtomicU64,
    last_ticket: AtomicU64,
    asked_by: [AtomicU64; KINDS],
    kept_back: AtomicU32,
    notify: Notify,
}

/// What was asked since the latch was last emptied. Plain data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RealtimeSet {
    bits: u32,
    /// Feed override, steps of 10 %.
    pub feed_coarse: i32,
    /// Feed override, steps of 1 %.
    pub feed_fine: i32,
    /// Spindle override, steps of 10 %.
    pub spindle_coarse: i32,
    /// Spindle override, steps of 1 %.
    pub spindle_fine: i32,
    /// Every command up to this ticket is void.
    pub void_all: TicketId,
    /// Every jog up to this ticket is void.
    pub void_jogs: TicketId,
}

/// Steps beyond this are dropped: overrides go from 10 to 200 %.
const MAX_STEPS: i32 = 190;

/// What the hub may have given back instead of sent.
const KEEPABLE: u32 = bit(Realtime::CycleStart) | bit(Realtime::SpindleStop);

/// Kinds of realtime actions: the steps of an override are one.
const KINDS: usize = 17;

/// Whether two are one kind: the steps of an override differ and are.
pub fn is_same_kind(a: Realtime, b: Realtime) -> bool {
    place(a) == place(b)
}

const fn bit(realtime: Realtime) -> u32 {
    1 << place(realtime)
}

/// One of each kind.
const ALL: [Realtime; KINDS] = [
    Realtime::Stop,
    Realtime::FeedHold,
    Realtime::StopProgram,
    Realtime::SoftReset,
    Realtime::JogCancel,
    Realtime::CycleStart,
    Realtime::SafetyDoor,
    Realtime::StatusQuery,
    Realtime::FeedOverride(OverrideStep::Reset),
    Realtime::RapidOverride(RapidStep::Full),
    Realtime::RapidOverride(RapidStep::Half),
    Realtime::RapidOverride(RapidStep::Quarter),
    Realtime::SpindleOverride(OverrideStep::Reset),
    Realtime::SpindleStop,
    Realtime::FloodToggle,
    Realtime::MistToggle,
    Realtime::ReconnectNow,
];

/// An origin in a word; all zero is the hub.
fn packed(origin: &Origin) -> u64 {
    match origin {
        Origin::Hub => 0,
        Origin::Screen(ClientId(id)) => 1 << 32 | u64::from(*id),
        Origin::Script(ClientId(id)) => 2 << 32 | u64::from(*id),
    }
}

const fn unpacked(word: u64) -> Origin {
    let id = ClientId(word as u32);
    match word >> 32 {
        1 => Origin::Screen(id),
        2 => Origin::Script(id),
        _ => Origin::Hub,
    }
}

const fn place(realtime: Realtime) -> usize {
    match realtime {
        Realtime::Stop => 0,
        Realtime::FeedHold => 1,
        Realtime::StopProgram => 2,
        Realtime::SoftReset => 3,
        Realtime::JogCancel => 4,
        Realtime::CycleStart => 5,
        Realtime::SafetyDoor => 6,
        Realtime::StatusQuery => 7,
        Realtime::FeedOverride(_) => 8,
        Realtime::RapidOverride(RapidStep::Full) => 9,
        Realtime::RapidOverride(RapidStep::Half) => 10,
        Realtime::RapidOverride(RapidStep::Quarter) => 11,
        Realtime::SpindleOverride(_) => 12,
        Realtime::SpindleStop => 13,
        Realtime::FloodToggle => 14,
        Realtime::MistToggle => 15,
        Realtime::ReconnectNow => 16,
    }
}

impl RealtimeSet {
    /// Adds one; the same twice is once, overrides add up.
    pub fn insert(&mut self, realtime: Realtime) {
        match realtime {
            Realtime::FeedOverride(step) => step_into(step, &mut self.feed_coarse, &mut self.feed_fine, || {
                self.bits |= bit(realtime);
            }),
            Realtime::SpindleOverride(step) => {
                step_into(step, &mut self.spindle_coarse, &mut self.spindle_fine, || self.bits |= bit(realtime));
            }
            _ => self.bits |= bit(realtime),
        }
    }

    /// Whether this one was asked for. For overrides: whether "back to 100 %" was.
    pub const fn contains(&self, realtime: Realtime) -> bool {
        self.bits & bit(realtime) != 0
    }

    /// Every kind that was asked for.
    fn kinds(&self) -> impl Iterator<Item = Realtime> {
        let steps = [
            (Realtime::FeedOverride(OverrideStep::Reset), self.feed_coarse != 0 || self.feed_fine != 0),
            (Realtime::SpindleOverride(OverrideStep::Reset), self.spindle_coarse != 0 || self.spindle_fine != 0),
        ];
        let set = *self;
        ALL.into_iter().filter(move |kind| {
            set.contains(*kind) || steps.iter().any(|(step, asked)| *asked && is_same_kind(*step, *kind))
        })
    }

    /// Takes one out.
    pub fn remove(&mut self, realtime: Realtime) {
        self.bits &= !bit(realtime);
    }

    /// Each of them, the most urgent first; overrides as the steps that they are made of.
    pub fn list(&self) -> Vec<Realtime> {
        const PLAIN: [Realtime; 17] = [
            Realtime::Stop,
            Realtime::SoftReset,
            Realtime::FeedHold,
            Realtime::JogCancel,
            Realtime::StopProgram,
            Realtime::SafetyDoor,
            Realtime::CycleStart,
            Realtime::StatusQuery,
            Realtime::FeedOverride(OverrideStep::Reset),
            Realtime::RapidOverride(RapidStep::Full),
            Realtime::RapidOverride(RapidStep::Half),
            Realtime::RapidOverride(RapidStep::Quarter),
            Realtime::SpindleOverride(OverrideStep::Reset),
            Realtime::SpindleStop,
            Realtime::FloodToggle,
            Realtime::MistToggle,
            Realtime::ReconnectNow,
        ];
        let mut all: Vec<Realtime> = PLAIN.into_iter().filter(|realtime| self.contains(*realtime)).collect();
        let mut steps = |count: i32, plus: Realtime, minus: Realtime| {
            let step = if count < 0 { minus } else { plus };
            all.extend(std::iter::repeat_n(step, count.unsigned_abs() as usize));
        };
        let (feed, spindle) = (Realtime::FeedOverride, Realtime::SpindleOverride);
        steps(self.feed_coarse, feed(OverrideStep::CoarsePlus), feed(OverrideStep::CoarseMinus));
        steps(self.feed_fine, feed(OverrideStep::FinePlus), feed(OverrideStep::FineMinus));
        steps(self.spindle_coarse, spindle(OverrideStep::CoarsePlus), spindle(OverrideStep::CoarseMinus));
        steps(self.spindle_fine, spindle(OverrideStep::FinePlus), spindle(OverrideStep::FineMinus));
        all
    }

    /// Nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.bits == 0
            && self.feed_coarse == 0
            && self.feed_fine == 0
            && self.spindle_coarse == 0
            && self.spindle_fine == 0
    }
}

fn step_into(step: OverrideStep, coarse: &mut i32, fine: &mut i32, reset: impl FnOnce()) {
    match step {
        OverrideStep::Reset => {
            (*coarse, *fine) = (0, 0);
            reset();
        }
        OverrideStep::CoarsePlus => *coarse = (*coarse + 1).min(MAX_STEPS),
        OverrideStep::CoarseMinus => *coarse = (*coarse - 1).max(-MAX_STEPS),
        OverrideStep::FinePlus => *fine = (*fine + 1).min(MAX_STEPS),
        OverrideStep::FineMinus => *fine = (*fine - 1).max(-MAX_STEPS),
    }
}

fn count(step: OverrideStep, coarse: &AtomicI32, fine: &AtomicI32) {
    let add = |cell: &AtomicI32, n: i32| {
        let _ = cell.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |v| Some((v + n).clamp(-MAX_STEPS, MAX_STEPS)));
    };
    match step {
        OverrideStep::Reset => {
            coarse.store(0, Ordering::SeqCst);
            fine.store(0, Ordering::SeqCst);
        }
        OverrideStep::CoarsePlus => add(coarse, 1),
        OverrideStep::CoarseMinus => add(coarse, -1),
        OverrideStep::FinePlus => add(fine, 1),
        OverrideStep::FineMinus => add(fine, -1),
    }
}

impl Latch {
    /// The next ticket number; the hub handle stamps each command with one before it is queued.
    pub fn next_ticket(&self) -> TicketId {
        TicketId(self.last_ticket.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// Asks for a realtime action, for the hub itself. Cannot fail and does not wait.
    pub fn set(&self, realtime: Realtime) {
        self.set_by(realtime, &Origin::Hub);
    }

    /// Asks for a realtime action. Cannot fail and does not wait.
    pub fn set_by(&self, realtime: Realtime, origin: &Origin) {
        // Before the bit, so that nobody finds the bit without it.
        self.asked_by[place(realtime)].store(packed(origin), Ordering::SeqCst);
        let last = self.last_ticket.load(Ordering::SeqCst);
        match realtime {
            Realtime::Stop
            | Realtime::StopProgram
            | Realtime::SoftReset
            | Realtime::FeedHold
            | Realtime::SafetyDoor => {
                self.void_all.fetch_max(last, Ordering::SeqCst);
                self.bits.fetch_and(!bit(Realtime::CycleStart), Ordering::SeqCst);
            }
            Realtime::JogCancel => {
                self.void_jogs.fetch_max(last, Ordering::SeqCst);
            }
            Realtime::FeedOverride(step) => count(step, &self.feed_coarse, &self.feed_fine),
            Realtime::SpindleOverride(step) => count(step, &self.spindle_coarse, &self.spindle_fine),
            _ => {}
        }
        let is_step = matches!(
            realtime,
            Realtime::FeedOverride(step) | Realtime::SpindleOverride(step) if step != OverrideStep::Reset
        );
        if !is_step {
            self.bits.fetch_or(bit(realtime), Ordering::SeqCst);
        }
        self.notify.notify_one();
    }

    /// Nothing was asked for since it was last emptied.
    pub fn is_empty(&self) -> bool {
        let steps = [&self.feed_coarse, &self.feed_fine, &self.spindle_coarse, &self.spindle_fine];
        self.bits.load(Ordering::SeqCst) == 0 && steps.into_iter().all(|step| step.load(Ordering::SeqCst) == 0)
    }

    /// Empties the latch; the marks of what is void stay, since they only ever rise.
    pub fn take(&self) -> RealtimeSet {
        RealtimeSet {
            bits: self.bits.swap(0, Ordering::SeqCst),
            feed_coarse: self.feed_coarse.swap(0, Ordering::SeqCst),
            feed_fine: self.feed_fine.swap(0, Ordering::SeqCst),
            spindle_coarse: self.spindle_coarse.swap(0, Ordering::SeqCst),
            spindle_fine: self.spindle_fine.swap(0, Ordering::SeqCst),
            void_all: TicketId(self.void_all.load(Ordering::SeqCst)),
            void_jogs: TicketId(self.void_jogs.load(Ordering::SeqCst)),
        }
    }

    /// From now on these are not sent but given back to the hub, and no others. Only what lets the machine go on or starts its
    /// spindle can be kept back; whatever stops it cannot, whoever asks.
    pub fn keep_back(&self, keys: &[Realtime]) {
        let kept = keys.iter().fold(0, |bits, key| bits | bit(*key));
        self.kept_back.store(kept & KEEPABLE, Ordering::SeqCst);
    }

    /// Takes out of `set`, which was just taken, what is to be given back. With it, who asked for it.
    pub fn sift(&self, set: &mut RealtimeSet) -> Vec<(Realtime, Origin)> {
        let kept = set.bits & self.kept_back.load(Ordering::SeqCst);
        if kept == 0 {
            return Vec::new();
        }
        set.bits &= !kept;
        self.askers(&RealtimeSet { bits: kept, ..RealtimeSet::default() })
    }

    /// Who asked for what is in `set`, which was just taken.
    pub fn askers(&self, set: &RealtimeSet) -> Vec<(Realtime, Origin)> {
        set.kinds().map(|kind| (kind, unpacked(self.asked_by[place(kind)].load(Ordering::SeqCst)))).collect()
    }

    /// Who asked for this last, if anybody has; else the hub.
    pub fn last_asker(&self, realtime: Realtime) -> Origin {
        unpacked(self.asked_by[place(realtime)].load(Ordering::SeqCst))
    }

    /// Whether a command with this ticket has been voided by a later stop.
    pub fn is_void(&self, ticket: TicketId, is_jog: bool) -> bool {
        ticket.0 <= self.void_all.load(Ordering::SeqCst) || is_jog && ticket.0 <= self.void_jogs.load(Ordering::SeqCst)
    }

    /// Waits until something is set. Remembers one wake-up, so nothing set before the call is missed.
    pub async fn notified(&self) {
        self.notify.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_set_and_a_stop_voids_what_came_before() {
        let latch = Latch::default();
        let before = latch.next_ticket();
        latch.set(Realtime::Stop);
        latch.set(Realtime::Stop);
        let after = latch.next_ticket();
        assert!(latch.is_void(before, false));
        assert!(!latch.is_void(after, true));
        let set = latch.take();
        assert!(set.contains(Realtime::Stop));
        assert!(!set.contains(Realtime::SoftReset));
        assert!(latch.take().is_empty());
        assert!(latch.is_void(before, false), "what is void stays void");
        assert!(latch.is_empty());
        latch.set(Realtime::FeedOverride(OverrideStep::FinePlus));
        assert!(!latch.is_empty(), "a step of an override is no bit");
    }

    #[test]
    fn it_tells_who_asked() {
        let latch = Latch::default();
        let (one, two) = (Origin::Screen(ClientId(1)), Origin::Script(ClientId(7)));
        latch.set_by(Realtime::FeedHold, &one);
        latch.set_by(Realtime::FeedOverride(OverrideStep::CoarsePlus), &two);
        latch.set_by(Realtime::RapidOverride(RapidStep::Half), &one);
        latch.set(Realtime::CycleStart);
        let set = latch.take();
        let told = latch.askers(&set);
        let by = |kind| told.iter().find(|(asked, _)| is_same_kind(*asked, kind)).map(|(_, by)| by.clone());
        assert_eq!(by(Realtime::FeedHold), Some(one.clone()));
        assert_eq!(by(Realtime::FeedOverride(OverrideStep::FineMinus)), Some(two.clone()));
        assert_eq!(by(Realtime::RapidOverride(RapidStep::Half)), Some(one.clone()));
        assert_eq!(by(Realtime::RapidOverride(RapidStep::Full)), None);
        assert_eq!(by(Realtime::CycleStart), Some(Origin::Hub));
        assert_eq!(told.len(), 4);
        latch.set_by(Realtime::FeedHold, &two);
        let again = latch.take();
        assert_eq!(latch.askers(&again), [(Realtime::FeedHold, two)]);
    }

    #[test]
    fn every_kind_has_a_place_of_its_own() {
        for (at, kind) in ALL.into_iter().enumerate() {
            assert_eq!(place(kind), at);
        }
    }

    #[test]
    fn a_jog_cancel_voids_jogs_only() {
        let latch = Latch::default();
        let ticket = latch.next_ticket();
        latch.set(Realtime::JogCancel);
        assert!(latch.is_void(ticket, true));
        assert!(!latch.is_void(ticket, false));
    }

    #[test]
    fn a_stop_takes_back_a_resume_that_has_not_left_yet() {
        let latch = Latch::default();
        latch.set(Realtime::CycleStart);
        latch.set(Realtime::FeedHold);
        let set = latch.take();
        assert!(set.contains(Realtime::FeedHold) && !set.contains(Realtime::CycleStart));
    }

    #[test]
    fn a_list_makes_the_same_set_again() {
        let latch = Latch::default();
        for realtime in [Realtime::CycleStart, Realtime::StatusQuery, Realtime::RapidOverride(RapidStep::Half)] {
            latch.set(realtime);
        }
        for _ in 0..3 {
            latch.set(Realtime::FeedOverride(OverrideStep::CoarseMinus));
            latch.set(Realtime::SpindleOverride(OverrideStep::FinePlus));
        }
        let set = latch.take();
        let mut again = RealtimeSet::default();
        set.list().into_iter().for_each(|realtime| again.insert(realtime));
        assert_eq!(again, set);
    }

    #[test]
    fn overrides_add_up_and_reset_clears() {
        let latch = Latch::default();
        for _ in 0..5 {
            latch.set(Realtime::FeedOverride(OverrideStep::CoarsePlus));
        }
        latch.set(Realtime::FeedOverride(OverrideStep::FineMinus));
        let set = latch.take();
        assert_eq!((set.feed_coarse, set.feed_fine), (5, -1));
        assert!(!set.contains(Realtime::FeedOverride(OverrideStep::Reset)));
        latch.set(Realtime::SpindleOverride(OverrideStep::CoarsePlus));
        latch.set(Realtime::SpindleOverride(OverrideStep::Reset));
        let set = latch.take();
        assert_eq!(set.spindle_coarse, 0);
        assert!(set.contains(Realtime::SpindleOverride(OverrideStep::Reset)));
    }

    #[test]
    fn what_is_kept_back_is_given_back_and_no_stop_ever_is() {
        let latch = Latch::default();
        let one = Origin::Screen(ClientId(1));
        latch.keep_back(&ALL);
        for key in ALL {
            latch.set_by(key, &one);
            let mut set = latch.take();
            let back = latch.sift(&mut set);
            if matches!(key, Realtime::CycleStart | Realtime::SpindleStop) {
                assert_eq!((back, set.contains(key)), (vec![(key, one.clone())], false));
            } else {
                assert!(back.is_empty() && set.contains(key), "{key:?}");
            }
        }
        latch.keep_back(&[Realtime::CycleStart]);
        latch.set(Realtime::SpindleStop);
        assert!(latch.sift(&mut latch.take()).is_empty());
        latch.keep_back(&[]);
        latch.set(Realtime::CycleStart);
        assert!(latch.sift(&mut latch.take()).is_empty());
    }
}
