//! The seam between the client and the back-ends: data that says what to ask, and pure functions that read the answers.
//!
//! A back-end is one file here: a profile in JSON and, where its wire needs it, a [`Hook`]. It does no I/O, reads no clock and keeps no state: what has to
//! be remembered between calls (its dialect, tokens, the current session) the client hands in. To add one, write its file and register it in [`by_name`].
//! Profiles that callers write (`RestProfile` in the package's types) are the same data, and read by the same code.
//!
//! A profile has, besides an endpoint for each of [`Operation`] that the back-end does in one request, under its name (an array where dialects differ):
//!
//! | member | is |
//! |---|---|
//! | `name` | its name |
//! | `bases` | base URLs by environment, where it has its own |
//! | `effect` | what a revocation ends: "immediate", "refresh-only" or "unknown" (the default) |
//! | `lifetime` | seconds that its access tokens live, where it publishes that; this client's own token knows better, and 0 leaves it to that |
//! | `noBrowser` | why browsers can't call it |
//! | `isKey` | the token is a secret key of the application, which never leaves servers; requests that are served tell nothing but the current session |
//! | `id` | the form of ids: `0` a digit, `X` a hexadecimal one, anything else itself |
//! | `auth` | where the token goes: "bearer" (the default), "cookie" or `{"header":name}` |
//! | `headers` | headers for every request |
//! | `limits` | how many single revocations it takes: pairs of milliseconds and a number |
//! | `perOperation` | each operation has a dialect of its own |
//!
//! An endpoint has `method`, `path`, `body` and `headers`, in which `{name}` stands for an input (in a body: a string that is nothing else, replaced by the
//! input as JSON; what has no input is left out), `success` and `gone` (statuses), `auth` ("none", "optional", "refresh", "either": the refresh token or else
//! the access token), `needs` (inputs; in an inner array, one of them), `confirm` (the flag that says it was done, or the text where it is `inWords`), `cookie` (the name under which a server
//! sends the refresh token), `own` (the answers are this package's
//! own results: another one of it is asked, the handler of [`crate::edge`]), and what says where things are in the answer: JSON Pointers, or names. `list` has those of [`crate::model`] and `pageSize`, `isOffset` (the cursor counts sessions), `isStable` (the id in a token is a session's for as long as that lives) and `handle` (a secret that revocations take for the id).

mod authvital;
mod better_auth;
mod clerk;
mod ksef;
mod read;
mod rest;

pub use read::{COUNTS, list, number_at, read};

use crate::error::{Code, Error};
use crate::http::Response;
use crate::json::{Json, index_in, join, word_at};
use crate::secret::Secret;
use crate::text::Text;
use crate::time::Time;

/// What a caller, or this client on their behalf, asks of a back-end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// List sessions, page by page.
    List,
    /// One session: `{id}`.
    Get,
    /// The session that asks.
    Current,
    /// End one session: `{id}`.
    Revoke,
    /// End the session that asks.
    RevokeCurrent,
    /// End all sessions.
    RevokeAll,
    /// End all sessions but the one that asks.
    RevokeOthers,
    /// End the current session and forget its tokens: `{refreshToken}`.
    Logout,
    /// Get new tokens: `{refreshToken}`, `{clientId}`.
    Refresh,
    /// Make a session for a user: `{userId}`.
    Create,
    /// Make a token of a session: `{id}`.
    CreateToken,
    /// The same by a template: `{template}`.
    CreateTokenFromTemplate,
    /// Renew a session's token: `{id}` and the tokens.
    RefreshSession,
}

/// All of them, and their names in the same order, which are also those of the package's methods.
pub const OPERATIONS: [Operation; 13] = [
    Operation::List,
    Operation::Get,
    Operation::Current,
    Operation::Revoke,
    Operation::RevokeCurrent,
    Operation::RevokeAll,
    Operation::RevokeOthers,
    Operation::Logout,
    Operation::Refresh,
    Operation::Create,
    Operation::CreateToken,
    Operation::CreateTokenFromTemplate,
    Operation::RefreshSession,
];
const NAMES: &str = "list get current revoke revokeCurrent revokeAll revokeOthers logout refresh create createToken createTokenFromTemplate refreshSession";

impl Operation {
    /// Its name.
    pub fn name(self) -> &'static str {
        word_at(NAMES, self as usize)
    }

    /// The operation of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        OPERATIONS.get(index_in(NAMES, name)?).copied()
    }
}

/// What an answer says.
#[derive(Debug)]
pub enum Answer {
    /// Sessions.
    Page,
    /// One session.
    Session,
    /// One or all sessions are ended, the current one at a logout.
    Ended {
        /// This request ended something; false where it was gone before.
        success: bool,
        /// How many, where it says.
        count: Option<i64>,
        /// The back-end's words.
        message: Option<Text>,
    },
    /// New tokens.
    Tokens {
        /// The access token.
        access: Secret<Text>,
        /// The refresh token, if there is a new one to be seen.
        refresh: Option<Secret<Text>>,
        /// When the access token runs out, by what the answer says beside it.
        expires_at: Option<Time>,
    },
    /// A result of the back-end's own, in JSON.
    Value(Text),
    /// The back-end speaks the next dialect; nothing happened.
    OtherDialect,
}

/// What an answer is read with.
pub struct Asked<'a> {
    /// The operation.
    pub operation: Operation,
    /// The endpoint that was asked.
    pub endpoint: Json<'a>,
    /// Its path as it was sent.
    pub path: &'a str,
    /// What was read of sessions in it: see [`crate::client`].
    pub listed: Json<'a>,
    /// Now by the back-end's clock, for lifetimes that are given in seconds.
    pub now: Option<Time>,
}

/// Reads an answer that a profile can't tell of; `None` for all others.
pub type Hook = fn(asked: &Asked<'_>, response: &Response<'_>) -> Result<Option<Answer>, Error>;

/// A back-end.
#[derive(Clone, Copy)]
pub struct Provider {
    /// JSON.
    pub profile: &'static str,
    /// What it needs besides.
    pub hook: Hook,
}

/// The back-end of that name: the one place where they are registered.
pub fn by_name(name: &str) -> Result<Provider, Error> {
    Ok(match name {
        "authvital" => authvital::PROVIDER,
        "better-auth" => better_auth::PROVIDER,
        "clerk" => clerk::PROVIDER,
        "ksef" => ksef::PROVIDER,
        "rest" => rest::PROVIDER,
        _ => return Err(Error::new(Code::InvalidOptions, "provider must be \"authvital\", \"clerk\", \"ksef\", \"rest\", \"better-auth\" or a RestProfile")),
    })
}

/// For wires that a profile tells all about.
fn no_hook(_: &Asked<'_>, _: &Response<'_>) -> Result<Option<Answer>, Error> {
    Ok(None)
}

/// An answer that the back-end's protocol does not have.
fn unexpected(response: &Response<'_>, what: &str) -> Error {
    Error::new(Code::InvalidResponse, &join("the back-end's answer can't be used: ", what, "")).with_status(response.status)
}

/// An error with the back-end's words after ours.
fn said(code: Code, text: &str, message: &str) -> Error {
    let colon = if message.is_empty() { "" } else { ": " };
    Error::new(code, &join(text, colon, message))
}
