//! The one place that prints.

use std::io::{self, ErrorKind, Write};

/// Data, to stdout. A reader that has gone (`sunmill keys | head -1`) is not a failure.
pub(super) fn data(text: &str) -> io::Result<()> {
    follow(text).map(|_| ())
}

/// The same for what goes on until somebody has enough. `false`: the reader has gone.
pub(super) fn follow(text: &str) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// The same piece by piece, for what is too long to be held.
pub(super) fn stream() -> impl Write {
    io::stdout().lock()
}

/// Words for a person, to stderr. Where nobody can read them there is nobody to tell.
pub(super) fn words(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}
