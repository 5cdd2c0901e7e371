//! Trouble on demand: what can go wrong with a controller or its cable, at a time or at once.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The link goes away, as when a USB plug is pulled.
    Drop,
    /// A burst of bytes that make no sense, as with a wrong baud rate or a noisy cable.
    Garbage,
    /// The controller hangs: it takes nothing and says nothing any more.
    Silence,
    /// The controller loses power for a moment: it boots anew and does not know where it is.
    Reset,
    /// The X limit switch closes.
    HardLimit,
    /// The memory of settings fails: a write is answered `ok`, and the old value stays.
    LostWrite,
}

impl Fault {
    const ALL: [(&'static str, Self); 6] = [
        ("drop", Self::Drop),
        ("garbage", Self::Garbage),
        ("silence", Self::Silence),
        ("reset", Self::Reset),
        ("hard-limit", Self::HardLimit),
        ("lost-write", Self::LostWrite),
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, fault)| fault == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

/// A fault and when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultPlan {
    /// What.
    pub fault: Fault,
    /// How long after the start; zero: at once.
    pub after: Duration,
}

/// The text is not a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFault {
    /// There is no such fault.
    #[error(
        "no fault is called {0:?}: use drop, garbage, silence, reset, hard-limit or lost-write, with a time if wanted (drop@12s)"
    )]
    Name(String),
    /// The time after `@` cannot be read.
    #[error("{0:?} is not a time: write seconds or milliseconds, for example drop@12s or drop@500ms")]
    Time(String),
}

impl FromStr for Fault {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, BadFault> {
        Self::ALL
            .iter()
            .find(|(name, _)| *name == text)
            .map(|&(_, fault)| fault)
            .ok_or_else(|| BadFault::Name(text.to_owned()))
    }
}

impl FromStr for FaultPlan {
    type Err = BadFault;

    /// `drop`, `drop@12s`, `drop@1.5s`, `drop@500ms`.
    fn from_str(text: &str) -> Result<Self, BadFault> {
        let (name, time) = match text.trim().split_once('@') {
            Some((name, time)) => (name.trim(), Some(time.trim())),
            None => (text.trim(), None),
        };
        Ok(Self { fault: name.parse()?, after: time.map_or(Ok(Duration::ZERO), parse_time)? })
    }
}

pub(in crate::sim) fn parse_time(text: &str) -> Result<Duration, BadFault> {
    let bad = || BadFault::Time(text.to_owned());
    let (number, unit_s) = if let Some(number) = text.strip_suffix("ms") {
        (number, 0.001)
    } else {
        (text.strip_suffix('s').unwrap_or(text), 1.0)
    };
    let value: f64 = number.trim().parse().map_err(|_| bad())?;
    Duration::try_from_secs_f64(value * unit_s).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_texts_are_read() {
        for (text, fault, millis) in [
            ("drop@12s", Fault::Drop, 12_000),
            ("garbage@5", Fault::Garbage, 5_000),
            ("silence@1.5s", Fault::Silence, 1_500),
            (" reset @ 250ms ", Fault::Reset, 250),
            ("hard-limit", Fault::HardLimit, 0),
        ] {
            let plan: FaultPlan = text.parse().unwrap();
            assert_eq!(plan, FaultPlan { fault, after: Duration::from_millis(millis) }, "{text}");
        }
    }

    #[test]
    fn bad_fault_texts_say_what_to_write() {
        let unknown = "explode@3s".parse::<FaultPlan>().unwrap_err().to_string();
        assert!(unknown.contains("explode") && unknown.contains("hard-limit"), "{unknown}");
        for text in ["drop@soon", "drop@", "drop@-1s", "drop@inf", "drop@3m"] {
            let error = text.parse::<FaultPlan>().unwrap_err();
            assert!(matches!(error, BadFault::Time(_)), "{text}: {error:?}");
        }
    }
}
