//! What the hub tells, for the log file and the journal of systemd: a daemon has no screen on which it could be seen.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::out;
use crate::model::command::Outcome;
use crate::model::hub::{Hub, LogEvent};
use crate::model::log::LogItem;
use crate::model::machine::MessageLevel;

/// Lines that wait for stderr at most. Whoever reads it may be slow, and must not hold anything up.
const WAITING: usize = 256;

/// How much something matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matters {
    /// For the log file only.
    Little,
    Warning,
    Error,
}

/// Says lines on stderr, from a thread of its own; what finds no room is left out there, not in the log file.
#[derive(Clone, Debug)]
pub(super) struct Teller(SyncSender<String>);

impl Teller {
    /// Begins to.
    ///
    /// # Errors
    /// There can be no more threads.
    pub(super) fn start() -> std::io::Result<Self> {
        let (say, said) = sync_channel::<String>(WAITING);
        thread::Builder::new().name("stderr".to_owned()).spawn(move || {
            for text in said {
                out::words(&text);
            }
        })?;
        Ok(Self(say))
    }

    fn say(&self, text: String) {
        let _ = self.0.try_send(text);
    }
}

/// Writes down what matters of the hub's log, until that ends.
pub(super) async fn follow(mut hub: Hub, teller: Teller) {
    while let Ok(event) = hub.log().await {
        let told = match &event {
            LogEvent::Entry(entry) => told(&entry.what),
            LogEvent::Gap(lost) => Some((Matters::Warning, format!("{lost} entries of the hub's log are not here"))),
        };
        let Some((matters, text)) = told else { continue };
        match matters {
            Matters::Little => tracing::info!("{text}"),
            Matters::Warning => tracing::warn!("{text}"),
            Matters::Error => tracing::error!("{text}"),
        }
        if matters != Matters::Little {
            teller.say(text.replace(char::is_control, "\u{b7}"));
        }
    }
}

/// What an entry says here. `None`: it is of no interest.
fn told(item: &LogItem) -> Option<(Matters, String)> {
    Some(match item {
        LogItem::Alarm { code: 0, text } => (Matters::Error, format!("ALARM: {text}")),
        LogItem::Alarm { code, text } => (Matters::Error, format!("ALARM:{code} {text}")),
        LogItem::Note { level: MessageLevel::Error, text } => (Matters::Error, text.clone()),
        LogItem::Note { level: MessageLevel::Warning, text } => (Matters::Warning, text.clone()),
        LogItem::Note { level: MessageLevel::Info, text } => (Matters::Little, text.clone()),
        LogItem::Outcome { origin, what, outcome, .. } => match outcome {
            Outcome::Done => return None,
            Outcome::Refused(_) => (Matters::Little, format!("{origin}: {what}: {outcome}")),
            _ => (Matters::Warning, format!("{origin}: {what}: {outcome}")),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::TicketId;
    use crate::model::command::{ClientId, Origin, Refused};

    #[test]
    fn alarms_warnings_and_what_failed_are_told_and_the_rest_is_not() {
        let alarm = told(&LogItem::Alarm { code: 1, text: "Hard limit. Home.".into() });
        assert_eq!(alarm, Some((Matters::Error, "ALARM:1 Hard limit. Home.".to_owned())));
        let note = |level| told(&LogItem::Note { level, text: "x".into() }).map(|(matters, _)| matters);
        assert_eq!(note(MessageLevel::Error), Some(Matters::Error));
        assert_eq!(note(MessageLevel::Warning), Some(Matters::Warning));
        assert_eq!((note(MessageLevel::Info), note(MessageLevel::Debug)), (Some(Matters::Little), None));
        let outcome = |outcome| {
            let origin = Origin::Script(ClientId(7));
            let what = "home".to_owned();
            told(&LogItem::Outcome { ticket: TicketId(1), origin, what, outcome, latency: Duration::ZERO })
        };
        assert_eq!(outcome(Outcome::Done), None);
        let failed = outcome(Outcome::Failed { code: 9, text: "homing failed".into() });
        assert_eq!(failed, Some((Matters::Warning, "script 7: home: error 9: homing failed".to_owned())));
        let refused = outcome(Outcome::Refused(Refused::because("not idle")));
        assert_eq!(refused.map(|(matters, _)| matters), Some(Matters::Little));
        assert_eq!(told(&LogItem::Wire { out: true, text: "?".into() }), None);
    }
}
