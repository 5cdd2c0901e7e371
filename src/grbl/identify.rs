//! Who answers: banners and the replies to `$I`.

use super::reply::Reply;
use crate::model::Firmware;
use crate::model::machine::{Identity, StatusReport};

/// What every controller of these families can take: Grbl's 128 less one.
const SAFE_WINDOW: u16 = 127;
/// Most bytes that may be unacknowledged on a link without pacing: a feed hold may have to wait behind all of them.
pub const UNPACED: u16 = 128;
/// Most bytes that may be unacknowledged at all (grblHAL's 1024 less one): a line that has left cannot be taken back.
const LARGEST: u16 = 1023;

/// Fewer receive bytes than this are not believed: no controller of these families could take a line.
const MIN_RX: u16 = 64;

/// Gathers what a controller says of itself.
///
/// Feed it every reply from the opening of the link (or a banner) on; when the `ok` of `$I` has come,
/// [`finish`](Self::finish) tells who it is.
#[derive(Clone, Debug, Default)]
pub struct IdentityBuilder {
    hint: Option<Hint>,
    banner_version: Option<String>,
    version: Option<String>,
    user_text: Option<String>,
    name: Option<String>,
    options: Option<String>,
    planner_blocks: Option<u16>,
    rx_bytes: Option<u16>,
    axes: Option<u8>,
}

/// A family, and whether another sign could still overrule it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hint {
    firmware: Firmware,
    sure: bool,
}

impl IdentityBuilder {
    /// Takes note of one reply; those that say nothing about identity are passed over.
    pub fn fold(&mut self, reply: &Reply) {
        match reply {
            Reply::Banner(banner) => {
                // A grblHAL in compatibility mode says Grbl; only `$I` tells.
                self.suppose(banner.firmware, banner.firmware != Firmware::Grbl);
                self.banner_version = Some(banner.version.clone());
            }
            Reply::Info { key, value } => self.info(key, value),
            Reply::Message { text, .. } => {
                // FluidNC ends `$I` with `[MSG:Machine: name]`.
                if let Some(name) = text.strip_prefix("Machine: ") {
                    self.name = not_blank(name);
                }
                // The first line of its boot log.
                if text.starts_with("FluidNC v") {
                    self.suppose(Firmware::FluidNc, true);
                }
            }
            Reply::Status(report) if has_grblhal_field(report) => self.suppose(Firmware::GrblHal, false),
            _ => {}
        }
    }

    /// The family as far as it is known now. Enough to choose how to stop; not final before
    /// [`finish`](Self::finish).
    pub fn firmware_hint(&self) -> Option<Firmware> {
        self.hint.map(|hint| hint.firmware)
    }

    /// The identity, once `[VER:…]` was told. A controller that told nothing else is a Grbl.
    pub fn finish(&self) -> Option<Identity> {
        let version = self.version.clone()?;
        let firmware = self.firmware_hint().unwrap_or(Firmware::Grbl);
        // FluidNC tells no sizes; numbers there would be something else.
        let sizes = firmware != Firmware::FluidNc;
        Some(Identity {
            firmware,
            version,
            name: self.name.clone().or_else(|| self.user_text.clone()),
            options: self.options.clone().unwrap_or_default(),
            planner_blocks: self.planner_blocks.filter(|_| sizes),
            rx_bytes: self.rx_bytes.filter(|_| sizes),
            axes: self.axes,
        })
    }

    /// Version of the banner, for a link on which `$I` may not be asked yet.
    pub fn banner_version(&self) -> Option<&str> {
        self.banner_version.as_deref()
    }

    fn suppose(&mut self, firmware: Firmware, sure: bool) {
        if sure || !self.hint.is_some_and(|hint| hint.sure) {
            self.hint = Some(Hint { firmware, sure });
        }
    }

    fn info(&mut self, key: &str, value: &str) {
        match key {
            "VER" => self.ver(value),
            "OPT" => self.opt(value),
            "AXS" => {
                self.axes = value.split(':').next().and_then(|n| n.parse().ok()).filter(|n| (1..=9).contains(n));
                self.suppose(Firmware::GrblHal, true);
            }
            "NEWOPT" => self.suppose(Firmware::GrblHal, true),
            "FIRMWARE" if value.eq_ignore_ascii_case("grblHAL") => self.suppose(Firmware::GrblHal, true),
            "BOARD" => self.name = not_blank(value),
            _ => {}
        }
    }

    /// Grbl and grblHAL `1.1h.20190830:user text`, FluidNC `4.0 FluidNC v4.0.5 (esp32-wifi) :`.
    fn ver(&mut self, value: &str) {
        let (version, user_text) = value.split_once(':').unwrap_or((value, ""));
        self.user_text = not_blank(user_text);
        if let Some((_, rest)) = version.split_once("FluidNC ") {
            self.suppose(Firmware::FluidNc, true);
            self.version = rest.split_ascii_whitespace().next().map(str::to_owned);
        } else {
            if self.hint.is_none() {
                self.suppose(Firmware::Grbl, false);
            }
            self.version = not_blank(version);
        }
    }

    /// `V,15,128` (Grbl: letters, planner blocks, receive bytes), `VNML+,100,1024,3,0` (grblHAL: axes and tools
    /// too), `MPHS` (FluidNC).
    fn opt(&mut self, value: &str) {
        let mut parts = value.split(',').map(str::trim);
        self.options = parts.next().map(str::to_owned);
        self.planner_blocks = parts.next().and_then(|n| n.parse().ok());
        self.rx_bytes = parts.next().and_then(|n| n.parse().ok());
        if let Some(axes) = parts.next().and_then(|n| n.parse().ok()).filter(|n| (1..=9).contains(n)) {
            self.axes = self.axes.or(Some(axes));
        }
    }
}

fn not_blank(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Fields that grblHAL alone prints.
fn has_grblhal_field(report: &StatusReport) -> bool {
    report.wcs.is_some()
        || report.homed.is_some()
        || report.tool.is_some()
        || report.tlr.is_some()
        || report.mpg.is_some()
        || report.spindle_actual_rpm.is_some()
}

/// How many bytes of lines, line feeds counted, may be unacknowledged at a time.
///
/// On a serial line it is what the controller reports less one (the ring buffers keep one place free), where
/// it reports anything believable; FluidNC reports nothing and has 128 on its UART with a driver's buffer of 256 behind it.
/// On a network (`network`) the report describes another buffer; FluidNC has 1200 bytes for telnet and 256 for WebSocket.
///
/// Where writes are not `paced` to the wire, all of the window may wait in a kernel before a realtime byte: no more than
/// [`UNPACED`] then.
///
/// A line can be longer than this (FluidNC takes 128 bytes with the line feed, grblHAL 256). It goes alone, with
/// nothing unacknowledged before it: a controller that waits empties its buffer while the line comes in.
pub fn rx_window(identity: Option<&Identity>, network: bool, paced: bool) -> u16 {
    if identity.is_some_and(|identity| identity.firmware == Firmware::FluidNc) {
        return UNPACED;
    }
    let reported = identity.and_then(|identity| identity.rx_bytes).filter(|&rx| rx >= MIN_RX && !network);
    reported.map_or(SAFE_WINDOW, |rx| (rx - 1).min(if paced { LARGEST } else { UNPACED }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grbl::reply;

    fn told(lines: &[&str]) -> IdentityBuilder {
        let mut builder = IdentityBuilder::default();
        for line in lines {
            builder.fold(&reply::parse(line.as_bytes(), builder.firmware_hint()));
        }
        builder
    }

    fn grbl() -> Identity {
        told(&["[VER:1.1h.20190830:bench mill]", "[OPT:VL,15,128]"]).finish().expect("told its version")
    }

    #[test]
    fn grbl_tells_its_buffers() {
        assert_eq!(
            grbl(),
            Identity {
                firmware: Firmware::Grbl,
                version: "1.1h.20190830".to_owned(),
                name: Some("bench mill".to_owned()),
                options: "VL".to_owned(),
                planner_blocks: Some(15),
                rx_bytes: Some(128),
                axes: None,
            }
        );
    }

    #[test]
    fn grblhal_is_known_behind_the_banner_of_grbl() {
        let mut builder = told(&["Grbl 1.1f ['$' for help]"]);
        assert_eq!((builder.firmware_hint(), builder.banner_version()), (Some(Firmware::Grbl), Some("1.1f")));
        assert_eq!(builder.finish(), None);
        for line in ["[VER:1.1f.20260101:]", "[OPT:VN,100,1024,4,0]", "[FIRMWARE:grblHAL]", "[BOARD:Corner]"] {
            builder.fold(&reply::parse(line.as_bytes(), None));
        }
        let identity = builder.finish().expect("told its version");
        assert_eq!((identity.firmware, identity.axes), (Firmware::GrblHal, Some(4)));
        assert_eq!((identity.rx_bytes, identity.name.as_deref()), (Some(1024), Some("Corner")));
    }

    #[test]
    fn fluidnc_tells_version_and_name_but_no_sizes() {
        for (ver, version) in [
            ("[VER:4.0 FluidNC v4.0.5-pre2 (esp32-wifi) :]", "v4.0.5-pre2"),
            ("[VER:3.9 FluidNC v3.9.1 (esp32) :note]", "v3.9.1"),
        ] {
            let identity = told(&[ver, "[OPT:MPHS]", "[MSG:Machine: Router]"]).finish().expect("told its version");
            assert_eq!((identity.firmware, identity.version.as_str()), (Firmware::FluidNc, version));
            assert_eq!((identity.options.as_str(), identity.name.as_deref()), ("MPHS", Some("Router")));
            assert_eq!((identity.planner_blocks, identity.rx_bytes, identity.axes), (None, None, None));
        }
    }

    #[test]
    fn the_family_shows_before_it_is_asked() {
        for (line, firmware) in [
            ("Grbl 4.0 [FluidNC v4.0.5 (esp32-wifi) '$' for help]", Some(Firmware::FluidNc)),
            ("[MSG:INFO: FluidNC v4.0.5 https://github.com/bdring/FluidNC]", Some(Firmware::FluidNc)),
            ("GrblHAL 1.1f ['$' or '$HELP' for help]", Some(Firmware::GrblHal)),
            ("<Run|MPos:0.000,0.000,0.000|FS:0,0|H:1>", Some(Firmware::GrblHal)),
            ("<Run|MPos:0.000,0.000,0.000|FS:0,0>", None),
            ("ok", None),
        ] {
            assert_eq!(told(&[line]).firmware_hint(), firmware, "{line}");
        }
        // What is sure is not overruled by what is likely.
        let builder = told(&["GrblHAL 1.1f ['$' for help]", "[VER:1.1f.20260101:]"]);
        assert_eq!(builder.firmware_hint(), Some(Firmware::GrblHal));
    }

    #[test]
    fn the_window_never_exceeds_what_a_stop_can_wait_for() {
        let with = |rx_bytes| Identity { rx_bytes, ..grbl() };
        for (identity, network, window) in [
            (None, false, 127),
            (Some(with(None)), false, 127),
            (Some(with(Some(128))), false, 127),
            (Some(with(Some(1024))), false, 128),
            (Some(with(Some(100))), false, 99),
            (Some(with(Some(0))), false, 127),
            (Some(with(Some(100))), true, 127),
        ] {
            assert_eq!(rx_window(identity.as_ref(), network, false), window, "{identity:?}");
        }
        assert_eq!(rx_window(Some(&with(Some(1024))), false, true), 1023, "the pacer keeps a stop's way free");
        assert_eq!(rx_window(Some(&with(Some(128))), false, true), 127);
        let fluidnc = Identity { firmware: Firmware::FluidNc, ..with(None) };
        assert_eq!((rx_window(Some(&fluidnc), false, true), rx_window(Some(&fluidnc), true, false)), (128, 128));
    }
}
