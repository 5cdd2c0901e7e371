//! The terminal: input, keymap, action table, state, update, theme, one file per panel under `view/`.
