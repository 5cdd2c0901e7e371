//! A program on its way from its file to the session: batches of items through a bounded channel.

use tokio::sync::mpsc;

use crate::grbl::session::ProgramItem;

/// Batches that may wait. With [`BATCH`] lines each they last for seconds, and weigh little.
const BATCHES: usize = 4;
/// Items that a feeder should put into one batch.
pub const BATCH: usize = 64;

/// The near end: whoever reads the file waits here when the machine is slower.
pub type Feeder = mpsc::Sender<Vec<ProgramItem>>;

/// The far end, for the task that owns the port. Dropping it ends the feeder.
#[derive(Debug)]
pub struct Feed {
    batches: mpsc::Receiver<Vec<ProgramItem>>,
    ready: std::vec::IntoIter<ProgramItem>,
}

/// A feed is only ever the same as itself.
impl PartialEq for Feed {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Feed {
    /// Both ends.
    pub fn new() -> (Feeder, Self) {
        let (feeder, batches) = mpsc::channel(BATCHES);
        (feeder, Self { batches, ready: Vec::new().into_iter() })
    }

    /// The next item, if one has been read already.
    pub(super) fn next(&mut self) -> Option<ProgramItem> {
        loop {
            if let Some(item) = self.ready.next() {
                return Some(item);
            }
            match self.batches.try_recv() {
                Ok(batch) => self.ready = batch.into_iter(),
                Err(mpsc::error::TryRecvError::Empty) => return None,
                Err(mpsc::error::TryRecvError::Disconnected) => return Some(gone()),
            }
        }
    }

    /// Waits until [`next`](Self::next) has something. Nothing is lost when the call is dropped.
    pub(super) async fn wait(&mut self) {
        self.ready = match self.batches.recv().await {
            Some(batch) => batch.into_iter(),
            None => vec![gone()].into_iter(),
        };
    }
}

/// A feeder that ends well says so.
fn gone() -> ProgramItem {
    let why = "what reads the program has failed inside sunmill; see the log. Stop the program".to_owned();
    ProgramItem::Broken { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn items_come_in_order_and_a_feeder_that_dies_is_told() {
        let (feeder, mut feed) = Feed::new();
        assert_eq!(feed.next(), None);
        let wait = |number| ProgramItem::Wait { number };
        feeder.send(vec![wait(1), wait(2)]).await.unwrap();
        feeder.send(vec![wait(3)]).await.unwrap();
        feed.wait().await;
        assert_eq!([feed.next(), feed.next(), feed.next()], [Some(wait(1)), Some(wait(2)), Some(wait(3))]);
        assert_eq!(feed.next(), None);
        drop(feeder);
        assert!(matches!(feed.next(), Some(ProgramItem::Broken { .. })));
        feed.wait().await;
        assert!(matches!(feed.next(), Some(ProgramItem::Broken { .. })));
    }
}
