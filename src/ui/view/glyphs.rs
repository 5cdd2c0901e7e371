//! Digits to be read from across the shop: three rows high, made by hand, in half blocks or in ASCII.

/// Rows of a glyph.
pub(super) const ROWS: usize = 3;

/// Five rows of three pixels, the left one first.
const fn pixels(c: char) -> Option<[u8; 5]> {
    Some(match c {
        '0' => [0b111, 0b101, 0b101, 0b101, 0b111],
        '1' => [0b010, 0b110, 0b010, 0b010, 0b111],
        '2' => [0b111, 0b001, 0b111, 0b100, 0b111],
        '3' => [0b111, 0b001, 0b111, 0b001, 0b111],
        '4' => [0b101, 0b101, 0b111, 0b001, 0b001],
        '5' => [0b111, 0b100, 0b111, 0b001, 0b111],
        '6' => [0b111, 0b100, 0b111, 0b101, 0b111],
        '7' => [0b111, 0b001, 0b010, 0b010, 0b010],
        '8' => [0b111, 0b101, 0b111, 0b101, 0b111],
        '9' => [0b111, 0b101, 0b111, 0b001, 0b111],
        '-' => [0, 0, 0b111, 0, 0],
        _ => return None,
    })
}

/// The same in strokes.
const fn strokes(c: char) -> Option<[&'static str; ROWS]> {
    Some(match c {
        '0' => [" _ ", "| |", "|_|"],
        '1' => ["   ", "  |", "  |"],
        '2' => [" _ ", " _|", "|_ "],
        '3' => [" _ ", " _|", " _|"],
        '4' => ["   ", "|_|", "  |"],
        '5' => [" _ ", "|_ ", " _|"],
        '6' => [" _ ", "|_ ", "|_|"],
        '7' => [" _ ", "  |", "  |"],
        '8' => [" _ ", "|_|", "|_|"],
        '9' => [" _ ", "|_|", " _|"],
        '-' => ["   ", " _ ", "   "],
        _ => return None,
    })
}

/// A number in big digits, a column of space after each. Other signs than digits, `-` and `.` are left out.
pub(super) fn big(number: &str, ascii: bool) -> [String; ROWS] {
    let mut rows: [String; ROWS] = Default::default();
    for c in number.chars() {
        let glyph: [String; ROWS] = match (c, ascii) {
            ('.', true) => ["  ", "  ", ". "].map(str::to_owned),
            ('.', false) => ["  ", "  ", "▀ "].map(str::to_owned),
            (c, true) => strokes(c).map_or_else(Default::default, |rows| rows.map(|row| format!("{row} "))),
            (c, false) => pixels(c).map_or_else(Default::default, half_blocks),
        };
        for (row, piece) in rows.iter_mut().zip(&glyph) {
            row.push_str(piece);
        }
    }
    rows
}

/// Two rows of pixels in one row of cells.
fn half_blocks(pixels: [u8; 5]) -> [String; ROWS] {
    let lit = |row: usize, column: u8| pixels.get(row).is_some_and(|bits| bits & (0b100 >> column) != 0);
    [0, 2, 4].map(|row| {
        let cells = (0..3).map(|column| match (lit(row, column), lit(row + 1, column)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        });
        cells.chain([' ']).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_drawn() {
        assert_eq!(big("-1.5", false), ["    ▄█    █▀▀ ", "▀▀▀  █    ▀▀█ ", "    ▀▀▀ ▀ ▀▀▀ "]);
        assert_eq!(big("-7.2", true), ["     _     _  ", " _    |    _| ", "      | . |_  "]);
    }

    #[test]
    fn every_digit_differs_and_has_the_same_width() {
        for ascii in [true, false] {
            let glyphs: Vec<_> = "0123456789-".chars().map(|c| big(&c.to_string(), ascii)).collect();
            for (i, glyph) in glyphs.iter().enumerate() {
                assert!(glyph.iter().all(|row| row.chars().count() == 4), "{glyph:?}");
                assert!(glyphs[i + 1..].iter().all(|other| other != glyph), "{glyph:?} twice");
            }
        }
    }
}
