//! Rows of the tab Settings.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};
use crate::ui::tab::Tab;

const SETTINGS: Kind = (Group::Screen, Danger::None, Context::Tab(Tab::Settings));
const SETTINGS_CHANGE: Kind = (Group::Screen, Danger::Changes, Context::Tab(Tab::Settings));

pub(super) const ROWS: &[Row] = &[
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
];
