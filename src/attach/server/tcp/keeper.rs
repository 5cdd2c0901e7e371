//! The tokens as they are now: their file is looked at again and again.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::attach::tokens::{Token, Tokens, now_s};

/// A token that is revoked is good for at most so long.
const LOOK: Duration = Duration::from_millis(500);

/// The clock of this computer may be set meanwhile: how much is left of a token is reckoned anew after this.
const RECKON: Duration = Duration::from_secs(60);

/// What tells one version of the file from another: when it was written and changed, where it is, how long.
type Stamp = Option<(i64, i64, i64, i64, u64, u64)>;

/// Keeps the tokens of one file.
#[derive(Clone, Debug)]
pub(super) struct Keeper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    tokens: watch::Sender<Arc<Tokens>>,
    seen: Mutex<Option<Stamp>>,
}

impl Keeper {
    pub(super) fn new(path: PathBuf) -> Self {
        let (tokens, _) = watch::channel(Arc::default());
        Self(Arc::new(Inner { path, tokens, seen: Mutex::new(None) }))
    }

    /// Looks at the file now and then while somebody is here by a token; never ends.
    pub(super) async fn watch(self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if self.0.tokens.receiver_count() > 0 {
                self.look().await;
            }
        }
    }

    /// The token of this secret, as the file is now.
    pub(super) async fn token(&self, secret: &str) -> Option<Token> {
        self.look().await;
        self.0.tokens.borrow().of_secret(secret, now_s()).cloned()
    }

    /// Waits until a token is good no more.
    pub(super) async fn until_gone(self, token: Token) {
        let mut news = self.0.tokens.subscribe();
        while news.borrow_and_update().holds(&token, now_s()) {
            let over = async {
                match token.left(now_s()) {
                    Some(left) => tokio::time::sleep(left.min(RECKON)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return },
                () = over => {}
            }
        }
    }

    /// Reads the file if it is another one than before. One that cannot be read lets nobody in.
    async fn look(&self) {
        let inner = Arc::clone(&self.0);
        // It can only not be done where the runtime ends.
        let _ = tokio::task::spawn_blocking(move || inner.read_if_new()).await;
    }
}

impl Inner {
    fn read_if_new(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = std::fs::metadata(&self.path)
            .ok()
            .map(|of| (of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec(), of.ino(), of.len()));
        if *seen == Some(stamp) {
            return;
        }
        *seen = Some(stamp);
        let tokens = Tokens::read(&self.path).unwrap_or_else(|why| {
            tracing::error!(%why, "no token is good now");
            Tokens::default()
        });
        self.tokens.send_replace(Arc::new(tokens));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;
    use crate::model::Role;

    fn write(path: &Path, tokens: &Tokens) {
        // As the command does: a new file in the place of the old one.
        let new = path.with_extension("new");
        std::fs::write(&new, tokens.to_text()).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::rename(new, path).unwrap();
    }

    #[tokio::test]
    async fn a_new_token_is_good_at_once_and_a_revoked_one_ends_who_is_here_by_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let keeper = Keeper::new(path.clone());
        let mut tokens = Tokens::default();
        assert_eq!(keeper.token("x").await, None, "there is no file");
        let secret = tokens.add("one", Role::Stop, None, 0).unwrap();
        let over = tokens.add("two", Role::Stop, Some(now_s() - 1), 0).unwrap();
        write(&path, &tokens);
        let token = keeper.token(&secret).await.unwrap();
        assert_eq!((token.name.as_str(), token.role), ("one", Role::Stop));
        assert_eq!(keeper.token(&over).await, None);
        let watching = tokio::spawn(keeper.clone().watch());
        let gone = tokio::spawn(keeper.clone().until_gone(token));
        tokens.revoke("one").unwrap();
        write(&path, &tokens);
        gone.await.unwrap();
        assert_eq!(keeper.token(&secret).await, None);
        watching.abort();
    }

    #[tokio::test]
    async fn a_file_that_is_damaged_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let keeper = Keeper::new(path.clone());
        let mut tokens = Tokens::default();
        let secret = tokens.add("one", Role::Stop, None, 0).unwrap();
        write(&path, &tokens);
        assert!(keeper.token(&secret).await.is_some());
        std::fs::write(&path, "{").unwrap();
        assert_eq!(keeper.token(&secret).await, None);
    }
}
