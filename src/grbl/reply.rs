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

/// `$n=v`, `$/path=v`. Lines of a help listing (`$SD/Run or $ESP220 =path`) have blanks in the name.
fn setting(text: &str) -> Option<Reply> {
    let (name, value) = text.strip_prefix('$')?.split_once('=')?;
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'.' | b'-' | b'+');
    (!name.is_empty() && name.bytes().all(is_name))
        .then(|| Reply::Setting { name: name.to_owned(), value: value.to_owned() })
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
