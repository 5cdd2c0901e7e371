//! The tabs: what the body of the screen shows. Header, alarms, stop line, footer and the line for G-code are
//! the same on all of them, and so are the stop keys.

/// A tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// Position, state, jog and console.
    #[default]
    Machine,
    /// Programs: files, checks, runs.
    Programs,
    /// Work coordinate systems and other offsets.
    Offsets,
    /// Settings of the controller.
    Settings,
    /// Inverters.
    Power,
    /// Ports, and how the link does.
    Devices,
}

impl Tab {
    /// All, in the order of the strip.
    pub const ALL: [Self; 6] =
        [Self::Machine, Self::Programs, Self::Offsets, Self::Settings, Self::Power, Self::Devices];

    /// Its name on the strip; one letter, as a capital, is the key that opens it: see [`Tab::letter`].
    pub const fn title(self) -> &'static str {
        match self {
            Self::Machine => "Machine",
            Self::Programs => "Programs",
            Self::Offsets => "Offsets",
            Self::Settings => "Settings",
            Self::Power => "Power",
            Self::Devices => "Devices",
        }
    }

    /// Where in its name the letter is that opens it: the first one, but for Power, whose first letter is taken.
    pub const fn letter(self) -> usize {
        match self {
            Self::Power => 2,
            _ => 0,
        }
    }

    /// The tab to the right, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        self.turned(1)
    }

    /// The tab to the left, round and round.
    #[must_use]
    pub fn previous(self) -> Self {
        self.turned(Self::ALL.len() - 1)
    }

    fn turned(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        Self::ALL[(at + by) % Self::ALL.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_and_round_both_ways() {
        for tab in Tab::ALL {
            assert_eq!(tab.next().previous(), tab);
        }
        assert_eq!(Tab::Machine.previous(), Tab::Devices);
        assert_eq!(Tab::Devices.next(), Tab::Machine);
    }
}
