//! What the sandbox takes from its surroundings: time and randomness, both replaceable in tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::anyhow;

/// A source of wall-clock time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// The clock of the machine.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that can be moved forward, so that tests see tokens expire without waiting.
pub struct AdjustableClock {
    base: Arc<dyn Clock>,
    advanced_ms: AtomicI64,
}

/// The farthest the clock can be moved: a hundred years, well inside what dates can be printed for.
const MAX_ADVANCE_MS: i64 = 100 * 366 * 24 * 60 * 60 * 1000;

impl AdjustableClock {
    /// A clock that shows the time of `base` until it is advanced.
    pub fn new(base: Arc<dyn Clock>) -> Self {
        Self { base, advanced_ms: AtomicI64::new(0) }
    }

    /// Moves the clock forward; answers by how much it is ahead of its base in total, or `None` if that is too far.
    pub fn advance(&self, by_ms: u64) -> Option<i64> {
        let by_ms = i64::try_from(by_ms).ok()?;
        let add = |ahead: i64| ahead.checked_add(by_ms).filter(|sum| *sum <= MAX_ADVANCE_MS);
        self.advanced_ms.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).ok().and_then(add)
    }

    /// By how much the clock is ahead of its base.
    pub fn advanced_ms(&self) -> i64 {
        self.advanced_ms.load(Ordering::SeqCst)
    }

    /// Back to the time of the base clock.
    pub fn reset(&self) {
        self.advanced_ms.store(0, Ordering::SeqCst);
    }
}

impl Clock for AdjustableClock {
    fn now_ms(&self) -> i64 {
        self.base.now_ms().saturating_add(self.advanced_ms())
    }
}

/// A source of random bytes, good enough for secrets.
pub trait Random: Send + Sync {
    /// Fills `buffer`, or fails without having filled it.
    fn fill(&self, buffer: &mut [u8]) -> anyhow::Result<()>;
}

/// The random source of the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, buffer: &mut [u8]) -> anyhow::Result<()> {
        getrandom::fill(buffer).map_err(|error| anyhow!("no randomness: {error}"))
    }
}

/// A random (version 4) UUID in its usual form.
pub fn random_uuid(random: &dyn Random) -> anyhow::Result<String> {
    let mut bytes = [0u8; 16];
    random.fill(&mut bytes)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

/// `2026-01-31T09:30:00.000Z`, as JavaScript's `Date.prototype.toISOString` prints it.
pub fn iso_time(ms: i64) -> String {
    humantime::format_rfc3339_millis(system_time(ms)).to_string()
}

/// `Sat, 31 Jan 2026 09:30:00 GMT`, as `Date` and `Expires` want it.
pub fn http_time(ms: i64) -> String {
    httpdate::fmt_http_date(system_time(ms))
}

/// Both formatters panic outside the years 1970 to 9999, so times are held inside.
fn system_time(ms: i64) -> SystemTime {
    const LAST_MS: u64 = 253_402_300_799_999;
    let ms = u64::try_from(ms).unwrap_or(0).min(LAST_MS);
    UNIX_EPOCH + Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(i64);
    impl Clock for Fixed {
        fn now_ms(&self) -> i64 {
            self.0
        }
    }

    #[test]
    fn times_are_printed_and_never_panic() {
        assert_eq!(iso_time(1_769_851_800_123), "2026-01-31T09:30:00.123Z");
        assert_eq!(http_time(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(iso_time(-5), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso_time(i64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(http_time(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn the_clock_moves_forward_within_bounds_and_back_on_reset() {
        let clock = AdjustableClock::new(Arc::new(Fixed(1_000)));
        assert_eq!(clock.advance(500), Some(500));
        assert_eq!(clock.advance(1), Some(501));
        assert_eq!(clock.now_ms(), 1_501);
        assert_eq!(clock.advance(u64::MAX), None);
        assert_eq!(clock.advance(MAX_ADVANCE_MS as u64), None);
        assert_eq!(clock.now_ms(), 1_501, "a refused advance changes nothing");
        clock.reset();
        assert_eq!(clock.now_ms(), 1_000);
    }

    #[test]
    fn uuids_are_version_4() {
        let id = random_uuid(&OsRandom).unwrap();
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert_ne!(id, random_uuid(&OsRandom).unwrap());
    }
}
