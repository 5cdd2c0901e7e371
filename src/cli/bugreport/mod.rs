//! `sunmill bugreport`: all that is needed to look into something that went wrong, as one text without secrets.

mod command;
mod redact;

pub(super) use command::{BugreportArgs, Found, run};
