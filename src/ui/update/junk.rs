//! Bytes in, effects out: what the terminal can do to the machine when its sequences come in pieces.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::machine::MachineState;
use crate::model::{Command, StateKind};
use crate::ui::input::Decoder;
use crate::ui::testing::{Scene, in_state};

/// Place of an axis, and the sign.
type Way = (usize, f64);

/// What terminals send by default or when asked as we ask them, and the axis letter and sign that each jogs, if any.
const SEQUENCES: &[(&[u8], Option<Way>)] = &[
    (b"\x1b[A", Some((1, 1.0))),
    (b"\x1b[B", Some((1, -1.0))),
    (b"\x1b[C", Some((0, 1.0))),
    (b"\x1b[D", Some((0, -1.0))),
    (b"\x1bOA", Some((1, 1.0))),
    (b"\x1b[1;2A", Some((1, 1.0))),
    (b"\x1b[1;3D", Some((0, -1.0))),
    (b"\x1b[5~", Some((2, 1.0))),
    (b"\x1b[6~", Some((2, -1.0))),
    (b"\x1b[5;2~", Some((2, 1.0))),
    (b"\x1b[H", None),
    (b"\x1b[F", None),
    (b"\x1bOH", None),
    (b"\x1b[1~", None),
    (b"\x1b[2~", None),
    (b"\x1b[3~", None),
    (b"\x1b[4~", None),
    (b"\x1b[11~", None),
    (b"\x1b[15~", None),
    (b"\x1b[24~", None),
    (b"\x1bOP", None),
    (b"\x1b[[A", None),
    (b"\x1b[Z", None),
    (b"\x1b[I", None),
    (b"\x1b[0n", None),
    (b"\x1b[?31u", None),
    (b"\x1b[57441;1:3u", None),
    (b"\x1b[?62;22c", None),
    (b"\x1b[200~!~$H\rihjkl\x1b[201~", None),
];

const GAPS_MS: &[u64] = &[0, 1, 5, 20, 24, 25, 26, 60, 99, 100, 101, 150, 300, 700, 1500];

struct Chain {
    decoder: Decoder,
    scene: Scene,
    motion: Vec<Effect>,
}

impl Chain {
    fn new(state: MachineState, jog_mode: bool) -> Self {
        let mut scene = Scene::new(in_state(state));
        if jog_mode {
            scene.press(&["i"]);
            scene.wait(1000);
        }
        Self { decoder: Decoder::new(Duration::from_millis(25)), scene, motion: Vec::new() }
    }

    /// One read of bytes, and then time.
    fn read(&mut self, bytes: &[u8], gap_ms: u64) {
        self.decoder.feed(self.scene.now, bytes);
        self.take();
        let end = self.scene.now + Duration::from_millis(gap_ms);
        while let Some(due) = self.decoder.poll_timeout().filter(|due| *due <= end) {
            self.pass_until(due);
            self.decoder.handle_timeout(due);
            self.take();
        }
        self.pass_until(end);
        // The machine goes on answering.
        self.scene.snapshot.machine.reported_at = Some(self.scene.now);
    }

    fn pass_until(&mut self, end: Time) {
        let effects = self.scene.wait(end.since(self.scene.now).as_millis() as u64);
        self.keep(effects);
    }

    fn take(&mut self) {
        while let Some(input) = self.decoder.poll() {
            let effects = self.scene.input(input);
            self.keep(effects);
        }
    }

    fn keep(&mut self, effects: Vec<Effect>) {
        self.motion.extend(
            effects
                .into_iter()
                .filter(|effect| matches!(effect, Effect::Submit(_) | Effect::Realtime(Realtime::CycleStart))),
        );
    }

    /// Every motion was of this axis and sign.
    fn only(&mut self, wanted: Option<Way>, how: &str) {
        for effect in std::mem::take(&mut self.motion) {
            let vector = match &effect {
                Effect::Submit(Command::JogStep { distance, .. }) => *distance,
                Effect::Submit(Command::JogContinue { vector, .. }) => vector.direction,
                other => panic!("{how}: {other:?}"),
            };
            let (axis, sign) = wanted.unwrap_or_else(|| panic!("{how}: {effect:?}"));
            for (index, value) in vector.as_slice().iter().enumerate() {
                assert_eq!(
                    value.signum() * f64::from(u8::from(*value != 0.0)),
                    if index == axis { sign } else { 0.0 },
                    "{how}: {effect:?}"
                );
            }
        }
    }
}

fn states() -> [(MachineState, bool); 4] {
    [
        (MachineState::plain(StateKind::Idle), true),
        (MachineState::plain(StateKind::Idle), false),
        (MachineState::with_sub(StateKind::Hold, 0), false),
        (MachineState::plain(StateKind::Alarm), false),
    ]
}

#[test]
fn no_sequence_in_two_pieces_moves_what_it_does_not_mean() {
    for (state, jog_mode) in states() {
        for (bytes, meaning) in SEQUENCES {
            for at in 1..bytes.len() {
                for gap in GAPS_MS {
                    let mut chain = Chain::new(state, jog_mode);
                    chain.read(&bytes[..at], *gap);
                    chain.read(&bytes[at..], 2000);
                    let meaning = meaning.filter(|_| jog_mode);
                    chain.only(meaning, &format!("{:?} cut at {at}, {gap} ms", bytes.escape_ascii().to_string()));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    /// 10,000 sequences in all, cut anywhere, with any gaps: each moves what it means or nothing.
    #[test]
    fn ten_thousand_events_of_junk(
        which in 0..4_usize,
        events in prop::collection::vec(
            (0..SEQUENCES.len(), prop::collection::vec(1..8_usize, 1..4), prop::collection::vec(prop::sample::select(GAPS_MS), 4)),
            500,
        ),
    ) {
        let (state, jog_mode) = states()[which];
        let mut chain = Chain::new(state, jog_mode);
        for (index, cuts, gaps) in events {
            let (bytes, meaning) = SEQUENCES[index];
            let mut rest = bytes;
            for (cut, gap) in cuts.iter().zip(&gaps) {
                let n = (*cut).min(rest.len());
                chain.read(&rest[..n], *gap);
                rest = &rest[n..];
            }
            chain.read(rest, 400);
            chain.only(meaning.filter(|_| jog_mode), &bytes.escape_ascii().to_string());
        }
    }

    /// Bytes that no key sends: control bytes, the upper half, ends of sequences that never began to end.
    #[test]
    fn noise_moves_nothing(
        which in 0..4_usize,
        reads in prop::collection::vec(
            (prop::collection::vec(prop_oneof![0x80_u8..=0xFF, Just(0x1B_u8), 0x1C_u8..=0x1F], 1..12), prop::sample::select(GAPS_MS)),
            500,
        ),
    ) {
        let (state, jog_mode) = states()[which];
        let mut chain = Chain::new(state, jog_mode);
        for (bytes, gap) in reads {
            chain.read(&bytes, gap);
            chain.only(None, &format!("{bytes:02x?}"));
        }
    }
}
