//! The seam between the client and the back-ends: tables and pure functions that make requests and read answers.
//!
//! A back-end is one file here. It does no I/O, reads no clock and keeps no state: what has to be remembered between calls (its dialect, tokens, the
//! current session) the client hands in. To add one, implement [`Provider`] and register it in [`by_name`].

mod authvital;

use crate::error::{Code, Error};
use crate::http::{Endpoint, Response};
use crate::json::{Json, join};
use crate::model::{Capabilities, Field};
use crate::time::Time;

/// What a back-end can be asked in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// List sessions.
    List,
    /// End one session: `{id}`.
    Revoke,
    /// End all sessions.
    RevokeAll,
    /// End the current session: `{refreshToken}`.
    Logout,
    /// Get new tokens: `{refreshToken}`, `{clientId}`.
    Refresh,
}

/// What an answer says.
#[derive(Debug)]
pub enum Answer<'a> {
    /// Sessions.
    Page {
        /// The array of items; each has an id.
        items: Json<'a>,
        /// How to read one.
        table: &'static [Field],
        /// The back-end's own count, where it has one.
        count: Option<i64>,
    },
    /// One or all sessions are ended, the current one at a logout.
    Ended {
        /// This request ended something; false where it was gone before.
        success: bool,
        /// How many, where it says.
        count: Option<i64>,
        /// The back-end's words.
        message: Option<String>,
    },
    /// New tokens.
    Tokens {
        /// The access token.
        access: String,
        /// The refresh token, if there is a new one to be seen.
        refresh: Option<String>,
        /// When the access token runs out, or how many seconds it lives.
        expires_at: Option<Time>,
    },
    /// The back-end speaks the next dialect; nothing happened.
    OtherDialect,
}

/// What an answer is read with.
pub struct Asked<'a> {
    /// The operation.
    pub operation: Operation,
    /// The dialect, counted from 0.
    pub dialect: u8,
    /// The endpoint that was asked.
    pub endpoint: &'a Endpoint,
    /// Its path as it was sent.
    pub path: &'a str,
    /// Now, for lifetimes that are given in seconds.
    pub now: Option<Time>,
}

/// A back-end.
pub trait Provider {
    /// What it can do, and how.
    fn capabilities(&self) -> Capabilities;

    /// The endpoint for an operation, if there is one, or why it can't be asked with this input.
    fn endpoint(&self, operation: Operation, dialect: u8, has: &dyn Fn(&str) -> bool) -> Result<Endpoint, Error>;

    /// What the answer says.
    fn read<'a>(&self, asked: &Asked<'_>, response: &'a Response) -> Result<Answer<'a>, Error>;

    /// The id of the current session, as far as the tokens tell.
    fn current_id(&self, access_token: Option<&str>, refresh_token: Option<&str>) -> Option<String>;
}

/// The back-end of that name: the one place where they are registered.
pub fn by_name(name: &str) -> Result<&'static dyn Provider, Error> {
    let code = match name {
        "authvital" => return Ok(&authvital::AuthVital),
        "clerk" | "ksef" | "rest" | "better-auth" => Code::Unsupported,
        _ => Code::InvalidOptions,
    };
    Err(Error::new(code, "provider must be \"authvital\": this version has no other yet"))
}

/// The body as JSON, or `invalid_response`.
fn json(response: &Response) -> Result<Json<'_>, Error> {
    Json::parse(&response.body).ok_or_else(|| unexpected(response, "the body is not JSON"))
}

/// An answer that the back-end's protocol does not have.
fn unexpected(response: &Response, what: &str) -> Error {
    Error::new(Code::InvalidResponse, &join(&["the back-end's answer can't be used: ", what])).with_status(response.status)
}

/// The error that a status stands for, with the back-end's words.
fn refused(response: &Response, message: &str) -> Error {
    let (code, text) = match response.status {
        _ if response.is_redirect() => (Code::InvalidResponse, "the back-end answered with a redirect, which is not followed: check baseUrl"),
        401 => (Code::Unauthenticated, "the back-end does not accept the credentials"),
        403 => (Code::Forbidden, "the back-end does not allow it"),
        404 | 410 => (Code::NotFound, "the back-end does not know it"),
        408 => (Code::Timeout, "the back-end gave up waiting"),
        409 => (Code::Conflict, "the back-end says that the state does not allow it"),
        429 => (Code::RateLimited, "too many requests"),
        400..=499 => (Code::Rejected, "the back-end refused the request"),
        500.. => (Code::ServerError, "the back-end failed"),
        _ => (Code::InvalidResponse, "the back-end answered with an unexpected status"),
    };
    said(code, text, message).with_status(response.status)
}

/// An error with the back-end's words after ours.
fn said(code: Code, text: &str, message: &str) -> Error {
    let colon = if message.is_empty() { "" } else { ": " };
    Error::new(code, &join(&[text, colon, message]))
}
