//! Axes by index and letter, sets of them, and one number per axis.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Most axes any of the firmwares reports (FluidNC XYZABCUVW).
pub const MAX_AXES: usize = 9;

/// Axis letters in report order (Grbl, FluidNC and grblHAL all use the first n of these).
pub const LETTERS: [char; MAX_AXES] = ['X', 'Y', 'Z', 'A', 'B', 'C', 'U', 'V', 'W'];

/// One axis, by its place in the status report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Axis(u8);

/// What came from outside names an axis that no machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {MAX_AXES} axes at most, counted from 0")]
pub struct NoSuchAxis;

impl TryFrom<u8> for Axis {
    type Error = NoSuchAxis;

    fn try_from(index: u8) -> Result<Self, NoSuchAxis> {
        Self::from_index(index.into()).ok_or(NoSuchAxis)
    }
}

impl Axis {
    /// The X axis.
    pub const X: Self = Self(0);
    /// The Y axis.
    pub const Y: Self = Self(1);
    /// The Z axis.
    pub const Z: Self = Self(2);
    /// The A axis (rotary).
    pub const A: Self = Self(3);

    /// The axis at `index` of a report, if there can be one.
    pub fn from_index(index: usize) -> Option<Self> {
        (index < MAX_AXES).then_some(Self(index as u8))
    }

    /// The axis with this letter, upper or lower case.
    pub fn from_letter(letter: char) -> Option<Self> {
        let letter = letter.to_ascii_uppercase();
        LETTERS.iter().position(|&l| l == letter).and_then(Self::from_index)
    }

    /// Place in the status report, 0 for X.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The letter used in G-code.
    pub const fn letter(self) -> char {
        LETTERS[self.0 as usize]
    }

    /// A, B and C turn, in degrees; the others are linear, in mm.
    pub const fn is_rotary(self) -> bool {
        matches!(self.0, 3..=5)
    }

    /// `mm` or `deg`.
    pub const fn unit(self) -> &'static str {
        if self.is_rotary() { "deg" } else { "mm" }
    }
}

impl fmt::Debug for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}

/// A set of axes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16")]
pub struct AxisSet(u16);

impl TryFrom<u16> for AxisSet {
    type Error = NoSuchAxis;

    fn try_from(bits: u16) -> Result<Self, NoSuchAxis> {
        if bits & !Self::first(MAX_AXES).0 == 0 { Ok(Self(bits)) } else { Err(NoSuchAxis) }
    }
}

impl AxisSet {
    /// No axis.
    pub const EMPTY: Self = Self(0);

    /// The first `count` axes.
    pub fn first(count: usize) -> Self {
        Self(((1_u32 << count.min(MAX_AXES)) - 1) as u16)
    }

    /// From a firmware's bit mask, bit 0 = X.
    pub const fn from_mask(mask: u16) -> Self {
        Self(mask & ((1 << MAX_AXES) - 1))
    }

    /// Adds an axis.
    pub fn insert(&mut self, axis: Axis) {
        self.0 |= 1 << axis.0;
    }

    /// Whether the axis is in the set.
    pub const fn contains(self, axis: Axis) -> bool {
        self.0 & (1 << axis.0) != 0
    }

    /// Whether every axis of `other` is in the set.
    pub const fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// All axes of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// No axis in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// In report order.
    pub fn iter(self) -> impl Iterator<Item = Axis> {
        (0..MAX_AXES as u8).map(Axis).filter(move |&a| self.contains(a))
    }
}

impl FromIterator<Axis> for AxisSet {
    fn from_iter<I: IntoIterator<Item = Axis>>(iter: I) -> Self {
        let mut set = Self::EMPTY;
        for axis in iter {
            set.insert(axis);
        }
        set
    }
}

impl fmt::Debug for AxisSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for AxisSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|axis| write!(f, "{axis}"))
    }
}

/// One number for each axis that a machine has: mm for linear axes, degrees for rotary ones.
#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Numbers")]
pub struct AxisVec {
    values: [f64; MAX_AXES],
    len: u8,
}

/// As it comes from outside.
#[derive(Deserialize)]
struct Numbers {
    values: [f64; MAX_AXES],
    len: u8,
}

impl TryFrom<Numbers> for AxisVec {
    type Error = NoSuchAxis;

    fn try_from(Numbers { values, len }: Numbers) -> Result<Self, NoSuchAxis> {
        if usize::from(len) <= MAX_AXES { Ok(Self { values, len }) } else { Err(NoSuchAxis) }
    }
}

impl AxisVec {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Self { values: [0.0; MAX_AXES], len: len.min(MAX_AXES) as u8 }
    }

    /// The values in report order; those past the ninth are dropped.
    pub fn from_slice(values: &[f64]) -> Self {
        let mut vec = Self::zeros(values.len());
        for (to, from) in vec.values.iter_mut().zip(values) {
            *to = *from;
        }
        vec
    }

    /// How many axes.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// No axis at all.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of an axis, if the machine has it.
    pub fn get(&self, axis: Axis) -> Option<f64> {
        self.as_slice().get(axis.index()).copied()
    }

    /// Sets an axis; does nothing where the machine does not have it.
    pub fn set(&mut self, axis: Axis, value: f64) {
        if axis.index() < self.len() {
            self.values[axis.index()] = value;
        }
    }

    /// In report order.
    pub fn as_slice(&self) -> &[f64] {
        &self.values[..self.len()]
    }

    /// Axis and value, in report order.
    pub fn iter(&self) -> impl Iterator<Item = (Axis, f64)> + '_ {
        self.as_slice().iter().enumerate().map(|(i, &v)| (Axis(i as u8), v))
    }

    /// `self - other`, as many axes as both have (`WPos = MPos - WCO`).
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.zip_with(other, |a, b| a - b)
    }

    /// `self + other`, as many axes as both have.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.zip_with(other, |a, b| a + b)
    }

    /// Euclidean length over all axes, as the firmwares measure a block.
    pub fn norm(&self) -> f64 {
        self.as_slice().iter().map(|v| v * v).sum::<f64>().sqrt()
    }

    /// Every value times `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let mut out = *self;
        for v in &mut out.values {
            *v *= factor;
        }
        out
    }

    fn zip_with(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let mut out = Self::zeros(self.len().min(other.len()));
        for i in 0..out.len() {
            out.values[i] = f(self.values[i], other.values[i]);
        }
        out
    }
}

impl fmt::Debug for AxisVec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}
