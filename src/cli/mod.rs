//! Commands that are not the screen.
