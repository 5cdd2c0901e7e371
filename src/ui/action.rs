//! The action table: one row for each thing a key can do.
//!
//! The keymap, the footer's hints, the help and the README's key table all come from it, so none of them can lie.

mod available;

pub use available::available;

use super::jog::{Direction, JogKey, Scale};
use super::keymap::Keymap;
use super::overrides::OverrideKey;
use super::tab::Tab;

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
    /// Keep the selected device as the machine's port.
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
    /// The tab of offsets.
    Offsets,
    /// The screen.
    Screen,
    /// Text fields.
    Text,
}

impl Group {
    /// All, in the order of help.
    pub const ALL: [Self; 7] =
        [Self::Stop, Self::Machine, Self::Jog, Self::Overrides, Self::Offsets, Self::Screen, Self::Text];

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Stop => "Stopping, from every screen",
            Self::Machine => "Machine",
            Self::Jog => "Jog mode (i enters, Esc leaves)",
            Self::Overrides => "Overrides (o opens, Esc closes)",
            Self::Offsets => "Offsets, on their tab (O opens)",
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

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// What it does.
    pub action: Action,
    /// Its name, for hints and the palette.
    pub name: &'static str,
    /// Default keys, as [`Chord`](super::keymap::Chord) reads them; the first is the one shown.
    pub keys: &'static [&'static str],
    /// One line of help.
    pub help: &'static str,
    /// Heading in help.
    pub group: Group,
    /// What it can do to the world.
    pub danger: Danger,
    /// Where its keys are looked for.
    pub context: Context,
}

impl Row {
    /// Its id, as it is written in `[keys]` of the configuration: the name in small letters, with `-` between words
    /// and signs in words (`x-minus`, `type-g-code`).
    pub fn id(&self) -> String {
        let spelled =
            self.name.replace('+', " plus ").replace("- ", " minus ").replace('/', " over ").replace('=', " ");
        let spelled = match spelled.strip_suffix('-') {
            Some(before) => format!("{before} minus"),
            None => spelled,
        };
        spelled.to_lowercase().replace('-', " ").split_whitespace().collect::<Vec<_>>().join("-")
    }
}

const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    (group, danger, context): (Group, Danger, Context),
    help: &'static str,
) -> Row {
    Row { action, name, keys, help, group, danger, context }
}

const fn jog(x: i8, y: i8, z: i8, a: i8) -> Action {
    Action::Jog(Direction([x, y, z, a]))
}

const SETTINGS: (Group, Danger, Context) = (Group::Screen, Danger::None, Context::Tab(Tab::Settings));
const SETTINGS_CHANGE: (Group, Danger, Context) = (Group::Screen, Danger::Changes, Context::Tab(Tab::Settings));
const STOP: (Group, Danger, Context) = (Group::Stop, Danger::Stops, Context::Stop);
const MACHINE: (Group, Danger, Context) = (Group::Machine, Danger::None, Context::Main);
const MOVE: (Group, Danger, Context) = (Group::Jog, Danger::Moves, Context::Jog);
const JOG: (Group, Danger, Context) = (Group::Jog, Danger::None, Context::Jog);
const SCREEN: (Group, Danger, Context) = (Group::Screen, Danger::None, Context::Global);
const VIEW: (Group, Danger, Context) = (Group::Screen, Danger::None, Context::Main);
const DEVICES: (Group, Danger, Context) = (Group::Screen, Danger::None, Context::Tab(Tab::Devices));
const OFFSET: (Group, Danger, Context) = (Group::Offsets, Danger::Changes, Context::Tab(Tab::Offsets));
const OVERRIDE: (Group, Danger, Context) = (Group::Overrides, Danger::Changes, Context::Override);
const PANEL: (Group, Danger, Context) = (Group::Screen, Danger::None, Context::Panel);
const TEXT: (Group, Danger, Context) = (Group::Text, Danger::None, Context::Text);

/// The table.
pub const TABLE: &[Row] = &[
    row(
        Action::Stop,
        "stop",
        &["Space", "Ctrl+Space"],
        STOP,
        "Stop motion and keep position; Ctrl+Space also in text fields. Never resumes.",
    ),
    row(Action::Hold, "hold", &["!"], STOP, "Feed hold; ~ goes on."),
    row(
        Action::StopProgram,
        "stop program",
        &["@"],
        STOP,
        "End the program: hold, stand still, reset. Keeps position.",
    ),
    row(
        Action::SoftReset,
        "reset",
        &["Ctrl+X"],
        (Group::Stop, Danger::Changes, Context::Stop),
        "Soft reset, at once while moving (position is lost then); asks when idle.",
    ),
    row(
        Action::Escape,
        "close",
        &["Esc"],
        (Group::Stop, Danger::Stops, Context::Global),
        "Cancel a jog, leave jog mode, close what is open. Never holds, starts or resumes.",
    ),
    row(
        Action::Resume,
        "resume",
        &["~"],
        (Group::Machine, Danger::Moves, Context::Main),
        "Go on after a hold or a closed door; only after a quiet moment, never from a paste.",
    ),
    row(Action::JogMode, "jog", &["i"], MACHINE, "Enter jog mode: now keys move the machine."),
    row(Action::Mdi, "type G-code", &["Enter", "m"], MACHINE, "Open the line for G-code and $ commands."),
    row(
        Action::Home,
        "home",
        &["H"],
        (Group::Machine, Danger::Moves, Context::Main),
        "Home the machine: choose all or one axis, Enter confirms.",
    ),
    row(
        Action::AlarmPanel,
        "clear alarm",
        &["$"],
        (Group::Machine, Danger::Changes, Context::Main),
        "What the alarm means and the way out of it; home is offered before unlock.",
    ),
    row(
        Action::Zero,
        "zero",
        &["z"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Make the present position the work zero: choose the axis, Enter confirms.",
    ),
    row(
        Action::GoTo,
        "go to",
        &["g"],
        (Group::Machine, Danger::Moves, Context::Main),
        "Go to work zero, G28 or G30, Z up first: choose, Enter confirms.",
    ),
    row(
        Action::GoToPoint,
        "go to point",
        &["t"],
        (Group::Machine, Danger::None, Context::Main),
        "Type a point to go to; the line is shown before it is sent.",
    ),
    row(
        Action::Undo,
        "undo offset",
        &["x"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Write back the newest change of offsets; asks first.",
    ),
    row(
        Action::Overrides,
        "overrides",
        &["o"],
        MACHINE,
        "Show the overrides of feed, rapids and spindle; arrows change them.",
    ),
    row(
        Action::Spindle,
        "spindle",
        &["F9"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Spindle on, off, speed; in a hold it stops and restarts the spindle.",
    ),
    row(Action::Flood, "flood", &["F8"], (Group::Machine, Danger::Changes, Context::Main), "Flood coolant on or off."),
    row(Action::Mist, "mist", &["F7"], (Group::Machine, Danger::Changes, Context::Main), "Mist coolant on or off."),
    row(
        Action::Door,
        "safety door",
        &["d"],
        (Group::Machine, Danger::Stops, Context::Main),
        "As if the safety door opened: stops motion, spindle and coolant; ~ goes on.",
    ),
    row(
        Action::CheckMode,
        "check mode",
        &["c"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Check G-code without moving, or leave that mode; asks first.",
    ),
    row(
        Action::Sleep,
        "sleep",
        &["p"],
        (Group::Machine, Danger::Changes, Context::Main),
        "Send the controller to sleep, motors off; asks first.",
    ),
    row(Action::Reconnect, "try now", &["r"], MACHINE, "Try the link now instead of waiting."),
    row(jog(-1, 0, 0, 0), "X-", &["Left", "h", "Keypad4"], MOVE, "X-"),
    row(jog(1, 0, 0, 0), "X+", &["Right", "l", "Keypad6"], MOVE, "X+"),
    row(jog(0, 1, 0, 0), "Y+", &["Up", "k", "Keypad8"], MOVE, "Y+"),
    row(jog(0, -1, 0, 0), "Y-", &["Down", "j", "Keypad2"], MOVE, "Y-"),
    row(jog(0, 0, 1, 0), "Z+", &["PgUp", "w"], MOVE, "Z+, at a lower feed"),
    row(jog(0, 0, -1, 0), "Z-", &["PgDn", "s"], MOVE, "Z-, at a lower feed"),
    row(jog(-1, 1, 0, 0), "X- Y+", &["y", "Keypad7"], MOVE, "X- and Y+ together"),
    row(jog(1, 1, 0, 0), "X+ Y+", &["u", "Keypad9"], MOVE, "X+ and Y+ together"),
    row(jog(-1, -1, 0, 0), "X- Y-", &["b", "Keypad1"], MOVE, "X- and Y- together"),
    row(jog(1, -1, 0, 0), "X+ Y-", &["n", "Keypad3"], MOVE, "X+ and Y- together"),
    row(jog(0, 0, 0, -1), "A-", &["<"], MOVE, "A-, in degrees"),
    row(jog(0, 0, 0, 1), "A+", &[">"], MOVE, "A+, in degrees"),
    row(Action::StepPreset(0), "step 1", &["1"], JOG, "First step preset (0.01 mm)"),
    row(Action::StepPreset(1), "step 2", &["2"], JOG, "Second step preset (0.1 mm)"),
    row(Action::StepPreset(2), "step 3", &["3"], JOG, "Third step preset (1 mm)"),
    row(Action::StepPreset(3), "step 4", &["4"], JOG, "Fourth step preset (10 mm)"),
    row(Action::StepUp, "longer step", &["+"], JOG, "Next longer step"),
    row(Action::StepDown, "shorter step", &["-"], JOG, "Next shorter step"),
    row(Action::StepTimesTen, "step x10", &["*"], JOG, "Step times ten"),
    row(Action::StepOverTen, "step /10", &["/"], JOG, "Step divided by ten"),
    row(Action::FeedUp, "faster", &["."], JOG, "Next faster jog feed"),
    row(Action::FeedDown, "slower", &[","], JOG, "Next slower jog feed"),
    row(Action::ToggleContinuous, "hold = continuous", &["Tab"], JOG, "Holding a key moves on, or is one step only"),
    row(Action::Override(OverrideKey::More), "more", &["Right"], OVERRIDE, "10 % more; rapids 25, 50, 100 %"),
    row(Action::Override(OverrideKey::Less), "less", &["Left"], OVERRIDE, "10 % less"),
    row(Action::Override(OverrideKey::FineMore), "fine more", &["+"], OVERRIDE, "1 % more"),
    row(Action::Override(OverrideKey::FineLess), "fine less", &["-"], OVERRIDE, "1 % less"),
    row(Action::Override(OverrideKey::Reset), "back to 100", &["0"], OVERRIDE, "Back to 100 %"),
    row(Action::Override(OverrideKey::Up), "above", &["Up"], OVERRIDE, "The override above"),
    row(Action::Override(OverrideKey::Down), "below", &["Down"], OVERRIDE, "The override below"),
    row(Action::OffsetActivate, "activate", &["a"], OFFSET, "Make the selected coordinate system the active one."),
    row(Action::OffsetSet, "set", &["="], OFFSET, "Type what the present position shall read, or the tool length."),
    row(Action::OffsetHalf, "half", &["/"], OFFSET, "Halve what an axis reads: the middle becomes zero."),
    row(Action::OffsetClear, "zero or clear", &["0"], OFFSET, "Zero the active system, clear G92 or the tool length."),
    row(Action::OffsetStore, "store", &["."], OFFSET, "Store the present position as G28 or G30."),
    row(Action::Help, "help", &["?", "F1"], SCREEN, "This help; F1 also in text fields."),
    row(
        Action::Palette,
        "actions",
        &[":"],
        (Group::Screen, Danger::None, Context::Main),
        "List the actions by name; type to narrow it, Enter runs one.",
    ),
    row(
        Action::WireView,
        "wire",
        &["v"],
        (Group::Screen, Danger::None, Context::Main),
        "Console: all, then every line on the wire, messages only, what you sent only.",
    ),
    row(Action::WireReports, "reports", &["V"], VIEW, "Show status reports on the wire, or hide them."),
    row(Action::ConsoleSave, "save console", &["Ctrl+S"], VIEW, "Write what the console holds into a dated file."),
    row(
        Action::ScrollBack,
        "scroll back",
        &["PgUp", "Up"],
        (Group::Screen, Danger::None, Context::Main),
        "Console one page (or line) back; it stays where you look.",
    ),
    row(
        Action::ScrollOn,
        "scroll on",
        &["PgDn", "Down"],
        (Group::Screen, Danger::None, Context::Main),
        "Console one page (or line) on.",
    ),
    row(
        Action::ScrollEnd,
        "latest",
        &["End"],
        (Group::Screen, Danger::None, Context::Main),
        "Console to the latest line, and follow it.",
    ),
    row(Action::Open(Tab::Machine), "Machine", &["M"], VIEW, "The machine: position, state, jog, console."),
    row(Action::Open(Tab::Offsets), "Offsets", &["O"], VIEW, "Work coordinate systems and other offsets."),
    row(Action::Open(Tab::Settings), "Settings", &["S"], VIEW, "Settings of the controller."),
    row(Action::Open(Tab::Devices), "Devices", &["D"], VIEW, "Ports, and how the link does."),
    row(Action::NextTab, "next tab", &["Tab"], VIEW, "The tab to the right."),
    row(Action::PreviousTab, "previous tab", &["Shift+Tab"], VIEW, "The tab to the left."),
    row(Action::SettingsFilter, "search", &["/"], SETTINGS, "Settings: show only those with these words."),
    row(
        Action::SettingsEdit,
        "change",
        &["Enter"],
        SETTINGS_CHANGE,
        "Settings: change the selected one (checked, asked, read back); a backup: compare, then restore.",
    ),
    row(
        Action::SettingsRead,
        "read all",
        &["l"],
        SETTINGS,
        "Settings: read all, with names, ranges and configuration.",
    ),
    row(Action::SettingsBackup, "back up", &["b"], SETTINGS, "Settings: keep all in a file with today's date."),
    row(Action::SettingsBackups, "backups", &["c"], SETTINGS, "Settings: the backups, to compare and restore."),
    row(Action::SettingsMark, "mark", &["="], SETTINGS, "Settings: mark a backup; Enter on another compares the two."),
    row(Action::PanelUp, "up", &["Up"], PANEL, "Up in the table of a tab."),
    row(Action::PanelDown, "down", &["Down"], PANEL, "Down in the table of a tab."),
    row(Action::ListPorts, "list devices", &["l"], DEVICES, "Devices: list the serial devices; opens none of them."),
    row(
        Action::AskPort,
        "ask device",
        &["a"],
        DEVICES,
        "Devices: open the selected device, ask ? and $I, show the answer, close it.",
    ),
    row(
        Action::RememberPort,
        "keep device",
        &["w"],
        DEVICES,
        "Devices: write the selected device into config.toml as the machine's port; asks first.",
    ),
    row(Action::Redraw, "redraw", &["Ctrl+L"], SCREEN, "Draw the screen anew."),
    row(
        Action::Suspend,
        "to the shell",
        &["Ctrl+Z"],
        SCREEN,
        "Back to the shell (fg returns); not while the machine moves.",
    ),
    row(Action::Quit, "quit", &["q", "Ctrl+Q", "Ctrl+C"], SCREEN, "Leave; asks first when the machine is busy."),
    row(Action::Accept, "send", &["Enter"], TEXT, "Send the line, or take the choice."),
    row(Action::HistoryBack, "earlier", &["Up"], TEXT, "Earlier line, or choice above."),
    row(
        Action::HistorySearch,
        "find earlier",
        &["Ctrl+R"],
        TEXT,
        "Line for G-code: an earlier line that holds what is typed; again for an older one.",
    ),
    row(Action::Complete, "complete", &["Tab"], TEXT, "Line for G-code: complete a $ command of this firmware."),
    row(Action::HistoryOn, "later", &["Down"], TEXT, "Later line, or choice below."),
];

/// The row of an action.
pub fn find(action: Action) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.action == action)
}

/// A jog key of normal scale.
pub const fn jog_key(direction: Direction, scale: Scale, single: bool) -> JogKey {
    JogKey { direction, scale, single }
}

/// The README's key table, as Markdown.
pub fn key_table_markdown(keymap: &Keymap) -> String {
    let mut lines = Vec::new();
    for group in Group::ALL {
        lines.push(format!("### {}\n\n| key | action |\n|---|---|", group.title()));
        for row in TABLE.iter().filter(|row| row.group == group) {
            let keys: Vec<String> = keymap.keys(row.action).iter().map(|key| format!("`{key}`")).collect();
            lines.push(format!("| {} | {} |", keys.join(" "), row.help));
        }
        if group == Group::Jog {
            for (keys, help) in JOG_MODIFIERS {
                lines.push(format!("| {keys} | {help} |"));
            }
        }
        lines.push(String::new());
    }
    lines.join("\n")
}

/// What modifiers do to every jog key; the keymap makes these chords by itself.
pub const JOG_MODIFIERS: &[(&str, &str)] = &[
    ("Shift+key or capital", "Ten times the step, ten times the feed when held"),
    ("Alt+key", "A tenth of the step, a tenth of the feed when held"),
    ("Ctrl+arrow", "Exactly one step, however long it is held"),
];

/// The table as `[keys]` of a configuration: every action with its keys and what it does.
pub fn key_table_toml(keymap: &Keymap) -> String {
    let mut text = String::from(
        "# The keys of sunmill's screen. What is written under [keys] in config.toml goes before these; the keys that\n\
         # stop always stay. Printed by `sunmill keys --toml` from the program's own table.\n",
    );
    for group in Group::ALL {
        text = text + "\n# " + group.title() + "\n";
        for row in TABLE.iter().filter(|row| row.group == group) {
            let keys: Vec<String> = keymap.keys(row.action).iter().map(|key| format!("{key:?}")).collect();
            text = text + &row.id() + " = [" + &keys.join(", ") + "]  # " + row.help + "\n";
        }
    }
    text
}

#[cfg(test)]
mod tests;
