//! The rows of the table, area by area; [`TABLE`](super::TABLE) joins them in the order of [`areas`].

mod areas;
mod console;
mod devices;
mod help;
mod jog;
mod leave;
mod machine;
mod offsets;
mod overrides;
mod panel;
mod power;
mod programs;
mod settings;
mod stop;
mod tabs;
mod text;

pub(super) use areas::AREAS;
