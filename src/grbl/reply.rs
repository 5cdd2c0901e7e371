//! What the controller prints, line by line.

use std::borrow::Cow;

use super::{numbers, status};
use crate::model::axes::AxisVec;
use crate::model::machine::{Firmware, MessageLevel, ModalState, ProbeResult, StatusReport};

/// One received line, understood. Parsing never fails: what is not known is [`Reply::Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// `ok`.
    Ok,
    /// `error:n`; 0 where words stand in place of the number (before Grbl 1.1).
    Error(u16),
    /// `ALARM:n`; 0 as for [`Reply::Error`].
    Alarm(u16),
    /// `<…>`.
    Status(Box<StatusReport>),
    /// A start-up banner.
    Banner(Banner),
    /// `[MSG:…]`, with the level that FluidNC tells.
    Message {
        /// Severity, Info where none is told.
        level: MessageLevel,
        /// Text without the brackets and the level.
        text: String,
    },
    /// `[GC:…]`.
    Modal(ModalState),
    /// `[G54:…]` … `[G92:…]`, `[TLO:…]`.
    Offset {
        /// The name before the colon.
        name: String,
        /// The numbers.
        value: AxisVec,
    },
    /// `[PRB:…]`.
    Probe(ProbeResult),
    /// Another bracketed pair of `$I`, `$#` and the like: `[VER:…]`, `[OPT:…]`, `[AXS:…]`, `[FIRMWARE:…]`, `[NEWOPT:…]`, `[HOME:…]`, `[T:…]`, `[HLP:…]`, `[FILE:…]`, …
    Info {
        /// Before the first colon.
        key: String,
        /// After it.
        value: String,
    },
    /// `[echo:…]`.
    Echo(String),
    /// `[JSON:…]`, one piece.
    Json(String),
    /// `$n=v` or `$/path=v`.
    Setting {
        /// Without the `$`.
        name: String,
        /// As printed.
        value: String,
    },
    /// `>line:ok` or `>line:error:n`: a stored start-up line that ran at boot.
    Startup {
        /// The line.
        line: String,
        /// `None` = ok.
        error: Option<u16>,
    },
    /// An empty line.
    Empty,
    /// Printable text that belongs to no known form (listings, boot messages, YAML).
    Text(String),
    /// Not text at all: wrong baud rate, a boot ROM at another rate, noise.
    Garbage(usize),
}

/// A start-up banner: `Grbl 1.1h ['$' for help]` and its relatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    /// Which family, as far as the banner tells (a grblHAL in compatibility mode says Grbl).
    pub firmware: Firmware,
    /// Version as printed, e.g. `1.1h`, `v4.0.5`.
    pub version: String,
    /// The whole line.
    pub text: String,
}

/// Reads one received line, without its line feed (a carriage return at the end is dropped).
///
/// Takes any bytes. Control bytes and bytes that are no UTF-8 come out as one `·` each, a tab as a blank, so
/// that what is kept can be shown on any terminal; a line of which a third or more is such bytes is
/// [`Reply::Garbage`].
pub fn parse(line: &[u8], firmware: Option<Firmware>) -> Reply {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Reply::Empty;
    }
    if let Some(report) = status::parse(line, firmware) {
        return Reply::Status(Box::new(report));
    }
    let Some(text) = printable(line) else { return Reply::Garbage(line.len()) };
    let text = text.as_ref();
    plain(text)
        .or_else(|| bracketed(text, firmware))
        .or_else(|| setting(text))
        .or_else(|| startup(text))
        .or_else(|| banner(text).map(Reply::Banner))
        .unwrap_or_else(|| Reply::Text(text.to_owned()))
}

/// The line as text that a terminal can show; `None` when it is mostly not text.
fn printable(line: &[u8]) -> Option<Cow<'_, str>> {
    if let Ok(text) = std::str::from_utf8(line)
        && text.bytes().all(|b| matches!(b, b' '..=b'~'))
    {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(line.len());
    let mut bad_bytes = 0;
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => out.push(' '),
                c if is_unprintable(c) => {
                    bad_bytes += c.len_utf8();
                    out.push('·');
                }
                c => out.push(c),
            }
        }
        bad_bytes += chunk.invalid().len();
        out.extend(chunk.invalid().iter().map(|_| '·'));
    }
    (bad_bytes * 3 < line.len()).then_some(Cow::Owned(out))
}

/// Characters that act on a terminal or show nothing: controls, zero-width characters, changes of direction.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// `ok`, `error:…`, `ALARM:…`, `HLP:…`.
fn plain(text: &str) -> Option<Reply> {
    if text.trim_end() == "ok" {
        return Some(Reply::Ok);
    }
    if let Some(code) = text.strip_prefix("error:") {
        return Some(Reply::Error(leading_number(code)));
    }
    if let Some(code) = text.strip_prefix("ALARM:") {
        return Some(Reply::Alarm(leading_number(code)));
    }
    // FluidNC prints its `$` help without brackets.
    text.strip_prefix("HLP:").map(|help| Reply::Info { key: "HLP".to_owned(), value: help.to_owned() })
}

/// The number at the start, 0 where there is none.
fn leading_number(text: &str) -> u16 {
    let text = text.trim_start();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    numbers::integer16(&text.as_bytes()[..digits]).unwrap_or(0)
}

/// `[KEY:value]`.
fn bracketed(text: &str, firmware: Option<Firmware>) -> Option<Reply> {
    let (key, value) = text.trim_end().strip_prefix('[')?.strip_suffix(']')?.split_once(':')?;
    let reply = match key {
        "MSG" => message(value, firmware),
        "GC" => Reply::Modal(ModalState { words: value.split_ascii_whitespace().map(str::to_owned).collect() }),
        "echo" => Reply::Echo(value.trim_start().to_owned()),
        "JSON" => Reply::Json(value.to_owned()),
        "PRB" => Reply::Probe(probe(value)?),
        "TLO" | "G28" | "G30" | "G54" | "G55" | "G56" | "G57" | "G58" | "G59" | "G59.1" | "G59.2" | "G59.3" | "G92" => {
            Reply::Offset { name: key.to_owned(), value: numbers::list(value.as_bytes())? }
        }
        _ => Reply::Info { key: key.to_owned(), value: value.trim_start().to_owned() },
    };
    Some(reply)
}

/// Takes the level off. FluidNC writes it in capitals (`Logging.cpp`), grblHAL as a word (`report_message`).
fn message(value: &str, firmware: Option<Firmware>) -> Reply {
    const FLUIDNC: [(&str, MessageLevel); 5] = [
        ("INFO:", MessageLevel::Info),
        ("ERR:", MessageLevel::Error),
        ("WARN:", MessageLevel::Warning),
        ("DBG:", MessageLevel::Debug),
        ("VRB:", MessageLevel::Verbose),
    ];
    const GRBLHAL: [(&str, MessageLevel); 4] = [
        ("Info:", MessageLevel::Info),
        ("Warning:", MessageLevel::Warning),
        ("Error:", MessageLevel::Error),
        ("Debug:", MessageLevel::Debug),
    ];
    let levels: &[_] = match firmware {
        Some(Firmware::Grbl) => &[],
        Some(Firmware::GrblHal) => &GRBLHAL,
        Some(Firmware::FluidNc) | None => &FLUIDNC,
    };
    let (level, text) = levels
        .iter()
        .find_map(|&(prefix, level)| value.strip_prefix(prefix).map(|text| (level, text)))
        .unwrap_or((MessageLevel::Info, value));
    // One blank belongs to the level; more of them are FluidNC's indentation.
    Reply::Message { level, text: text.strip_prefix(' ').unwrap_or(text).to_owned() }
}

/// `x,y,z:1`.
fn probe(value: &str) -> Option<ProbeResult> {
    let (position, success) = value.rsplit_once(':')?;
    let success = match success {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    Some(ProbeResult { position: numbers::list(position.as_bytes())?, success })
}

/// `$n=v`, `$/path=v`. Help listings look alike: FluidNC's have blanks in the name (`$SD/Run or $ESP220 =path`),
/// grblHAL's name commands (`$J=<gcode> - jog machine.`).
fn setting(text: &str) -> Option<Reply> {
    let (name, value) = text.strip_prefix('$')?.split_once('=')?;
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'.' | b'-' | b'+');
    let is_setting = !name.is_empty() && name.bytes().all(is_name) && !matches!(name, "I" | "J" | "RST" | "SED");
    is_setting.then(|| Reply::Setting { name: name.to_owned(), value: value.to_owned() })
}

/// `>line:ok`, `>line:error:n`.
fn startup(text: &str) -> Option<Reply> {
    let body = text.trim_end().strip_prefix('>')?;
    if let Some(line) = body.strip_suffix(":ok") {
        return Some(Reply::Startup { line: line.to_owned(), error: None });
    }
    let (line, code) = body.rsplit_once(":error:")?;
    Some(Reply::Startup { line: line.to_owned(), error: Some(leading_number(code)) })
}

/// `Grbl 1.1h ['$' for help]`, `GrblHAL 1.1f ['$' or '$HELP' for help]`,
/// `Grbl 4.0 [FluidNC v4.0.5 (esp32-wifi) '$' for help]`.
fn banner(text: &str) -> Option<Banner> {
    let (name, rest) = text.trim_end().split_once(' ')?;
    let family = match name {
        "Grbl" => Firmware::Grbl,
        "GrblHAL" | "grblHAL" => Firmware::GrblHal,
        _ => return None,
    };
    let rest = rest.trim_start();
    let (version, note) = rest.split_once([' ', '[']).unwrap_or((rest, ""));
    let note = note.trim_start_matches([' ', '[']);
    if !version.starts_with(|c: char| c.is_ascii_digit()) || !(note.is_empty() || note.ends_with(']')) {
        return None;
    }
    let (firmware, version) = match note.strip_prefix("FluidNC ") {
        Some(fluidnc) => (Firmware::FluidNc, fluidnc.split([' ', ']']).next().unwrap_or(version)),
        None => (family, version),
    };
    Some(Banner { firmware, version: version.to_owned(), text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Reply {
        parse(text.as_bytes(), None)
    }

    fn info(key: &str, value: &str) -> Reply {
        Reply::Info { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn answers_are_read() {
        assert_eq!((of("ok"), of("ok\r"), of("okay")), (Reply::Ok, Reply::Ok, Reply::Text("okay".to_owned())));
        assert_eq!(
            (of("error:9"), of("error:253"), of("ALARM:14")),
            (Reply::Error(9), Reply::Error(253), Reply::Alarm(14))
        );
        assert_eq!((of("error: Bad number format"), of("ALARM: Hard limit")), (Reply::Error(0), Reply::Alarm(0)));
        assert_eq!((of(""), of("\r")), (Reply::Empty, Reply::Empty));
    }

    #[test]
    fn banners_tell_the_family_and_its_version() {
        for (text, firmware, version) in [
            ("Grbl 1.1h ['$' for help]", Firmware::Grbl, "1.1h"),
            ("GrblHAL 1.1f ['$' or '$HELP' for help]", Firmware::GrblHal, "1.1f"),
            ("Grbl 3.9 [FluidNC v3.9.1 (esp32-wifi) '$' for help]", Firmware::FluidNc, "v3.9.1"),
            ("Grbl 4.0 [FluidNC v4.0.5-pre2 (esp32) '$' for help]\r", Firmware::FluidNc, "v4.0.5-pre2"),
            ("Grbl 1.1f", Firmware::Grbl, "1.1f"),
        ] {
            let text_shown = text.trim_end().to_owned();
            let expected = Banner { firmware, version: version.to_owned(), text: text_shown };
            assert_eq!(of(text), Reply::Banner(expected));
        }
        for text in ["Grbl settings", "Grbl 1.1 is here", "Grblish 1.1f", "Grbl"] {
            assert_eq!(of(text), Reply::Text(text.to_owned()));
        }
    }

    #[test]
    fn messages_lose_their_level_only_where_it_is_one() {
        let fluidnc = Some(Firmware::FluidNc);
        let grblhal = Some(Firmware::GrblHal);
        for (line, firmware, level, text) in [
            ("[MSG:'$H'|'$X' to unlock]", None, MessageLevel::Info, "'$H'|'$X' to unlock"),
            ("[MSG:INFO: ALARM: Unhomed]", fluidnc, MessageLevel::Info, "ALARM: Unhomed"),
            ("[MSG:ERR: Bad]", None, MessageLevel::Error, "Bad"),
            ("[MSG:WARN:   Low]", fluidnc, MessageLevel::Warning, "  Low"),
            ("[MSG:DBG: x]", fluidnc, MessageLevel::Debug, "x"),
            ("[MSG:VRB: x]", fluidnc, MessageLevel::Verbose, "x"),
            ("[MSG:ERR: x]", grblhal, MessageLevel::Info, "ERR: x"),
            ("[MSG:Warning: x]", grblhal, MessageLevel::Warning, "x"),
            ("[MSG:Warning: x]", Some(Firmware::Grbl), MessageLevel::Info, "Warning: x"),
            ("[MSG:]", grblhal, MessageLevel::Info, ""),
            ("[MSG:a]b]", None, MessageLevel::Info, "a]b"),
        ] {
            let expected = Reply::Message { level, text: text.to_owned() };
            assert_eq!(parse(line.as_bytes(), firmware), expected, "{line}");
        }
    }

    #[test]
    fn bracketed_lines_are_told_apart() {
        let vec = |values: &[f64]| AxisVec::from_slice(values);
        assert_eq!(of("[TLO:1.500]"), Reply::Offset { name: "TLO".to_owned(), value: vec(&[1.5]) });
        assert_eq!(of("[G59.3:1.000,2.000]"), Reply::Offset { name: "G59.3".to_owned(), value: vec(&[1.0, 2.0]) });
        let probe = |success| Reply::Probe(ProbeResult { position: vec(&[0.0, 0.0, -2.5]), success });
        assert_eq!((of("[PRB:0.000,0.000,-2.500:1]"), of("[PRB:0.000,0.000,-2.500:0]")), (probe(true), probe(false)));
        assert_eq!(
            of("[GC:G0  G54 S0.]"),
            Reply::Modal(ModalState { words: ["G0", "G54", "S0."].map(str::to_owned).into() })
        );
        assert_eq!(of("[echo: G4 P0 (x)]"), Reply::Echo("G4 P0 (x)".to_owned()));
        assert_eq!(of(r#"[JSON:{"a":[1]}]"#), Reply::Json(r#"{"a":[1]}"#.to_owned()));
        assert_eq!(of("[OPT:V,15,128]"), info("OPT", "V,15,128"));
        assert_eq!(of("[FILE: a.nc|SIZE:24]"), info("FILE", "a.nc|SIZE:24"));
        assert_eq!(of("[HLP:$$ $#]"), info("HLP", "$$ $#"));
        assert_eq!(of("HLP:$$ $#"), info("HLP", "$$ $#"));
        // What cannot be read stays text: no position is better than a wrong one.
        for damaged in ["[PRB:0.000,0.0", "[PRB:0.000:2]", "[G54:1.000,x]", "[ESP400]", "[MSG:cut"] {
            assert_eq!(of(damaged), Reply::Text(damaged.to_owned()));
        }
    }

    #[test]
    fn settings_and_startup_lines_are_told_from_help() {
        let setting = |name: &str, value: &str| Reply::Setting { name: name.to_owned(), value: value.to_owned() };
        assert_eq!((of("$110=500.000"), of("$N0=")), (setting("110", "500.000"), setting("N0", "")));
        assert_eq!(of("$/axes/x/steps_per_mm=80.000"), setting("/axes/x/steps_per_mm", "80.000"));
        assert_eq!(of("$Start/Message=a=b c"), setting("Start/Message", "a=b c"));
        for help in ["$SD/Run or $ESP220 =path", "$J=<gcode> - jog machine.", "$13 => $Report/Inches", "$=x", "$X"] {
            assert_eq!(of(help), Reply::Text(help.to_owned()));
        }
        let startup = |error| Reply::Startup { line: "G54G21".to_owned(), error };
        assert_eq!((of(">G54G21:ok"), of(">G54G21:error:20")), (startup(None), startup(Some(20))));
        assert_eq!(of("> hello"), Reply::Text("> hello".to_owned()));
    }

    #[test]
    fn nothing_that_acts_on_a_terminal_comes_through() {
        let text = |line: &[u8]| match parse(line, None) {
            Reply::Text(text) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(text(b"red \x1b[31m text"), "red ·[31m text");
        assert_eq!(text(b"a\tb \xff and more"), "a b · and more");
        assert_eq!(text("Fräser läuft – \u{202e}gut".as_bytes()), "Fräser läuft – ·gut");
        assert_eq!(text("two \u{85} controls".as_bytes()), "two · controls");
        assert_eq!(parse(b"\x00\xf8\x80a\xfe", None), Reply::Garbage(5));
        assert_eq!(parse(b"\xff", None), Reply::Garbage(1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            for firmware in [None, Some(Firmware::Grbl), Some(Firmware::FluidNc), Some(Firmware::GrblHal)] {
                if let Reply::Text(text) = parse(&line, firmware) {
                    prop_assert!(!text.chars().any(is_unprintable));
                }
            }
        }

        #[test]
        fn lines_that_look_like_replies_are_taken(
            head in proptest::sample::select(vec![
                "<Idle|", "[MSG:", "[PRB:", "[GC:", "[G54:", "$", ">", "error:", "ALARM:", "Grbl ", "GrblHAL 1", "ok",
            ]),
            tail in r"[ -~\PC]{0,30}",
        ) {
            let _ = parse(format!("{head}{tail}").as_bytes(), None);
            let _ = parse(format!("{head}{tail}]").as_bytes(), Some(Firmware::FluidNc));
        }

        #[test]
        fn every_number_is_read(code in 0_u16..) {
            prop_assert_eq!(of(&format!("error:{code}")), Reply::Error(code));
            prop_assert_eq!(of(&format!("ALARM:{code}")), Reply::Alarm(code));
        }
    }
}
