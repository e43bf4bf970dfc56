//! What the methods return. The names on the JavaScript side are those of the npm package's `index.d.ts`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_bindgen::JsValue;

use crate::error::{Code, Error};
use crate::secret::Secret;
use crate::text::Text;

/// The sessions of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// How many there are, by the back-end's own count where it sends one.
    pub count: i64,
    /// All sessions on all pages, where the back-end says.
    pub total: Option<i64>,
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
    /// How the user signed in (KSeF).
    pub method: Option<SignIn>,
    /// The item as the back-end sent it: JSON. In a plain object for JavaScript it is an object.
    #[serde(with = "json")]
    pub raw: String,
}

/// What a user agent says, or the back-end that has read it; never guessed, and without versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// "Chrome on macOS", "Gmail app on iOS".
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

/// How a user signed in, in the back-end's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The kind of method.
    pub category: Option<String>,
    /// The method's code.
    pub code: Option<String>,
    /// The method's name for people.
    pub name: Option<String>,
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
    pub count: Option<i64>,
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
    /// What became of each cookie in the options; elsewhere than on a page that is not to be seen.
    #[serde(default)]
    pub cookies: Vec<ClearedCookie>,
    /// On a server: `Set-Cookie` values for the answer, one header each.
    #[serde(default)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, also where the back-end does not rotate it.
    pub refresh_token: Option<Secret>,
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
    pub create: String,
    pub create_token: String,
    /// As in [`Revoked`].
    pub effect: String,
    /// A browser can call it.
    pub browser: bool,
    /// What it takes as [`page_size`](super::CallOptions::page_size).
    pub page_size: Option<PageSize>,
}

/// How many sessions a page may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSize {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
    /// Where nothing is said.
    pub default: u32,
}

/// A new token of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionToken {
    /// The token.
    pub jwt: Secret,
}

/// What renewing a session's token takes (Clerk).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshSession {
    /// The token that has run out.
    pub expired_token: Secret,
    /// The session's refresh token.
    pub refresh_token: Secret,
    /// Where the user's request came from.
    pub request_origin: String,
    /// The headers of that request.
    #[serde(default)]
    pub request_headers: BTreeMap<String, Vec<Secret>>,
    /// Its address.
    pub request_originating_ip: Option<String>,
    /// `token` or `cookie`.
    pub format: Option<String>,
}

/// A session's token was renewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Renewed {
    /// With the format `token`.
    Token(SessionToken),
    /// With the format `cookie`.
    Cookies {
        /// `Set-Cookie` values.
        cookies: Vec<Secret>,
    },
}

/// A cookie to clear. It has to be described as it was set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CookieSpec {
    /// Its name.
    pub name: String,
    /// Its path, if not `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its domain, if it was set with one.
    pub domain: Option<String>,
    /// It has `Secure`.
    pub secure: bool,
    /// Its `SameSite`.
    pub same_site: Option<SameSite>,
    /// It has `Partitioned`.
    pub partitioned: bool,
    /// Whether it has `HttpOnly`, where that is known.
    pub http_only: Option<bool>,
}

/// The `SameSite` attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "they are the attribute's values")]
pub enum SameSite {
    Strict,
    Lax,
    None,
}

/// The environments of KSeF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are KSeF's own names")]
pub enum Environment {
    Production,
    Demo,
    Test,
}

impl Environment {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Demo => "demo",
            Self::Test => "test",
        }
    }
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
    status: Option<i64>,
    server_code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<i64>,
    transient: bool,
    #[serde(default = "json::null", with = "json")]
    details: String,
    #[serde(default = "json::null", with = "json")]
    revoked: String,
    #[serde(default = "json::null", with = "json")]
    failed: String,
}

/// As an object with the fields of a `SessionsError`.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (revoked, failed) = self.partial.clone().map_or_else(|| (json::null(), json::null()), |(revoked, failed)| (revoked.into(), failed.into()));
        let fields = Fields {
            code: self.code.as_str().to_owned(),
            message: self.message.to_string(),
            status: self.status,
            server_code: self.server_code.clone().map(String::from),
            request_id: self.request_id.clone().map(String::from),
            retry_after: self.retry_after,
            transient: self.is_transient(),
            details: self.details.clone().map_or_else(json::null, String::from),
            revoked,
            failed,
        };
        fields.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let there = |json: String| Some(Text::from(json)).filter(|json| *json != "null");
        let mut error = Self::new(Code::by_name(&fields.code), &fields.message);
        error.status = fields.status;
        error.server_code = fields.server_code.map(Text::from);
        error.request_id = fields.request_id.map(Text::from);
        error.retry_after = fields.retry_after;
        error.details = there(fields.details);
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
