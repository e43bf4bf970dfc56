//! The one closed set of errors, with stable codes.

use crate::json::{Writer, index_in, word_at};
use crate::text::Text;

/// What went wrong, as a stable name that callers may branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The options of the client are wrong or incomplete.
    InvalidOptions,
    /// An argument of this call is wrong; nothing was sent.
    InvalidArgument,
    /// This back-end, or this version of the package, cannot do that.
    Unsupported,
    /// Sending this would expose a secret; nothing was sent.
    Insecure,
    /// No credentials, or the back-end does not accept them (401).
    Unauthenticated,
    /// The user has to authenticate again first (RFC 9470 and its home-made relatives).
    ReauthenticationRequired,
    /// Authenticated, but not allowed (403).
    Forbidden,
    /// No such thing (404, 410).
    NotFound,
    /// The state does not allow it (409).
    Conflict,
    /// The back-end refused the request for a reason of its own (other 4xx, or a refusal in a 200).
    Rejected,
    /// Too many requests (429), or a `Retry-After` that is too long to wait out.
    RateLimited,
    /// The back-end failed (5xx).
    ServerError,
    /// No answer: DNS, TLS, CORS, connection.
    Network,
    /// No answer in time.
    Timeout,
    /// The caller's `AbortSignal` fired.
    Aborted,
    /// An answer that is not what the back-end's protocol says, a refused redirect included.
    InvalidResponse,
    /// Which session is the current one cannot be known here.
    CurrentUnknown,
    /// Some of several revocations failed.
    PartialRevocation,
    /// A defect of this package or its surroundings.
    Internal,
}

/// All of them, and their names in the same order.
const ALL: [Code; 19] = [
    Code::InvalidOptions,
    Code::InvalidArgument,
    Code::Unsupported,
    Code::Insecure,
    Code::Unauthenticated,
    Code::ReauthenticationRequired,
    Code::Forbidden,
    Code::NotFound,
    Code::Conflict,
    Code::Rejected,
    Code::RateLimited,
    Code::ServerError,
    Code::Network,
    Code::Timeout,
    Code::Aborted,
    Code::InvalidResponse,
    Code::CurrentUnknown,
    Code::PartialRevocation,
    Code::Internal,
];
const NAMES: &str = "invalid_options invalid_argument unsupported insecure unauthenticated reauthentication_required forbidden not_found conflict rejected rate_limited server_error network timeout aborted invalid_response current_unknown partial_revocation internal";

impl Code {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        word_at(NAMES, self as usize)
    }

    /// The code of that name; what has none is a defect.
    pub fn by_name(name: &str) -> Self {
        index_in(NAMES, name).and_then(|index| ALL.get(index).copied()).unwrap_or(Self::Internal)
    }
}

/// Everything a caller is told about a failure. Holds no token, cookie or secret.
///
/// Boxed, as every fallible function returns it: moving the details around would be most of the code.
#[derive(Clone, Debug)]
pub struct Error(Box<Failure>);

/// The details of an [`Error`].
#[derive(Clone, Debug)]
pub struct Failure {
    /// The stable code.
    pub code: Code,
    /// For people: what happened and what to do.
    pub message: Text,
    /// HTTP status, where there was an answer.
    pub status: Option<i64>,
    /// The back-end's own code.
    pub server_code: Option<Text>,
    /// The back-end's id of the request, for its support.
    pub request_id: Option<Text>,
    /// Seconds the back-end asks to wait.
    pub retry_after: Option<i64>,
    /// Details as the back-end gave them: JSON text.
    pub details: Option<Text>,
    /// The number under which the host keeps what was thrown, if anything was.
    pub cause: Option<i64>,
    /// `partial_revocation` only, in JSON: the ids that are ended, and which of those that were tried are not, counted from 0. The host has their errors.
    pub partial: Option<(Text, Text)>,
}

impl Error {
    /// An error with nothing but a code and a message.
    #[cold]
    #[inline(never)]
    pub fn new(code: Code, message: &str) -> Self {
        Self(Box::new(Failure {
            code,
            message: message.into(),
            status: None,
            server_code: None,
            request_id: None,
            retry_after: None,
            details: None,
            cause: None,
            partial: None,
        }))
    }

    /// The same error of an answer with that status.
    #[must_use]
    pub fn with_status(mut self, status: i64) -> Self {
        self.status = Some(status).filter(|status| *status > 0);
        self
    }

    /// What the boundary makes a `SessionsError` of, in JSON.
    pub fn to_json(&self) -> Text {
        let mut out = Writer::new();
        out.text("code", Some(self.code.as_str()))
            .text("message", Some(&self.message))
            .optional("status", self.status)
            .text("serverCode", self.server_code.as_deref())
            .text("requestId", self.request_id.as_deref())
            .optional("retryAfter", self.retry_after)
            .flag("transient", self.is_transient())
            .json("details", self.details.as_deref().unwrap_or("null"))
            .optional("cause", self.cause);
        if let Some((revoked, failed)) = &self.partial {
            out.json("revoked", revoked).json("failed", failed);
        }
        out.finish()
    }

    /// Worth trying again later without any change.
    pub fn is_transient(&self) -> bool {
        match self.code {
            Code::Network | Code::Timeout | Code::RateLimited => true,
            Code::ServerError => self.status != Some(501),
            _ => false,
        }
    }

    /// The answer never came or was lost: whether the back-end acted is unknown.
    pub fn is_lost(&self) -> bool {
        matches!(self.code, Code::Network | Code::Timeout | Code::Aborted | Code::ServerError | Code::InvalidResponse)
    }

    /// The back-end is "currently unable to handle the request" (RFC 9110, 15.6.4), or wants to be asked elsewhere: it was not carried out.
    pub fn is_unused(&self) -> bool {
        matches!(self.status, Some(300..=399 | 503))
    }
}

impl std::ops::Deref for Error {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl std::ops::DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Failure {
        &mut self.0
    }
}
