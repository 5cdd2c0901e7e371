//! What the listing commands print.

use crate::model::{AxisSet, AxisVec, Firmware};

use super::core::Machine;
use super::dollar::Answer;
use super::settings::WCS_NAMES;

impl Machine {
    pub(super) fn help(&mut self) {
        self.say(match self.firmware {
            Firmware::Grbl => "[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H ~ ! ? ctrl-x]",
            Firmware::GrblHal => "[HLP:$$ $# $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H $B ~ ! ? ctrl-x]",
            Firmware::FluidNc => {
                "HLP:$$ $+ $# $S $L $G $I $N $x=val $Nx=line $J=line $SLP $C $X $H $F $E=err ~ ! ? ctrl-x"
            }
        });
    }

    /// `$$`. FluidNC prints `$10` last.
    pub(super) fn list_settings(&mut self) {
        let mut rows: Vec<(u16, f64)> = self.settings.numbers.iter().map(|(&n, &v)| (n, v)).collect();
        if self.firmware == Firmware::FluidNc {
            rows.sort_by_key(|&(n, _)| (n == 10, n));
        }
        for (number, value) in rows {
            let text = format!("${number}={}", self.setting_text(number, value));
            self.say(&text);
        }
    }

    fn setting_text(&self, number: u16, value: f64) -> String {
        let decimals = match (self.firmware, number) {
            (Firmware::GrblHal, 100..=109) => 5,
            (Firmware::GrblHal, 0 | 24 | 25 | 392) => 1,
            (Firmware::GrblHal, 30 | 31) | (_, 11 | 12 | 24 | 25 | 27 | 100..=139) => 3,
            _ => 0,
        };
        format!("{value:.decimals$}")
    }

    /// `$#`.
    pub(super) fn list_offsets(&mut self) {
        let count = if self.profile.extended_wcs { 9 } else { 6 };
        let mut rows: Vec<String> =
            (0..count).map(|i| format!("[{}:{}]", WCS_NAMES[i], self.coordinates(&self.settings.wcs[i]))).collect();
        rows.push(format!("[G28:{}]", self.coordinates(&self.settings.g28)));
        rows.push(format!("[G30:{}]", self.coordinates(&self.settings.g30)));
        rows.push(format!("[G92:{}]", self.coordinates(&self.modal.g92)));
        match self.firmware {
            Firmware::Grbl => {
                let z = AxisVec::from_slice(&self.modal.tlo.as_slice()[2.min(self.axes - 1)..][..1]);
                rows.push(format!("[TLO:{}]", self.coordinates(&z)));
            }
            Firmware::FluidNc => rows.push(format!("[TLO:{}]", self.coordinates(&self.modal.tlo))),
            Firmware::GrblHal => {
                let mask = self.homed_mask();
                let at = if mask == 0 { AxisVec::zeros(self.axes) } else { self.home_position() };
                rows.push(format!("[HOME:{}:{mask}]", self.coordinates(&at)));
                rows.push(format!("[TLO:{}]", self.coordinates(&self.modal.tlo)));
            }
        }
        if self.firmware != Firmware::FluidNc {
            rows.push(self.probe_line());
        }
        for row in rows {
            self.say(&row);
        }
    }

    fn home_position(&self) -> AxisVec {
        let mut position = AxisVec::zeros(self.axes);
        for axis in self.homed.iter() {
            if let Some((at, negative)) = self.switch_at(axis) {
                let off = self.pull_off_mm();
                position.set(axis, if negative { at + off } else { at - off });
            }
        }
        position
    }

    pub(super) fn homed_mask(&self) -> u16 {
        self.homed.iter().map(|axis| 1 << axis.index()).sum()
    }

    /// `$I`.
    pub(super) fn list_build_info(&mut self) {
        let rows = match self.firmware {
            Firmware::Grbl => vec!["[VER:1.1h.20190830:]".to_owned(), "[OPT:V,15,128]".to_owned()],
            Firmware::FluidNc => vec![
                "[VER:4.0 FluidNC v4.0.5 (sim) :]".to_owned(),
                "[OPT:MPHS]".to_owned(),
                format!("[MSG:Machine: {}]", self.name),
            ],
            Firmware::GrblHal => {
                let letters: String = AxisSet::first(self.axes).iter().map(crate::model::Axis::letter).collect();
                vec![
                    "[VER:1.1f.20260817:]".to_owned(),
                    format!("[OPT:VNML+,100,1024,{},0]", self.axes),
                    format!("[AXS:{}:{letters}]", self.axes),
                    "[NEWOPT:ENUMS,RT+,HOME,TC,SED]".to_owned(),
                    "[FIRMWARE:grblHAL]".to_owned(),
                    "[SIGNALS:D]".to_owned(),
                    "[NVS STORAGE:*EEPROM]".to_owned(),
                    "[DRIVER:Simulator]".to_owned(),
                    "[DRIVER VERSION:260324]".to_owned(),
                    format!("[BOARD:{}]", self.name),
                ]
            }
        };
        for row in rows {
            self.say(&row);
        }
    }

    /// grblHAL's own tables, in small.
    pub(super) fn list_tables(&mut self, which: &str) -> Answer {
        let rows: &[&str] = match which {
            "$I+" => {
                self.list_build_info();
                &[]
            }
            "$LIM" | "$HSS" => {
                let letters: String = self.limits_active().iter().map(crate::model::Axis::letter).collect();
                let name = if which == "$LIM" { "LIMITS" } else { "HOMES" };
                self.say(&format!("[{name}:{letters}]"));
                &[]
            }
            "$TLR" | "$PINSTATE" => &[],
            "$EA" => &[
                "[ALARMCODE:1||Hard limit has been triggered. Machine position is likely lost due to sudden halt.]",
                "[ALARMCODE:2||Soft limit alarm. G-code motion target exceeds machine travel.]",
                "[ALARMCODE:3||Reset/E-stop while in motion. Machine position is likely lost due to sudden halt.]",
            ],
            "$EE" => &[
                "[ERRORCODE:1||G-code words consist of a letter and a value. Letter was not found.]",
                "[ERRORCODE:2||Missing the expected G-code word value or numeric value format is not valid.]",
                "[ERRORCODE:9||G-code commands are locked out during alarm or jog state.]",
            ],
            "$EG" | "$ES" | "$ESH" => {
                self.list_details(which);
                &[]
            }
            _ => &["Help topics:", " Commands", " Settings"],
        };
        for row in rows {
            self.say(row);
        }
        Ok(()).into()
    }
}
