//! The overrides: which one the keys act on, and what a key asks for.

use crate::model::Realtime;
use crate::model::command::{OverrideStep, RapidStep};
use crate::model::machine::Overrides;

/// One of the three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lane {
    /// Feed, 10 to 200 %.
    #[default]
    Feed,
    /// Rapids, 25, 50 or 100 %.
    Rapid,
    /// Spindle speed, 10 to 200 %.
    Spindle,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OverrideKey {
    /// The override above.
    Up,
    /// The override below.
    Down,
    /// A step of 10 %, or the next higher rapid.
    More,
    /// A step of 10 %, or the next lower rapid.
    Less,
    /// A step of 1 %.
    FineMore,
    /// A step of 1 %.
    FineLess,
    /// Back to 100 %.
    Reset,
}

impl Lane {
    /// All, from top to bottom.
    pub const ALL: [Self; 3] = [Self::Feed, Self::Rapid, Self::Spindle];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Feed => "Feed",
            Self::Rapid => "Rapids",
            Self::Spindle => "Spindle",
        }
    }

    /// Its value, %.
    pub const fn of(self, overrides: Overrides) -> u16 {
        match self {
            Self::Feed => overrides.feed,
            Self::Rapid => overrides.rapid,
            Self::Spindle => overrides.spindle,
        }
    }

    /// Another one: the one above or below.
    #[must_use]
    pub fn stepped(self, key: OverrideKey) -> Self {
        let at = Self::ALL.iter().position(|lane| *lane == self).unwrap_or(0);
        match key {
            OverrideKey::Up => Self::ALL[at.saturating_sub(1)],
            OverrideKey::Down => Self::ALL[(at + 1).min(Self::ALL.len() - 1)],
            _ => self,
        }
    }

    /// What goes to the machine; `now`: as last reported.
    pub fn realtime(self, key: OverrideKey, now: Option<Overrides>) -> Option<Realtime> {
        let step = match key {
            OverrideKey::Up | OverrideKey::Down => return None,
            OverrideKey::More => OverrideStep::CoarsePlus,
            OverrideKey::Less => OverrideStep::CoarseMinus,
            OverrideKey::FineMore => OverrideStep::FinePlus,
            OverrideKey::FineLess => OverrideStep::FineMinus,
            OverrideKey::Reset => OverrideStep::Reset,
        };
        Some(match self {
            Self::Feed => Realtime::FeedOverride(step),
            Self::Spindle => Realtime::SpindleOverride(step),
            Self::Rapid => Realtime::RapidOverride(match (key, now.map_or(100, |overrides| overrides.rapid)) {
                (OverrideKey::Less | OverrideKey::FineLess, 51..) => RapidStep::Half,
                (OverrideKey::Less | OverrideKey::FineLess, _) => RapidStep::Quarter,
                (OverrideKey::More | OverrideKey::FineMore, ..50) => RapidStep::Half,
                _ => RapidStep::Full,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_have_ends_and_rapids_three_steps() {
        assert_eq!(Lane::Feed.stepped(OverrideKey::Up), Lane::Feed);
        assert_eq!(Lane::Feed.stepped(OverrideKey::Down), Lane::Rapid);
        assert_eq!(Lane::Spindle.stepped(OverrideKey::Down), Lane::Spindle);
        for (key, rapid, step) in [
            (OverrideKey::Less, 100, RapidStep::Half),
            (OverrideKey::Less, 50, RapidStep::Quarter),
            (OverrideKey::Less, 25, RapidStep::Quarter),
            (OverrideKey::More, 25, RapidStep::Half),
            (OverrideKey::FineMore, 50, RapidStep::Full),
            (OverrideKey::More, 100, RapidStep::Full),
            (OverrideKey::Reset, 25, RapidStep::Full),
        ] {
            let now = Some(Overrides { feed: 100, rapid, spindle: 100 });
            assert_eq!(Lane::Rapid.realtime(key, now), Some(Realtime::RapidOverride(step)), "{key:?} at {rapid}");
        }
        let more = Lane::Spindle.realtime(OverrideKey::More, None);
        assert_eq!(more, Some(Realtime::SpindleOverride(OverrideStep::CoarsePlus)));
        assert_eq!(Lane::Feed.realtime(OverrideKey::Up, None), None);
    }
}
