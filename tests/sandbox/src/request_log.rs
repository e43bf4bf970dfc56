//! A bounded log of the requests to the back-ends, so that tests can count them. It holds names of headers and parameters, never values.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::Request;
use hyper::header::{self, HeaderName};
use serde::Serialize;

use crate::http::{is_preflight, text_of};

const MAX_ENTRIES: usize = 1000;
const MAX_PATH: usize = 1024;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Counts up for as long as the sandbox runs.
    pub number: u64,
    /// Its method.
    pub method: String,
    /// Its path, mount prefix included, without the query.
    pub path: String,
    /// Names of its query parameters.
    pub query: Vec<String>,
    /// Status of the answer; null while there is none, or where a fault lost it.
    pub status: Option<u16>,
    /// Whether a fault was played.
    pub fault: bool,
    /// Whether it was a CORS preflight.
    pub preflight: bool,
    /// What a preflight asked for (`Access-Control-Request-Headers`).
    pub requested_headers: Vec<String>,
    /// Whether it had an `Origin`.
    pub origin: bool,
    /// Whether it had an `Authorization`.
    pub authorization: bool,
    /// Whether it had a `Cookie`.
    pub cookie: bool,
    /// Names of all its headers.
    pub headers: Vec<String>,
}

/// The last thousand requests.
#[derive(Default)]
pub struct RequestLog {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Never starts anew, so that an answer to a request from before a `clear` is not noted on a later one.
    last_number: u64,
    total: u64,
    entries: VecDeque<Entry>,
}

impl RequestLog {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request when it comes in; answers its number.
    pub fn begin<B>(&self, request: &Request<B>) -> u64 {
        let headers = request.headers();
        let has = |name: HeaderName| headers.contains_key(name);
        let requested = text_of(headers, &header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or("");
        let mut inner = self.lock();
        inner.total += 1;
        inner.last_number += 1;
        let entry = Entry {
            number: inner.last_number,
            method: request.method().to_string(),
            path: request.uri().path().chars().take(MAX_PATH).collect(),
            query: form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes()).map(|(name, _)| name.into_owned()).collect(),
            status: None,
            fault: false,
            preflight: is_preflight(request),
            requested_headers: requested.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect(),
            origin: has(header::ORIGIN),
            authorization: has(header::AUTHORIZATION),
            cookie: has(header::COOKIE),
            headers: headers.keys().map(ToString::to_string).collect(),
        };
        if inner.entries.len() >= MAX_ENTRIES {
            inner.entries.pop_front();
        }
        let number = entry.number;
        inner.entries.push_back(entry);
        number
    }

    /// Notes that a fault is played on a request.
    pub fn faulted(&self, number: u64) {
        self.change(number, |entry| entry.fault = true);
    }

    /// Notes the status of the answer.
    pub fn answered(&self, number: u64, status: u16) {
        self.change(number, |entry| entry.status = Some(status));
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Entry)) {
        // The youngest are last, and it is nearly always one of them. The log may have been cleared since.
        if let Some(entry) = self.lock().entries.iter_mut().rev().find(|entry| entry.number == number) {
            change(entry);
        }
    }

    /// How many there were since the log was cleared, and the last thousand of them, oldest first.
    pub fn list(&self) -> (u64, Vec<Entry>) {
        let inner = self.lock();
        (inner.total, inner.entries.iter().cloned().collect())
    }

    /// Forgets all.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.total = 0;
        inner.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_bounded_and_holds_no_values() {
        let log = RequestLog::default();
        let request = Request::builder()
            .uri("/authvital/oauth/sessions?application_id=SECRET-1")
            .header("authorization", "Bearer SECRET-2")
            .header("cookie", "auth_token=SECRET-3")
            .body(())
            .unwrap();
        let early = log.begin(&request);
        log.clear();
        for _ in 0..MAX_ENTRIES + 5 {
            let number = log.begin(&request);
            log.answered(number, 200);
        }
        log.answered(early, 500);
        let (total, entries) = log.list();
        assert_eq!((total, entries.len()), (1005, MAX_ENTRIES));
        assert!(entries.iter().all(|entry| entry.status == Some(200)));
        let text = serde_json::to_string(&entries).unwrap();
        assert!(!text.contains("SECRET"));
        assert!(text.contains(r#""query":["application_id"]"#));
    }
}
