//! A serial wire: each byte takes the time of ten bits.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Time;

/// One direction of a wire. Without a baud rate bytes pass at once.
#[derive(Debug)]
pub(super) struct Wire {
    byte_time: Option<Duration>,
    queue: VecDeque<u8>,
    /// The wire is busy until then; every queued byte comes one byte time later.
    busy_until: Time,
    /// Parts of a microsecond not yet counted, in nanoseconds.
    remainder_ns: u32,
}

impl Wire {
    pub(super) fn new(baud: Option<u32>) -> Self {
        let byte_time = baud.filter(|&b| b > 0).map(|b| Duration::from_nanos(10_000_000_000 / u64::from(b)));
        Self { byte_time, queue: VecDeque::new(), busy_until: Time::ZERO, remainder_ns: 0 }
    }

    pub(super) const fn is_paced(&self) -> bool {
        self.byte_time.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    pub(super) fn push(&mut self, now: Time, bytes: &[u8]) {
        if self.queue.is_empty() && self.busy_until < now {
            self.busy_until = now;
            self.remainder_ns = 0;
        }
        self.queue.extend(bytes);
    }

    /// Bytes that have arrived at the other end by `now`.
    pub(super) fn arrived(&mut self, now: Time) -> Vec<u8> {
        let Some(byte_time) = self.byte_time else { return self.queue.drain(..).collect() };
        let mut count = 0;
        while count < self.queue.len() {
            let nanos = byte_time.as_nanos() as u64 + u64::from(self.remainder_ns);
            let end = self.busy_until + Duration::from_micros(nanos / 1000);
            if end > now {
                break;
            }
            self.busy_until = end;
            self.remainder_ns = (nanos % 1000) as u32;
            count += 1;
        }
        self.queue.drain(..count).collect()
    }

    /// When the next byte arrives.
    pub(super) fn next_arrival(&self) -> Option<Time> {
        (!self.queue.is_empty()).then(|| self.busy_until + self.byte_time.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_ten_bits_each_and_idle_time_is_not_saved_up() {
        let mut wire = Wire::new(Some(115_200));
        wire.push(Time::from_millis(1000), &[0; 1152]);
        assert_eq!(wire.arrived(Time::from_millis(1000)).len(), 0);
        assert_eq!(wire.arrived(Time::from_millis(1010)).len(), 115);
        assert_eq!(wire.arrived(Time::from_millis(1100)).len(), 1152 - 115);
        wire.push(Time::from_millis(2000), b"x");
        assert!(wire.arrived(Time::from_millis(2000)).is_empty(), "the wire did not save up a second");
        assert_eq!(wire.arrived(Time::from_millis(2001)), b"x");
    }

    #[test]
    fn without_a_rate_bytes_pass_at_once() {
        let mut wire = Wire::new(None);
        wire.push(Time::ZERO, b"abc");
        assert_eq!(wire.arrived(Time::ZERO), b"abc");
    }
}
