//! Who is attached, how they fare, and who is in control: on the tab Devices.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use unicode_width::UnicodeWidthStr;

use super::table::tell_below;
use super::text::{Cx, Rows, fit, printable, put, put_marked};
use crate::model::people::Person;
use crate::ui::action::Action;
use crate::ui::theme::Role;
use crate::ui::words::time_of_day;

/// Rows that a client takes.
const ROWS_OF_A_CLIENT: usize = 2;

/// Draws it.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let people = &cx.snapshot.people;
    let mut rows = Rows { rest: area };
    let head = rows.top(1);
    let count = people.clients.len();
    let mut line = vec![cx.span("   Clients  ", Role::Title), cx.span(format!("{count} attached  "), Role::Quiet)];
    line.extend(cx.hint(&cx.key(Action::TakeControl), "takes control"));
    line.extend(cx.hint(&cx.key(Action::ReleaseControl), "gives it back"));
    put_marked(buf, head, 0, &Line::from(line), cx);
    put(buf, rows.top(1), 0, &Line::from(control(cx, usize::from(area.width))));
    if count == 0 {
        let text = "   nobody is attached but this screen, and nobody can: it serves no socket";
        put_marked(buf, rows.rest, 0, &Line::from(cx.span(text, Role::Quiet)), cx);
    }
    let room = (usize::from(rows.rest.height) / ROWS_OF_A_CLIENT).max(1);
    let top = cx.ui.devices.top.min(count.saturating_sub(room));
    for person in people.clients.iter().skip(top).take(room) {
        client(cx, person, rows.top(ROWS_OF_A_CLIENT as u16), buf);
    }
    tell_below(cx, head, count.saturating_sub(top + room), buf);
}

fn control(cx: &Cx<'_>, width: usize) -> Vec<Span<'static>> {
    let Some(control) = &cx.snapshot.people.control else {
        let text = "   nobody is in control: the first who moves or changes something is";
        return vec![cx.span(fit(text, width.saturating_sub(1), cx.theme.symbols.more), Role::Quiet)];
    };
    let since = time_of_day(&cx.ui.settings, control.since);
    let stale = if control.stale { ", but not heard of: anybody may take it" } else { "" };
    let text = if control.client == cx.ui.settings.me {
        format!("   you are in control since {since}")
    } else {
        format!("   {} is in control since {since}{stale}", printable(&control.who))
    };
    let role = if control.stale { Role::Warning } else { Role::Text };
    vec![cx.span(fit(&text, width.saturating_sub(1), cx.theme.symbols.more), role)]
}

fn client(cx: &Cx<'_>, person: &Person, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width).saturating_sub(1);
    let has = cx.snapshot.people.control.as_ref().is_some_and(|control| control.client == person.id);
    let is_me = person.id == cx.ui.settings.me;
    let mut who = match (person.local, is_me) {
        (true, true) => "this screen".to_owned(),
        (true, false) => "the hub's own screen".to_owned(),
        (false, _) => printable(&person.user),
    };
    if let Some(uid) = person.uid.filter(|uid| !who.ends_with(&format!("uid {uid}"))) {
        let _ = write!(who, " (uid {uid})");
    }
    if !person.from.is_empty() {
        let _ = write!(who, " at {}", printable(&person.from));
    }
    let me = if is_me && !person.local { ", this screen" } else { "" };
    let mark = if has { " * " } else { "   " };
    let first = format!("{:>3} {who}{me}: {}{}", person.id.0, person.role, if has { ", in control" } else { "" });
    let role = if has { Role::Value } else { Role::Text };
    let first = fit(&first, width.saturating_sub(3), cx.theme.symbols.more);
    put(buf, area, 0, &Line::from(vec![cx.span(mark, Role::Key), cx.span(first, role)]));
    put_marked(buf, area, 1, &Line::from(fares(cx, person, width)), cx);
}

/// How news reach a client, since when, and with what program.
fn fares(cx: &Cx<'_>, person: &Person, width: usize) -> Vec<Span<'static>> {
    let since = format!("since {}", time_of_day(&cx.ui.settings, person.since));
    if person.local {
        return vec![cx.span(format!("       all news, {since}"), Role::Quiet)];
    }
    let fares = &person.fares;
    let rate = fares.rate_hz.map_or_else(|| "no state".to_owned(), |rate| format!("{rate}/s"));
    let lag = fares.lag.map_or_else(String::new, |lag| format!(", lag {} ms", lag.as_millis()));
    let head = format!("       {rate}{lag}, ");
    let lost = format!("lost {}", fares.dropped);
    let tail = format!(", {since}");
    let room = width.saturating_sub(head.width() + lost.width() + tail.width() + 2);
    let program = fit(&printable(&person.program), room, cx.theme.symbols.more);
    let program = if program.is_empty() { program } else { format!(", {program}") };
    let role = if fares.dropped > 0 { Role::Warning } else { Role::Quiet };
    vec![cx.span(head, Role::Quiet), cx.span(lost, role), cx.span(format!("{tail}{program}"), Role::Quiet)]
}
