//! Who is at this port? Asked once, without a hub.

use std::time::Duration;

use tokio::time::{sleep_until, timeout};

use super::exchange::{Moved, exchange};
use super::outgoing::Outgoing;
use crate::driver::clock::Clock;
use crate::driver::pace::Pacer;
use crate::driver::transport::{OpenError, Opener, Port};
use crate::grbl::Event;
use crate::grbl::session::{Session, SessionConfig};
use crate::grbl::tables::Tables;
use crate::model::desk::PortAnswer;
use crate::model::snapshot::LinkState;

/// The session calls a port silent after 2.5 s, and gives a question up after 3 s.
const LONGEST: Duration = Duration::from_secs(8);

/// Opens the port, asks `?`, then `$I` where that is harmless, and closes it. Nothing else is ever sent.
///
/// # Errors
/// The port cannot be opened; whatever comes once it is open is an answer.
pub async fn ask(opener: &Opener, clock: Clock) -> Result<PortAnswer, OpenError> {
    let mut port = opener.open().await?;
    let mut answer = PortAnswer { identity: None, state: None, words: String::new() };
    if timeout(LONGEST, listen(&mut port, clock, &mut answer)).await.is_err() && answer.words.is_empty() {
        answer.words = match answer.state {
            Some(state) => format!("answers (state {state}), but did not say who it is while it is busy"),
            None => "something answers, but not as a Grbl does".to_owned(),
        };
    }
    Ok(answer)
}

/// Until it is known who answers, or that nobody does.
async fn listen(port: &mut Port, clock: Clock, answer: &mut PortAnswer) {
    let mut session = Session::new(SessionConfig::default(), Tables::load());
    let mut out = Outgoing::new(Pacer::new(port.pace_baud));
    let mut buf = [0; 1024];
    session.handle_open(clock.now());
    loop {
        while let Some(event) = session.poll_event() {
            if is_the_end(event, answer) {
                return;
            }
        }
        let now = clock.now();
        out.pull(&mut session, now);
        let due = [session.poll_timeout(), out.next(now)].into_iter().flatten().min();
        let moved = tokio::select! {
            moved = exchange(&mut *port.stream, out.unsent(), &mut buf) => moved,
            () = sleep_until(clock.deadline(due.unwrap_or(now))), if due.is_some() => {
                session.handle_timeout(clock.now());
                continue;
            }
        };
        let now = clock.now();
        match moved {
            Ok(Moved::Out(n)) => out.taken(n, now),
            Ok(Moved::In(n)) if n > 0 => session.handle_bytes(now, &buf[..n]),
            Ok(Moved::In(_)) | Err(_) => {
                port.when_gone.clone_into(&mut answer.words);
                return;
            }
        }
    }
}

/// Takes in what the session tells. Once it is known who answers, nothing more may be sent: the session would go on to
/// ask for settings, and have FluidNC push reports.
fn is_the_end(event: Event, answer: &mut PortAnswer) -> bool {
    match event {
        Event::Identified(identity) => {
            let state = answer.state.map(|state| format!(", state {state}")).unwrap_or_default();
            answer.words = format!("{} {}{state}", identity.firmware, identity.version);
            answer.identity = Some(identity);
            true
        }
        Event::Status(report) => {
            answer.state = Some(report.state);
            false
        }
        Event::Link(LinkState::Silent { why } | LinkState::Foreign { why }) => {
            answer.words = why;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::driver::pace::Pace;
    use crate::driver::transport::InProcess;
    use crate::model::{Endpoint, Firmware, StateKind};

    /// Asks a controller that answers each byte or line as told; gives the answer and all that was sent.
    async fn asked(answers: &'static [(&'static str, &'static str)]) -> (PortAnswer, String) {
        let seen = Arc::new(Mutex::new(String::new()));
        let sent = Arc::clone(&seen);
        let connect = move || {
            let (ours, mut theirs) = tokio::io::duplex(1024);
            let sent = Arc::clone(&sent);
            tokio::spawn(async move {
                let mut line = String::new();
                while let Ok(byte) = theirs.read_u8().await {
                    line.push(char::from(byte));
                    sent.lock().unwrap().push(char::from(byte));
                    if byte == b'?' || byte == b'\n' {
                        let answer = answers.iter().find(|(asked, _)| *asked == line.trim_end());
                        line.clear();
                        if let Some((_, answer)) = answer {
                            let _ = theirs.write_all(answer.as_bytes()).await;
                        }
                    }
                }
            });
            ours
        };
        let opener = Opener {
            endpoint: Endpoint::Sim,
            baud: 115_200,
            pace: Pace::Off,
            lock_dir: std::env::temp_dir(),
            in_process: Some(InProcess(Arc::new(connect))),
        };
        let answer = ask(&opener, Clock::start()).await.unwrap();
        let sent = seen.lock().unwrap().clone();
        (answer, sent)
    }

    const IDLE: (&str, &str) = ("?", "<Idle|MPos:0.000,0.000,0.000|FS:0,0>\r\n");
    const INFO: (&str, &str) = ("$I", "[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\nok\r\n");

    #[tokio::test(start_paused = true)]
    async fn a_grbl_says_who_it_is_and_is_asked_nothing_more() {
        let (answer, sent) = asked(&[IDLE, INFO]).await;
        let identity = answer.identity.unwrap();
        assert_eq!((identity.firmware, answer.state.map(|state| state.kind)), (Firmware::Grbl, Some(StateKind::Idle)));
        assert!(answer.words.contains("1.1h") && answer.words.contains("Idle"), "{}", answer.words);
        assert_eq!(sent.replace('?', ""), "$I\n");
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_moves_is_asked_no_line() {
        let (answer, sent) = asked(&[("?", "<Run|MPos:0.000,0.000,0.000|FS:500,0>\r\n"), INFO]).await;
        assert!(answer.identity.is_none() && answer.words.contains("Run"), "{}", answer.words);
        assert_eq!(sent.replace('?', ""), "");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_strangers_are_said_to_be_that() {
        let (answer, sent) = asked(&[]).await;
        assert!(answer.identity.is_none() && !answer.words.is_empty());
        assert_eq!(sent.replace('?', ""), "");
        let (answer, sent) = asked(&[("?", "login: \r\n")]).await;
        assert!(answer.identity.is_none() && !answer.words.is_empty());
        assert_eq!(sent.replace('?', ""), "");
    }
}
