//! The order of the areas: that of the palette, and within a heading that of help and of the README.

use super::{
    console, devices, help, jog, leave, machine, offsets, overrides, panel, power, programs, settings, stop, tabs, text,
};
use crate::ui::action::row::Row;

/// One entry for each file of rows.
pub(in crate::ui::action) const AREAS: &[&[Row]] = &[
    stop::ROWS,
    machine::ROWS,
    programs::ROWS,
    jog::ROWS,
    overrides::ROWS,
    offsets::ROWS,
    power::ROWS,
    help::ROWS,
    console::ROWS,
    tabs::ROWS,
    settings::ROWS,
    panel::ROWS,
    devices::ROWS,
    leave::ROWS,
    text::ROWS,
];
