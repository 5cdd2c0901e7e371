//! The blocks that a controller has queued, and how fast it goes through them.

/// Most blocks that are looked ahead; grblHAL queues a hundred.
const MOST_BLOCKS: usize = 128;

/// A piece of straight line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Block {
    /// mm.
    pub(super) length: f64,
    /// mm/s².
    pub(super) accel: f64,
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

/// A ring of queued blocks. Each is entered no faster than the machine can still stop at the end of the last one.
#[derive(Clone, Debug)]
pub(super) struct Window {
    blocks: Vec<Block>,
    /// Squared speed at which each block is entered.
    entry_sq: Vec<f64>,
    first: usize,
    count: usize,
}

impl Window {
    /// For so many blocks.
    pub(super) fn new(blocks: usize) -> Self {
        let size = blocks.clamp(2, MOST_BLOCKS);
        Self { blocks: vec![Block::default(); size], entry_sq: vec![0.0; size], first: 0, count: 0 }
    }

    /// Queues a block; where the window is full, its first one is carried out.
    pub(super) fn push(&mut self, block: Block) -> Option<Done> {
        let done = if self.count == self.blocks.len() { self.pop() } else { None };
        let mut at = self.slot(self.count);
        // The first block of a queue begins at a standstill.
        let reachable_sq = 2.0 * block.accel * block.length;
        self.entry_sq[at] = if self.count == 0 { 0.0 } else { block.max_entry_sq.min(reachable_sq) };
        self.blocks[at] = block;
        self.count += 1;
        let mut exit_sq = self.entry_sq[at];
        // The first block is under way: how it was entered stays. Where nothing changes, nothing before it does.
        for _ in 2..self.count {
            at = at.checked_sub(1).unwrap_or(self.blocks.len() - 1);
            let block = &self.blocks[at];
            let entry_sq = block.max_entry_sq.min(exit_sq + 2.0 * block.accel * block.length);
            if entry_sq == self.entry_sq[at] {
                break;
            }
            self.entry_sq[at] = entry_sq;
            exit_sq = entry_sq;
        }
        done
    }

    /// Carries out the first block.
    pub(super) fn pop(&mut self) -> Option<Done> {
        if self.count == 0 {
            return None;
        }
        let block = self.blocks[self.first];
        let entry_sq = self.entry_sq[self.first];
        let next = self.slot(1);
        self.count -= 1;
        let planned_sq = if self.count == 0 { 0.0 } else { self.entry_sq[next] };
        let exit_sq = planned_sq.min(entry_sq + 2.0 * block.accel * block.length);
        self.first = next;
        if self.count > 0 {
            self.entry_sq[next] = exit_sq;
        }
        Some(Done { seconds: seconds(&block, entry_sq, exit_sq), rapid: block.rapid, line: block.line })
    }

    fn slot(&self, n: usize) -> usize {
        let at = self.first + n;
        if at >= self.blocks.len() { at - self.blocks.len() } else { at }
    }
}

/// Time of a trapezoid, or of a triangle where the top speed is not reached.
fn seconds(block: &Block, entry_sq: f64, exit_sq: f64) -> f64 {
    let Block { length, accel, nominal, .. } = *block;
    let per_accel = 1.0 / accel;
    let nominal_sq = nominal * nominal;
    if entry_sq == nominal_sq && exit_sq == nominal_sq {
        return length / nominal;
    }
    let (entry, exit) = (entry_sq.sqrt(), exit_sq.sqrt());
    let ramps = (nominal_sq - 0.5 * (entry_sq + exit_sq)) * per_accel;
    if ramps <= length {
        (2.0 * nominal - entry - exit) * per_accel + (length - ramps) / nominal
    } else {
        let top = (accel * length + 0.5 * (entry_sq + exit_sq)).sqrt();
        (2.0 * top - entry - exit) * per_accel
    }
}
