//! A client over WebSocket: each message of the protocol is one text message. All else is as on the Unix socket.

use std::net::SocketAddr;

use futures_util::future::{BoxFuture, Shared};
use futures_util::stream::SplitSink;
use futures_util::{FutureExt, SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::keeper::Keeper;
use crate::attach::frames::{self, PING};
use crate::attach::server::access::Who;
use crate::attach::server::house::House;
use crate::attach::server::peer::{self, Entered};
use crate::attach::server::places::Place;
use crate::attach::server::writer::{Queue, is_written, last_words};
use crate::attach::tokens::Token;

type Socket = WebSocketStream<TokioIo<Upgraded>>;
/// Ready when the token is good no more.
type Over = Shared<BoxFuture<'static, ()>>;

/// Somebody who was let in.
pub(super) struct Entering {
    pub(super) upgrade: OnUpgrade,
    pub(super) who: Who,
    /// What lets it in, and no longer than that is good.
    pub(super) token: Option<Token>,
    /// Its place among those who may be here at a time.
    pub(super) place: Place,
}

/// Serves it until it leaves, is gone, does not read, or its token is good no more.
pub(super) async fn serve(entering: Entering, from: SocketAddr, keeper: Keeper, house: House) {
    let Entering { upgrade, who, token, place } = entering;
    let Ok(upgraded) = upgrade.await else { return };
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(frames::config())).await;
    let (write, read) = socket.split();
    // Both ways end by it, since either can be blocked; and in the same moment, so that the one can tell why the other has.
    let over = gone(&keeper, token.as_ref()).shared();
    let lines = Box::pin(frames::lines(read).take_until(over.clone()));
    let entered = Entered { id: house.next_id(), who, from: Some(from.to_string()), place };
    peer::serve(lines, |queue| write_out(write, queue, over), entered, house).await;
}

/// Over when the token is good no more.
fn gone(keeper: &Keeper, token: Option<&Token>) -> BoxFuture<'static, ()> {
    match token {
        Some(token) => keeper.clone().until_gone(token.clone()).boxed(),
        None => std::future::pending().boxed(),
    }
}

/// Writes what is queued until nobody queues any more, the client does not read or is gone, or its token is.
async fn write_out(mut to: SplitSink<Socket, Message>, mut queue: Queue, mut gone: Over) {
    let mut ping = interval_at(Instant::now() + PING, PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let written = async {
            tokio::select! {
                text = queue.next() => Some(is_written(send(&mut to, &text?).await)),
                _ = ping.tick() => Some(is_written(to.send(Message::Ping(Bytes::new())).await)),
            }
        };
        // However slowly it reads, it hears of nothing any more when its token is gone.
        let written = tokio::select! {
            written = written => written,
            () = &mut gone => return dismiss(&mut to).await,
        };
        match written {
            Some(true) => {}
            Some(false) => return,
            None => break,
        }
    }
    // It may be that what was heard ended by the same reason, a moment sooner.
    match (&mut gone).now_or_never() {
        Some(()) => dismiss(&mut to).await,
        None => last_words(to.close()).await,
    }
}

/// Closes, and says that it is because of the token.
async fn dismiss(to: &mut SplitSink<Socket, Message>) {
    let reason = "this token is not valid any more".into();
    let close = CloseFrame { code: CloseCode::Policy, reason };
    last_words(to.send(Message::Close(Some(close)))).await;
}

/// Lines, each in a message; what has gathered goes in one write.
async fn send(to: &mut SplitSink<Socket, Message>, text: &str) -> Result<(), Error> {
    for line in text.lines() {
        to.feed(Message::text(line)).await?;
    }
    to.flush().await
}
