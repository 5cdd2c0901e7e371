//! What there is to do, where its keys are looked for, and what it can do to the world.

use crate::ui::jog::Direction;
use crate::ui::overrides::OverrideKey;
use crate::ui::power::PowerKey;
use crate::ui::programs::ProgramKey;
use crate::ui::tab::Tab;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Bring motion to a stand.
    Stop,
    /// Feed hold.
    Hold,
    /// End the program.
    StopProgram,
    /// Soft reset.
    SoftReset,
    /// Close what is open, cancel a jog, leave jog mode.
    Escape,
    /// Bring the machine down safely.
    Park,
    /// What rules and parking have told was read.
    PutAway,
    /// Resume from hold or door.
    Resume,
    /// Enter jog mode.
    JogMode,
    /// Open the line for G-code.
    Mdi,
    /// Home.
    Home,
    /// What to do about an alarm.
    AlarmPanel,
    /// Zero a work axis: asks which.
    Zero,
    /// Try the link now.
    Reconnect,
    /// Take control from another client.
    TakeControl,
    /// List of actions by name.
    Palette,
    /// Help.
    Help,
    /// What the console shows: everything, the wire, messages, what was sent from here.
    WireView,
    /// Status reports on the wire, or not.
    WireReports,
    /// What the console shows, into a file.
    ConsoleSave,
    /// Look for a line typed before.
    HistorySearch,
    /// Complete a `$` command.
    Complete,
    /// Console one page back.
    ScrollBack,
    /// Console one page on.
    ScrollOn,
    /// Console to its end.
    ScrollEnd,
    /// Millimetres or inches on the screen.
    SwitchUnits,
    /// Draw everything anew.
    Redraw,
    /// Back to the shell; `fg` returns.
    Suspend,
    /// Leave.
    Quit,
    /// A jog direction.
    Jog(Direction),
    /// Step preset by place.
    StepPreset(u8),
    /// Next larger step.
    StepUp,
    /// Next smaller step.
    StepDown,
    /// Step × 10.
    StepTimesTen,
    /// Step ÷ 10.
    StepOverTen,
    /// The next of the axes beyond Z gets the last pair of jog keys.
    NextExtraAxis,
    /// The next jog direction goes on without a key held.
    LatchJog,
    /// Next faster feed.
    FeedUp,
    /// Next slower feed.
    FeedDown,
    /// Continuous motion on hold, or single steps only.
    ToggleContinuous,
    /// Send the line, or take the choice.
    Accept,
    /// Earlier line.
    HistoryBack,
    /// Later line.
    HistoryOn,
    /// Open a tab.
    Open(Tab),
    /// The tab to the right.
    NextTab,
    /// The tab to the left.
    PreviousTab,
    /// Search the settings.
    SettingsFilter,
    /// Change the selected setting, or take the selected backup.
    SettingsEdit,
    /// Read all settings.
    SettingsRead,
    /// Back up the settings.
    SettingsBackup,
    /// Show the backups, or the settings again.
    SettingsBackups,
    /// Mark a backup, to compare another one with it.
    SettingsMark,
    /// Up in the table of the tab.
    PanelUp,
    /// Down in the table of the tab.
    PanelDown,
    /// List the serial devices.
    ListPorts,
    /// Ask the selected device who it is.
    AskPort,
    /// The hub's log.
    ShowLog,
    /// Who is attached.
    ShowClients,
    /// Search the log.
    LogFilter,
    /// The next level of the log.
    LogLevel,
    /// What is shown of the log, into a file.
    LogSave,
    /// Give control back.
    ReleaseControl,
    /// Use the selected device as the machine's port, now or from the next start on.
    RememberPort,
    /// Show the overrides; their keys hold until Esc.
    Overrides,
    /// A key of the overrides.
    Override(OverrideKey),
    /// Spindle: speed and direction, off; in Hold a stop.
    Spindle,
    /// Flood coolant on or off.
    Flood,
    /// Mist coolant on or off.
    Mist,
    /// Outputs of the controller: asks which.
    Outputs,
    /// Go to work zero, G28 or G30: asks which.
    GoTo,
    /// Go to a point: a form.
    GoToPoint,
    /// Undo the newest change of offsets.
    Undo,
    /// Safety door.
    Door,
    /// Check mode on or off.
    CheckMode,
    /// Send the controller to sleep.
    Sleep,
    /// Make the selected coordinate system the active one.
    OffsetActivate,
    /// Type what the position is to read, or the tool length.
    OffsetSet,
    /// Halve what an axis reads.
    OffsetHalf,
    /// Zero the active system, clear G92 or the tool length.
    OffsetClear,
    /// Store the present position as G28 or G30.
    OffsetStore,
    /// A key for programs.
    Program(ProgramKey),
    /// A key for inverters.
    Power(PowerKey),
}

/// Where an action's keys are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere and before anything else; in text fields only the keys that are not text.
    Stop,
    /// Everywhere outside text fields.
    Global,
    /// Outside jog mode and text fields, on every tab.
    Main,
    /// On one tab, outside jog mode and text fields; goes before [`Context::Main`], but for the keys that change tabs.
    Tab(Tab),
    /// On every tab but the first, as [`Context::Tab`].
    Panel,
    /// While the overrides are shown; goes before the tab and the main screen.
    Override,
    /// In jog mode.
    Jog,
    /// In text fields and lists.
    Text,
}

/// Heading in help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Stopping.
    Stop,
    /// Running the machine.
    Machine,
    /// Jogging.
    Jog,
    /// Overrides.
    Overrides,
    /// The tab of programs.
    Programs,
    /// The tab of offsets.
    Offsets,
    /// The tab of inverters.
    Power,
    /// The screen.
    Screen,
    /// Text fields.
    Text,
}

impl Group {
    /// All, in the order of help.
    pub const ALL: [Self; 9] = [
        Self::Stop,
        Self::Machine,
        Self::Programs,
        Self::Jog,
        Self::Overrides,
        Self::Offsets,
        Self::Power,
        Self::Screen,
        Self::Text,
    ];

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Stop => "Stopping, from every screen",
            Self::Machine => "Machine",
            Self::Jog => "Jog mode (i enters, Esc leaves)",
            Self::Overrides => "Overrides (o opens, Esc closes)",
            Self::Programs => "Programs, on their tab (P opens)",
            Self::Offsets => "Offsets, on their tab (O opens)",
            Self::Power => "Power, on its tab (W opens)",
            Self::Screen => "Screen",
            Self::Text => "Text fields and lists",
        }
    }
}

/// What an action can do to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Danger {
    /// Nothing outside the screen.
    None,
    /// Brings things to rest.
    Stops,
    /// Changes what the controller keeps, or loses position or a program.
    Changes,
    /// Starts motion.
    Moves,
}
