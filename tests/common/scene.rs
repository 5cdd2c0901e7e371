//! Scenes: small recordings of a controller, in `tests/scenes/FIRMWARE-NAME.txt`.
//!
//! One step a line: `seconds > bytes sent`, `seconds < line received` (without its line end), `# comment`.
//! `\n`, `\r`, `\t` and `\xNN` stand for those bytes.

use std::path::Path;
use std::time::Duration;

use sunmill::model::Firmware;

/// One step of a scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Since the start of the scene.
    pub(crate) at: Duration,
    /// Which way it went, and what.
    pub(crate) what: What,
}

/// What went over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// To the controller: a line with its line feed, or realtime bytes.
    Sent(Vec<u8>),
    /// From the controller: a line without its line end.
    Received(Vec<u8>),
}

/// A scene by name, with the firmware that its name tells.
pub(crate) fn load(name: &str) -> (Firmware, Vec<Step>) {
    let firmware = match name.split('-').next() {
        Some("grbl") => Firmware::Grbl,
        Some("grblhal") => Firmware::GrblHal,
        Some("fluidnc") => Firmware::FluidNc,
        _ => panic!("{name}: a scene is named after its firmware"),
    };
    let path = folder().join(name).with_extension("txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    let steps = lines.map(|(i, line)| step(line).unwrap_or_else(|| panic!("{name}:{}: {line}", i + 1)));
    (firmware, steps.collect())
}

/// The names of all scenes, sorted.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("tests/scenes is there");
    let mut names: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenes"))
}

fn step(line: &str) -> Option<Step> {
    let (seconds, rest) = line.split_once(' ')?;
    let bytes = unescaped(rest.get(1..)?.strip_prefix(' ').unwrap_or(""))?;
    let what = match rest.chars().next()? {
        '>' => What::Sent(bytes),
        '<' => What::Received(bytes),
        _ => return None,
    };
    Some(Step { at: Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?, what })
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return Some(out),
            [b'\\', b'n', tail @ ..] => {
                out.push(b'\n');
                tail
            }
            [b'\\', b'r', tail @ ..] => {
                out.push(b'\r');
                tail
            }
            [b'\\', b't', tail @ ..] => {
                out.push(b'\t');
                tail
            }
            [b'\\', b'x', high, low, tail @ ..] => {
                let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
                out.push(digit(*high)? << 4 | digit(*low)?);
                tail
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        }
    }
}
