//! When and how long to wait before another attempt.

use crate::error::{Code, Error};
use crate::json::{cut, scaled};

/// What to do about an error.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Give up: another attempt would not help.
    GiveUp,
    /// Wait so many milliseconds; then another attempt is worth it.
    Wait(i64),
    /// The back-end asks for a longer wait than the caller accepts.
    TooLong,
}

const FIRST_DELAY: i64 = 500;
/// More than anybody waits, in seconds; a larger number is as good.
const LONGEST_WAIT: i64 = 4_294_967_295;
const LONGEST_DELAY: i64 = 8_000;

/// Capped exponential back-off with jitter in its upper half (`random`: 0 to 1000); a wait that the back-end names comes first.
pub(super) fn delay(error: &Error, attempt: i64, max_retry_after: i64, random: i64) -> Decision {
    if error.retry_after.is_some_and(|seconds| seconds > max_retry_after) {
        return Decision::TooLong;
    }
    let worth = match error.code {
        Code::Network | Code::Timeout | Code::RateLimited => true,
        Code::ServerError => matches!(error.status, Some(502..=504)),
        _ => false,
    };
    if !worth {
        return Decision::GiveUp;
    }
    let backoff = (FIRST_DELAY << (attempt - 1).clamp(0, 10)).min(LONGEST_DELAY);
    let jittered = backoff / 2 + backoff / 2 * random.clamp(0, 1000) / 1000;
    Decision::Wait(error.retry_after.map_or(jittered, |seconds| (seconds * 1000).max(jittered.min(1000))))
}

/// `Retry-After` in seconds (RFC 9110, 10.2.3); a driver has made dates into seconds from now. Nonsense is as if it were not there.
pub(super) fn after(value: &str) -> Option<i64> {
    // Two of them may arrive joined.
    let value = cut(value, b',').map_or(value, |(first, _)| first).trim_ascii();
    let is_number = value.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // A part of a second is one.
    is_number.then(|| (scaled(value, 0).unwrap_or(LONGEST_WAIT) + i64::from(cut(value, b'.').is_some())).min(LONGEST_WAIT))
}

/// `X-RateLimit-Reset` in seconds from now: home-made, so either a moment (seconds since 1970) or a number of seconds. `now` is in milliseconds.
pub(super) fn until(value: &str, now: i64) -> Option<i64> {
    let seconds = after(value)?;
    // In milliseconds.
    let seconds = if seconds == LONGEST_WAIT { scaled(value, 0)? / 1000 } else { seconds };
    Some(if seconds > 1_000_000_000 { (seconds - now / 1000).max(0) } else { seconds }.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: Code, status: i64, retry_after: Option<i64>) -> Error {
        let mut error = Error::new(code, "").with_status(status);
        error.retry_after = retry_after;
        error
    }

    #[test]
    fn waits_grow_and_are_capped() {
        let wait = |attempt, random| delay(&error(Code::ServerError, 503, None), attempt, 10, random);
        assert_eq!([1, 2, 3, 9, 40].map(|attempt| wait(attempt, 1000)), [500, 1000, 2000, 8000, 8000].map(Decision::Wait));
        assert_eq!(wait(1, 0), Decision::Wait(250));
        assert_eq!(wait(1, -5), Decision::Wait(250));
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        for (code, status, again) in [
            (Code::Network, 0, true),
            (Code::Timeout, 408, true),
            (Code::RateLimited, 429, true),
            (Code::ServerError, 502, true),
            (Code::ServerError, 504, true),
            (Code::ServerError, 500, false),
            (Code::ServerError, 501, false),
            (Code::Unauthenticated, 401, false),
            (Code::InvalidResponse, 200, false),
            (Code::Aborted, 0, false),
        ] {
            assert_eq!(delay(&error(code, status, None), 1, 10, 500) != Decision::GiveUp, again, "{code:?} {status}");
        }
    }

    #[test]
    fn the_back_end_names_the_wait() {
        assert_eq!(delay(&error(Code::RateLimited, 429, Some(3)), 1, 10, 1000), Decision::Wait(3000));
        assert_eq!(delay(&error(Code::RateLimited, 429, Some(0)), 1, 10, 1000), Decision::Wait(500));
        assert_eq!(delay(&error(Code::RateLimited, 429, Some(11)), 1, 10, 1000), Decision::TooLong);
        assert_eq!(delay(&error(Code::RateLimited, 429, Some(LONGEST_WAIT)), 1, i64::MAX, 1000), Decision::Wait(LONGEST_WAIT * 1000));
        assert_eq!(delay(&error(Code::ServerError, 500, Some(LONGEST_WAIT)), 1, 10, 1000), Decision::TooLong);
    }

    #[test]
    fn reads_retry_after() {
        for (value, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999", Some(LONGEST_WAIT)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None),
            ("-1", None),
            ("1.5", Some(2)),
            ("30, 30", Some(30)),
            (".5", None),
            ("soon", None),
            ("", None),
            ("1e3", None),
            ("٣", None),
        ] {
            assert_eq!(after(value), expected, "{value}");
        }
    }

    #[test]
    fn reads_rate_limit_resets() {
        let now = 1_767_225_600_000;
        for (value, expected) in [("1767225607", Some(7)), ("1767225000", Some(0)), ("1767225607000", Some(7)), ("7", Some(7)), ("soon", None)] {
            assert_eq!(until(value, now), expected, "{value}");
        }
    }
}
