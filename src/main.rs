//! The thin binary: arguments, hooks, dispatch.
fn main() {}
