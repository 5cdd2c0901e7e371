//! Status reports, and the reports that FluidNC sends by itself.

use std::fmt::Write;
use std::time::Duration;

use crate::model::{AxisVec, Firmware, Time};

use super::core::{Machine, State};
use super::modal::{Modal, SpindleMode};
use super::settings::WCS_NAMES;

/// Which fields are due, and what was told last.
#[derive(Clone, Debug)]
pub(super) struct Reports {
    wco_in: u8,
    overrides_in: u8,
    accessories_due: bool,
    homed_due: bool,
    tool_reference_due: bool,
    interval: Option<Duration>,
    auto_at: Option<Time>,
    auto_now: bool,
    last_state: String,
    last_pins: String,
    last_modal: Option<Modal>,
    told_offsets: Vec<AxisVec>,
}

impl Reports {
    pub(super) fn new(axes: usize) -> Self {
        Self {
            wco_in: 0,
            overrides_in: 1,
            accessories_due: false,
            homed_due: false,
            tool_reference_due: false,
            interval: None,
            auto_at: None,
            auto_now: false,
            last_state: String::new(),
            last_pins: String::new(),
            last_modal: None,
            // G54 … G59.3 and G92; only what is not zero is news.
            told_offsets: vec![AxisVec::zeros(axes); 10],
        }
    }

    /// After a reset everything is told anew; grblHAL begins with the overrides, the others with the offset.
    pub(super) fn restart(&mut self, firmware: Firmware) {
        let hal = firmware == Firmware::GrblHal;
        (self.wco_in, self.overrides_in) = if hal { (1, 0) } else { (0, 1) };
        (self.accessories_due, self.tool_reference_due) = (hal, hal);
        self.auto_now = self.interval.is_some();
    }

    /// Auto-report is a property of the channel, gone after power-off.
    pub(super) fn power_cycle(&mut self) {
        self.set_interval(None);
    }

    pub(super) fn set_interval(&mut self, interval: Option<Duration>) {
        self.interval = interval;
        self.auto_at = None;
        self.auto_now = interval.is_some();
        self.last_modal = None;
        if interval.is_some() {
            self.wco_in = 0;
        }
    }

    pub(super) fn homed_changed(&mut self) {
        self.homed_due = true;
    }
}

impl Machine {
    /// The word in the report.
    pub(super) fn state_text(&self) -> &'static str {
        match self.state {
            State::Idle => "Idle",
            State::Run => "Run",
            State::Jog => "Jog",
            State::Hold if self.braking.is_some() => "Hold:1",
            State::Hold => "Hold:0",
            State::Door if self.braking.is_some() => "Door:2",
            State::Door if self.restoring_until.is_some() => "Door:4",
            State::Door if self.switches.pressed.contains(&'D') => "Door:1",
            State::Door => "Door:0",
            State::Alarm | State::Critical => "Alarm",
            State::Check => "Check",
            State::Home => "Home",
            State::Sleep => "Sleep",
            State::Tool => "Tool",
        }
    }

    const fn is_busy(&self) -> bool {
        matches!(self.state, State::Run | State::Jog | State::Home | State::Hold | State::Door)
    }

    /// Numbers with three decimals, four in inches.
    pub(super) fn coordinates(&self, values: &AxisVec) -> String {
        let inches = self.settings.on(13);
        let texts: Vec<String> = values
            .iter()
            .map(|(axis, v)| {
                // `+ 0.0` turns −0 into 0; nothing prints "-0.000".
                if inches && !axis.is_rotary() {
                    format!("{:.4}", (v / 25.4 * 1e4).round() / 1e4 + 0.0)
                } else {
                    format!("{:.3}", (v * 1e3).round() / 1e3 + 0.0)
                }
            })
            .collect();
        texts.join(",")
    }

    /// `<…>`; `full` is grblHAL's 0x87, every field at once.
    pub(super) fn report_status(&mut self, full: bool) {
        let mut text = format!("<{}", self.state_text());
        let mask = self.settings.get(10) as u32;
        let position = self.planner.position();
        if mask & 1 != 0 {
            let _ = write!(text, "|MPos:{}", self.coordinates(&position));
        } else {
            let _ = write!(text, "|WPos:{}", self.coordinates(&position.minus(&self.wco())));
        }
        if mask & 2 != 0 {
            let _ = write!(text, "|Bf:{},{}", self.planner.free(), self.rx_free());
        }
        let scale = if self.settings.on(13) { 25.4 } else { 1.0 };
        let _ = write!(text, "|FS:{:.0},{:.0}", self.shown_feed() / scale, self.spindle_rpm());
        let pins = self.pin_letters();
        if !pins.is_empty() {
            let _ = write!(text, "|Pn:{pins}");
        }
        self.occasional_fields(&mut text, full);
        text.push('>');
        self.say(&text);
    }

    /// Network channels of FluidNC have larger buffers.
    fn rx_free(&self) -> usize {
        if self.network && self.firmware == Firmware::FluidNc { 1200 } else { self.rx.free() }
    }

    /// FluidNC and Grbl show the speed of the tool; grblHAL keeps showing the programmed feed in a hold.
    fn shown_feed(&self) -> f64 {
        let standing = matches!(self.state, State::Hold | State::Door) && self.braking.is_none();
        if standing && self.firmware == Firmware::GrblHal && !self.planner.is_empty() {
            return self.modal.feed;
        }
        if self.is_busy() { self.planner.speed_mm_s() * 60.0 } else { 0.0 }
    }

    fn occasional_fields(&mut self, text: &mut String, full: bool) {
        let busy = self.is_busy();
        let hal = self.firmware == Firmware::GrblHal;
        let wco_due = self.reports.wco_in == 0;
        self.reports.wco_in = self.reports.wco_in.saturating_sub(1);
        if wco_due || full {
            self.reports.wco_in = if busy { 29 } else { 9 };
            if self.reports.overrides_in == 0 {
                self.reports.overrides_in = 1;
            }
            let _ = write!(text, "|WCO:{}", self.coordinates(&self.wco()));
        }
        let overrides_due = self.reports.overrides_in == 0;
        self.reports.overrides_in = self.reports.overrides_in.saturating_sub(1);
        if overrides_due || full {
            self.reports.overrides_in = if busy { 19 } else { 9 };
            let _ = write!(text, "|Ov:{},{},{}", self.feed_override, self.rapid_override, self.spindle_override);
        }
        let accessories = self.accessory_letters();
        let told = if hal { self.reports.accessories_due || full } else { overrides_due && !accessories.is_empty() };
        if told {
            let _ = write!(text, "|A:{accessories}");
            self.reports.accessories_due = false;
        }
        if hal && (std::mem::take(&mut self.reports.homed_due) || full) {
            let _ = write!(text, "|H:{}", u8::from(!self.homed.is_empty()));
            if !self.homed.is_empty() {
                let _ = write!(text, ",{}", self.homed_mask());
            }
        }
        if hal && (std::mem::take(&mut self.reports.tool_reference_due) || full) {
            text.push_str("|TLR:0");
        }
        if full {
            let _ = write!(text, "|FW:grblHAL");
        }
    }

    fn accessory_letters(&self) -> String {
        let spindle = match self.modal.spindle {
            _ if self.spindle_stopped => "",
            SpindleMode::Off => "",
            SpindleMode::Clockwise => "S",
            SpindleMode::CounterClockwise => "C",
        };
        let flood = if self.modal.flood { "F" } else { "" };
        let mist = if self.modal.mist { "M" } else { "" };
        let tool = if self.state == State::Tool { "T" } else { "" };
        format!("{spindle}{flood}{mist}{tool}")
    }

    /// An override changed: the next report says so.
    pub(super) fn overrides_changed(&mut self) {
        self.reports.overrides_in = 0;
        self.reports.accessories_due = true;
        self.reports.auto_now = true;
    }

    /// Spindle or coolant changed.
    pub(super) fn accessories_changed(&mut self) {
        self.overrides_changed();
    }

    /// The work offset changed. FluidNC says so at once only where it reports by itself; a sender that polls sees
    /// the old one until the field's turn comes.
    pub(super) fn offsets_changed(&mut self) {
        if self.firmware != Firmware::FluidNc || self.reports.interval.is_some() {
            self.reports.wco_in = 0;
        }
        self.reports.auto_now = true;
    }

    /// When the next report is due by itself.
    pub(super) fn auto_report_due(&self) -> Option<Time> {
        self.reports.auto_at.filter(|_| self.is_busy() && self.resetting.is_none())
    }

    /// FluidNC `$RI=`: on change, and at the interval while something moves.
    pub(super) fn auto_report(&mut self) {
        let Some(interval) = self.reports.interval else { return };
        if self.resetting.is_some() {
            return;
        }
        let state = self.state_text();
        let pins = self.pin_letters();
        let news = self.reports.auto_now || state != self.reports.last_state || pins != self.reports.last_pins;
        let due = self.is_busy() && self.reports.auto_at.is_some_and(|at| at <= self.now);
        if news || due {
            self.reports.auto_now = false;
            state.clone_into(&mut self.reports.last_state);
            self.reports.last_pins = pins;
            self.reports.auto_at = Some(self.now + interval);
            self.report_status(false);
        }
        self.push_offsets();
        self.push_modal();
    }

    fn push_offsets(&mut self) {
        let present: Vec<AxisVec> = self.settings.wcs.iter().copied().chain([self.modal.g92]).collect();
        let names = WCS_NAMES.iter().copied().chain(["G92"]);
        let told = std::mem::replace(&mut self.reports.told_offsets, present.clone());
        for ((name, now), before) in names.zip(present).zip(told) {
            if now != before {
                let text = format!("[{name}:{}]", self.coordinates(&now));
                self.say(&text);
            }
        }
    }

    fn push_modal(&mut self) {
        let present =
            Modal { position: AxisVec::zeros(self.axes), g92: AxisVec::zeros(self.axes), ..self.modal.clone() };
        if self.reports.last_modal.as_ref() != Some(&present) {
            let text = self.modal.report(self.firmware);
            self.say(&text);
            self.reports.last_modal = Some(present);
        }
    }
}
