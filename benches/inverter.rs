//! What an inverter costs: planning its reads and decoding all of its registers, and how long its reads occupy a bus.
//!
//! The bus times are worked out, not measured: 9600 Bd, 8N1, 30 ms until a device answers, and the profile's silence
//! between messages.
#![allow(clippy::print_stdout, reason = "printing the figures is what a bench is for")]

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use sunmill::inverter::plan::{self, Block, Learned, plan};
use sunmill::inverter::profile::{Limits, Profile, SHIPPED, shipped};
use sunmill::inverter::{Values, codec};
use sunmill::model::Time;
use sunmill::model::power::PollClass;
use support::{NO_BUDGET, Samples, heading, row};

const BAUD: u32 = 9600;
const TURNAROUND: Duration = Duration::from_millis(30);

/// Frames and ms of three rounds.
type Rounds = [(usize, u32); 3];

/// What the tools in the field bridge, and what was worked out for them: all fast and normal registers, and the safety
/// registers with that gap and with 40, each as frames and ms.
const FIELD: &[(&str, u16, Rounds)] = &[
    ("deye_sunsynk_solark_1p", 2, [(10, 1031), (8, 775), (5, 522)]),
    ("deye_3p_lv", 10, [(7, 817), (4, 439), (4, 497)]),
    ("easun_smg_ii", 2, [(3, 806), (7, 1728), (2, 568)]),
    ("srne_easun_isolar", 0, [(8, 2821), (7, 2434), (2, 756)]),
    ("solis_hybrid", 8, [(5, 1849), (4, 1408), (2, 804)]),
    ("senergy_hybrid", 4, [(9, 973), (6, 582), (4, 441)]),
    ("growatt_mod_minxh", 20, [(4, 4387), (5, 5295), (4, 4301)]),
    ("growatt_sph", 20, [(5, 5459), (5, 5266), (4, 4268)]),
];

fn main() {
    bus_times();
    heading("A whole profile, planned by class");
    for (name, _) in SHIPPED {
        let profile = profile(name);
        let samples = Samples::of(200, || {
            black_box(plan::by_class(black_box(&profile), &Learned::default(), |_| true));
        });
        row(name, &samples, NO_BUDGET);
    }
    heading("All registers of a profile, taken and decoded");
    for (name, _) in SHIPPED {
        let profile = profile(name);
        let blocks = plan(&profile, profile.read, &Learned::default(), |_| true);
        let mut values = Values::new(profile.clone());
        let words = [0x0102; 125];
        let samples = Samples::of(500, || {
            for block in &blocks {
                values.accept(block, black_box(&words[..usize::from(block.count())]), Time::ZERO);
            }
        });
        row(&format!("{name}, {} registers", profile.registers.len()), &samples, NO_BUDGET);
    }
    heading("One register");
    let senergy = profile("senergy");
    let power = &senergy.registers[senergy.find("battery_power").expect("a register")];
    let samples = Samples::of(1000, || {
        for _ in 0..100 {
            let _ = black_box(codec::decode(&senergy, power, black_box(&[0xFFFF, 0xFF00]), None));
        }
    });
    row("32 bits, signed, scaled", &samples.per(100), NO_BUDGET);
}

fn profile(name: &str) -> Arc<Profile> {
    Arc::new(shipped(name).expect(name).expect("in order"))
}

/// Frames and ms of reads.
fn cost(profile: &Profile, blocks: &[Block]) -> (usize, u128) {
    let each = |block: &Block| block.request(1).bus_time(BAUD) + TURNAROUND + profile.link.spacing;
    (blocks.len(), blocks.iter().map(each).sum::<Duration>().as_millis())
}

fn bus_times() {
    println!("\nBus time of one round at {BAUD} Bd: frames / ms, in brackets what the tools in the field come to");
    println!(
        "{:24}{:>24}{:>24}{:>24}{:>16}",
        "", "safety and flow", "safety, gap as tools", "safety, gap 40", "safety as here"
    );
    for (name, gap, field) in FIELD.iter().copied() {
        let profile = profile(name);
        let of = |classes: &[PollClass], gap: u16| {
            let limits = Limits { max: profile.read.max, gap: gap.min(profile.read.max - 1) };
            let blocks =
                plan(&profile, limits, &Learned::default(), |id| classes.contains(&profile.registers[id].poll));
            cost(&profile, &blocks)
        };
        let safety = [PollClass::Safety];
        let computed = [of(&[PollClass::Safety, PollClass::Flow], gap), of(&safety, gap), of(&safety, 40)];
        let [all, tools, wide] = [0, 1, 2].map(|n| {
            let ((frames, ms), (field_frames, field_ms)) = (computed[n], field[n]);
            format!("{frames} / {ms} ({field_frames} / {field_ms})")
        });
        let polled: Vec<Block> = plan::by_class(&profile, &Learned::default(), |_| true)
            .into_iter()
            .filter(|(class, _)| *class == PollClass::Safety)
            .map(|(_, block)| block)
            .collect();
        let (frames, ms) = cost(&profile, &polled);
        let here = format!("{frames} / {ms}");
        println!("{name:24}{all:>24}{tools:>24}{wide:>24}{here:>16}");
    }
}
