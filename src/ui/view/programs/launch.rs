//! The question before a run.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use super::super::Drawn;
use super::super::table;
use super::super::text::{Cx, Rows, fit, printable, put, rule, wrap};
use crate::model::program::ask::{Details, Preamble};
use crate::model::program::order::POSITION_WORD;
use crate::model::program::{OnLinkLoss, PhaseTimes, Report, Severity};
use crate::model::{AxisVec, quantity};
use crate::ui::power::{OutlookTold, outlook};
use crate::ui::programs::launch::OutlineOf;
use crate::ui::programs::{Field, Launch, Outlook, Way, facts, words};
use crate::ui::state::{Mode, Seen};
use crate::ui::theme::Role;

/// Rows of text that the rows below it leave, where there is room for that.
const TEXT: usize = 5;

/// The rows to choose from that have room below the text: all of them, or those about the selected one.
fn in_sight(ways: &[Way], selected: usize, height: usize) -> Vec<usize> {
    // Half of a panel that is lower than usual.
    let room = height.saturating_sub(1 + TEXT.min(height / 2)).clamp(1, ways.len());
    let first = selected.saturating_sub(room.saturating_sub(1)).min(ways.len() - room);
    (first..first + room).collect()
}

/// Draws it, with the cursor while a field is open. Tells whether the end of what is sent first is in sight.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Drawn {
    let Some(launch) = &cx.ui.programs.launch else { return Drawn::default() };
    let details = cx.ui.programs.details_of(&launch.path);
    let outlook = launch.outlook(details, cx.snapshot, cx.now);
    let ways = launch.ways(&outlook);
    let mut parts = Rows { rest: area };
    let selected = launch.place(&ways);
    let shown = in_sight(&ways, selected, usize::from(area.height));
    let mut below = Rows { rest: parts.bottom(shown.len() as u16 + 1) };
    let found = details.and_then(|details| details.as_ref().ok());
    let (lines, sent) = text(cx, launch, found.map(|found| &**found), &outlook, area.width.into());
    let room = usize::from(parts.rest.height);
    let top = launch.top.min(lines.len().saturating_sub(room));
    let is_shown = !cx.ui.is_covered();
    let preamble = is_shown && sent.is_some_and(|end| end <= top + room);
    let seen = Seen { preamble, rows: if is_shown { room } else { 0 } };
    let outlook = launch.outlook_read(launch.is_read || seen.preamble, details, cx.snapshot, cx.now);
    for (row, line) in lines.iter().skip(top).take(room).enumerate() {
        put(buf, parts.rest, row as u16, line);
    }
    let bar = below.top(1);
    let others = match ways.len() - shown.len() {
        0 => Line::default(),
        n => Line::from(cx.span(format!("{}: Up Down", words::plural(n as u64, "more choice")), Role::Key)),
    };
    rule(buf, bar, cx, others);
    table::tell_below(cx, bar, lines.len().saturating_sub(top + room), buf);
    let mut cursor = None;
    for (row, at) in shown.into_iter().enumerate() {
        let way = &ways[at];
        let line = way_line(cx, launch, &outlook, *way, at == selected, usize::from(area.width));
        put(buf, below.rest, row as u16, &line);
        let field = match way {
            Way::Word if is_open(cx, Field::Word) => &launch.word,
            Way::Line if is_open(cx, Field::Line) => &launch.line,
            _ => continue,
        };
        // What is typed is the end of the row.
        let behind = field.chars().iter().skip(field.cursor()).collect::<String>().width();
        let x = below.rest.x + line.width().saturating_sub(behind) as u16;
        cursor = Some(Position { x: x.min(area.right().saturating_sub(1)), y: below.rest.y + row as u16 });
    }
    Drawn { cursor, seen }
}

fn is_open(cx: &Cx<'_>, field: Field) -> bool {
    cx.ui.mode == Mode::Field && cx.ui.programs.field == field
}

fn way_line(
    cx: &Cx<'_>,
    launch: &Launch,
    outlook: &Outlook<'_>,
    way: Way,
    is_selected: bool,
    width: usize,
) -> Line<'static> {
    let tick = |on: bool| if on { "[x]" } else { "[ ]" };
    let label = match way {
        Way::Start => match (outlook.missing.first(), launch.check_mode) {
            (Some(missing), _) => format!("Start. Not yet: {missing}"),
            (None, true) => "Start in check mode: nothing moves".to_owned(),
            (None, false) => "Start: THE MACHINE MOVES".to_owned(),
        },
        Way::WhenSun => "When there is enough sun: STARTS BY ITSELF, after a countdown".to_owned(),
        Way::Warnings => format!("{} {}", tick(launch.warnings), to_agree(outlook)),
        Way::Unchecked => format!("{} Run it though the check is not finished", tick(launch.unchecked)),
        Way::Word => format!("Not homed. Type \"{POSITION_WORD}\": {}", launch.word.text()),
        Way::CheckMode => format!("{} Check mode: the controller reads it, nothing moves", tick(launch.check_mode)),
        Way::LinkLost => {
            let details = cx.ui.programs.details_of(&launch.path);
            match launch.on_link_loss(details, cx.snapshot) {
                OnLinkLoss::Hold => "If the link is lost: hold it when it is back".to_owned(),
                OnLinkLoss::Finish => "If the link is lost: let it end what it has".to_owned(),
            }
        }
        Way::Line if is_open(cx, Field::Line) => format!("Begin at line: {}", launch.line.text()),
        Way::Line => format!("Begin at line: {}", words::count(launch.from.as_ref().map_or(1, |from| from.line))),
        Way::Shape => {
            let hull = launch.outline.as_ref().is_some_and(|outline| outline.ask.hull);
            let shape = if hull { "tightest, as far as the picture knows" } else { "rectangle along X and Y" };
            format!("Shape: {shape}")
        }
        Way::Height => {
            let stays = launch.outline.as_ref().is_some_and(|outline| outline.ask.stays);
            let height = if stays { "stays where it is. IS IT CLEAR?" } else { "to a safe height first" };
            format!("Z {height}")
        }
        Way::Forget => "Forget this run: it is not offered again".to_owned(),
        Way::Leave => "Leave it as it is".to_owned(),
    };
    let pointer = if is_selected { cx.theme.symbols.pointer } else { " " };
    let role = match way {
        _ if is_selected => Role::Selected,
        Way::Start if !outlook.missing.is_empty() => Role::Quiet,
        _ => Role::Text,
    };
    let label = fit(&printable(&label), width.saturating_sub(15), cx.theme.symbols.more);
    let letter = way.letter().unwrap_or(' ');
    let mut spans = vec![cx.span(format!(" {pointer} {letter}  "), Role::Key), cx.span(label, role)];
    if is_selected && cx.ui.mode != Mode::Field {
        spans.push(cx.span("   Enter", Role::Key));
    }
    Line::from(spans)
}

/// What the tick agrees to: all of it.
fn to_agree(outlook: &Outlook<'_>) -> String {
    let seen = match (outlook.warnings, outlook.heed.is_some()) {
        (0, _) => "I know what is lost".to_owned(),
        (n, false) => format!("I have seen {}", words::plural(n, "warning")),
        (n, true) => format!("I have seen {} and what is lost", words::plural(n, "warning")),
    };
    match (outlook.changed, outlook.warnings > 0 || outlook.heed.is_some()) {
        (true, false) => "The file has changed; begin in it all the same".to_owned(),
        (true, true) => format!("The file has changed, and {seen}: begin in it all the same"),
        (false, _) => format!("{seen} and agree"),
    }
}

/// Text that is broken at the edge of the panel.
struct Text<'a, 'b> {
    cx: &'a Cx<'b>,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl Text<'_, '_> {
    fn say(&mut self, text: &str, role: Role) {
        for piece in wrap(&printable(text), self.width.saturating_sub(6)) {
            self.lines.push(Line::from(self.cx.span(format!("   {piece}"), role)));
        }
    }

    /// A line of G-code, as it is.
    fn code(&mut self, line: &str, role: Role) {
        let line = fit(&printable(line), self.width.saturating_sub(8), self.cx.theme.symbols.more);
        self.lines.push(Line::from(self.cx.span(format!("     {line}"), role)));
    }
}

/// What will happen; and where the last line of what is sent first ends in it.
fn text(
    cx: &Cx<'_>,
    launch: &Launch,
    found: Option<&Details>,
    outlook: &Outlook<'_>,
    width: usize,
) -> (Vec<Line<'static>>, Option<usize>) {
    let mut text = Text { cx, width, lines: Vec::new() };
    let mut sent = None;
    let verb = match (&launch.outline, &launch.interrupted) {
        (Some(_), _) => "Drive round",
        (None, Some(_)) => "Take up",
        (None, None) => "Run",
    };
    let folder = launch.path.parent().map_or(String::new(), |folder| format!("   ({})", folder.display()));
    text.say(&format!("{verb} {}{folder}", words::file_name(&launch.path)), Role::Title);
    if let Some(run) = &launch.interrupted {
        let line = words::count(run.suggested_line);
        text.say(
            &format!(
                "It was sent up to line {}. Good to begin again at line {line}: {}",
                words::count(run.run.last_line),
                run.why
            ),
            Role::Text,
        );
        run.warnings.iter().for_each(|warning| text.say(warning, Role::Warning));
    }
    if outlook.changed {
        text.say("The file is not the one that ran: its lines may be others now.", Role::Bad);
    }
    if let Some(heed) = &outlook.heed {
        text.say(heed, Role::Bad);
    }
    if let Some(trouble) = &cx.snapshot.programs.store_trouble {
        text.say(&format!("NOT journaled, so not to be taken up after a power cut: {trouble}"), Role::Bad);
    }
    let energy = found.and_then(|found| energy_of(cx, &found.report, launch));
    if let Some(told) = energy.as_ref().filter(|told| told.warns) {
        text.say(&format!("Energy: {}", told.words), told.role);
    }
    if let Some(job) = facts::unfinished(cx.snapshot, &launch.path) {
        let how = format!("The check is not finished: {}, {} %.", words::job(&job.state), facts::percent(job));
        text.say(&how, Role::Warning);
    }
    // What will be sent goes before what is known already.
    if let Some(from) = &launch.from {
        match &from.preamble {
            None => text.say("What has to be sent first is being worked out.", Role::Quiet),
            Some(Err(why)) => text.say(&format!("It cannot begin at line {}: {why}", from.line), Role::Bad),
            Some(Ok(preamble)) => sent = Some(of_preamble(&mut text, preamble)),
        }
    }
    match (&launch.outline, found) {
        (Some(outline), _) => of_outline(&mut text, outline),
        (None, Some(found)) => of_report(&mut text, found, energy.as_ref()),
        (None, None) => {}
    }
    for problem in &outlook.problems {
        let role = if problem.severity == Severity::Error { Role::Bad } else { Role::Warning };
        let what = words::severity(problem.severity);
        text.say(&format!("{what}, {}: {}", words::place(problem), problem.text), role);
        if !problem.remedy.is_empty() {
            text.say(&format!("  To do: {}", problem.remedy), Role::Quiet);
        }
    }
    (text.lines, sent)
}

fn of_report(text: &mut Text<'_, '_>, found: &Details, energy: Option<&OutlookTold>) {
    let report = &found.report;
    let sums = format!(
        "{}, about {}, cuts {:.0} mm",
        words::plural(report.lines, "line"),
        words::clock(report.times.total_s()),
        report.cut_mm
    );
    text.say(&sums, Role::Value);
    for reach in &report.reach {
        text.say(&format!("{} mm, in {}", words::reach(reach).join(", "), words::frame(reach.frame)), Role::Text);
    }
    let machine = &text.cx.snapshot.machine;
    let wcs = machine.modal.as_ref().and_then(|modal| modal.wcs()).unwrap_or("the active system");
    let zero = machine.work_offset.as_ref().map_or("not known".to_owned(), place);
    text.say(&format!("The zero of {wcs} is at machine {zero}"), Role::Text);
    if !report.waits.is_empty() {
        let tools: Vec<String> = report.tools.iter().map(|tool| format!("T{tool}")).collect();
        let tools = if tools.is_empty() { String::new() } else { format!(" Tools: {}.", tools.join(" ")) };
        let waits = words::plural(report.waits.len() as u64, "time");
        text.say(&format!("It waits for you {waits}.{tools}"), Role::Text);
    }
    let Some(told) = energy else { return };
    if !told.warns {
        text.say(&format!("Energy: {}", told.words), told.role);
    }
    if !told.assumed.is_empty() {
        text.say(&format!("Assumed: {}", told.assumed.join("; ")), Role::Quiet);
    }
}

/// What it will need of battery and sun. That is told and never stands in the way.
fn energy_of(cx: &Cx<'_>, report: &Report, launch: &Launch) -> Option<OutlookTold> {
    if launch.check_mode || launch.outline.is_some() {
        return None;
    }
    let done = launch.from.as_ref().map_or(0.0, |from| report.seconds_at(from.line.saturating_sub(1)));
    let times = PhaseTimes::of(report).lasting((report.times.total_s() - done).max(0.0));
    outlook(cx.snapshot, &cx.ui.settings, &times, cx.now)
}

fn of_outline(text: &mut Text<'_, '_>, outline: &OutlineOf) {
    match &outline.plan {
        None => text.say("The outline is being worked out.", Role::Quiet),
        Some(Err(why)) => text.say(why, Role::Bad),
        Some(Ok(plan)) => {
            text.say("In the air, spindle off. This is sent:", Role::Title);
            plan.lines.iter().for_each(|line| text.code(line, Role::Value));
            text.say(&format!("It takes about {}.", words::clock(plan.seconds)), Role::Text);
        }
    }
}

fn place(at: &AxisVec) -> String {
    at.iter().map(|(axis, value)| format!("{axis} {}", quantity::number(value))).collect::<Vec<_>>().join(", ")
}

/// What is sent before the first line, and the first lines. Returns where what is sent ends.
fn of_preamble(text: &mut Text<'_, '_>, preamble: &Preamble) -> usize {
    preamble.warnings.iter().for_each(|warning| text.say(warning, Role::Warning));
    text.say("This is sent first:", Role::Title);
    preamble.lines.iter().for_each(|line| text.code(line, Role::Value));
    let sent = text.lines.len();
    text.say(&format!("Then the program from line {} on:", words::count(preamble.line)), Role::Title);
    preamble.then.iter().for_each(|line| text.code(line, Role::Text));
    sent
}
