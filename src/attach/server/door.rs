//! Taking in who comes: the same for every way in.

use std::io;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Out of descriptors, or the like: who waits will be taken when that is over.
const AGAIN: Duration = Duration::from_millis(200);

/// A way in.
pub(super) trait Door: Send {
    /// Who comes through it.
    type Came: Send;

    /// Waits for the next one. Nobody is lost if the call is dropped.
    fn next(&self) -> impl Future<Output = io::Result<Self::Came>> + Send;

    /// What serves this one. `None`: it is not taken in.
    fn serve(&mut self, came: Self::Came) -> impl Future<Output = Option<BoxFuture<'static, ()>>> + Send;
}

/// Serves everybody who comes, each in a task of its own; never ends. Who is inside ends with it.
pub(super) async fn keep(mut door: impl Door) {
    let mut inside = JoinSet::new();
    loop {
        tokio::select! {
            came = door.next() => match came {
                Ok(came) => {
                    if let Some(serving) = door.serve(came).await {
                        inside.spawn(serving);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "somebody could not come in");
                    sleep(AGAIN).await;
                }
            },
            Some(_) = inside.join_next(), if !inside.is_empty() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use futures_util::FutureExt;
    use tokio::sync::mpsc;
    use tokio::time::Instant;

    use super::*;

    /// Through which comes what is written down; then nobody.
    struct Written {
        comes: Arc<Mutex<VecDeque<io::Result<u32>>>>,
        served: mpsc::Sender<u32>,
    }

    impl Door for Written {
        type Came = u32;

        async fn next(&self) -> io::Result<u32> {
            let next = self.comes.lock().unwrap().pop_front();
            match next {
                Some(next) => next,
                None => std::future::pending().await,
            }
        }

        async fn serve(&mut self, came: u32) -> Option<BoxFuture<'static, ()>> {
            let served = self.served.clone();
            (came != 2).then(|| async move { served.send(came).await.unwrap() }.boxed())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_come_in_keeps_nobody_else_out() {
        let comes = VecDeque::from([Ok(1), Ok(2), Err(io::ErrorKind::OutOfMemory.into()), Ok(3)]);
        let (served, mut told) = mpsc::channel(4);
        let begun = Instant::now();
        let keeps = tokio::spawn(keep(Written { comes: Arc::new(Mutex::new(comes)), served }));
        assert_eq!((told.recv().await, told.recv().await), (Some(1), Some(3)));
        assert!(begun.elapsed() >= AGAIN, "it does not spin where descriptors have run out");
        keeps.abort();
    }
}
