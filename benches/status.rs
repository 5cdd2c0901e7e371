//! How long one received line takes to be understood.

mod support;

use std::hint::black_box;

use sunmill::grbl::reply;
use sunmill::model::Firmware;
use support::{NO_BUDGET, Samples, heading, row};

/// Lines as the three firmwares print them, from the shortest to the longest kind.
const LINES: [(&str, &str); 5] = [
    ("ok", "ok"),
    ("report of Grbl, idle", "<Idle|MPos:0.000,0.000,0.000|FS:0,0>"),
    ("report of FluidNC, running", "<Run|MPos:-12.345,67.890,-1.500,90.000|Bf:12,96|FS:1200,12000|Ov:100,100,100|A:S>"),
    (
        "report of FluidNC, with pins and SD",
        "<Hold:0|MPos:1.000,2.000,3.000|FS:0,0|Pn:XYZP|WCO:1.000,2.000,3.000|SD:45.12,/part.nc>",
    ),
    ("message", "[MSG:INFO: Connecting to STA SSID:shop]"),
];

/// Lines per sample: one line is too short for the clock.
const BATCH: u32 = 100;

fn main() {
    heading("A received line, parsed");
    for (name, line) in LINES {
        let batches = Samples::of(2000, || {
            for _ in 0..BATCH {
                black_box(reply::parse(black_box(line.as_bytes()), Some(Firmware::FluidNc)));
            }
        });
        row(name, &batches.per(BATCH), NO_BUDGET);
    }
}
