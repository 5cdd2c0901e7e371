//! Messages: JSON-RPC 2.0, one object a line, params by name. Pure.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The version of the protocol. Another one is refused in words.
pub const PROTOCOL: u32 = 1;
/// Longest line in either direction, in bytes.
pub(super) const MAX_LINE: usize = 1024 * 1024;
/// Answers that would not fit a line go in pieces of so many characters.
pub(super) const PIECE: usize = 256 * 1024;

/// Why a request got no result. The numbers below −32000 are those of JSON-RPC 2.0, the positive ones are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Not JSON.
    Parse,
    /// Not a request.
    Invalid,
    /// No such method.
    Method,
    /// Params that the method does not take.
    Params,
    /// The hub refuses it as things stand.
    Refused,
    /// Another client is in control.
    Control,
    /// `hello` has to come first.
    Hello,
    /// Another version of the protocol.
    Version,
    /// Not with this role.
    Role,
    /// What became of it cannot be told any more.
    Unknown,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Parse,
        Self::Invalid,
        Self::Method,
        Self::Params,
        Self::Refused,
        Self::Control,
        Self::Hello,
        Self::Version,
        Self::Role,
        Self::Unknown,
    ];

    /// What it means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Parse => "the line is not JSON, or no text in UTF-8",
            Self::Invalid => "not a request, or a line of more than 1 MiB; the connection is cut after the latter",
            Self::Method => "there is no such method",
            Self::Params => "the params are not what the method takes",
            Self::Refused => "refused as things stand; the message says why",
            Self::Control => "another client is in control; the message says who and since when",
            Self::Hello => "hello has to come first",
            Self::Version => "another version of the protocol",
            Self::Role => "the client's role does not allow it",
            Self::Unknown => "it is not known whether it was carried out; the message says why",
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> i64 {
        match self {
            Self::Parse => -32700,
            Self::Invalid => -32600,
            Self::Method => -32601,
            Self::Params => -32602,
            Self::Refused => 1,
            Self::Control => 2,
            Self::Hello => 3,
            Self::Version => 4,
            Self::Role => 5,
            Self::Unknown => 6,
        }
    }
}

/// An error as it is answered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Which.
    pub code: Code,
    /// In words: what, where, what to do.
    pub message: String,
}

impl Problem {
    /// With these words.
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A request, or (without an id) a notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What the answer carries. `None`: no answer is wanted.
    pub id: Option<Value>,
    /// Which method.
    pub method: String,
    /// Its params, by name.
    pub params: Value,
}

#[derive(Deserialize)]
struct Raw {
    jsonrpc: Option<String>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    method: Option<String>,
    params: Option<Value>,
}

/// An id of `null` is one too.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Call {
    /// Reads a line. The id comes with the problem where there is one.
    ///
    /// # Errors
    /// Not JSON, or not a request of JSON-RPC 2.0 with params by name.
    pub fn read(line: &str) -> Result<Self, (Value, Problem)> {
        let value: Value = serde_json::from_str(line)
            .map_err(|error| (Value::Null, Problem::new(Code::Parse, format!("this line is not JSON: {error}"))))?;
        if value.is_array() {
            let message = "requests go one to a line, not in an array";
            return Err((Value::Null, Problem::new(Code::Invalid, message)));
        }
        let id = value.get("id").cloned().unwrap_or(Value::Null);
        let invalid = |message: String| (id.clone(), Problem::new(Code::Invalid, message));
        let raw: Raw = serde_json::from_value(value).map_err(|error| invalid(format!("no request: {error}")))?;
        if raw.jsonrpc.as_deref() != Some("2.0") {
            return Err(invalid("a request says \"jsonrpc\": \"2.0\"".to_owned()));
        }
        let Some(method) = raw.method else { return Err(invalid("a request names its \"method\"".to_owned())) };
        // No params are written as an empty array by many libraries.
        let params = raw.params.filter(|params| *params != json!([])).unwrap_or_else(|| json!({}));
        if !params.is_object() {
            return Err((id, Problem::new(Code::Params, "params are an object with names")));
        }
        Ok(Self { id: raw.id, method, params })
    }

    /// Its params as a type; names that are not known are passed over.
    ///
    /// # Errors
    /// Something is missing or of the wrong kind.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        T::deserialize(&self.params).map_err(|error| Problem::new(Code::Params, format!("{}: {error}", self.method)))
    }
}

/// A request as it is sent.
pub(super) fn request(id: u64, method: &str, params: &impl Serialize) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

/// A notification as it is sent.
pub(super) fn notification(method: &str, params: &impl Serialize) -> String {
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

/// The answer to a request.
pub(super) fn answer(id: &Value, result: Result<Value, Problem>) -> String {
    match result {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(problem) => {
            let error = json!({"code": problem.code.number(), "message": problem.message});
            json!({"jsonrpc": "2.0", "id": id, "error": error})
        }
    }
    .to_string()
}

/// A message in lines that are not too long: itself, or pieces of it in `part` notifications, to be joined by the reader.
pub(super) fn lines(message: String) -> Vec<String> {
    if message.len() < MAX_LINE {
        return vec![message];
    }
    let mut rest = message.as_str();
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let mut end = PIECE.min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        parts.push(notification("part", &json!({"text": piece, "last": after.is_empty()})));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_junk_is_named() {
        let call = Call::read(r#"{"jsonrpc":"2.0","id":7,"method":"hello","params":{"protocol":1},"more":true}"#);
        let call = call.unwrap();
        assert_eq!((call.id.clone(), call.method.as_str()), (Some(json!(7)), "hello"));
        assert_eq!(Call::read(r#"{"jsonrpc":"2.0","method":"x"}"#).unwrap().params, json!({}));
        for (line, code) in [
            ("", Code::Parse),
            ("{", Code::Parse),
            ("[]", Code::Invalid),
            ("{}", Code::Invalid),
            (r#"{"jsonrpc":"1.0","method":"x"}"#, Code::Invalid),
            (r#"{"jsonrpc":"2.0","id":1}"#, Code::Invalid),
            (r#"{"jsonrpc":"2.0","method":5}"#, Code::Invalid),
            (r#"{"jsonrpc":"2.0","method":"x","params":[1]}"#, Code::Params),
        ] {
            assert_eq!(Call::read(line).unwrap_err().1.code, code, "{line}");
        }
        assert_eq!(Call::read(r#"{"id":9}"#).unwrap_err().0, json!(9));
    }

    #[test]
    fn long_messages_come_in_pieces_that_join_again() {
        let text = "ä\"\\\n".repeat(400_000);
        let message = notification("answer", &json!({"text": text}));
        let parts = lines(message.clone());
        assert!(parts.len() > 1 && parts.iter().all(|part| part.len() < MAX_LINE));
        let joined: String =
            parts.iter().map(|part| Call::read(part).unwrap().params["text"].as_str().unwrap().to_owned()).collect();
        assert_eq!(joined, message);
        assert_eq!(lines("{}".to_owned()), ["{}"]);
    }
}
