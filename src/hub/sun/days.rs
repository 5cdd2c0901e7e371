//! What the last days were like, read from the history now and then, off the runtime.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::model::power::Grain;
use crate::model::sun::DayProfile;
use crate::store::{Store, StoreError, now_ms};

/// How often: a quarter of an hour is what the history adds.
const EVERY: Duration = Duration::from_secs(15 * 60);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// The sun and the loads of the last days.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::hub) struct Days {
    pub(in crate::hub) sun: DayProfile,
    pub(in crate::hub) loads: DayProfile,
}

/// Reads them at once and from then on. Ends when nobody looks any more. To be called in the runtime.
pub(in crate::hub) fn start(store: Store) -> watch::Receiver<Arc<Days>> {
    let (tell, days) = watch::channel(Arc::default());
    tokio::spawn(run(store, tell));
    days
}

async fn run(store: Store, tell: watch::Sender<Arc<Days>>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = tell.closed() => return,
        }
        let store = store.clone();
        match tokio::task::spawn_blocking(move || read(&store)).await {
            Ok(Ok(days)) => {
                tell.send_replace(Arc::new(days));
            }
            Ok(Err(why)) => tracing::warn!(%why, "the power of the last days cannot be read"),
            Err(error) => tracing::error!(%error, "the power of the last days was not read"),
        }
    }
}

fn read(store: &Store) -> Result<Days, StoreError> {
    let now = now_ms();
    let samples = store.reader().samples(None, now - DayProfile::DAYS * DAY_MS, now, Grain::Quarter)?;
    Ok(Days {
        sun: DayProfile::of(&samples, |sample| sample.pv_w),
        loads: DayProfile::of(&samples, |sample| sample.load_w),
    })
}

/// Waits until they were read anew. For ever where nobody reads them.
pub(in crate::hub) async fn news(days: &mut Option<watch::Receiver<Arc<Days>>>) -> Arc<Days> {
    if let Some(days) = days
        && days.changed().await.is_ok()
    {
        return Arc::clone(&days.borrow_and_update());
    }
    std::future::pending().await
}
