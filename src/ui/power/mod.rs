//! State and words of the tab Power: what inverters measure, what can be set, how power went.

mod changes;
mod clock;
mod course;
mod face;
mod faults;
mod form;
mod keys;
mod outlook;
mod state;
mod table;
mod windows;
pub mod words;

pub use changes::ChangeSet;
pub use clock::{next_change, seconds_to};
pub use course::{Course, Span};
pub use face::{Alert, alerts, line, same_face};
pub use faults::{FaultLog, SeenFault};
pub use form::{Field, Form, allowed};
pub use keys::{PowerKey, PowerPage};
pub use outlook::{OutlookTold, batteries_last, outlook, outlook_of_run, outlook_part, plan_facts};
pub use state::{Found, PowerPanel, SettingsView};
pub use table::{addresses, raw, register_table};
pub use windows::{Edge, Window, hhmm, minutes_of, overlaps, read_time, windows};
