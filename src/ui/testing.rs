//! Snapshots made by hand, and a screen to draw them on.

pub(super) mod power;
pub(super) mod programs;

use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::keymap::Chord;
use super::settings::Settings;
use super::state::{Effect, Event, Ui};
use super::update::update;
use super::view::view;
use crate::model::machine::{
    Accessories, AlarmInfo, BufferFree, Identity, Limits, MachineState, ModalState, Overrides, Pins,
};
use crate::model::settings::{Access, Kind, Setting, SettingsTable};
use crate::model::snapshot::{Alarm, Jog, Link, LinkState, Machine, Snapshot};
use crate::model::{AxisSet, AxisVec, Firmware, StateKind, Time};
use crate::ui::input::{Input, InputEvent};
use crossterm::event::{KeyEvent, KeyEventKind, KeyEventState};

/// The moment at which the scenes play.
pub(super) const NOW: Time = Time::from_millis(60_000);

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A simulated three-axis machine, idle and homed.
pub(super) fn idle() -> Snapshot {
    let position = AxisVec::from_slice(&[-187.655, -200.0, -5.0]);
    let offset = AxisVec::from_slice(&[-200.0, -200.0, -10.0]);
    Snapshot {
        rev: 1,
        offset_history: Vec::new(),
        at: NOW,
        machine: Machine {
            link: Link { endpoint: "sim".into(), simulated: true, state: LinkState::Up, ..Link::default() },
            identity: Some(Identity {
                firmware: Firmware::FluidNc,
                version: "v4.0.5".into(),
                name: None,
                options: String::new(),
                planner_blocks: Some(16),
                rx_bytes: Some(128),
                axes: Some(3),
            }),
            state: Some(MachineState::plain(StateKind::Idle)),
            reported_at: Some(NOW),
            report_interval: ms(200),
            machine_position: Some(position),
            work_position: Some(position.minus(&offset)),
            work_offset: Some(offset),
            homed: AxisSet::first(3),
            feed_mm_min: Some(0.0),
            spindle_rpm: Some(0.0),
            overrides: Some(Overrides { feed: 100, rapid: 100, spindle: 100 }),
            accessories: Some(Accessories::default()),
            buffer: Some(BufferFree { planner: 15, rx: 128 }),
            modal: Some(ModalState { words: vec!["G0".into(), "G54".into()] }),
            limits: Limits {
                max_rate_mm_min: AxisVec::from_slice(&[5000.0, 5000.0, 1000.0]),
                acceleration_mm_s2: AxisVec::from_slice(&[200.0, 200.0, 100.0]),
                homing: Some(true),
                ..Limits::default()
            },
            ..Machine::default()
        },
        ..Snapshot::default()
    }
}

/// Idle, with a few settings of each kind.
pub(super) fn with_settings() -> Snapshot {
    let row = |key: &str, value: &str, name: &str, kind: Kind, access: Access| Setting {
        key: key.into(),
        value: value.into(),
        name: name.into(),
        unit: if matches!(kind, Kind::Number { .. }) { "mm/min".into() } else { String::new() },
        meaning: "What it does.".into(),
        caution: if key == "3" { "The axis moves the other way.".into() } else { String::new() },
        group: if key.starts_with('/') { "axes/x".into() } else { "General".into() },
        kind,
        access,
        needs_restart: key == "Hostname",
    };
    let rate = Kind::Number { min: Some(0.001), max: None, whole: false };
    let rows = vec![
        row("3", "2", "Direction invert", Kind::Axes(3), Access::Stored),
        row("20", "1", "Soft limits", Kind::Switch, Access::Stored),
        row("110", "3000.000", "X maximum rate", rate.clone(), Access::Stored),
        row("112", "1000.000", "Z maximum rate", rate.clone(), Access::ReadOnly("change it in config.yaml".into())),
        row("Hostname", "mill", "Host name", Kind::Text, Access::Stored),
        row("/axes/x/max_rate_mm_per_min", "3000.000000", "Maximum rate", rate, Access::UntilRestart),
        row("/axes/x/soft_limits", "true", "Soft limits", Kind::Switch, Access::UntilRestart),
    ];
    let mut snapshot = idle();
    snapshot.machine.settings = Arc::new(SettingsTable { rows, complete: true });
    snapshot
}

/// In a state.
pub(super) fn in_state(state: MachineState) -> Snapshot {
    let mut snapshot = idle();
    snapshot.machine.state = Some(state);
    snapshot
}

/// Jogging towards X+.
pub(super) fn jogging() -> Snapshot {
    let mut snapshot = in_state(MachineState::plain(StateKind::Jog));
    snapshot.machine.feed_mm_min = Some(1000.0);
    snapshot.machine.jog = Some(Jog {
        direction: AxisVec::from_slice(&[1.0, 0.0, 0.0]),
        feed_mm_min: 1000.0,
        continuous: true,
        cancelling: false,
    });
    snapshot
}

/// A real FluidNC at its X limit.
pub(super) fn hard_limit() -> Snapshot {
    let mut snapshot = in_state(MachineState::plain(StateKind::Alarm));
    let machine = &mut snapshot.machine;
    machine.link.simulated = false;
    machine.link.endpoint = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0".into();
    machine.homed = AxisSet::EMPTY;
    machine.pins = Pins::from_letters("X");
    machine.alarm = Some(Alarm {
        info: Some(AlarmInfo {
            code: 1,
            name: "hard_limit".into(),
            meaning: "A limit switch was hit. The machine stopped at once and may have lost its position.".into(),
            remedy: "Reset, unlock, move off the switch by hand or by jogging away from it, then home.".into(),
            needs_soft_reset: true,
            position_lost: Some(true),
        }),
        since: NOW,
        pins: Pins::from_letters("X"),
        needs_reset: true,
    });
    snapshot
}

/// In alarm `code`, as the firmware's table tells it; the homing is on, nothing is homed.
pub(super) fn alarm(firmware: Firmware, code: u16) -> Snapshot {
    let mut snapshot = in_state(MachineState::plain(StateKind::Alarm));
    let machine = &mut snapshot.machine;
    if let Some(identity) = &mut machine.identity {
        identity.firmware = firmware;
    }
    machine.homed = AxisSet::EMPTY;
    let rows: Vec<serde_json::Value> = serde_json::from_str(include_str!("../../assets/alarms.json")).unwrap();
    let row = rows.iter().find(|row| row["firmware"] == firmware.to_string() && row["code"] == code).unwrap();
    let info: AlarmInfo = serde_json::from_value(row.clone()).unwrap();
    let needs_reset = info.needs_soft_reset;
    machine.alarm = Some(Alarm { info: Some(info), since: NOW, pins: Pins::NONE, needs_reset });
    snapshot
}

/// The link went away two seconds ago.
pub(super) fn lost() -> Snapshot {
    let mut snapshot = idle();
    snapshot.machine.homed = AxisSet::EMPTY;
    snapshot.machine.reported_at = Some(NOW - ms(7000));
    snapshot.machine.link.simulated = false;
    snapshot.machine.link.endpoint = "/dev/ttyUSB0".into();
    snapshot.machine.link.state = LinkState::Down {
        why: "the device went away: is the cable in, and is the controller powered?".into(),
        attempt: 3,
        retry_at: NOW + ms(4000),
    };
    snapshot
}

/// Nothing has ever answered.
pub(super) fn disconnected() -> Snapshot {
    let mut snapshot = Snapshot { rev: 1, at: NOW, ..Snapshot::default() };
    snapshot.machine.link.endpoint = "/dev/ttyUSB0".into();
    snapshot.machine.link.state = LinkState::Down {
        why: "/dev/ttyUSB0 does not exist: plug the machine in, or give another port with --port".into(),
        attempt: 1,
        retry_at: NOW + ms(250),
    };
    snapshot
}

/// A key event as a terminal without releases sends it.
pub(super) fn key(chord: &str, at: Time) -> InputEvent {
    key_as(chord, at, KeyEventKind::Press)
}

pub(super) fn key_as(chord: &str, at: Time, kind: KeyEventKind) -> InputEvent {
    let chord: Chord = chord.parse().unwrap();
    let state = if chord.keypad { KeyEventState::KEYPAD } else { KeyEventState::NONE };
    let key = KeyEvent { code: chord.code, modifiers: chord.modifiers, kind, state };
    InputEvent { at, batch: at.as_micros(), keys_in_batch: 1, what: Input::Key(key) }
}

/// A screen with a machine, driven by hand.
pub(super) struct Scene {
    pub(super) ui: Ui,
    pub(super) snapshot: Snapshot,
    pub(super) now: Time,
}

impl Scene {
    pub(super) fn new(snapshot: Snapshot) -> Self {
        Self { ui: Ui::new(Settings::default()), snapshot, now: NOW }
    }

    /// Presses keys, half a second apart, while the machine goes on reporting. Returns the last key's effects.
    pub(super) fn press(&mut self, chords: &[&str]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for chord in chords {
            self.wait(500);
            effects = self.input(key(chord, self.now));
        }
        effects
    }

    /// Lets time pass; the machine goes on reporting the same, timers are served when they are due.
    pub(super) fn wait(&mut self, millis: u64) -> Vec<Effect> {
        let end = self.now + ms(millis);
        let mut effects = Vec::new();
        loop {
            if self.snapshot.machine.link.is_open() {
                self.snapshot.machine.reported_at = Some(self.now);
            }
            match self.ui.poll_timeout(&self.snapshot, self.now) {
                Some(due) if due <= end => {
                    assert!(due >= self.now, "timers lie ahead");
                    self.now = due.max(self.now);
                    effects.extend(self.event(&Event::Timeout));
                }
                _ => break,
            }
        }
        self.now = end;
        if self.snapshot.machine.link.is_open() {
            self.snapshot.machine.reported_at = Some(self.now);
        }
        effects
    }

    pub(super) fn input(&mut self, input: InputEvent) -> Vec<Effect> {
        // As in the loop: what was due before the key is served before it.
        let late = self.ui.poll_timeout(&self.snapshot, self.now).is_some_and(|due| due < input.at);
        self.now = input.at;
        let mut effects = if late { self.event(&Event::Timeout) } else { Vec::new() };
        effects.extend(self.event(&Event::Input(input)));
        effects
    }

    pub(super) fn event(&mut self, event: &Event) -> Vec<Effect> {
        update(&mut self.ui, event, &self.snapshot, self.now)
    }

    pub(super) fn draw(&self, width: u16, height: u16) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        view(&self.ui, &self.snapshot, self.now, &mut buf);
        buf
    }

    /// A frame on the screen, which a person can read.
    pub(super) fn look(&mut self, width: u16, height: u16) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        let drawn = view(&self.ui, &self.snapshot, self.now, &mut buf);
        assert_eq!(self.event(&Event::Seen(drawn.seen)), []);
        self.text(width, height)
    }

    /// The screen as text, a line per row, without trailing blanks.
    pub(super) fn text(&self, width: u16, height: u16) -> String {
        let buf = self.draw(width, height);
        (0..height)
            .map(|y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// A terminal to feed a frame's bytes to.
pub(super) fn terminal(width: u16, height: u16) -> vt100::Parser {
    let size = |n| std::num::NonZeroU16::new(n).unwrap();
    vt100::Parser::new(size(height), size(width), 0)
}
