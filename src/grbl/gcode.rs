//! What one block of G-code can do: just enough to know whether it may move, dwell or touch EEPROM.
//!
//! Everything is judged towards the safe side: a code that is not on the list of harmless ones may move.

/// Whether a block reads or writes the controller's permanent memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Eeprom {
    /// Neither.
    #[default]
    Untouched,
    /// Reads it (`G54`, `G28`, …).
    Reads,
    /// Writes it (`G10`, `G28.1`, …).
    Writes,
}

/// What a block can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// Something could move.
    pub(super) may_move: bool,
    /// `G4`.
    pub(super) dwell: bool,
    /// Permanent memory.
    pub(super) eeprom: Eeprom,
    /// Changes offsets, the active coordinate system, units or distance mode: what `$#` and `$G` tell is old then.
    pub(super) coordinates: bool,
}

/// The form in which a controller looks at a line: upper case, without blanks, comments and `/`
/// (Grbl drops every `/`, `protocol.c`; so `/$J=…` and `$/J=…` are jogs there).
pub(super) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_comment = false;
    for c in text.chars() {
        match c {
            ')' if in_comment => in_comment = false,
            _ if in_comment => {}
            '(' => in_comment = true,
            ';' => break,
            '/' => {}
            _ if c.is_whitespace() => {}
            _ => out.push(c.to_ascii_uppercase()),
        }
    }
    out
}

/// Axis letters, in any of the three firmwares.
pub(super) const fn is_axis_letter(letter: u8) -> bool {
    matches!(letter, b'X' | b'Y' | b'Z' | b'A' | b'B' | b'C' | b'U' | b'V' | b'W')
}

/// Whether a collapsed block holds an axis letter with a value (a number, parameter or expression).
pub(super) fn has_axis_word(collapsed: &str) -> bool {
    collapsed
        .as_bytes()
        .windows(2)
        .any(|pair| is_axis_letter(pair[0]) && matches!(pair[1], b'0'..=b'9' | b'+' | b'-' | b'.' | b'#' | b'['))
}

/// Effects of a collapsed block.
pub(super) fn effects(collapsed: &str) -> Effects {
    let mut effects = Effects::default();
    let mut target = false;
    let mut uses_axes_without_motion = false;
    let mut names_motion = false;
    let mut unknown = false;
    let mut rest = collapsed.as_bytes();
    while let [letter, tail @ ..] = rest {
        let digits = tail.iter().take_while(|b| matches!(b, b'0'..=b'9' | b'.' | b'+' | b'-')).count();
        let value = tenths(&tail[..digits]);
        rest = &tail[digits..];
        match (letter, value) {
            (b'G', Some(code)) => {
                effects.coordinates |= changes_coordinates(code);
                match code {
                    0 | 10 | 20 | 30 => names_motion = true,
                    40 => effects.dwell = true,
                    // G10, G43.1/.2, G50–G52, G92.x: axis words are values here, nothing goes there.
                    100 | 431 | 432 | 500 | 510 | 520 | 920..=923 => {
                        uses_axes_without_motion = true;
                        if code == 100 {
                            effects.eeprom = Eeprom::Writes;
                        }
                    }
                    281 | 301 => {
                        uses_axes_without_motion = true;
                        effects.eeprom = Eeprom::Writes;
                    }
                    540..=599 => effects.eeprom = effects.eeprom.max(Eeprom::Reads),
                    280 | 300 => {
                        effects.eeprom = effects.eeprom.max(Eeprom::Reads);
                        unknown = true;
                    }
                    _ => unknown |= !is_harmless_g(code),
                }
            }
            (b'M', Some(code)) => unknown |= !is_harmless_m(code),
            (b'G' | b'M', None) | (b'O' | b'#' | b'[' | b'<', _) => unknown = true,
            (letter, _) if is_axis_letter(*letter) || matches!(letter, b'I' | b'J' | b'K' | b'R') => target = true,
            _ => {}
        }
    }
    effects.may_move = unknown || (target && (names_motion || !uses_axes_without_motion));
    effects
}

/// A code number times ten, `28.1` → 281; `None` where there is no plain number.
fn tenths(digits: &[u8]) -> Option<u32> {
    let value: f64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (0.0..10_000.0).contains(&value).then(|| (value * 10.0).round() as u32)
}

/// G10, G20/G21, G28.1/G30.1, G43.x/G49, G50–G52, G54–G59.3, G90/G91, G92.x.
const fn changes_coordinates(tenths: u32) -> bool {
    matches!(
        tenths,
        100 | 200 | 210 | 281 | 301 | 430..=432 | 490 | 500 | 510 | 511 | 520 | 540..=599 | 900 | 910 | 920..=923
    )
}

/// G-codes that move nothing by themselves.
const fn is_harmless_g(tenths: u32) -> bool {
    matches!(
        tenths,
        70 | 80
            | 170
            | 171
            | 180
            | 181
            | 190
            | 191
            | 200
            | 210
            | 400
            | 410
            | 420
            | 430
            | 490
            | 530
            | 610
            | 611
            | 640
            | 800
            | 900
            | 901
            | 910
            | 911
            | 930
            | 940
            | 950
            | 960
            | 970
            | 980
            | 990
    )
}

/// M-codes that move no axis. M6, M19, M98 and user codes are not among them.
const fn is_harmless_m(tenths: u32) -> bool {
    matches!(
        tenths / 10,
        0..=5 | 7..=9 | 30 | 48..=51 | 53 | 56 | 60 | 62..=68
    ) && tenths.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Effects {
        effects(&collapse(text))
    }

    #[test]
    fn blocks_that_could_move_are_told() {
        for text in [
            "G1 X10",
            "x-3",
            "g2 i5",
            "G28",
            "G30",
            "M6 T2",
            "G38.2 Z-5 F50",
            "G81 R2",
            "G65 P100",
            "M98 P1",
            "o100 call",
            "#1=5",
            "G[#1]",
            "M200",
            "G53 G0 Z0",
            "G1 G10 L2 X0",
            "N10 /G0Y1",
            "G0 X[#1+2]",
        ] {
            assert!(of(text).may_move, "{text}");
        }
    }

    #[test]
    fn blocks_that_cannot_move_are_told() {
        for text in [
            "",
            "G90 G21",
            "F600",
            "M3 S1000",
            "M5",
            "G4 P0.5",
            "G10 L20 P0 X0 Y0",
            "G92 X0",
            "G92.1",
            "G28.1",
            "G43.1 Z5",
            "G54",
            "%",
            "M30",
            "T1",
            "N10 G17",
            "(X10)",
            "G21 ; X10",
        ] {
            assert!(!of(text).may_move, "{text}");
        }
    }

    #[test]
    fn dwell_and_eeprom_are_told() {
        assert!(of("G4P1").dwell && of("G04 P1").dwell && !of("G40").dwell);
        for text in ["G10 L2 P1 X0", "G28.1", "g30.1", "G54 G10 L20 P1 X0"] {
            assert_eq!(of(text).eeprom, Eeprom::Writes, "{text}");
        }
        for text in ["G54", "G59.3", "G28", "G30 Z0"] {
            assert_eq!(of(text).eeprom, Eeprom::Reads, "{text}");
        }
        assert_eq!(of("G1 X1").eeprom, Eeprom::Untouched);
    }

    #[test]
    fn what_makes_the_listings_old_is_told() {
        for text in ["G10L2P1X0", "G54", "G59.3", "G92 X0", "g92.1", "G28.1", "G43.1 Z5", "G49", "G20", "G91 G0 X1"] {
            assert!(of(text).coordinates, "{text}");
        }
        for text in ["G0 X1", "G28", "M3 S1000", "G1 F100", "G53 G0 Z0", "G38.2 Z-5 F50"] {
            assert!(!of(text).coordinates, "{text}");
        }
    }

    #[test]
    fn collapsing_sees_what_the_controller_sees() {
        assert_eq!(collapse("/ $ j (a;b) = g91 ; x1"), "$J=G91");
        assert_eq!(collapse("g1(open x1"), "G1");
        assert!(has_axis_word("$J=G91X.5F100") && !has_axis_word("$J=G91F100") && !has_axis_word("$J=XF100"));
    }
}
