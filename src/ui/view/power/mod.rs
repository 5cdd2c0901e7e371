//! The tab Power, one file for each of its pages, and the line about power on the other tabs.

mod bars;
mod battery;
mod buses;
mod changes;
mod chart;
mod course;
mod energy;
mod facts;
mod faults;
mod flow;
mod form;
mod inverters;
mod line;
mod page;
mod plan;
mod registers;
mod settings;
mod sun;
#[cfg(test)]
mod tests;
mod windows;

pub(super) use line::{alerts, draw as draw_line, line_is_empty};
pub(super) use page::{draw, hint_name, hints};
