//! The lines typed so far, kept from one start to the next.

use std::fs;
use std::io;
use std::path::Path;

use super::files;

/// Lines that are kept.
const MOST: usize = 500;
/// A file longer than this is not ours.
const LONGEST: u64 = 1024 * 1024;

/// The lines of the file, oldest first; none where there is no file that can be read.
pub(super) fn load(path: &Path) -> Vec<String> {
    if fs::metadata(path).is_ok_and(|file| file.len() > LONGEST) {
        return Vec::new();
    }
    let text = fs::read(path).unwrap_or_default();
    let lines = String::from_utf8_lossy(&text);
    let lines = lines.lines().filter(|line| !line.trim().is_empty() && !line.contains(char::is_control));
    newest(lines.map(str::to_owned).collect())
}

/// Writes the lines behind those that are there already, so that two screens do not forget each other's.
pub(super) fn save(path: &Path, lines: Vec<String>) -> io::Result<()> {
    let mut all = load(path);
    all.extend(lines);
    let mut text = newest(all).join("\n");
    text.push('\n');
    files::replace(path, &text)
}

/// Each line once, where it was used last; the oldest go.
fn newest(lines: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let mut kept: Vec<String> = lines.into_iter().rev().filter(|line| seen.insert(line.clone())).take(MOST).collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn each_line_is_kept_once_and_no_screen_forgets_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/mdi_history");
        assert!(load(&path).is_empty());
        save(&path, lines("a b a")).unwrap();
        save(&path, lines("c b")).unwrap();
        assert_eq!(load(&path), lines("a c b"));
    }

    #[test]
    fn it_does_not_grow() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mdi_history");
        save(&path, (0..2 * MOST).map(|n| n.to_string()).collect()).unwrap();
        let kept = load(&path);
        assert_eq!((kept.len(), kept.last().unwrap().as_str()), (MOST, "999"));
    }

    #[test]
    fn junk_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mdi_history");
        fs::write(&path, b"G0 X1\n\x1b[2J\n\n  \n\xff\xfe\n").unwrap();
        assert_eq!(load(&path), ["G0 X1", "\u{fffd}\u{fffd}"]);
    }
}
