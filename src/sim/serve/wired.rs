//! What a simulated device at the end of a serial line does, whatever it is.

use super::world::ServeError;

/// A device with time and a line. The server gives it bytes and takes bytes from it.
pub trait Wired {
    /// What a person can do to it while it is served.
    type Control;

    /// How many bytes [`input`](Self::input) takes now.
    fn input_room(&self) -> usize;

    /// Bytes from the other end.
    fn input(&mut self, bytes: &[u8]);

    /// Moves everything on to now; gives what goes to the other end.
    fn output(&mut self) -> Vec<u8>;

    /// The link goes away for a moment. Told once.
    fn take_drop(&mut self) -> bool;

    /// Keeps what survives power-off.
    ///
    /// # Errors
    /// It cannot be written.
    fn save(&mut self) -> Result<(), ServeError>;

    /// Waits until [`output`](Self::output) would do something even without input.
    fn next_event(&self) -> impl Future<Output = ()> + Send;

    /// Does what a person asks, who is told what there is to tell. True: it ends.
    fn obey(&mut self, control: Self::Control, notice: &mut impl FnMut(&str)) -> bool;
}
