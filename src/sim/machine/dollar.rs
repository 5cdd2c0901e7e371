//! `$` commands: which state takes which, and what they do.

use crate::model::{Axis, AxisSet, AxisVec, Firmware};

use super::core::{Machine, State};
use super::fluid::answers_at_once;
use super::gcode::Code;
use super::lines::Step;
use super::modal::Modal;
use super::settings::Settings;

/// How a `$` line is answered.
pub(super) enum Answer {
    Now(Result<(), Code>),
    /// `ok` comes after the steps that it queued.
    AfterSteps,
    Never,
}

impl From<Result<(), Code>> for Answer {
    fn from(result: Result<(), Code>) -> Self {
        Self::Now(result)
    }
}

impl Machine {
    /// A line that begins with `$`. FluidNC lets all but a few wait until nothing moves.
    pub(super) fn dollar(&mut self, line: &str) {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("$J=") || upper == "$J" {
            return self.jog_line(&line[2..]);
        }
        if self.firmware == Firmware::FluidNc && !answers_at_once(&upper) {
            self.steps.extend([Step::Sync, Step::Dollar(line.to_owned())]);
            return;
        }
        match self.run_dollar(line) {
            Answer::Now(Ok(())) => {
                self.sticky = None;
                self.reply(Ok(()));
            }
            Answer::Now(Err(code)) => self.refuse(code),
            Answer::AfterSteps => {
                self.sticky = None;
                self.steps.push_back(Step::Reply(Ok(())));
            }
            Answer::Never => {}
        }
    }

    fn jog_line(&mut self, rest: &str) {
        let resting = matches!(self.state, State::Idle | State::Jog);
        let Some(words) = rest.strip_prefix('=') else { return self.refuse(if resting { 3 } else { 8 }) };
        let result = match self.state {
            _ if self.firmware == Firmware::FluidNc && words.trim().is_empty() => Err(3),
            State::Critical if self.firmware == Firmware::GrblHal => Err(79),
            State::Idle | State::Jog => self.jog(words),
            _ => Err(8),
        };
        match result {
            Ok(()) => self.sticky = None,
            Err(code) => self.refuse(code),
        }
    }

    /// Executes a `$` line in the present state.
    pub(super) fn run_dollar(&mut self, line: &str) -> Answer {
        let upper = line.to_ascii_uppercase();
        if self.state == State::Critical && self.firmware == Firmware::GrblHal && needs_live_hal(&upper) {
            return Err(79).into();
        }
        match upper.as_str() {
            "$" => {
                self.help();
                Ok(()).into()
            }
            "$G" => {
                let text = self.modal.report(self.firmware);
                self.say(&text);
                Ok(()).into()
            }
            "$$" => self.when(self.settings_readable(), Self::list_settings),
            "$#" => self.when(self.offsets_readable(), Self::list_offsets),
            "$I" => self.when(self.info_readable(), Self::list_build_info),
            "$X" => {
                self.unlock();
                Ok(()).into()
            }
            "$C" => self.check_mode(),
            "$H" => self.home(AxisSet::first(self.axes)),
            "$SLP" => self.sleep(),
            _ => self.other_dollar(line, &upper),
        }
    }

    fn when(&mut self, allowed: bool, act: fn(&mut Self)) -> Answer {
        if !allowed {
            return Err(8).into();
        }
        act(self);
        Ok(()).into()
    }

    fn settings_readable(&self) -> bool {
        self.state != State::Run
    }

    fn offsets_readable(&self) -> bool {
        match self.firmware {
            Firmware::GrblHal => true,
            _ => !matches!(self.state, State::Run | State::Jog | State::Check),
        }
    }

    fn info_readable(&self) -> bool {
        match self.firmware {
            Firmware::GrblHal => !matches!(self.state, State::Run | State::Jog),
            _ => !matches!(self.state, State::Run | State::Jog | State::Check),
        }
    }

    fn at_rest(&self) -> bool {
        matches!(self.state, State::Idle | State::Alarm | State::Critical)
            || (self.state == State::Check && self.firmware == Firmware::GrblHal)
    }

    fn other_dollar(&mut self, line: &str, upper: &str) -> Answer {
        if let Some(letter) =
            upper.strip_prefix("$H").filter(|rest| rest.len() == 1).and_then(|rest| rest.chars().next())
            && let Some(axis) = Axis::from_letter(letter).filter(|&a| self.axes_that_home().contains(a))
        {
            // Grbl homes one axis only when built for it.
            let built_for_it = self.firmware != Firmware::Grbl;
            return if built_for_it { self.home([axis].into_iter().collect()) } else { Err(3).into() };
        }
        if self.firmware == Firmware::FluidNc {
            return self.fluid_dollar(line, upper);
        }
        if let Some(what) = upper.strip_prefix("$RST=") {
            return self.restore(what).into();
        }
        if self.firmware == Firmware::GrblHal && matches!(upper, "$EA" | "$EE" | "$EG" | "$ES" | "$ESH") {
            // The long output starves the stepper: a jog becomes a run, and 0x85 does not stop it any more.
            if self.state == State::Jog {
                self.state = State::Run;
            }
            return self.list_tables(upper);
        }
        if self.firmware == Firmware::GrblHal && matches!(upper, "$LIM" | "$HSS" | "$TLR" | "$PINSTATE") {
            return self.list_tables(upper);
        }
        if !self.at_rest() {
            return Err(8).into();
        }
        match upper {
            "$N" => {
                for i in 0..2 {
                    let text = format!("$N{i}={}", self.settings.startup[i]);
                    self.say(&text);
                }
                return Ok(()).into();
            }
            "$I+" | "$HELP" if self.firmware == Firmware::GrblHal => {
                return self.list_tables(upper);
            }
            _ => {}
        }
        if let Some(rest) = upper.strip_prefix("$N")
            && let Some((number, text)) = rest.split_once('=')
        {
            return self.set_startup(number, text).into();
        }
        match upper[1..].split_once('=') {
            Some((number, value)) => self.set_number(number, value).into(),
            None => Err(3).into(),
        }
    }

    fn set_startup(&mut self, number: &str, text: &str) -> Result<(), Code> {
        let slot: usize = number.parse().map_err(|_| 2_u16)?;
        super::gcode::Block::parse(text, self.firmware, self.axes)?;
        text.clone_into(self.settings.startup.get_mut(slot).ok_or(3_u16)?);
        Ok(())
    }

    /// `$n=value`.
    pub(super) fn set_number(&mut self, number: &str, value: &str) -> Result<(), Code> {
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(if self.firmware == Firmware::Grbl && number.is_empty() { 2 } else { 3 });
        }
        let unknown = if self.firmware == Firmware::GrblHal { 53 } else { 3 };
        let number: u16 = number.parse().map_err(|_| unknown)?;
        if !self.settings.numbers.contains_key(&number) {
            return Err(unknown);
        }
        let value: f64 = value.trim().parse().ok().filter(|v: &f64| v.is_finite()).ok_or(2_u16)?;
        if value < 0.0 {
            return Err(4);
        }
        // Soft limits need homing (Grbl, grblHAL).
        if number == 20 && value != 0.0 && !self.settings.on(22) {
            return Err(10);
        }
        self.settings.keep(number, value);
        if number == 22 && value == 0.0 {
            self.settings.keep(20, 0.0);
        }
        Ok(())
    }

    /// `$X`. FluidNC takes the axes for homed from then on, whether they are or not.
    fn unlock(&mut self) {
        if self.state == State::Alarm {
            self.state = State::Idle;
            if self.firmware == Firmware::FluidNc {
                self.homed = self.axes_that_home();
                self.planner.flush();
            }
            self.modal.position = self.planner.position();
            self.message("Caution: Unlocked");
        }
    }

    fn check_mode(&mut self) -> Answer {
        match self.state {
            State::Idle => {
                self.message("Enabled");
                self.state = State::Check;
                Ok(()).into()
            }
            State::Check => {
                self.message("Disabled");
                if self.firmware != Firmware::FluidNc {
                    self.reply(Ok(()));
                }
                self.soft_reset();
                Answer::Never
            }
            State::Critical if self.firmware == Firmware::GrblHal => Err(79).into(),
            _ => Err(8).into(),
        }
    }

    /// `$H`: the reply comes after the cycle. FluidNC says `ok` even when it failed.
    pub(super) fn home(&mut self, axes: AxisSet) -> Answer {
        if !self.settings.on(22) {
            return Err(5).into();
        }
        match self.state {
            State::Idle | State::Alarm => {
                let axes: AxisSet = axes.iter().filter(|&a| self.axes_that_home().contains(a)).collect();
                let homing = self.homing_of(axes);
                self.steps.push_back(Step::Home(homing));
                Answer::AfterSteps
            }
            State::Critical if self.firmware == Firmware::GrblHal => Err(79).into(),
            _ => Err(8).into(),
        }
    }

    /// `$SLP`. grblHAL does not sleep unless `$62=1`.
    fn sleep(&mut self) -> Answer {
        if self.firmware == Firmware::GrblHal && !self.settings.on(62) {
            return Err(3).into();
        }
        if !matches!(self.state, State::Idle | State::Alarm) {
            return Err(8).into();
        }
        self.reply(Ok(()));
        self.message("Sleeping");
        self.state = State::Sleep;
        self.modal.spindle = super::modal::SpindleMode::Off;
        self.accessories_changed();
        Answer::Never
    }

    /// `$RST=$`, `#`, `*`.
    pub(super) fn restore(&mut self, what: &str) -> Result<(), Code> {
        if !matches!(what, "$" | "#" | "*") {
            return Err(3);
        }
        if !self.at_rest() {
            return Err(8);
        }
        let fresh = Settings::defaults(self.firmware, self.axes);
        if what != "#" {
            self.settings.numbers.clone_from(&fresh.numbers);
        }
        if what != "$" {
            let zero = AxisVec::zeros(self.axes);
            (self.settings.wcs, self.settings.g28, self.settings.g30) = ([zero; 9], zero, zero);
            self.modal.g92 = Modal::new(self.axes).g92;
            self.offsets_changed();
        }
        if what == "*" {
            self.settings.startup = Default::default();
        }
        self.message("Restoring defaults");
        Ok(())
    }
}

/// grblHAL commands that exist but are refused after a critical alarm.
fn needs_live_hal(upper: &str) -> bool {
    let one_axis = upper.strip_prefix("$H").is_some_and(|rest| matches!(rest.as_bytes(), [b'A'..=b'C' | b'U'..=b'Z']));
    let write = upper[1..].split_once('=').is_some_and(|(name, value)| match name {
        "RST" => matches!(value, "$" | "#" | "*"),
        "N0" | "N1" | "SLP" => true,
        _ => name.bytes().all(|b| b.is_ascii_digit()),
    });
    one_axis || write || matches!(upper, "$$" | "$X" | "$H" | "$C" | "$SLP")
}
