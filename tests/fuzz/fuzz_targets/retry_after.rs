//! What a back-end says of waiting, and the waits that are made of it.
#![no_main]

use auth_sessions::{
    error::{self, Code, Error},
    // For the private module.
    json,
};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unreachable_pub)]
#[path = "../../../src/client/retry.rs"]
mod retry;

use retry::{Decision, after, delay, until};

const LONGEST: i64 = 4_294_967_295;

fuzz_target!(|data: &[u8]| {
    let (numbers, text) = data.split_at(data.len().min(18));
    let number = |at: usize| numbers.get(at..at + 8).and_then(|bytes| bytes.first_chunk::<8>()).map_or(0, |bytes| i64::from_le_bytes(*bytes));
    let Ok(value) = std::str::from_utf8(text) else { return };
    let seconds = after(value);
    // The first of several, and a part of a second is one.
    let first = value.split(',').next().unwrap_or_default().trim_ascii();
    let is_number = first.starts_with(|char: char| char.is_ascii_digit()) && first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let (digits, part) = first.split_once('.').map_or((first, 0), |(digits, _)| (digits, 1));
    let expected = is_number.then(|| digits.parse::<u128>().map_or(LONGEST, |seconds| (seconds + part).min(LONGEST as u128) as i64));
    assert_eq!(seconds, expected, "{value:?}");
    let now = number(0).clamp(0, 253_402_300_799_999);
    assert!(until(value, now).is_none_or(|seconds| (0..=LONGEST).contains(&seconds)), "{value:?}");
    let code = Code::by_name(["network", "timeout", "rate_limited", "server_error", "rejected"][usize::from(numbers.first().copied().unwrap_or(0)) % 5]);
    let mut error = Error::new(code, "").with_status(500 + number(8) % 8);
    error.retry_after = seconds;
    let (attempt, random) = (number(8).clamp(1, 1000), number(10));
    match delay(&error, attempt, 2_000_000, random) {
        Decision::Wait(ms) => {
            assert!(ms >= seconds.unwrap_or(0) * 1000 && (250..=8000.max(seconds.unwrap_or(0) * 1000)).contains(&ms), "{ms}");
            // A later attempt waits no shorter.
            if let Decision::Wait(later) = delay(&error, attempt.saturating_add(1), 2_000_000, random) {
                assert!(later >= ms, "{later} after {ms}");
            }
        }
        Decision::TooLong => assert!(seconds > Some(2_000_000)),
        Decision::GiveUp => assert!(!matches!(code, Code::Network | Code::Timeout | Code::RateLimited)),
    }
});
