//! Settings of a controller as plain data: the table, the check of a new value, backups and what they would change.
//!
//! What a controller lists is folded into rows by the protocol's room; what is here only knows rows.

mod backup;
mod check;
mod table;

pub use backup::{Backup, Change, Plan, changes, plan};
pub use check::{Unfit, check, same_value};
pub use table::{Access, Kind, MAX_ROWS, Setting, SettingsTable};
