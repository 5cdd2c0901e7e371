//! Pacing of writes to the wire, so that a realtime byte overtakes what has not left yet.
//!
//! A kernel takes kilobytes at once and sends them in its own time: a feed hold written then leaves
//! after all of them (4 KiB are 356 ms at 115,200 baud). The [`Pacer`] keeps the clock of the wire and
//! hands over only what the wire will have swallowed in a moment.

use crate::model::Time;

/// Most bytes handed to the kernel ahead of the wire's clock, up to [`REFERENCE_BAUD`].
pub const AHEAD_BYTES: usize = 32;
/// Above this rate the bytes ahead grow with it: what counts is their time on the wire (2.8 ms), and timers of a
/// millisecond could not keep a faster wire busy with 32 bytes.
pub const REFERENCE_BAUD: u32 = 115_200;

/// Start bit, eight data bits, stop bit; times a million, since time is counted in microseconds.
const BYTE: u128 = 10_000_000;

/// Whether writes are paced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// At the configured baud rate on a UART or USB-UART; off on native USB, TCP, WebSocket and in process,
    /// which have no such clock.
    #[default]
    Auto,
    /// At this rate whatever the port is.
    Baud(u32),
    /// Never.
    Off,
}

/// The wire's clock. Pure: time is an argument.
///
/// One byte takes 10 bits. The clock counts in millionths of a bit, in which both a byte and a microsecond are
/// whole numbers, so that it never drifts.
#[derive(Clone, Debug)]
pub struct Pacer {
    baud: Option<u32>,
    /// When the wire will have sent all that was handed over.
    idle_at: u128,
}

impl Pacer {
    /// Paces at `baud`; `None` or 0: not at all.
    pub fn new(baud: Option<u32>) -> Self {
        Self { baud: baud.filter(|&b| b > 0), idle_at: 0 }
    }

    /// How many bytes may be handed over now.
    pub fn budget(&self, now: Time) -> usize {
        match self.baud {
            Some(baud) => allowance(baud).saturating_sub(self.ahead(baud, now)),
            None => usize::MAX,
        }
    }

    /// How many bytes are worth handing over now: the budget, or none while it is less than a quarter of what may be ahead.
    /// Each call into the kernel takes about as long as the wire takes for a byte: who hands over whatever there is room for
    /// soon hands over single bytes, one call for each.
    pub fn portion(&self, now: Time) -> usize {
        let budget = self.budget(now);
        if self.baud.is_some_and(|baud| budget < allowance(baud) / 4) { 0 } else { budget }
    }

    /// `bytes` were handed over. More than the budget is counted too: realtime bytes never ask.
    pub fn sent(&mut self, now: Time, bytes: usize) {
        if let Some(baud) = self.baud {
            self.idle_at = self.idle_at.max(wire_time(baud, now)) + bytes as u128 * BYTE;
        }
    }

    /// When to come back so that the wire never runs dry: as soon as half of what may be ahead has left. `None`:
    /// there is nothing to wait for.
    pub fn next(&self, now: Time) -> Option<Time> {
        let baud = self.baud?;
        let low = allowance(baud) / 2;
        if self.ahead(baud, now) <= low {
            return None;
        }
        let at = self.idle_at - low as u128 * BYTE;
        u64::try_from(at.div_ceil(u128::from(baud))).ok().map(Time::from_micros)
    }

    fn ahead(&self, baud: u32, now: Time) -> usize {
        self.idle_at.saturating_sub(wire_time(baud, now)).div_ceil(BYTE) as usize
    }
}

fn wire_time(baud: u32, now: Time) -> u128 {
    u128::from(now.as_micros()) * u128::from(baud)
}

fn allowance(baud: u32) -> usize {
    AHEAD_BYTES.max((AHEAD_BYTES as u64 * u64::from(baud) / u64::from(REFERENCE_BAUD)) as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sends all that is worth it at `now`, as the driver does when lines are waiting.
    fn feed(pacer: &mut Pacer, now: Time) -> usize {
        let n = pacer.portion(now);
        pacer.sent(now, n);
        n
    }

    fn bytes_in(baud: u32, micros: u64) -> f64 {
        micros as f64 * f64::from(baud) / 10.0 / 1e6
    }

    #[test]
    fn off_means_no_limit_and_no_timer() {
        let mut pacer = Pacer::new(None);
        pacer.sent(Time::ZERO, 100_000);
        assert_eq!((pacer.budget(Time::ZERO), pacer.next(Time::ZERO)), (usize::MAX, None));
        assert_eq!(Pacer::new(Some(0)).budget(Time::ZERO), usize::MAX);
    }

    #[test]
    fn thirty_two_bytes_are_a_full_budget_and_come_back_with_the_wire() {
        let mut pacer = Pacer::new(Some(115_200));
        assert_eq!(feed(&mut pacer, Time::ZERO), 32);
        assert_eq!(pacer.budget(Time::ZERO), 0);
        // 16 of 32 bytes at 86.8 µs each have left after 1389 µs.
        assert_eq!(pacer.next(Time::ZERO), Some(Time::from_micros(1389)));
        assert_eq!(pacer.budget(Time::from_micros(1389)), 16);
        assert_eq!(pacer.budget(Time::from_millis(3)), 32);
    }

    #[test]
    fn single_bytes_are_not_worth_a_call() {
        let mut pacer = Pacer::new(Some(115_200));
        assert_eq!(feed(&mut pacer, Time::ZERO), 32);
        let byte = |n: u64| Time::from_micros((n * 10_000_000).div_ceil(115_200));
        assert_eq!((pacer.budget(byte(7)), pacer.portion(byte(7))), (7, 0));
        assert_eq!((pacer.budget(byte(8)), pacer.portion(byte(8))), (8, 8));
        // What is waited for is always worth it.
        let due = pacer.next(Time::ZERO).expect("a full budget was just spent");
        assert_eq!(pacer.portion(due), 16);
        assert_eq!(Pacer::new(None).portion(Time::ZERO), usize::MAX);
    }

    #[test]
    fn an_idle_wire_saves_nothing_up() {
        let mut pacer = Pacer::new(Some(115_200));
        feed(&mut pacer, Time::ZERO);
        assert_eq!(feed(&mut pacer, Time::from_millis(60_000)), 32);
        assert_eq!(pacer.budget(Time::from_millis(60_000)), 0);
    }

    #[test]
    fn realtime_bytes_beyond_the_budget_are_counted() {
        let mut pacer = Pacer::new(Some(9600));
        pacer.sent(Time::ZERO, 40);
        assert_eq!(pacer.budget(Time::ZERO), 0);
        assert_eq!(pacer.budget(Time::from_micros(8 * 1042)), 0, "back at 32 ahead");
        assert_eq!(pacer.budget(Time::from_micros(9 * 1042)), 1);
    }

    #[test]
    fn it_does_not_drift_in_a_day() {
        let mut pacer = Pacer::new(Some(115_200));
        let day = 24 * 3600 * 1_000_000_u64;
        // Sends by the second, always behind: the sum may not leave the wire's own count.
        let mut total = 0_u64;
        for second in 0..86_400_u64 {
            let now = Time::from_micros(second * 1_000_000);
            pacer.sent(now, 11_520);
            total += 11_520;
        }
        assert!((total as f64 - bytes_in(115_200, day)).abs() < 1.0);
        assert_eq!(pacer.budget(Time::from_micros(day)), 32, "exactly idle at the end");
        assert_eq!(pacer.budget(Time::from_micros(day - 87)), 30);
    }

    proptest! {
        #[test]
        fn never_more_ahead_than_allowed(
            baud in prop_oneof![Just(9600_u32), Just(115_200), Just(250_000), Just(921_600), 1200_u32..2_000_000],
            gaps in prop::collection::vec(0_u64..5000, 1..200),
        ) {
            let mut pacer = Pacer::new(Some(baud));
            let (mut now, mut sent) = (0_u64, 0_f64);
            // A second model of the wire, in floating point: it sends while it has bytes.
            let mut left = 0_f64;
            for gap in gaps {
                left = (left - bytes_in(baud, gap)).max(0.0);
                now += gap;
                let n = feed(&mut pacer, Time::from_micros(now)) as f64;
                left += n;
                sent += n;
                prop_assert!(left <= allowance(baud) as f64 + 1e-3, "{left} ahead after {sent}");
                if baud <= REFERENCE_BAUD {
                    prop_assert!(left <= AHEAD_BYTES as f64 + 1e-3);
                }
            }
        }

        #[test]
        fn full_throughput_although_each_wake_is_late_by_a_millisecond(
            baud in prop_oneof![Just(9600_u32), Just(57_600), Just(115_200), Just(250_000), Just(1_000_000)],
            lateness in prop::collection::vec(0_u64..1000, 50..400),
        ) {
            let mut pacer = Pacer::new(Some(baud));
            let (mut now, mut total) = (Time::ZERO, 0_usize);
            for late in lateness {
                total += feed(&mut pacer, now);
                let due = pacer.next(now).expect("a full budget was just spent");
                now = Time::from_micros(due.as_micros() + late);
            }
            let possible = bytes_in(baud, now.as_micros());
            prop_assert!(total as f64 >= possible - 1.0, "{total} of {possible}");
        }

        #[test]
        fn a_wake_that_comes_early_does_no_harm(wakes in prop::collection::vec(1_u64..300, 1..500)) {
            let mut pacer = Pacer::new(Some(115_200));
            let (mut now, mut total, mut calls) = (0_u64, 0_usize, 0);
            for gap in wakes {
                let fed = feed(&mut pacer, Time::from_micros(now));
                calls += usize::from(fed > 0);
                total += fed;
                now += gap;
            }
            prop_assert!(total as f64 >= bytes_in(115_200, now) - 1.0);
            prop_assert!(calls <= total / (AHEAD_BYTES / 4), "{calls} calls for {total} bytes");
            prop_assert!(total as f64 <= bytes_in(115_200, now) + AHEAD_BYTES as f64);
        }
    }
}
