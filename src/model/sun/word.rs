//! The words that a condition may name, what each means, and its unit.

use crate::model::power::Role;

/// What a number counts. Numbers of two dimensions are never compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Percent.
    Percent,
    /// Watts.
    Watts,
    /// Volts.
    Volts,
    /// Amperes.
    Amperes,
    /// Hertz.
    Hertz,
    /// Degrees Celsius.
    Celsius,
    /// A time, in minutes.
    Minutes,
}

impl Dimension {
    /// The unit as it is shown.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::Watts => "W",
            Self::Volts => "V",
            Self::Amperes => "A",
            Self::Hertz => "Hz",
            Self::Celsius => "°C",
            Self::Minutes => "min",
        }
    }

    /// What a unit as written means: its dimension, and how many of the shown unit it is.
    pub fn of_unit(unit: &str) -> Option<(Self, f64)> {
        Some(match unit {
            "%" => (Self::Percent, 1.0),
            "W" => (Self::Watts, 1.0),
            "kW" => (Self::Watts, 1000.0),
            "V" => (Self::Volts, 1.0),
            "A" => (Self::Amperes, 1.0),
            "Hz" => (Self::Hertz, 1.0),
            "C" | "°C" => (Self::Celsius, 1.0),
            "s" => (Self::Minutes, 1.0 / 60.0),
            "min" => (Self::Minutes, 1.0),
            "h" => (Self::Minutes, 60.0),
            _ => return None,
        })
    }

    fn of_role(role: Role) -> Self {
        match role.unit() {
            "W" => Self::Watts,
            "V" => Self::Volts,
            "A" => Self::Amperes,
            "Hz" => Self::Hertz,
            "°C" => Self::Celsius,
            _ => Self::Percent,
        }
    }
}

/// A number that a condition may compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// What an inverter measures.
    Role(Role),
    /// Minutes until the battery is empty down to its limit at the present load.
    MinutesLeft,
    /// Rated power less the load.
    SparePower,
    /// Power of the sun less the load.
    Surplus,
    /// What the running program still needs, by its check.
    ProgramLeft,
    /// How long it takes to park.
    ParkTime,
}

const ROLES: [Role; 16] = [
    Role::PvPower,
    Role::GridPower,
    Role::GridVoltage,
    Role::GridFrequency,
    Role::LoadPower,
    Role::LoadPercent,
    Role::RatedPower,
    Role::InverterTemp,
    Role::BatteryPower,
    Role::BatteryCurrent,
    Role::BatteryVoltage,
    Role::BatterySoc,
    Role::BatterySoh,
    Role::BatteryTemp,
    Role::SocMin,
    Role::SocMax,
];

const DERIVED: [(&str, Quantity, Dimension); 5] = [
    ("minutes_left", Quantity::MinutesLeft, Dimension::Minutes),
    ("spare_power", Quantity::SparePower, Dimension::Watts),
    ("surplus", Quantity::Surplus, Dimension::Watts),
    ("program_left", Quantity::ProgramLeft, Dimension::Minutes),
    ("park_time", Quantity::ParkTime, Dimension::Minutes),
];

impl Quantity {
    /// The roles whose values a rule can read.
    pub const ROLES: [Role; 16] = ROLES;

    /// The roles that it is made of.
    pub fn roles(self) -> Vec<Role> {
        match self {
            Self::Role(role) => vec![role],
            Self::MinutesLeft => vec![Role::BatteryPower, Role::BatterySoc, Role::SocMin],
            Self::SparePower => vec![Role::RatedPower, Role::LoadPower],
            Self::Surplus => vec![Role::PvPower, Role::LoadPower],
            Self::ProgramLeft | Self::ParkTime => Vec::new(),
        }
    }

    /// The least and the most that it can be.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Self::Role(Role::BatterySoc | Role::BatterySoh | Role::SocMin | Role::SocMax) => (0.0, 100.0),
            Self::Role(
                Role::GridPower | Role::BatteryPower | Role::BatteryCurrent | Role::BatteryTemp | Role::InverterTemp,
            )
            | Self::SparePower
            | Self::Surplus => (f64::NEG_INFINITY, f64::INFINITY),
            Self::Role(_) | Self::MinutesLeft | Self::ProgramLeft | Self::ParkTime => (0.0, f64::INFINITY),
        }
    }

    /// Its name in a condition.
    pub fn name(self) -> String {
        match self {
            Self::Role(role) => role.to_string(),
            _ => DERIVED.iter().find(|(_, known, _)| *known == self).map_or("", |(name, ..)| name).to_owned(),
        }
    }

    /// What it counts.
    pub fn dimension(self) -> Dimension {
        match self {
            Self::Role(role) => Dimension::of_role(role),
            _ => DERIVED.iter().find(|(_, known, _)| *known == self).map_or(Dimension::Watts, |(.., of)| *of),
        }
    }

    /// It is read from an inverter.
    pub const fn of_inverter(self) -> bool {
        !matches!(self, Self::ProgramLeft | Self::ParkTime)
    }
}

/// Something that is one of several words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Whether the grid is there.
    Grid,
    /// The state of the machine.
    Machine,
    /// How the program stands.
    Program,
}

impl Choice {
    /// Its name in a condition.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Machine => "machine",
            Self::Program => "program",
        }
    }

    /// What it can be.
    pub const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Grid => &["there", "lost"],
            Self::Machine => {
                &["idle", "run", "hold", "jog", "alarm", "door", "check", "home", "sleep", "tool", "starting"]
            }
            Self::Program => &["none", "running", "paused", "stopping"],
        }
    }
}

/// Something that is so or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// The inverter tells a fault.
    InverterFault,
    /// The inverter tells a warning.
    InverterWarning,
    /// The inverter tells that there is too much load.
    Overload,
    /// The spindle turns.
    SpindleOn,
}

impl Flag {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::InverterFault, Self::InverterWarning, Self::Overload, Self::SpindleOn];

    /// Its name in a condition.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InverterFault => "inverter_fault",
            Self::InverterWarning => "inverter_warning",
            Self::Overload => "overload",
            Self::SpindleOn => "spindle_on",
        }
    }
}

/// What a name in a condition means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// A number.
    Quantity(Quantity),
    /// One of several words.
    Choice(Choice),
    /// So or not.
    Flag(Flag),
}

impl Word {
    /// Every word that a condition may name.
    pub fn all() -> Vec<(String, Self)> {
        let roles = ROLES.iter().map(|role| Quantity::Role(*role));
        let numbers = roles.chain(DERIVED.iter().map(|(_, quantity, _)| *quantity));
        let numbers = numbers.map(|quantity| (quantity.name(), Self::Quantity(quantity)));
        let choices = [Choice::Grid, Choice::Machine, Choice::Program];
        let choices = choices.map(|choice| (choice.name().to_owned(), Self::Choice(choice)));
        let flags = Flag::ALL.map(|flag| (flag.name().to_owned(), Self::Flag(flag)));
        numbers.chain(choices).chain(flags).collect()
    }

    /// The word of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|(known, _)| known == name).map(|(_, word)| word)
    }
}
