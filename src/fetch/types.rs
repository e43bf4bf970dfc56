//! What the methods return. The names on the JavaScript side are those of the npm package's `index.d.ts`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_bindgen::JsValue;

use crate::error::{Code, Error};

/// The sessions of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// How many there are, by the back-end's own count where it sends one.
    pub count: u32,
    /// All sessions on all pages, where the back-end says.
    pub total: Option<u32>,
    /// Where the next page begins; none on the last page.
    pub next: Option<String>,
}

/// One session. Times are ISO 8601, in UTC with milliseconds; nothing is said where the back-end does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub id: String,
    /// `active`, `revoked`, `expired`, `ended`, `removed`, `abandoned`, `replaced`, `pending`, `blocked` or `unknown`.
    pub status: String,
    /// When the user signed in.
    pub created_at: Option<String>,
    /// When it was last used.
    pub last_active_at: Option<String>,
    /// When it runs out.
    pub expires_at: Option<String>,
    /// The browser, as it names itself.
    pub user_agent: Option<String>,
    /// Where it was last used from.
    pub ip_address: Option<String>,
    /// The organisation.
    pub tenant: Option<String>,
    /// Whose it is.
    pub user_id: Option<String>,
    /// Whether it is the one that this client uses, where that is known.
    pub current: Option<bool>,
    /// What the user agent says, for people.
    pub device: Option<Device>,
    /// Where the user is.
    pub location: Option<Location>,
    /// The item as the back-end sent it: JSON. In a plain object for JavaScript it is an object.
    #[serde(with = "json")]
    pub raw: String,
}

/// What a user agent says; never guessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// "Chrome on macOS".
    pub label: String,
    /// "Chrome".
    pub browser: Option<String>,
    /// "macOS".
    pub os: Option<String>,
    /// `desktop`, `mobile`, `tablet`, `bot`, `app` or `unknown`.
    pub kind: String,
}

/// Where a session is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// City.
    pub city: Option<String>,
    /// Country.
    pub country: Option<String>,
}

/// One session was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revoked {
    /// Which.
    pub id: String,
    /// This call ended it.
    pub success: bool,
    /// `revoked` or `already-revoked`.
    pub outcome: String,
    /// The back-end's words.
    pub message: Option<String>,
    /// `immediate`, `refresh-only` (access tokens go on working until they run out) or `unknown`.
    pub effect: String,
    /// Until when an access token of it may still be accepted, where that is known.
    pub access_token_valid_until: Option<String>,
}

/// Several sessions were ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevokedAll {
    /// All of them are ended.
    pub success: bool,
    /// How many, where the back-end says.
    pub count: Option<u32>,
    /// The back-end's words.
    pub message: Option<String>,
    /// Which, where that is known.
    pub revoked: Option<Vec<String>>,
    /// As in [`Revoked`].
    pub effect: String,
    /// As in [`Revoked`].
    pub access_token_valid_until: Option<String>,
}

/// What came of a logout; that the server can't be reached is no error.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedOut {
    /// The server confirmed it.
    pub success: bool,
    /// The back-end's words.
    pub message: Option<String>,
    /// `confirmed`, `rejected`, `unreachable` or `skipped`.
    pub server: String,
    /// On a page: what became of each cookie in the options.
    #[serde(default)]
    pub cookies: Vec<ClearedCookie>,
    /// On a server: `Set-Cookie` values for the answer, one header each.
    pub set_cookie: Vec<String>,
    /// Why the server did not confirm.
    pub error: Option<Error>,
}

/// What became of a cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearedCookie {
    /// Its name.
    pub name: String,
    /// `cleared`, `absent`, `still-present` or `not-visible`: one that is HttpOnly may be there or not.
    pub outcome: String,
}

/// The tokens that are valid now.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// The refresh token, also where the back-end does not rotate it.
    pub refresh_token: Option<String>,
    /// When the access token runs out.
    pub expires_at: Option<String>,
}

/// What a back-end can do. An operation is `native`, `emulated` or `unsupported`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "they are the methods' names")]
pub struct Capabilities {
    /// The back-end's name.
    pub provider: String,
    pub list: String,
    pub get: String,
    pub current: String,
    pub revoke: String,
    pub revoke_current: String,
    pub revoke_all: String,
    pub revoke_others: String,
    pub logout: String,
    pub refresh: String,
    /// As in [`Revoked`].
    pub effect: String,
    /// A browser can call it.
    pub browser: bool,
}

/// JSON text here, a value in JavaScript.
mod json {
    use super::{Deserializer, JsValue, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serde_wasm_bindgen::preserve::serialize(&js_sys::JSON::parse(text).unwrap_or(JsValue::NULL), serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        let value: JsValue = serde_wasm_bindgen::preserve::deserialize(deserializer)?;
        Ok(js_sys::JSON::stringify(&value).map_or_else(|_| null(), String::from))
    }

    pub(super) fn null() -> String {
        "null".to_owned()
    }
}

/// An [`Error`] on its way through JavaScript.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    code: String,
    message: String,
    status: Option<u16>,
    server_code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<u32>,
    transient: bool,
    #[serde(default = "json::null", with = "json")]
    details: String,
    #[serde(skip_serializing)]
    cause: Option<u32>,
    #[serde(default = "json::null", with = "json")]
    revoked: String,
    #[serde(default = "json::null", with = "json")]
    failed: String,
}

/// As an object with the fields of a `SessionsError`.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (revoked, failed) = self.partial.clone().unwrap_or_else(|| (json::null(), json::null()));
        let fields = Fields {
            code: self.code.as_str().to_owned(),
            message: self.message.clone(),
            status: self.status,
            server_code: self.server_code.clone(),
            request_id: self.request_id.clone(),
            retry_after: self.retry_after,
            transient: self.is_transient(),
            details: self.details.clone().unwrap_or_else(json::null),
            cause: None,
            revoked,
            failed,
        };
        fields.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let there = |json: String| Some(json).filter(|json| json != "null");
        let mut error = Self::new(Code::by_name(&fields.code), &fields.message);
        error.status = fields.status;
        error.server_code = fields.server_code;
        error.request_id = fields.request_id;
        error.retry_after = fields.retry_after;
        error.details = there(fields.details);
        error.cause = fields.cause;
        error.partial = there(fields.revoked).zip(there(fields.failed));
        Ok(error)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Error {}
