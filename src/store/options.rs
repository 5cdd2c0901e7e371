//! What may be chosen about the store.

use std::time::Duration;

use jiff::tz::TimeZone;

/// How much is kept, and how patient the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Reports of checks that were not used for so long are thrown away.
    pub analyses_for: Duration,
    /// At most so many of them are kept.
    pub analyses: u32,
    /// Runs older than so many days are kept as sums only. 0: each run for ever.
    pub history_days: u32,
    /// Rows of the audit older than so many days are thrown away. 0: none ever.
    pub audit_days: u32,
    /// How power went, every few seconds: kept for so long.
    pub power_ticks_for: Duration,
    /// The same by the minute.
    pub power_minutes_for: Duration,
    /// The same by the quarter of an hour. Days are kept for ever.
    pub power_quarters_for: Duration,
    /// Where a day begins at midnight.
    pub zone: TimeZone,
    /// How long another program may hold the file locked before that is trouble. Nobody but the store's threads waits for it.
    pub busy_timeout: Duration,
    /// A file of up to so many bytes is read whole when it is opened. A larger one only if it was not closed properly; else it
    /// is read in the background, and what is found then is set aside at the next start.
    pub check_bytes: u64,
    /// Pages of 4 KiB that the file may have at most. `None`: as many as the disk has.
    pub max_pages: Option<u32>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            analyses_for: Duration::from_secs(24 * 3600),
            analyses: 100,
            history_days: 0,
            audit_days: 365,
            power_ticks_for: Duration::from_secs(48 * 3600),
            power_minutes_for: Duration::from_secs(31 * 24 * 3600),
            power_quarters_for: Duration::from_secs(730 * 24 * 3600),
            zone: TimeZone::UTC,
            busy_timeout: Duration::from_secs(2),
            check_bytes: 2 << 20,
            max_pages: None,
        }
    }
}
