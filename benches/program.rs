//! Lines per second through the reading of a program: lines, words, modal state.

mod support;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use sunmill::model::Firmware;
use sunmill::model::program::report::Problem;
use sunmill::program::motion::Motion;
use sunmill::program::{Block, Dialect, RawLine, Reader, Sink, Tracker};
use support::{NO_BUDGET, title, value};

const LINES: usize = 1_000_000;
/// Runs of each; the median counts.
const TURNS: usize = 5;
/// Bytes handed over at a time, as from a file.
const CHUNK: usize = 64 * 1024;

fn main() {
    for (name, program) in [("short lines (G1 X Y)", short()), ("lines of a CAM program (N, X Y Z F, arcs)", cam())] {
        title(&format!("Reading {LINES} {name}"));
        let lines = rate(|| {
            let mut sum = 0;
            feed(&program, |line| sum += line.bytes.len());
            black_box(sum);
        });
        value("lines", lines / 1e6, "million/s", NO_BUDGET);
        let words = rate(|| {
            let mut block = Block::new();
            feed(&program, |line| block.parse(line.bytes));
            black_box(block.words().len());
        });
        value("lines and words", words / 1e6, "million/s", NO_BUDGET);
        let tracked = rate(|| {
            let (mut block, mut count) = (Block::new(), Count::default());
            let mut tracker = Tracker::new(Dialect::new(Firmware::FluidNc, 3));
            feed(&program, |line| {
                block.parse(line.bytes);
                tracker.apply(line, &block, &mut count);
            });
            assert_eq!((count.motions, count.problems), (LINES as u64, 0), "the bench's program is a good one");
            black_box(count.length);
        });
        value("lines, words and modal state", tracked / 1e6, "million/s", "> 4");
    }
}

#[derive(Default)]
struct Count {
    motions: u64,
    problems: u64,
    length: f64,
}

impl Sink for Count {
    fn motion(&mut self, _: u64, motion: &Motion) {
        self.motions += 1;
        if let Motion::Straight(straight) = motion {
            self.length += straight.to[0];
        }
    }

    fn problem(&mut self, _: Problem) {
        self.problems += 1;
    }
}

fn feed(program: &[u8], mut each: impl FnMut(RawLine<'_>)) {
    let mut reader = Reader::new();
    for chunk in program.chunks(CHUNK) {
        reader.feed(chunk, &mut each);
    }
    reader.finish(&mut each);
}

/// Lines per second, the median of some runs.
fn rate(mut what: impl FnMut()) -> f64 {
    let mut rates: Vec<f64> = (0..TURNS)
        .map(|_| {
            let start = Instant::now();
            what();
            LINES as f64 / start.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_unstable_by(f64::total_cmp);
    rates[TURNS / 2]
}

/// The numbers of a small generator, the same in every run.
fn numbers() -> impl FnMut() -> f64 {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % 200_000) as f64 / 1000.0
    }
}

fn short() -> Vec<u8> {
    let mut next = numbers();
    let mut text = "G21G90M3S9000\n".to_owned() + "G1X0Y0F900\n";
    for _ in 1..LINES {
        let _ = writeln!(text, "G1 X{:.3} Y{:.3}", next(), next());
    }
    text.into_bytes()
}

fn cam() -> Vec<u8> {
    let mut next = numbers();
    let mut text = "%\n(a pocket)\nG21 G90 G17 G94\nM3 S9000\nG0 X0 Y0 Z5\n".to_owned();
    let (mut x, mut y) = (0.0, 0.0);
    for n in 1..LINES {
        if n % 8 == 1 {
            // A half circle that ends two radii to the right.
            x += 2.0;
            let _ = writeln!(text, "N{n} G3 X{x:.3} Y{y:.3} I1. J0. F900.");
            continue;
        }
        (x, y) = (next(), next());
        let z = next() / 100.0;
        let _ = match n % 8 {
            0 => writeln!(text, "N{n} G0 X{x:.3} Y{y:.3} (next to it)"),
            2 => writeln!(text, "N{n} G1 X{x:.3} Y{y:.3} Z-{z:.3} F900."),
            _ => writeln!(text, "N{n} X{x:.3} Y{y:.3} Z-{z:.3}"),
        };
    }
    text.into_bytes()
}
