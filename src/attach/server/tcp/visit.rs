//! One request: a page for a monitor, or the way in.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use super::guard::{self, Guard, Refusal, SUBPROTOCOL};
use super::keeper::Keeper;
use super::knocks::Knocks;
use super::listen::Healthy;
use super::porch::{Guest, Porch};
use super::socket::Entering;
use crate::attach::server::access::Who;
use crate::attach::server::house::House;
use crate::attach::server::metrics;
use crate::attach::server::places::{FULL, Places};
use crate::attach::tokens::Token;
use crate::model::Snapshot;
use crate::model::command::Origin;
use crate::model::role::Role;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// An answer.
pub(super) type Answer = Response<Full<Bytes>>;

/// What all visits share.
pub(super) struct Doors {
    pub(super) house: House,
    pub(super) guard: Guard,
    pub(super) keeper: Keeper,
    pub(super) without_token: Option<Role>,
    pub(super) healthy: Healthy,
    pub(super) places: Places,
    pub(super) porch: Porch,
    pub(super) knocks: Knocks,
}

/// One connection.
pub(super) struct Visit {
    pub(super) doors: Arc<Doors>,
    pub(super) from: SocketAddr,
    /// Its place among those who were not let in yet.
    pub(super) guest: Guest,
    /// Who was let in by it.
    pub(super) entering: Mutex<Option<Entering>>,
}

/// Who comes, and by what.
struct Admitted {
    who: Who,
    token: Option<Token>,
}

impl Visit {
    /// Answers a request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let answer = self.route(request).await.unwrap_or_else(|refusal| refused(&refusal));
        Ok(answer)
    }

    async fn route(&self, request: Request<Incoming>) -> Result<Answer, Refusal> {
        self.doors.guard.passes(request.uri(), request.headers())?;
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let why = "only GET here: nothing is changed by a request; commands go over the WebSocket at /ws";
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, why));
        }
        match request.uri().path() {
            "/healthz" if (self.doors.healthy)() => Ok(page(StatusCode::OK, TEXT, "ok\n")),
            "/healthz" => Ok(page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "not ok\n")),
            "/status.json" => {
                self.admit(request.headers()).await?;
                self.status()
            }
            "/metrics" => {
                self.admit(request.headers()).await?;
                let text = metrics::page(&self.snapshot(), (self.doors.house.now)(), &self.doors.house.counted)
                    .map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the numbers cannot be written"))?;
                Ok(page(StatusCode::OK, metrics::CONTENT_TYPE, text))
            }
            "/ws" => self.enter(request).await,
            _ => Err(Refusal::new(StatusCode::NOT_FOUND, "here are /ws, /healthz, /status.json and /metrics")),
        }
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.doors.house.port.join(Origin::Hub).snapshot()
    }

    fn status(&self) -> Result<Answer, Refusal> {
        let house = &self.doors.house;
        let state = house.written.of(&self.snapshot());
        let state =
            state.ok_or_else(|| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the state cannot be written"))?;
        let text = json!({"now_us": (house.now)().as_micros(), "state": &*state}).to_string();
        Ok(page(StatusCode::OK, JSON, text + "\n"))
    }

    async fn admit(&self, headers: &HeaderMap) -> Result<Admitted, Refusal> {
        let unauthorised = |why: &str| Refusal::new(StatusCode::UNAUTHORIZED, why);
        let Some(secret) = guard::secret(headers) else {
            let role = self.doors.without_token.ok_or_else(|| {
                unauthorised("this takes a token: sunmill token add makes one; send it as \"Authorization: Bearer …\"")
            })?;
            let who = Who { user: "somebody without a token".to_owned(), role, ..Who::default() };
            return Ok(Admitted { who, token: None });
        };
        // A wrong token is never taken for none.
        let Some(token) = self.doors.keeper.token(secret).await else {
            self.doors.knocks.wrong_token(self.from, &self.doors.house.port);
            return Err(unauthorised(
                "this token is not valid: it is wrong, over or revoked; sunmill token list tells",
            ));
        };
        let who = Who { user: format!("{} (token)", token.name), role: token.role, ..Who::default() };
        Ok(Admitted { who, token: Some(token) })
    }

    async fn enter(&self, request: Request<Incoming>) -> Result<Answer, Refusal> {
        let mut answer = create_response_with_body(&request, Full::default).map_err(|why| {
            let why = format!("this is the place of a WebSocket (RFC 6455): {why}");
            Refusal::new(StatusCode::UPGRADE_REQUIRED, why)
        })?;
        if guard::offers_ours(request.headers()) {
            answer.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        }
        let Admitted { who, token } = self.admit(request.headers()).await?;
        let place = self.doors.places.take(token.is_some());
        let place = place.ok_or_else(|| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, FULL))?;
        self.guest.is_known();
        let entering = Entering { upgrade: hyper::upgrade::on(request), who, token, place };
        *self.entering.lock().unwrap_or_else(PoisonError::into_inner) = Some(entering);
        Ok(answer)
    }
}

/// A page. Each connection has one, so that nobody keeps a place for the next.
fn page(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn refused(refusal: &Refusal) -> Answer {
    let mut answer = page(refusal.status, TEXT, format!("{}\n", refusal.why));
    let more: &[_] = match refusal.status {
        StatusCode::UNAUTHORIZED => &[(WWW_AUTHENTICATE, "Bearer realm=\"sunmill\"")],
        StatusCode::METHOD_NOT_ALLOWED => &[(ALLOW, "GET, HEAD")],
        StatusCode::UPGRADE_REQUIRED => {
            &[(UPGRADE, "websocket"), (CONNECTION, "upgrade, close"), (SEC_WEBSOCKET_VERSION, "13")]
        }
        _ => &[],
    };
    for (name, value) in more {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
