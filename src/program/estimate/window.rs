//! The blocks that a controller has queued, and how fast it goes through them.

/// Most blocks that are looked ahead; grblHAL queues a hundred. A power of two, so that a place in the ring is a mask.
const MOST_BLOCKS: usize = 128;

/// A piece of straight line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Block {
    /// mm.
    pub(super) length: f64,
    /// Inverse of the acceleration, s²/mm.
    pub(super) per_accel: f64,
    /// By how much the square of the speed can change along it, mm²/s².
    pub(super) change_sq: f64,
    /// Top speed, mm/s.
    pub(super) nominal: f64,
    /// How fast it may be entered, squared.
    pub(super) max_entry_sq: f64,
    pub(super) rapid: bool,
    pub(super) line: u64,
}

/// A block that nothing changes any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub(super) seconds: f64,
    pub(super) rapid: bool,
    pub(super) line: u64,
}

/// A block and the squared speed at which it is entered, as far as that is known.
#[derive(Clone, Copy, Debug, Default)]
struct Queued {
    block: Block,
    entry_sq: f64,
}

/// A ring of queued blocks. Each is entered no faster than the machine can still stop at the end of the last one.
#[derive(Clone, Debug)]
pub(super) struct Window {
    ring: Box<[Queued; MOST_BLOCKS]>,
    size: usize,
    first: usize,
    count: usize,
    /// Speed at which the first block is entered, mm/s.
    entry: f64,
}

impl Window {
    /// For so many blocks.
    pub(super) fn new(blocks: usize) -> Self {
        let size = blocks.clamp(2, MOST_BLOCKS);
        Self { ring: Box::new([Queued::default(); MOST_BLOCKS]), size, first: 0, count: 0, entry: 0.0 }
    }

    /// Queues a block; where the window is full, its first one is carried out.
    pub(super) fn push(&mut self, block: Block) -> Option<Done> {
        let done = if self.count == self.size { self.pop() } else { None };
        // The first block of a queue begins at a standstill.
        let mut exit_sq = if self.count == 0 { 0.0 } else { block.max_entry_sq.min(block.change_sq) };
        *self.at(self.count) = Queued { block, entry_sq: exit_sq };
        // The first block is under way: how it was entered stays. Where nothing changes, nothing before it does.
        for n in (1..self.count).rev() {
            let Queued { block, entry_sq } = self.at(n);
            let reached_sq = block.max_entry_sq.min(exit_sq + block.change_sq);
            if reached_sq == *entry_sq {
                break;
            }
            *entry_sq = reached_sq;
            exit_sq = reached_sq;
        }
        self.count += 1;
        done
    }

    /// Carries out the first block.
    pub(super) fn pop(&mut self) -> Option<Done> {
        if self.count == 0 {
            return None;
        }
        let Queued { block, entry_sq } = *self.at(0);
        self.count -= 1;
        self.first += 1;
        let planned_sq = if self.count == 0 { 0.0 } else { self.at(0).entry_sq };
        let exit_sq = planned_sq.min(entry_sq + block.change_sq);
        self.at(0).entry_sq = exit_sq;
        let nominal_sq = block.nominal * block.nominal;
        let exit = if exit_sq == nominal_sq { block.nominal } else { exit_sq.sqrt() };
        let entry = std::mem::replace(&mut self.entry, exit);
        Some(Done { seconds: seconds(&block, entry, exit), rapid: block.rapid, line: block.line })
    }

    fn at(&mut self, n: usize) -> &mut Queued {
        &mut self.ring[(self.first + n) % MOST_BLOCKS]
    }
}

/// Time of a trapezoid, or of a triangle where the top speed is not reached.
fn seconds(block: &Block, entry: f64, exit: f64) -> f64 {
    let Block { length, per_accel, change_sq, nominal, .. } = *block;
    if entry == nominal && exit == nominal {
        return length / nominal;
    }
    let mean_sq = 0.5 * (entry * entry + exit * exit);
    let ramps = (nominal * nominal - mean_sq) * per_accel;
    if ramps <= length {
        (2.0 * nominal - entry - exit) * per_accel + (length - ramps) / nominal
    } else {
        let top = (0.5 * change_sq + mean_sq).sqrt();
        (2.0 * top - entry - exit) * per_accel
    }
}
