//! What the keys of the tab Power do, and its pages.

/// A key of the tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PowerKey {
    /// Open a page.
    Page(PowerPage),
    /// The next inverter, or all of them together.
    NextInverter,
    /// Change the selected setting, write the change set, look at the selected inverter.
    Take,
    /// Narrow the list.
    Filter,
    /// The change set, or the settings again.
    Changes,
    /// Take a change out of the change set.
    Drop,
    /// Time windows as bars of 24 hours; energies as bars.
    Bars,
    /// Allow dangerous settings for a minute, or not any more.
    Arm,
    /// Poll the inverter, or leave it alone.
    Switch,
    /// Say that the device that answers is the right one.
    Confirm,
    /// Put what was saved back into the change set.
    Reapply,
    /// Forget what was saved.
    Forget,
    /// Read the settings now.
    Read,
    /// The registers into a file.
    Save,
    /// Hour, day, week.
    Span,
    /// Back in time, or an end of a window earlier.
    Back,
    /// On in time, or an end of a window later.
    On,
    /// Try the bus now.
    Retry,
    /// The selected rule does not act in this program, or does again.
    Aside,
}

/// A page of the tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PowerPage {
    /// What comes from where and goes where.
    #[default]
    Flow,
    /// The inverters as rows.
    Inverters,
    /// Faults and warnings.
    Faults,
    /// What can be set.
    Settings,
    /// All registers.
    Registers,
    /// How power went.
    History,
    /// The buses.
    Buses,
    /// Rules, and what is left.
    Sun,
}

impl PowerPage {
    /// All, in the order of their keys.
    pub const ALL: [Self; 8] = [
        Self::Flow,
        Self::Inverters,
        Self::Faults,
        Self::Settings,
        Self::Registers,
        Self::History,
        Self::Buses,
        Self::Sun,
    ];

    /// Its name, and a short one for narrow screens.
    pub const fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Flow => ("Flow", "Flow"),
            Self::Inverters => ("Inverters", "Units"),
            Self::Faults => ("Faults", "Faults"),
            Self::Settings => ("Settings", "Set"),
            Self::Registers => ("Registers", "Regs"),
            Self::History => ("History", "Hist"),
            Self::Buses => ("Buses", "Buses"),
            Self::Sun => ("Sun & machine", "Rules"),
        }
    }

    /// It is about one inverter, never about all together.
    pub const fn needs_one(self) -> bool {
        matches!(self, Self::Settings | Self::Registers)
    }
}
