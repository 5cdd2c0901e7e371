//! The two bottom lines: the keys that stop, always; and what is possible now, from the action table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::{Cx, fit, printable, put, put_marked};
use super::{power, programs};
use crate::ui::action::{self, Action};
use crate::ui::devices;
use crate::ui::programs::{Launch, Page, ProgramKey, facts};
use crate::ui::state::{Mode, Tab};
use crate::ui::theme::Role;

/// Rows of the footer.
pub(super) const ROWS: u16 = 2;

/// Hints while a program runs.
const RUN: [Action; 2] = [Action::Resume, Action::Program(ProgramKey::PauseAtLineEnd)];

/// Hints of the main screen, most useful first; those that are not possible now are left out.
const MAIN: [Action; 11] = [
    Action::Reconnect,
    Action::AlarmPanel,
    Action::Resume,
    Action::Program(ProgramKey::TakeUp),
    Action::JogMode,
    Action::Home,
    Action::Mdi,
    Action::Zero,
    Action::Help,
    Action::WireView,
    Action::Quit,
];

/// Hints of the tab Settings, where Enter is not the line for G-code.
const SETTINGS: [Action; 9] = [
    Action::AlarmPanel,
    Action::SettingsEdit,
    Action::SettingsFilter,
    Action::SettingsRead,
    Action::SettingsBackup,
    Action::SettingsBackups,
    Action::SettingsMark,
    Action::Help,
    Action::Quit,
];

/// Hints on the tab of offsets.
const OFFSETS: [Action; 9] = [
    Action::OffsetActivate,
    Action::OffsetSet,
    Action::OffsetHalf,
    Action::OffsetClear,
    Action::OffsetStore,
    Action::Undo,
    Action::GoToPoint,
    Action::GoTo,
    Action::Help,
];

/// Hints of the devices and how the link does.
const PORTS: [Action; 9] = [
    Action::Reconnect,
    Action::AlarmPanel,
    Action::ListPorts,
    Action::AskPort,
    Action::RememberPort,
    Action::ShowLog,
    Action::ShowClients,
    Action::Help,
    Action::Quit,
];

/// Hints of the log.
const LOG: [Action; 8] = [
    Action::AlarmPanel,
    Action::LogFilter,
    Action::LogLevel,
    Action::LogSave,
    Action::ShowClients,
    Action::Open(Tab::Devices),
    Action::Help,
    Action::Quit,
];

/// Hints of who is attached.
const CLIENTS: [Action; 7] = [
    Action::AlarmPanel,
    Action::TakeControl,
    Action::ReleaseControl,
    Action::ShowLog,
    Action::Open(Tab::Devices),
    Action::Help,
    Action::Quit,
];

pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    put_marked(buf, area, 0, &Line::from(stop_line(cx)), cx);
    put_marked(buf, area, 1, &Line::from(hint_line(cx, usize::from(area.width))), cx);
}

/// The message above the footer.
pub(super) fn notice(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    if let Some(notice) = &cx.ui.notice {
        let text = fit(&printable(&notice.text), usize::from(area.width).saturating_sub(1), cx.theme.symbols.more);
        put(buf, area, 0, &Line::styled(format!(" {text}"), cx.theme.tone(notice.tone)));
    }
}

fn stop_line(cx: &Cx<'_>) -> Vec<Span<'static>> {
    let mut spans = vec![Span::raw(" ")];
    if cx.ui.mode.is_text() && !cx.ui.is_covered() {
        spans.extend(cx.hint("Ctrl+Space", "STOPS while you type"));
        spans.extend(cx.hint("Ctrl+X", "resets"));
        spans.extend(cx.hint("Esc", "closes"));
        return spans;
    }
    spans.push(cx.span(" SPACE ", Role::Selected));
    spans.push(cx.span(" STOPS   ", Role::Title));
    for action in [Action::Hold, Action::StopProgram, Action::SoftReset] {
        spans.extend(row_hint(cx, action));
    }
    if cx.ui.mode == Mode::Jog {
        spans.extend(cx.hint("Esc", "leaves jog mode"));
    }
    spans
}

fn hint_line(cx: &Cx<'_>, width: usize) -> Vec<Span<'static>> {
    let mut spans = vec![Span::raw(" ")];
    if cx.ui.popup.is_some() {
        spans.extend(cx.hint("Enter", "takes the choice"));
        spans.extend(cx.hint("Up Down", "choose"));
        spans.extend(cx.hint("Esc", "leaves it"));
        return spans;
    }
    if let Some(panel) = &cx.ui.recovery {
        if !panel.history {
            spans.extend(cx.hint("Enter", "takes the step"));
            spans.extend(cx.hint("Up Down", "choose"));
        }
        spans.extend(cx.hint("Tab", if panel.history { "the way out" } else { "alarms so far" }));
        spans.extend(cx.hint("Esc", "closes"));
        return spans;
    }
    if cx.ui.help.is_some() {
        spans.extend(cx.hint("Up Down PgUp PgDn", "scroll"));
        spans.extend(cx.hint("Esc", "closes"));
        return spans;
    }
    match &cx.ui.mode {
        Mode::Mdi => {
            spans.extend(cx.hint("Enter", "sends"));
            spans.extend(cx.hint("Up Down", "earlier lines"));
            spans.extend(cx.hint("F1", "help"));
        }
        Mode::Override(_) => spans.extend(cx.hint("Left Right", "change it")),
        Mode::Field => spans.extend(cx.hint("Enter", "takes it")),
        Mode::Palette(_) => {
            spans.extend(cx.hint("Enter", "runs"));
            spans.extend(cx.hint("Up Down", "choose"));
        }
        Mode::Jog => {
            for action in [Action::ToggleContinuous, Action::Help, Action::Quit] {
                spans.extend(row_hint(cx, action));
            }
        }
        Mode::Main if cx.ui.tab == Tab::Programs && cx.ui.programs.page == Page::Launch => {
            spans.extend(cx.hint("Enter", "takes it"));
            spans.extend(cx.hint("Up Down", "choose"));
            spans.extend(cx.hint("PgUp PgDn", "read"));
            spans.extend(cx.hint("Esc", "leaves it"));
            if cx.ui.programs.launch.as_ref().is_some_and(Launch::asks_for_link_loss) {
                spans.extend(row_hint(cx, Action::Program(ProgramKey::LinkLost)));
            }
        }
        Mode::Main => spans.extend(main_hints(cx, width)),
    }
    spans
}

/// What is possible now on the open tab, as much as fits.
fn main_hints(cx: &Cx<'_>, width: usize) -> Vec<Span<'static>> {
    let of_page = if cx.ui.tab == Tab::Power { power::hints(cx) } else { programs::hints(cx.ui.programs.page) };
    let hints: &[Action] = match cx.ui.tab {
        Tab::Programs | Tab::Power => &of_page,
        Tab::Settings => &SETTINGS,
        Tab::Offsets => &OFFSETS,
        Tab::Devices => match cx.ui.devices.page {
            devices::Page::Ports => &PORTS,
            devices::Page::Log => &LOG,
            devices::Page::Clients => &CLIENTS,
        },
        Tab::Machine => &MAIN,
    };
    // What a running program can be told goes first on every tab.
    let runs = facts::open_run(cx.snapshot).is_some();
    let first = if runs { &RUN[..] } else { &[] };
    let others = hints.iter().filter(|action| !first.contains(action));
    let possible = first.iter().chain(others).filter(|action| action::available(**action, cx.snapshot, cx.now).is_ok());
    let mut spans = Vec::new();
    let mut used = 1;
    for action in possible {
        let hint = row_hint(cx, *action);
        used += hint.iter().map(Span::width).sum::<usize>();
        // The three blanks behind the last hint may be cut.
        if used > width + 3 {
            break;
        }
        spans.extend(hint);
    }
    spans
}

fn row_hint(cx: &Cx<'_>, action: Action) -> Vec<Span<'static>> {
    let name = |row: &'static action::Row| power::hint_name(cx, action).unwrap_or(row.name);
    action::find(action).map(|row| cx.hint(&cx.key(action), name(row)).to_vec()).unwrap_or_default()
}
