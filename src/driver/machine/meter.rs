//! How quick and how busy a link is, measured without an allocation per event.

use std::time::Duration;

use crate::grbl::{self, realtime};
use crate::model::command::{Outcome, TicketId};
use crate::model::snapshot::{Latency, LinkStats};
use crate::model::time::Time;

/// Lines whose sending is remembered until they are answered. More than fit into a controller's receive buffer of 128
/// bytes; of a larger one the oldest are not measured.
const OPEN_LINES: usize = 64;

/// Measures of one link, over all its connections.
#[derive(Debug, Default)]
pub(super) struct Meter {
    lines: Histogram,
    statuses: Histogram,
    open: Ring,
    asked_at: Option<Time>,
}

impl Meter {
    /// These bytes left.
    pub(super) fn sent(&mut self, now: Time, bytes: &[u8], stats: &mut LinkStats) {
        stats.tx_bytes += bytes.len() as u64;
        // Programs' lines too, of which the session tells nothing one by one.
        stats.lines_sent += bytes.split(|byte| *byte == b'\n').skip(1).count() as u64;
        if self.asked_at.is_none() && bytes.contains(&realtime::STATUS) {
            self.asked_at = Some(now);
        }
    }

    /// The session told something.
    pub(super) fn event(&mut self, now: Time, event: &grbl::Event, stats: &mut LinkStats) {
        match event {
            // Homing is answered when it has ended, which is no matter of the link.
            grbl::Event::Sent { ticket: Some(ticket), text } if !text.starts_with("$H") => {
                self.open.push(*ticket, now);
            }
            grbl::Event::Outcome { ticket, outcome } => {
                let sent_at = self.open.take(*ticket);
                let is_answered = matches!(outcome, Outcome::Done | Outcome::Failed { .. });
                if let Some(sent_at) = sent_at.filter(|_| is_answered) {
                    self.lines.add(now.since(sent_at));
                    stats.line_latency = self.lines.summary();
                }
                stats.errors += u64::from(matches!(outcome, Outcome::Failed { .. }));
            }
            // A report that FluidNC pushes by itself counts as the answer: so it would be to a person who waits for one.
            grbl::Event::Status(_) => {
                if let Some(asked_at) = self.asked_at.take() {
                    self.statuses.add(now.since(asked_at));
                    stats.status_latency = self.statuses.summary();
                }
            }
            _ => {}
        }
    }

    /// What `stats` gained over `told`, per time.
    pub(super) fn rates(told: &LinkStats, over: Duration, stats: &mut LinkStats) {
        let per = |new: u64, old: u64, seconds: f64| {
            ((new.saturating_sub(old)) as f64 / over.as_secs_f64().max(0.001) * seconds).round() as u32
        };
        stats.rx_bytes_s = per(stats.rx_bytes, told.rx_bytes, 1.0);
        stats.tx_bytes_s = per(stats.tx_bytes, told.tx_bytes, 1.0);
        stats.reports_10s = per(stats.reports, told.reports, 10.0);
    }

    /// The link is gone: what was asked will not be answered, and nothing flows.
    pub(super) fn closed(&mut self, stats: &mut LinkStats) {
        self.open = Ring::default();
        self.asked_at = None;
        (stats.rx_bytes_s, stats.tx_bytes_s, stats.reports_10s) = (0, 0, 0);
    }
}

/// Lines that are on the wire, oldest overwritten first.
#[derive(Debug)]
struct Ring {
    slots: [Option<(TicketId, Time)>; OPEN_LINES],
    next: usize,
}

impl Default for Ring {
    fn default() -> Self {
        Self { slots: [None; OPEN_LINES], next: 0 }
    }
}

impl Ring {
    fn push(&mut self, ticket: TicketId, at: Time) {
        self.slots[self.next] = Some((ticket, at));
        self.next = (self.next + 1) % OPEN_LINES;
    }

    fn take(&mut self, ticket: TicketId) -> Option<Time> {
        let slot = self.slots.iter_mut().find(|slot| slot.is_some_and(|(open, _)| open == ticket))?;
        slot.take().map(|(_, at)| at)
    }
}

/// Buckets of a histogram: four to each doubling, from 0 µs to 71 minutes.
const BUCKETS: usize = 4 * 31;

/// A histogram of durations whose buckets grow with what they hold.
#[derive(Debug)]
struct Histogram {
    counts: [u32; BUCKETS],
    count: u64,
    max_us: u32,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], count: 0, max_us: 0 }
    }
}

impl Histogram {
    fn add(&mut self, duration: Duration) {
        let us = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        let bucket = &mut self.counts[bucket_of(us)];
        *bucket = bucket.saturating_add(1);
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    fn summary(&self) -> Latency {
        let of = |percent| self.percentile(percent);
        Latency { count: self.count, p50_us: of(50), p99_us: of(99), max_us: self.max_us }
    }

    /// The upper edge of the bucket of the smallest sample that at least `percent` % of all do not exceed.
    fn percentile(&self, percent: u64) -> u32 {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return last_of(bucket).min(self.max_us);
            }
        }
        self.max_us
    }
}

/// 0 to 3 µs have buckets of their own; from there on the highest three bits tell.
fn bucket_of(us: u32) -> usize {
    let Some(doublings) = us.checked_ilog2().filter(|log| *log >= 2) else { return us as usize };
    let quarter = (us >> (doublings - 2)) & 3;
    4 * (doublings as usize - 1) + quarter as usize
}

/// The largest value in a bucket.
fn last_of(bucket: usize) -> u32 {
    if bucket < 4 {
        return bucket as u32;
    }
    let (doublings, quarter) = (bucket / 4 + 1, bucket as u64 % 4);
    let next = (4 + quarter + 1) << (doublings - 2);
    u32::try_from(next - 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_holds_its_values_and_is_a_quarter_wide(us: u32) {
            let bucket = bucket_of(us);
            let last = last_of(bucket);
            prop_assert!(bucket < BUCKETS && us <= last);
            prop_assert!(bucket == 0 || last_of(bucket - 1) < us);
            prop_assert!(u64::from(last) <= u64::from(us) + u64::from(us) / 4);
        }
    }

    #[test]
    fn percentiles_are_those_of_the_samples() {
        let mut histogram = Histogram::default();
        for ms in 1..=100 {
            histogram.add(Duration::from_millis(ms));
        }
        let Latency { count, p50_us, p99_us, max_us } = histogram.summary();
        assert_eq!((count, max_us), (100, 100_000));
        assert!((50_000..=62_500).contains(&p50_us) && (99_000..=100_000).contains(&p99_us), "{p50_us} {p99_us}");
        histogram.add(Duration::MAX);
        assert_eq!(histogram.summary().max_us, u32::MAX);
    }

    #[test]
    fn lines_are_counted_as_they_leave_in_whatever_pieces() {
        let (mut meter, mut stats) = (Meter::default(), LinkStats::default());
        for piece in ["G0 X1\nG1", " X2", "\n?", "?"] {
            meter.sent(Time::ZERO, piece.as_bytes(), &mut stats);
        }
        assert_eq!((stats.lines_sent, stats.tx_bytes), (2, 14));
    }

    #[test]
    fn a_line_is_measured_from_its_sending_to_its_answer() {
        let (mut meter, mut stats) = (Meter::default(), LinkStats::default());
        let sent = |n, text: &str| grbl::Event::Sent { ticket: Some(TicketId(n)), text: text.into() };
        let ended = |n, outcome| grbl::Event::Outcome { ticket: TicketId(n), outcome };
        let at = Time::from_millis;
        meter.event(at(0), &sent(1, "G0 X1"), &mut stats);
        meter.event(at(0), &sent(2, "$H"), &mut stats);
        meter.event(at(0), &sent(3, "G1"), &mut stats);
        meter.event(at(8), &ended(1, Outcome::Done), &mut stats);
        meter.event(at(9000), &ended(2, Outcome::Done), &mut stats);
        meter.event(at(9000), &ended(3, Outcome::TimedOut), &mut stats);
        assert_eq!((stats.line_latency.count, stats.line_latency.max_us), (1, 8000));
        for n in 4..100 {
            meter.event(at(10_000), &sent(n, "G0"), &mut stats);
        }
        meter.event(at(10_001), &ended(4, Outcome::Done), &mut stats);
        meter.event(at(10_001), &ended(99, Outcome::Failed { code: 22, text: String::new() }), &mut stats);
        assert_eq!((stats.line_latency.count, stats.errors), (2, 1), "the oldest are not measured");
        meter.closed(&mut stats);
        meter.event(at(10_001), &ended(98, Outcome::Done), &mut stats);
        assert_eq!(stats.line_latency.count, 2);
    }

    #[test]
    fn rates_are_per_second() {
        let mut stats = LinkStats { rx_bytes: 3000, tx_bytes: 10, reports: 10, ..LinkStats::default() };
        Meter::rates(&LinkStats { rx_bytes: 1000, ..LinkStats::default() }, Duration::from_secs(2), &mut stats);
        assert_eq!((stats.rx_bytes_s, stats.tx_bytes_s, stats.reports_10s), (1000, 5, 50));
    }
}
