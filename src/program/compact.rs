//! The shortest text that means the same to a controller, line by line.
//!
//! On a serial line every byte costs time. Dropped are comments, blanks, line numbers, needless zeros and signs, and words that
//! repeat what is in force. What is in force counts only as far as this program has sent it since [`Compactor::reset`], and
//! nothing is dropped beside a code that gives words another meaning (G10, G28, G43.1, G53, G92, drilling cycles …).
//!
//! To FluidNC a move says by itself what it is. The one line that it has in its hands at a reset it carries out after it, when
//! its own modes hold again: G0, G21, G90, and no feed (recorded). A cut without its G1 would be a rapid through the work;
//! with it, it is refused for want of a feed.

use super::block::{Block, Code, Kind, Word};
use super::dialect::Dialect;
use super::motion::Plane;
use super::vocabulary::{Distance, FeedMode, G, MotionMode, Units};
use crate::model::Firmware;

/// Makes lines short.
#[derive(Clone, Debug)]
pub struct Compactor {
    firmware: Firmware,
    compact: bool,
    sent: InForce,
}

/// What the controller has in force for certain.
#[derive(Clone, Copy, Debug, Default)]
struct InForce {
    motion: Option<MotionMode>,
    plane: Option<Plane>,
    units: Option<Units>,
    distance: Option<Distance>,
    arc_distance: Option<Distance>,
    feed_mode: Option<FeedMode>,
    /// As written.
    feed: Option<f64>,
    speed: Option<f64>,
    /// Where X, Y and Z were sent to by absolute coordinates, as written.
    at: [Option<f64>; 3],
}

/// What a line's codes mean for its words.
#[derive(Default)]
struct Line {
    /// A code gives words another meaning: none of them is dropped.
    special: bool,
    /// X, Y and Z are somewhere else afterwards, or mean something else.
    moves_zero: bool,
    /// Anything may be different afterwards.
    forgets: bool,
    /// M3, M4, M5.
    spindle: bool,
    /// An axis word makes the mode in force move; an arc without one is refused, which must not be hidden.
    names_axis: bool,
    next: InForce,
}

impl Compactor {
    /// For this controller. `compact: false` sends lines as they are written.
    pub fn new(dialect: &Dialect, compact: bool) -> Self {
        Self { firmware: dialect.firmware, compact, sent: InForce::default() }
    }

    /// Nothing is certain any more, after an error, a pause, a line from elsewhere or a reset: the next lines name everything
    /// that they need again.
    ///
    /// What earlier lines left out because it was in force must be restored first (see [`Modal`](super::Modal)): a line that
    /// leaves a word out in the file relies on it too.
    pub fn reset(&mut self) {
        self.sent = InForce::default();
    }

    /// Appends what is to be sent for a line to `out`, without a line end. Nothing is appended where nothing needs to be sent.
    ///
    /// A comment for people (`(MSG,…)`) is appended as it is; [`Line`](crate::grbl::line::Line) makes it safe.
    pub fn line(&mut self, raw: &[u8], block: &Block, out: &mut String) {
        match block.kind() {
            Kind::Percent => return,
            Kind::Empty if block.message().is_none() => return,
            Kind::Words if self.compact && is_sound(block) => {
                self.words(raw, block, out);
            }
            Kind::Empty if self.compact => {}
            _ => {
                self.reset();
                out.push_str(String::from_utf8_lossy(raw).trim());
                return;
            }
        }
        if let Some(message) = block.message().filter(|_| self.firmware != Firmware::Grbl) {
            out.push_str(&String::from_utf8_lossy(message.of(raw)));
        }
    }

    fn words(&mut self, raw: &[u8], block: &Block, out: &mut String) {
        let line = self.look_at(block);
        let next = &line.next;
        let keeps_place = !line.special && next.distance == Some(Distance::Absolute);
        let may_drop_axes = keeps_place && matches!(next.motion, Some(MotionMode::Rapid | MotionMode::Linear));
        let only = if may_drop_axes { Self::last_axis(block, next) } else { None };
        if block.deletable && self.firmware != Firmware::Grbl {
            out.push('/');
        }
        let alone = self.firmware == Firmware::FluidNc && !line.special && line.names_axis;
        if alone {
            Self::say_again(block, next, out);
        }
        let mut codes = block.g().iter();
        for word in block.words() {
            let drop = match word.letter {
                b'G' => {
                    codes.next().is_some_and(|code| self.repeats(*code, &line) && !(alone && is_needed(*code, next)))
                }
                b'F' => !line.special && per_unit(next.feed_mode) && next.feed == Some(word.value),
                b'S' => !line.special && !line.spindle && next.speed == Some(word.value),
                b'X' | b'Y' | b'Z' if may_drop_axes => {
                    next.at[axis(word.letter)] == Some(word.value) && only != Some(word.letter)
                }
                _ => false,
            };
            if !drop {
                write_word(raw, word, out);
            }
        }
        self.sent = *next;
        self.after(block, &line, keeps_place);
        if line.forgets || block.deletable {
            self.reset();
        }
    }

    /// What the line relies on and does not say itself, where a reset before it would give it another meaning.
    fn say_again(block: &Block, next: &InForce, out: &mut String) {
        let says = |is: fn(G) -> bool| block.g().iter().any(|code| G::of(*code).is_some_and(is));
        if !says(|g| matches!(g, G::Motion(_))) {
            match next.motion {
                Some(MotionMode::Linear) => out.push_str("G1"),
                Some(MotionMode::ArcCw) => out.push_str("G2"),
                Some(MotionMode::ArcCcw) => out.push_str("G3"),
                _ => {}
            }
        }
        if next.motion == Some(MotionMode::Rapid) {
            if next.distance == Some(Distance::Relative) && !says(|g| matches!(g, G::Distance(_))) {
                out.push_str("G91");
            }
            if next.units == Some(Units::Inch) && !says(|g| matches!(g, G::Units(_))) {
                out.push_str("G20");
            }
        }
    }

    /// What the codes of the line do, before its values count.
    fn look_at(&self, block: &Block) -> Line {
        let names_axis = b"XYZABCUVW".iter().any(|letter| block.has(*letter));
        let mut line = Line { next: self.sent, names_axis, ..Line::default() };
        for &code in block.g() {
            let next = &mut line.next;
            match G::of(code) {
                Some(G::Motion(motion)) => {
                    next.motion = Some(motion);
                    let plain = matches!(
                        motion,
                        MotionMode::Rapid
                            | MotionMode::Linear
                            | MotionMode::ArcCw
                            | MotionMode::ArcCcw
                            | MotionMode::None
                    );
                    line.special |= !plain;
                }
                Some(G::Plane(plane)) => next.plane = Some(plane),
                Some(G::Units(units)) => {
                    if next.units != Some(units) {
                        (next.feed, next.at) = (None, [None; 3]);
                    }
                    next.units = Some(units);
                }
                Some(G::Distance(distance)) => next.distance = Some(distance),
                Some(G::ArcDistance(distance)) => next.arc_distance = Some(distance),
                Some(G::FeedMode(mode)) => {
                    if next.feed_mode != Some(mode) {
                        next.feed = None;
                    }
                    next.feed_mode = Some(mode);
                }
                Some(G::CutterRadius(false)) => {}
                _ => (line.special, line.moves_zero) = (true, true),
            }
        }
        for &code in block.m() {
            match code {
                30..=50 => line.spindle = true,
                70..=90 | 480 | 490 | 620..=680 => {}
                // Stops, at which people do what they like; tool changes; codes of plugins.
                _ => (line.special, line.forgets) = (true, true),
            }
        }
        line
    }

    /// A code that says what is in force already.
    fn repeats(&self, code: Code, line: &Line) -> bool {
        let sent = &self.sent;
        match G::of(code) {
            Some(G::Plane(plane)) => sent.plane == Some(plane),
            Some(G::Units(units)) => sent.units == Some(units),
            Some(G::Distance(distance)) => sent.distance == Some(distance),
            Some(G::ArcDistance(distance)) => sent.arc_distance == Some(distance),
            Some(G::FeedMode(mode)) => sent.feed_mode == Some(mode),
            Some(G::Motion(motion)) => {
                let means_itself = matches!(motion, MotionMode::Rapid | MotionMode::Linear) || line.names_axis;
                !line.special && means_itself && motion != MotionMode::None && sent.motion == Some(motion)
            }
            _ => false,
        }
    }

    /// The axis word that has to stay because all of them repeat where the tool is: a block without one may mean something else.
    fn last_axis(block: &Block, next: &InForce) -> Option<u8> {
        let mut last = None;
        for word in block.words() {
            match word.letter {
                b'X' | b'Y' | b'Z' if next.at[axis(word.letter)] == Some(word.value) => last = Some(word.letter),
                b'X' | b'Y' | b'Z' | b'A' | b'B' | b'C' | b'U' | b'V' | b'W' => return None,
                _ => {}
            }
        }
        last
    }

    /// What is in force after the line's values.
    fn after(&mut self, block: &Block, line: &Line, keeps_place: bool) {
        let sent = &mut self.sent;
        if let Some(feed) = block.value(b'F') {
            sent.feed = per_unit(sent.feed_mode).then_some(feed);
        }
        if let Some(speed) = block.value(b'S') {
            sent.speed = Some(speed);
        }
        if line.spindle {
            // FluidNC may take up a speed only with the next S.
            sent.speed = None;
        }
        let plain = matches!(
            sent.motion,
            Some(MotionMode::Rapid | MotionMode::Linear | MotionMode::ArcCw | MotionMode::ArcCcw)
        );
        for letter in *b"XYZ" {
            if let Some(value) = block.value(letter) {
                sent.at[axis(letter)] = (keeps_place && plain).then_some(value);
            }
        }
        if line.moves_zero || line.special {
            sent.at = [None; 3];
        }
    }
}

/// A block that a controller could take. What it refuses goes out as it stands, so that the error is about what a person reads.
fn is_sound(block: &Block) -> bool {
    let mut groups = 0;
    block.fault().is_none()
        && block.g().iter().all(|code| {
            let bit = G::of(*code).map_or(0, |g| g.group().bit());
            let sound = bit & !groups != 0;
            groups |= bit;
            sound
        })
}

/// Dropped, it would be missing after a reset: a cut's motion word, and what a rapid counts in.
fn is_needed(code: Code, next: &InForce) -> bool {
    let rapid = next.motion == Some(MotionMode::Rapid);
    match G::of(code) {
        Some(G::Motion(motion)) => motion != MotionMode::Rapid,
        Some(G::Distance(Distance::Relative) | G::Units(Units::Inch)) => rapid,
        _ => false,
    }
}

const fn axis(letter: u8) -> usize {
    (letter - b'X') as usize % 3
}

/// F holds on from block to block.
const fn per_unit(mode: Option<FeedMode>) -> bool {
    matches!(mode, Some(FeedMode::PerMinute | FeedMode::PerRevolution))
}

fn write_word(raw: &[u8], word: &Word, out: &mut String) {
    out.push(word.letter as char);
    let text = raw.get(usize::from(word.start)..usize::from(word.end)).unwrap_or_default();
    let mut digits = text.iter().copied().filter(|b| !matches!(b, b' ' | b'\t' | b'+'));
    if text.first() == Some(&b'-') {
        digits.next();
        if word.value != 0.0 {
            out.push('-');
        }
    }
    let start = out.len();
    let mut point = None;
    for digit in digits {
        match digit {
            b'0' if out.len() == start && point.is_none() => continue,
            b'.' => point = Some(out.len()),
            _ => {}
        }
        out.push(digit as char);
    }
    if point.is_some() {
        out.truncate(out.trim_end_matches('0').len());
        if out.ends_with('.') {
            out.pop();
        }
    }
    if out.len() == start {
        out.push('0');
    }
}

#[cfg(test)]
mod tests;
