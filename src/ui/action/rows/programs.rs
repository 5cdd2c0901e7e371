//! Rows for programs: two that hold on every tab, and those of their own tab.

use crate::ui::action::kind::{Action, Context, Danger, Group};
use crate::ui::action::row::{Kind, Row, row};
use crate::ui::programs::ProgramKey;
use crate::ui::tab::Tab;

const LOOK: Kind = (Group::Programs, Danger::None, Context::Tab(Tab::Programs));
const CHANGE: Kind = (Group::Programs, Danger::Changes, Context::Tab(Tab::Programs));

const fn key(key: ProgramKey) -> Action {
    Action::Program(key)
}

pub(super) const ROWS: &[Row] = &[
    row(
        key(ProgramKey::PauseAtLineEnd),
        "pause at line end",
        &["e"],
        (Group::Machine, Danger::Stops, Context::Main),
        "Send no more lines of the program; the machine ends what it has. ~ goes on.",
    ),
    row(
        key(ProgramKey::TakeUp),
        "take up",
        &["a"],
        (Group::Machine, Danger::None, Context::Main),
        "Take up the interrupted program: choose the line, see what will be sent, confirm.",
    ),
    row(
        key(ProgramKey::Open),
        "open",
        &["Enter"],
        LOOK,
        "Folder: into it. File: its check; there again: run it (asks).",
    ),
    row(
        key(ProgramKey::Run),
        "run",
        &["r"],
        CHANGE,
        "Run the file: shows what will happen and what has to be agreed to; Enter on Start starts it.",
    ),
    row(
        key(ProgramKey::RunFrom),
        "run from line",
        &["l"],
        CHANGE,
        "The same from a line; in the text: from that line.",
    ),
    row(
        key(ProgramKey::LinkLost),
        "link lost",
        &["k"],
        CHANGE,
        "In the question before a run: if the link is lost, hold what still moves when it is back, or let it end.",
    ),
    row(
        key(ProgramKey::Outline),
        "outline",
        &["d"],
        CHANGE,
        "Drive round where the program will be, spindle off: rectangle or tight shape; shows the lines and asks.",
    ),
    row(key(ProgramKey::Text), "text", &["t"], LOOK, "The file's text; from the check: at the selected problem."),
    row(key(ProgramKey::Preview), "picture", &["v"], LOOK, "The picture; again: XY, XZ, YZ, from an angle."),
    row(key(ProgramKey::Filter), "find", &["/"], LOOK, "Narrow the list as you type; in the text: go to a line."),
    row(key(ProgramKey::Sort), "order", &["s"], LOOK, "Newest first, by name, largest first."),
    row(
        key(ProgramKey::FolderUp),
        "folder up",
        &["Backspace"],
        LOOK,
        "The folder above; from a page: back to the list.",
    ),
    row(key(ProgramKey::Refresh), "read again", &["F5"], LOOK, "Read folder and file again."),
    row(key(ProgramKey::History), "past runs", &["h"], LOOK, "Past runs and hours; Enter there: of this program only."),
    row(key(ProgramKey::Queue), "queue", &["u"], LOOK, "Files that wait; only what was marked for the sun starts."),
    row(key(ProgramKey::Enqueue), "to the queue", &["w"], LOOK, "Put the file at the end of the queue."),
    row(key(ProgramKey::Jobs), "analyses", &["j"], LOOK, "The checks under way."),
    row(key(ProgramKey::PauseJob), "pause check", &["p"], LOOK, "Pause the check of the file, or go on with it."),
    row(
        key(ProgramKey::Remove),
        "remove",
        &["Delete"],
        LOOK,
        "Queue: take its mark off, then it out. Analyses: stop the check.",
    ),
    row(key(ProgramKey::Clean), "clean up", &["c"], LOOK, "Throw away all kept checks; asks first."),
    row(key(ProgramKey::ZoomIn), "larger", &["+"], LOOK, "Picture: larger."),
    row(key(ProgramKey::ZoomOut), "smaller", &["-"], LOOK, "Picture: smaller."),
    row(key(ProgramKey::Fit), "whole", &["0"], LOOK, "Picture: all of it."),
    row(key(ProgramKey::PanLeft), "to the left", &["Left"], LOOK, "Picture: look further left; Up and Down likewise."),
    row(key(ProgramKey::PanRight), "to the right", &["Right"], LOOK, "Picture: look further right."),
];
