//! Answers questions about inverters: from what a bus knows, from what was saved, from the history.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::edges::edges;
use super::keeper::PATIENCE;
use super::orders::now_s;
use super::{rows, writes};
use crate::driver::bus::BusOrder;
use crate::driver::clock::Clock;
use crate::inverter::budget::{Allowance, WriteBudget};
use crate::inverter::{Values, summary};
use crate::model::desk::{Answer, Query};
use crate::model::hub::Errand;
use crate::model::power::{ChangeRow, PowerAnswer, PowerQuery, Saved, Wanted};
use crate::store::Store;

/// Questions that may wait.
const WAITING: usize = 16;
/// Questions that are answered at the same time: a slow bus keeps only its own waiting.
const AT_ONCE: usize = 4;

/// What the hub tells the desk of one inverter.
#[derive(Clone, Debug)]
pub(in crate::hub) struct Book {
    pub(super) name: String,
    pub(super) bus: mpsc::Sender<BusOrder>,
    pub(super) unit: usize,
    pub(super) saved: BTreeMap<String, Saved>,
    pub(super) budget: WriteBudget,
}

/// What answers are made of.
#[derive(Clone)]
struct Source {
    books: watch::Receiver<Arc<Vec<Book>>>,
    store: Option<Store>,
    clock: Clock,
    allowance: Allowance,
    zone: TimeZone,
}

/// What a desk needs to know beside the books.
pub(in crate::hub) struct DeskSetup {
    pub(in crate::hub) store: Option<Store>,
    pub(in crate::hub) clock: Clock,
    pub(in crate::hub) allowance: Allowance,
    pub(in crate::hub) zone: TimeZone,
}

/// Starts the desk; it ends when nobody can ask it any more, or when the hub does. To be called in the runtime.
pub(in crate::hub) fn start(setup: DeskSetup, books: watch::Receiver<Arc<Vec<Book>>>) -> mpsc::Sender<Errand> {
    let (errands, inbox) = mpsc::channel(WAITING);
    let DeskSetup { store, clock, allowance, zone } = setup;
    tokio::spawn(run(Source { books, store, clock, allowance, zone }, inbox));
    errands
}

async fn run(source: Source, mut inbox: mpsc::Receiver<Errand>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut books = source.books.clone();
    loop {
        tokio::select! {
            errand = next_errand(&mut inbox, &places) => {
                let Some((errand, place)) = errand else { return };
                let source = source.clone();
                tokio::spawn(async move {
                    answer(source, errand).await;
                    drop(place);
                });
            }
            gone = books.changed() => if gone.is_err() { break },
        }
    }
    inbox.close();
    while let Some(errand) = inbox.recv().await {
        // With the hub went what there is to know: what is asked of a bus is refused by name.
        answer(source.clone(), errand).await;
    }
}

async fn next_errand(
    inbox: &mut mpsc::Receiver<Errand>,
    places: &Arc<Semaphore>,
) -> Option<(Errand, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    Some((inbox.recv().await?, place))
}

async fn answer(source: Source, errand: Errand) {
    let Errand { query, answer_to } = errand;
    let answer = match query {
        Query::Power(query) => Answer::Power(source.answer(query).await),
        _ => Answer::Done(Err("the desk for inverters knows nothing else".to_owned())),
    };
    // A client that has gone, or that does not read, has no use for it.
    let _ = answer_to.try_send(answer);
}

impl Source {
    async fn answer(self, query: PowerQuery) -> PowerAnswer {
        match query {
            PowerQuery::Registers { inverter } => {
                let rows = self.look(&inverter).await.map(|(_, values)| Arc::new(summary::registers(&values)));
                PowerAnswer::Registers { inverter, rows }
            }
            PowerQuery::Settings { inverter } => {
                let rows = self.look(&inverter).await.map(|(book, values)| {
                    Arc::new(rows::setting_rows(&values, &book.saved, &book.budget, self.clock.now(), now_s()))
                });
                PowerAnswer::Settings { inverter, rows }
            }
            PowerQuery::CheckChanges { inverter, settings } => {
                let rows = self.check(&inverter, &settings).await;
                PowerAnswer::Changes { inverter, settings, rows }
            }
            PowerQuery::History { inverter, from_ms, until_ms, grain } => {
                let asked = inverter.clone();
                let read = move |store: &Store| store.reader().samples(asked.as_deref(), from_ms, until_ms, grain);
                let samples = self.read(read).await.map(Arc::new);
                PowerAnswer::History { inverter, grain, samples }
            }
            PowerQuery::Energies { inverter, from_ms, until_ms, by_day } => {
                let bars = match edges(from_ms, until_ms, by_day, &self.zone) {
                    Ok(edges) => {
                        let asked = inverter.clone();
                        let read = move |store: &Store| store.reader().energies(asked.as_deref(), &edges);
                        self.read(read).await.map(Arc::new)
                    }
                    Err(why) => Err(why),
                };
                PowerAnswer::Energies { inverter, by_day, bars }
            }
        }
    }

    fn book(&self, inverter: &str) -> Result<Book, String> {
        let books = self.books.borrow();
        let names = || books.iter().map(|book| book.name.as_str()).collect::<Vec<_>>().join(", ");
        let book = books.iter().find(|book| book.name == inverter);
        book.cloned().ok_or_else(|| format!("there is no inverter {inverter:?}; there is {}", names()))
    }

    async fn look(&self, inverter: &str) -> Result<(Book, Arc<Values>), String> {
        let book = self.book(inverter)?;
        let (answer, answered) = oneshot::channel();
        let values = ask(&book, BusOrder::Look { unit: book.unit, answer }, answered).await?;
        Ok((book, values))
    }

    /// Dangerous settings are judged too, so that a person sees what arming would be for.
    async fn check(&self, inverter: &str, settings: &[Wanted]) -> Result<Vec<ChangeRow>, Vec<String>> {
        let book = self.book(inverter).map_err(|why| vec![why])?;
        let (answer, answered) = oneshot::channel();
        let order = BusOrder::Check { unit: book.unit, settings: settings.to_vec(), armed: true, answer };
        let mut rows = ask(&book, order, answered).await.map_err(|why| vec![why])??;
        let now_s = now_s();
        let over = writes::over_budget(&rows, &book.budget, self.allowance, now_s);
        if !over.is_empty() {
            return Err(over);
        }
        writes::warn(&mut rows, &book.budget, self.allowance, now_s);
        Ok(rows)
    }

    /// Reads the store on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, crate::store::StoreError> + Send + 'static,
    ) -> Result<T, String> {
        let store = self.store.clone().ok_or("no history is kept: see [store] in config.toml")?;
        match tokio::task::spawn_blocking(move || read(&store)).await {
            Ok(read) => read.map_err(|why| why.to_string()),
            Err(error) => Err(format!("the history could not be read: {error}")),
        }
    }
}

/// Asks a bus. It knows the answer without asking the device, so it has not long.
async fn ask<T>(book: &Book, order: BusOrder, answered: oneshot::Receiver<T>) -> Result<T, String> {
    book.bus.try_send(order).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => "the bus is busy with earlier orders; try again".to_owned(),
        mpsc::error::TrySendError::Closed(_) => "the bus has ended".to_owned(),
    })?;
    match timeout(PATIENCE, answered).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err("nothing is known of it yet, or its bus has ended; try again when it answers".to_owned()),
        Err(_elapsed) => Err("the bus does not answer; try again".to_owned()),
    }
}
