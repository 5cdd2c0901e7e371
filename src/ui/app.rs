//! The loop: signals, then keys, then timers, then what the hub tells, then a frame.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use rustix::process::Signal;
use rustix::termios::tcgetwinsize;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::bell;
use super::console::Tone;
use super::input::{Decoder, key_up, tty};
use super::screen::Screen;
use super::settings::Settings;
use super::state::{Effect, Event, ExitReason, Seen, Ui, sees_nothing_new};
use super::terminal::{ASK_KITTY, ASK_TERMINAL, Guard, restore_on_panic};
use super::update::update;
use super::view::view;
use crate::model::desk::Answer;
use crate::model::hub::{HubGone, News};
use crate::model::{Hub, Realtime, Snapshot, Time};

/// Why the screen could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no terminal to draw on.
    #[error("sunmill needs a terminal to draw on: {0}")]
    NoTerminal(#[source] io::Error),
    /// Signals cannot be received.
    #[error("signals cannot be received: {0}")]
    Signals(#[source] io::Error),
}

/// The terminal's bell.
const BELL: &[u8] = b"\x07";

/// Runs the screen until the user leaves or the terminal goes away. The terminal is as before when it returns.
///
/// # Errors
/// There is no terminal, or the runtime has no signals.
pub async fn run(hub: Hub, settings: Settings, now: impl Fn() -> Time) -> Result<ExitReason, Error> {
    let tty = tty::open().map_err(Error::NoTerminal)?;
    let guard = Guard::claim(Arc::clone(&tty)).map_err(Error::NoTerminal)?;
    restore_on_panic(guard.restorer());
    run_on(tty, guard, hub, settings, now).await
}

async fn run_on(
    tty: Arc<File>,
    guard: Guard,
    hub: Hub,
    settings: Settings,
    now: impl Fn() -> Time,
) -> Result<ExitReason, Error> {
    let mut signals = Signals::new().map_err(Error::Signals)?;
    let tty = tty::register(tty).map_err(Error::NoTerminal)?;
    let snapshot = hub.snapshot();
    let key_up = key_up::watch(settings.keyboards.as_deref());
    let mut app = App {
        decoder: Decoder::new(settings.escape_wait()),
        frame_interval: settings.frame_interval(),
        ui: Ui::new(settings),
        screen: Screen::new(size_of(tty.get_ref())),
        out: Output::default(),
        hub,
        snapshot,
        pending: Pending::Now,
        last_frame: Time::ZERO,
        exit: None,
        guard,
        tty,
        key_up,
    };
    app.greet();
    if let Some(notice) = app.ui.settings.notice.take() {
        app.ui.say(notice, Tone::Warning, now());
    }
    let reason = app.run(&mut signals, &now).await;
    app.leave(reason);
    Ok(reason)
}

struct App {
    ui: Ui,
    decoder: Decoder,
    screen: Screen,
    out: Output,
    hub: Hub,
    snapshot: Arc<Snapshot>,
    frame_interval: Duration,
    pending: Pending,
    last_frame: Time,
    exit: Option<ExitReason>,
    guard: Guard,
    tty: AsyncFd<Arc<File>>,
    key_up: mpsc::Receiver<()>,
}

impl App {
    /// Questions to the terminal; the answers come among the keys, or never.
    fn greet(&mut self) {
        if self.ui.settings.ask_key_releases {
            self.out.push(ASK_KITTY);
        }
        self.out.push(ASK_TERMINAL);
    }

    async fn run(&mut self, signals: &mut Signals, now: &impl Fn() -> Time) -> ExitReason {
        loop {
            if let Some(reason) = self.exit {
                return reason;
            }
            let wake = self.wake_in(now());
            tokio::select! {
                biased;
                signal = signals.next() => self.signal(signal, now()),
                ready = self.tty.readable() => {
                    match ready {
                        Ok(mut ready) => {
                            let read = ready.try_io(|fd| read_some(fd.get_ref()));
                            if let Ok(read) = read {
                                self.input(read, now());
                            }
                        }
                        Err(_) => self.exit = Some(ExitReason::TerminalLost),
                    }
                }
                Some(()) = self.key_up.recv() => self.event(&Event::KeyUp, now()),
                () = sleep(wake.unwrap_or_default()), if wake.is_some() => self.timers(now()),
                ready = self.tty.writable(), if !self.out.is_empty() => {
                    match ready {
                        Ok(mut ready) => {
                            let out = &mut self.out;
                            if let Ok(Err(_)) = ready.try_io(|fd| out.write_to(fd.get_ref())) {
                                self.exit = Some(ExitReason::TerminalLost);
                            }
                        }
                        Err(_) => self.exit = Some(ExitReason::TerminalLost),
                    }
                }
                news = self.hub.next() => self.news(news, now()),
            }
        }
    }

    /// How long until a timer or a frame is due.
    fn wake_in(&self, now: Time) -> Option<Duration> {
        let frame = match self.pending {
            // One frame at a time: a slow terminal gets the latest, not all of them.
            _ if !self.out.is_empty() => None,
            Pending::Nothing => None,
            Pending::Soon => Some(self.last_frame + self.frame_interval),
            Pending::Now => Some(now),
        };
        [frame, self.decoder.poll_timeout(), self.ui.poll_timeout(&self.snapshot, now)]
            .into_iter()
            .flatten()
            .min()
            .map(|due| due.since(now))
    }

    fn wants_frame(&self, now: Time) -> bool {
        let due = match self.pending {
            Pending::Nothing => false,
            Pending::Soon => now >= self.last_frame + self.frame_interval,
            Pending::Now => true,
        };
        due && self.out.is_empty()
    }

    fn signal(&mut self, signal: Got, now: Time) {
        match signal {
            Got::Hangup => self.exit = Some(ExitReason::TerminalLost),
            Got::Terminate => self.exit = Some(ExitReason::Terminated),
            Got::Interrupt => self.event(&Event::QuitAsked, now),
            Got::Stop => self.event(&Event::SuspendAsked, now),
            Got::Continued => self.reclaim(),
            Got::Resize => {
                self.screen.resize(size_of(self.tty.get_ref()));
                self.pending = Pending::Now;
            }
        }
    }

    fn input(&mut self, read: io::Result<Vec<u8>>, now: Time) {
        match read {
            Ok(bytes) if bytes.is_empty() => self.exit = Some(ExitReason::TerminalLost),
            Ok(bytes) => {
                self.decoder.feed(now, &bytes);
                self.decoded(now);
            }
            Err(_) => self.exit = Some(ExitReason::TerminalLost),
        }
    }

    fn decoded(&mut self, now: Time) {
        while let Some(input) = self.decoder.poll() {
            self.event(&Event::Input(input), now);
            self.pending = Pending::Now;
        }
    }

    fn timers(&mut self, now: Time) {
        if self.decoder.poll_timeout().is_some_and(|due| now >= due) {
            self.decoder.handle_timeout(now);
            self.decoded(now);
        }
        if self.ui.poll_timeout(&self.snapshot, now).is_some_and(|due| now >= due) {
            self.event(&Event::Timeout, now);
        }
        if self.wants_frame(now) {
            self.draw(now);
        }
    }

    fn news(&mut self, news: Result<News, HubGone>, now: Time) {
        match news {
            // What changes nothing on the screen is not drawn: most reports of a machine that stands, and the wire.
            Ok(News::Snapshot(snapshot)) => {
                let same = sees_nothing_new(&self.ui, &self.snapshot, &snapshot, now);
                if self.ui.settings.bell && bell::rings(&self.snapshot, &snapshot) {
                    self.out.push(BELL);
                }
                self.snapshot = snapshot;
                self.take(&Event::Snapshot, now, same);
            }
            Ok(News::Log(event)) => {
                let unseen = self.ui.console.is_out_of_sight(&event);
                self.take(&Event::Log(event), now, unseen);
            }
            Ok(News::Answer(answer)) => self.event(&Event::Answer(answer), now),
            Err(HubGone) => self.exit = Some(ExitReason::HubGone),
        }
    }

    fn event(&mut self, event: &Event, now: Time) {
        self.take(event, now, false);
    }

    fn take(&mut self, event: &Event, now: Time, unseen: bool) {
        if self.pending == Pending::Nothing && !unseen {
            self.pending = Pending::Soon;
        }
        let mut effects: VecDeque<Effect> = update(&mut self.ui, event, &self.snapshot, now).into();
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Realtime(realtime) => self.hub.realtime(realtime),
                Effect::Submit(command) => {
                    if let Err(why) = self.hub.submit(command) {
                        let refused = Event::Refused(why.to_string());
                        effects.extend(update(&mut self.ui, &refused, &self.snapshot, now));
                    }
                }
                Effect::Ask(query) => {
                    if let Err(why) = self.hub.ask(query) {
                        let refused = Event::Answer(Answer::Done(Err(why.to_string())));
                        effects.extend(update(&mut self.ui, &refused, &self.snapshot, now));
                    }
                }
                Effect::AskTerminal => self.out.push(ASK_TERMINAL),
                Effect::SetKittyFlags(flags) => {
                    let bytes = self.guard.kitty_bytes(flags);
                    self.out.push(&bytes);
                }
                Effect::EscapeIsWhole(whole) => self.decoder.set_escape_is_whole(whole),
                Effect::Redraw => self.screen.forget(),
                Effect::Suspend => self.suspend(),
                Effect::Quit(reason) => self.exit = Some(reason),
            }
        }
    }

    fn draw(&mut self, now: Time) {
        let (ui, snapshot) = (&self.ui, &self.snapshot);
        let mut seen = Seen::default();
        let draw = |buf: &mut Buffer| {
            let drawn = view(ui, snapshot, now, buf);
            seen = drawn.seen;
            drawn.cursor
        };
        if let Ok(bytes) = self.screen.frame(draw) {
            self.out.push(&bytes);
        }
        self.pending = Pending::Nothing;
        self.last_frame = now;
        if seen != Seen::default() {
            // The frame shows already what follows from that.
            self.take(&Event::Seen(seen), now, true);
        }
    }

    /// Gives the terminal back and stops this process group; goes on when somebody continues it.
    fn suspend(&mut self) {
        self.guard.restorer().restore();
        let _ = rustix::process::kill_current_process_group(Signal::STOP);
        self.reclaim();
    }

    fn reclaim(&mut self) {
        if self.guard.reclaim().is_err() {
            self.exit = Some(ExitReason::TerminalLost);
            return;
        }
        self.ui.terminal = super::state::TerminalFacts::default();
        self.out.clear();
        self.greet();
        self.screen.resize(size_of(self.tty.get_ref()));
        self.pending = Pending::Now;
    }

    /// A jog of ours ends with us; the lease would end it too, only later.
    fn leave(&mut self, reason: ExitReason) {
        if self.ui.pad.moving().is_some() || self.snapshot.machine.jog.is_some() {
            self.hub.realtime(Realtime::JogCancel);
        }
        match reason {
            ExitReason::TerminalLost => self.guard.restorer().defuse(),
            _ => self.guard.restorer().restore(),
        }
    }
}

/// Whether something changed that is not drawn yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    Nothing,
    /// With the next frame.
    Soon,
    /// At once: a key's echo, a new size.
    Now,
}

/// Bytes on their way to the terminal.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    written: usize,
}

impl Output {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn is_empty(&self) -> bool {
        self.written == self.bytes.len()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.written = 0;
    }

    fn write_to(&mut self, mut tty: &File) -> io::Result<()> {
        while !self.is_empty() {
            match tty.write(&self.bytes[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.clear();
        Ok(())
    }
}

fn read_some(mut tty: &File) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 1024];
    loop {
        match tty.read(&mut buffer) {
            Ok(n) => return Ok(buffer[..n].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn size_of(tty: &File) -> Size {
    match tcgetwinsize(tty) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(size.ws_col, size.ws_row),
        _ => Size::new(80, 24),
    }
}

#[derive(Clone, Copy, Debug)]
enum Got {
    Hangup,
    Terminate,
    Interrupt,
    Stop,
    Continued,
    Resize,
}

struct Signals {
    hangup: SignalStream,
    terminate: SignalStream,
    quit: SignalStream,
    interrupt: SignalStream,
    stop: SignalStream,
    continued: SignalStream,
    resize: SignalStream,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?,
            continued: signal(SignalKind::from_raw(Signal::CONT.as_raw()))?,
            resize: signal(SignalKind::window_change())?,
        })
    }

    async fn next(&mut self) -> Got {
        tokio::select! {
            biased;
            _ = self.hangup.recv() => Got::Hangup,
            _ = self.terminate.recv() => Got::Terminate,
            _ = self.quit.recv() => Got::Terminate,
            _ = self.interrupt.recv() => Got::Interrupt,
            _ = self.stop.recv() => Got::Stop,
            _ = self.continued.recv() => Got::Continued,
            _ = self.resize.recv() => Got::Resize,
        }
    }
}

#[cfg(test)]
mod tests;
