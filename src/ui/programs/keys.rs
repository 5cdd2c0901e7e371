//! What the keys for programs do.

/// A key for programs. The first ones work on every tab, the others on the tab Programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProgramKey {
    /// No more lines go out; what the controller has is carried out.
    PauseAtLineEnd,
    /// Take up the interrupted run: choose the line, see what will be sent.
    TakeUp,
    /// Open the selected folder, file, problem or row.
    Open,
    /// The folder above.
    FolderUp,
    /// Narrow the list by name; in the text, type a line's number; in the history, this program only.
    Filter,
    /// Newest, name, largest first.
    Sort,
    /// Read the folder anew.
    Refresh,
    /// Ask what is to be known, then run the program.
    Run,
    /// The same, from a line.
    RunFrom,
    /// The same, at what is done when the link is lost.
    LinkLost,
    /// Ask what is to be known, then drive round its outline in the air.
    Outline,
    /// The file's text.
    Text,
    /// The picture; again for the next view.
    Preview,
    /// Picture larger.
    ZoomIn,
    /// Picture smaller.
    ZoomOut,
    /// The whole picture.
    Fit,
    /// Picture moved to the left.
    PanLeft,
    /// Picture moved to the right.
    PanRight,
    /// Past runs.
    History,
    /// Analyses.
    Jobs,
    /// Files that wait.
    Queue,
    /// Put the file at the end of the queue.
    Enqueue,
    /// Take a row out of the queue, or stop an analysis.
    Remove,
    /// Pause an analysis, or go on with it.
    PauseJob,
    /// Throw away the kept analyses.
    Clean,
}
