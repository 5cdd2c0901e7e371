//! The state as JSON, made once for all who are told of it.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::model::Snapshot;

/// The newest state that was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Written(Arc<Mutex<Newest>>);

/// Its revision, and the JSON.
type Newest = Option<(u64, Arc<Value>)>;

impl Written {
    /// The state as JSON. `None`: it cannot be written.
    pub(super) fn of(&self, snapshot: &Snapshot) -> Option<Arc<Value>> {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((rev, written)) = &*newest
            && *rev == snapshot.rev
        {
            return Some(Arc::clone(written));
        }
        // Who else wants it waits for it meanwhile, and has it then.
        let written = Arc::new(serde_json::to_value(snapshot).ok()?);
        *newest = Some((snapshot.rev, Arc::clone(&written)));
        Some(written)
    }
}
