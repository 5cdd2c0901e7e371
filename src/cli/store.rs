//! The store of this process: opened before the hub, closed after it.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::settings::Settings;
use crate::store::{Opened, Reader, Store, StoreOptions};

/// How long a command waits for a file that another program holds locked.
const PATIENCE: Duration = Duration::from_secs(2);

/// What came of opening it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// `None`: nothing is kept.
    pub(super) store: Option<Store>,
    /// What was found.
    pub(super) opened: Opened,
    /// Why there is none.
    pub(super) trouble: Option<String>,
}

impl Kept {
    /// Opens it. No reason for not running a machine: what is wrong is told.
    pub(super) fn open(settings: &Settings) -> Self {
        let Some(path) = &settings.store_file else {
            let why = "there is no home folder for history and journal: set store.path in config.toml";
            return Self { trouble: Some(why.to_owned()), ..Self::default() };
        };
        // Days end where sunmill runs.
        let options = StoreOptions { zone: TimeZone::system(), ..options(settings) };
        match Store::open_with(path, options) {
            Ok((store, opened)) => Self { store: Some(store), opened, trouble: None },
            Err(why) => {
                tracing::error!(%why, "no store");
                Self { trouble: Some(why.to_string()), ..Self::default() }
            }
        }
    }

    /// What to tell at the start.
    pub(super) fn notice(&self) -> Option<String> {
        self.trouble.clone().or_else(|| self.opened.notes.first().cloned())
    }
}

fn options(settings: &Settings) -> StoreOptions {
    let store = &settings.config.store;
    StoreOptions {
        analyses_for: Duration::from_secs(u64::from(store.analyses_hours) * 3600),
        analyses: store.analyses,
        history_days: store.history_days,
        audit_days: store.audit_days,
        power_ticks_for: Duration::from_secs(u64::from(store.power_raw_hours) * 3600),
        power_minutes_for: Duration::from_secs(u64::from(store.power_minute_days) * 24 * 3600),
        power_quarters_for: Duration::from_secs(u64::from(store.power_quarter_days) * 24 * 3600),
        ..StoreOptions::default()
    }
}

/// Reads the store, whoever writes to it. `None`: nothing has been kept yet.
pub(super) fn reader(settings: &Settings) -> Option<Reader> {
    let path = settings.store_file.clone().filter(|path| path.exists())?;
    Some(Reader::new(path, PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_what_a_store_does_by_default() {
        let settings = Settings::new(None, None, None, &super::super::environment::Environment::default()).unwrap();
        assert_eq!(options(&settings), StoreOptions::default());
        assert_eq!(settings.store_file, None);
        assert!(Kept::open(&settings).notice().unwrap().contains("store.path"));
    }
}
