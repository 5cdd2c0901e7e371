//! Who came with a wrong token is told to the people here, but not for each of a thousand tries.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::hub::HubPort;
use crate::model::people::PeopleNews;

/// It is told at most so often.
const EVERY: Duration = Duration::from_secs(10);

/// What was told, and what was not.
#[derive(Debug, Default)]
pub(super) struct Knocks(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    untold: u32,
}

impl Knocks {
    /// Somebody came with a token that is not valid.
    pub(super) fn wrong_token(&self, from: SocketAddr, port: &HubPort) {
        if let Some(untold) = self.is_due() {
            let others = if untold == 0 { String::new() } else { format!(" ({untold} tries before it were not told)") };
            let what = format!("came over TCP with a token that is not valid{others}");
            tracing::warn!(%from, what);
            port.tell(PeopleNews::TurnedAway { who: from.to_string(), what });
        }
    }

    /// It is told: how many were not.
    fn is_due(&self) -> Option<u32> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.last.is_some_and(|last| last.elapsed() < EVERY) {
            told.untold = told.untold.saturating_add(1);
            return None;
        }
        told.last = Some(Instant::now());
        Some(std::mem::take(&mut told.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_tries_are_told_as_one_and_counted() {
        let knocks = Knocks::default();
        assert_eq!(knocks.is_due(), Some(0));
        assert_eq!([knocks.is_due(), knocks.is_due()], [None, None]);
        tokio::time::advance(EVERY).await;
        assert_eq!((knocks.is_due(), knocks.is_due()), (Some(2), None));
    }
}
