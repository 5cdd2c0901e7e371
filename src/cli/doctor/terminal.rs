//! The terminal: what it says of itself.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Access;
use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr};

use super::facts::{Colours, Terminal};
use crate::cli::environment::Environment;

/// Kitty keyboard flags in force, then what it is: every terminal answers the second, so silence on the first counts.
const QUESTIONS: &[u8] = b"\x1b[?u\x1b[c";
/// A terminal at the far end of a slow connection is given this long.
const PATIENCE: Duration = Duration::from_secs(2);
/// An answer is no longer than this.
const LONGEST: usize = 1024;

/// Looks at it. Nothing is asked where there is none.
pub(super) fn look(environment: &Environment, colour: bool) -> Terminal {
    let size = || tcgetwinsize(rustix::stdio::stdout()).ok().map(|size| (size.ws_col, size.ws_row));
    let keyboards = Path::new("/dev/input/by-path");
    Terminal {
        present: environment.terminal,
        term: environment.term.clone(),
        size: environment.terminal.then(size).flatten().filter(|size| *size != (0, 0)),
        utf8: environment.utf8,
        colour,
        colours: colours(environment),
        multiplexed: environment.multiplexed,
        ssh: environment.ssh,
        key_releases: environment.terminal.then(ask).flatten(),
        reads_keyboard: first_keyboard(keyboards).is_some_and(|path| rustix::fs::access(path, Access::READ_OK).is_ok()),
    }
}

fn colours(environment: &Environment) -> Colours {
    if matches!(environment.colorterm.as_str(), "truecolor" | "24bit") || environment.term.ends_with("-direct") {
        Colours::True
    } else if environment.term.contains("256color")
        || matches!(environment.term.as_str(), "xterm-kitty" | "foot" | "alacritty")
    {
        Colours::Many
    } else {
        Colours::Sixteen
    }
}

fn first_keyboard(folder: &Path) -> Option<std::path::PathBuf> {
    let mut all = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    all.find(|path| path.to_string_lossy().ends_with("-kbd"))
}

/// Asks the terminal, in raw mode for that moment. `None`: it did not answer.
fn ask() -> Option<bool> {
    let mut tty = File::options().read(true).write(true).open("/dev/tty").ok()?;
    let before = tcgetattr(&tty).ok()?;
    let mut raw = before.clone();
    raw.make_raw();
    tcsetattr(&tty, OptionalActions::Now, &raw).ok()?;
    let answer = tty.write_all(QUESTIONS).ok().and_then(|()| answered(&mut tty));
    // Flush: what was typed meanwhile is no command for the shell.
    let _ = tcsetattr(&tty, OptionalActions::Flush, &before);
    answer.map(|answer| tells_releases(&answer))
}

/// All up to the answer to the last question.
fn answered(tty: &mut File) -> Option<Vec<u8>> {
    let until = Instant::now() + PATIENCE;
    let mut answer = Vec::new();
    while !is_whole(&answer) {
        let left = until.saturating_duration_since(Instant::now());
        let wait = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        let mut fds = [PollFd::new(tty, PollFlags::IN)];
        if left.is_zero() || answer.len() > LONGEST || !poll(&mut fds, Some(&wait)).is_ok_and(|ready| ready > 0) {
            return None;
        }
        let mut bytes = [0; 256];
        match tty.read(&mut bytes) {
            Ok(count @ 1..) => answer.extend_from_slice(&bytes[..count]),
            _ => return None,
        }
    }
    Some(answer)
}

/// The answer to "what are you" (`CSI ? … c`) is in it.
fn is_whole(answer: &[u8]) -> bool {
    report(answer, b'c').is_some()
}

/// It has answered the question about the keyboard (`CSI ? flags u`).
fn tells_releases(answer: &[u8]) -> bool {
    report(answer, b'u').is_some()
}

/// The digits and semicolons of a `CSI ? … end`.
fn report(answer: &[u8], end: u8) -> Option<&[u8]> {
    let starts = answer.windows(3).enumerate().filter(|(_, window)| *window == b"\x1b[?");
    starts.map(|(at, _)| &answer[at + 3..]).find_map(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        (rest.get(digits) == Some(&end)).then(|| &rest[..digits])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_what_is_typed_meanwhile() {
        assert!(is_whole(b"\x1b[?0u\x1b[?62;22c") && tells_releases(b"\x1b[?0u\x1b[?62;22c"));
        assert!(is_whole(b"abc\x1b[A\x1b[?6c") && !tells_releases(b"abc\x1b[A\x1b[?6c"));
        assert!(!is_whole(b"\x1b[?0u\x1b[?62;2"), "not yet");
        assert!(!is_whole(b"uc") && !tells_releases(b"\x1b[u"));
    }

    #[test]
    fn colours_are_what_the_terminal_says() {
        let of = |term: &str, colorterm: &str| {
            colours(&Environment { term: term.into(), colorterm: colorterm.into(), ..Environment::default() })
        };
        assert_eq!(of("xterm", "truecolor"), Colours::True);
        assert_eq!(of("xterm-256color", ""), Colours::Many);
        assert_eq!(of("linux", ""), Colours::Sixteen);
    }
}
