//! Carries lines between the terminal, [`Talk`] and the hub.

use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::talk::{Deed, Talk};
use crate::model::command::ClientId;
use crate::model::hub::{HubGone, News};
use crate::model::{Hub, Realtime, Snapshot, Time};
use crate::ui::app::Error;
use crate::ui::settings::Settings;
use crate::ui::state::ExitReason;

/// Longest line that is read; no controller takes as much.
const LONGEST_LINE: u64 = 1024;
/// Lines that may wait in either direction.
const LINES: usize = 256;

/// Longest wait for the last lines to be written.
const FAREWELL: Duration = Duration::from_millis(500);

/// What the reading thread finds.
#[derive(Debug)]
enum Input {
    Line(String),
    TooLong,
    End,
}

/// Talks until the person leaves, the input ends or the hub does. Needs no terminal.
///
/// # Errors
/// Signals cannot be received.
pub async fn run(hub: Hub, settings: Settings, now: impl Fn() -> Time) -> Result<ExitReason, Error> {
    let mut typed = typed_lines().map_err(Error::Signals)?;
    let (spoken, all_said) = spoken_lines().map_err(Error::Signals)?;
    let get = |kind| signal(kind).map_err(Error::Signals);
    let (mut hangup, mut terminate) = (get(SignalKind::hangup())?, get(SignalKind::terminate())?);
    let (mut quit, mut interrupt) = (get(SignalKind::quit())?, get(SignalKind::interrupt())?);
    let mut stop = get(SignalKind::from_raw(Signal::TSTP.as_raw()))?;
    let snapshot = hub.snapshot();
    let (talk, me) = (Talk::new(settings.jog, settings.units), settings.me);
    let mut room = Room { talk, me, hub, snapshot, spoken, unsaid: 0, exit: None };
    room.carry_out(Talk::greet());
    if let Some(notice) = settings.notice {
        room.say(&notice);
    }
    let deeds = room.talk.look(&room.snapshot, now());
    room.carry_out(deeds);
    while room.exit.is_none() {
        tokio::select! {
            biased;
            _ = interrupt.recv() => {
                let deeds = room.talk.interrupt(&room.snapshot, now());
                room.carry_out(deeds);
            }
            _ = hangup.recv() => room.exit = Some(ExitReason::TerminalLost),
            _ = terminate.recv() => room.exit = Some(ExitReason::Terminated),
            _ = quit.recv() => room.exit = Some(ExitReason::Terminated),
            _ = stop.recv() => {
                let deeds = room.talk.suspend(&room.snapshot, now());
                room.carry_out(deeds);
            }
            input = typed.recv() => room.input(input.unwrap_or(Input::End), now()),
            news = room.hub.next() => room.news(news, now()),
        }
    }
    // A jog of ours ends with us; its line would end it too, only later.
    if room.snapshot.machine.jog.is_some() {
        room.hub.realtime(Realtime::JogCancel);
    }
    let reason = room.exit.unwrap_or(ExitReason::Asked);
    drop(room);
    // The last words; a terminal that does not take them is not waited for.
    let _ = timeout(FAREWELL, all_said).await;
    Ok(reason)
}

struct Room {
    talk: Talk,
    /// This client's number.
    me: ClientId,
    hub: Hub,
    snapshot: Arc<Snapshot>,
    spoken: mpsc::Sender<String>,
    /// Lines that a slow terminal lost.
    unsaid: u64,
    exit: Option<ExitReason>,
}

impl Room {
    fn input(&mut self, input: Input, now: Time) {
        let deeds = match input {
            Input::Line(line) => self.talk.line(&line, &self.snapshot, now),
            Input::TooLong => vec![Deed::Say("That line is too long; it was dropped.".to_owned())],
            Input::End => self.talk.end_of_input(&self.snapshot, now),
        };
        self.carry_out(deeds);
    }

    fn news(&mut self, news: Result<News, HubGone>, now: Time) {
        let deeds = match news {
            Ok(News::Snapshot(snapshot)) => {
                self.snapshot = snapshot;
                self.talk.look(&self.snapshot, now)
            }
            Ok(News::Log(event)) => self.talk.news(&event),
            Ok(News::Answer(answer)) => self.talk.answered(&answer, &self.snapshot, now),
            Err(HubGone) => vec![Deed::Leave(ExitReason::HubGone)],
        };
        self.carry_out(deeds);
    }

    fn carry_out(&mut self, deeds: Vec<Deed>) {
        for deed in deeds {
            match deed {
                Deed::Say(text) => self.say(&text),
                Deed::Realtime(realtime) => match self.snapshot.people.may_press(realtime, self.me, self.snapshot.at) {
                    Ok(()) => self.hub.realtime(realtime),
                    Err(why) => self.carry_out(Talk::refused(&why.to_string())),
                },
                Deed::Submit(command) => match self.hub.submit(command) {
                    Ok(ticket) => self.talk.submitted(ticket),
                    Err(why) => self.carry_out(Talk::refused(&why.to_string())),
                },
                Deed::Ask(query) => {
                    if let Err(why) = self.hub.ask(query) {
                        self.carry_out(Talk::refused(&why.to_string()));
                    }
                }
                Deed::Suspend => {
                    let _ = rustix::process::kill_current_process_group(Signal::STOP);
                }
                Deed::Leave(reason) => self.exit = Some(reason),
            }
        }
    }

    /// One line, without anything that a terminal would act on. A terminal that does not take lines loses them; the
    /// stop must not wait for it.
    fn say(&mut self, text: &str) {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = match self.unsaid {
            0 => text,
            n => format!("({n} lines were lost: this terminal is too slow) {text}"),
        };
        match self.spoken.try_send(text) {
            Ok(()) => self.unsaid = 0,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.unsaid += 1;
                self.talk.unheard();
            }
            Err(mpsc::error::TrySendError::Closed(_)) => self.exit = Some(ExitReason::TerminalLost),
        }
    }
}

/// A thread of its own reads: it may wait for ever, and the program's end does not wait for it.
fn typed_lines() -> io::Result<mpsc::Receiver<Input>> {
    let (tell, typed) = mpsc::channel(LINES);
    std::thread::Builder::new().name("typed".to_owned()).spawn(move || {
        loop {
            let found = read_line(&mut io::stdin().lock());
            let ended = matches!(found, Input::End);
            if tell.blocking_send(found).is_err() {
                return;
            }
            // A terminal goes on after Ctrl+D; anything else has ended.
            if ended && !io::IsTerminal::is_terminal(&io::stdin()) {
                return;
            }
        }
    })?;
    Ok(typed)
}

fn read_line(input: &mut impl BufRead) -> Input {
    let mut bytes = Vec::new();
    match input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes) {
        Ok(0) | Err(_) => Input::End,
        Ok(n) if n as u64 == LONGEST_LINE && bytes.last() != Some(&b'\n') => {
            // The rest of it must not be taken for a line.
            while let Ok(n @ 1..) = {
                bytes.clear();
                input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes)
            } {
                if bytes.get(n - 1) == Some(&b'\n') {
                    break;
                }
            }
            Input::TooLong
        }
        Ok(_) => Input::Line(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// A thread of its own writes: a terminal that is held (Ctrl+S) must not hold the stop.
fn spoken_lines() -> io::Result<(mpsc::Sender<String>, oneshot::Receiver<()>)> {
    let (spoken, mut said) = mpsc::channel::<String>(LINES);
    let (end, all_said) = oneshot::channel();
    std::thread::Builder::new().name("spoken".to_owned()).spawn(move || {
        while let Some(line) = said.blocking_recv() {
            let mut out = io::stdout().lock();
            if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                break;
            }
        }
        // Nobody may be listening any more.
        let _ = end.send(());
    })?;
    Ok((spoken, all_said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_line_ends_and_long_ones_dropped_whole() {
        let long = format!("G0 X1\n{}\nlast", "X".repeat(5000));
        let mut input = io::Cursor::new(long);
        assert!(matches!(read_line(&mut input), Input::Line(line) if line.trim() == "G0 X1"));
        assert!(matches!(read_line(&mut input), Input::TooLong));
        assert!(matches!(read_line(&mut input), Input::Line(line) if line == "last"));
        assert!(matches!(read_line(&mut input), Input::End));
    }
}
