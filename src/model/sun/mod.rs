//! The machine and the sun: rules that watch inverters, machine and program, and what they led to.
//!
//! The language of rules ([`Expr`]) is read here, so that a configuration is refused with its line; it is evaluated in the
//! hub. A condition is true, false or not known ([`Truth`]), and what is not known never moves or stops anything.

mod expr;
mod forecast;
mod learned;
pub mod losses;
mod order;
mod own_use;
mod parse;
mod plan;
mod profile;
mod rule;
mod state;
mod surplus;
mod word;

pub use expr::{Expr, Op, Sum, Truth};
pub use forecast::{Lasts, Outlook, Reserve, Supply, Verdict};
pub use learned::{Learned, NOTHING_MEASURED, Need, Share};
pub use order::SunOrder;
pub use own_use::without_programs;
pub use parse::{BadCondition, Condition, read_duration};
pub use plan::{Plan, PlanHour, PlanTime, PlanWindow, PlanWindowKind, day_time, in_window};
pub use profile::{DayProfile, loads_after, median, scatter};
pub use rule::{Action, Rule, WhenUnknown};
pub use state::{Firing, Knowledge, Park, ParkStep, RuleState, Seen, SpindleWait, Sun, SunStart, starts_words};
pub use surplus::{StartPhase, StartRules, StartStep, SunSeen, SunWait};
pub use word::{Choice, Dimension, Flag, Quantity, Word};
