//! Whole calls over a profile that nobody has checked: whatever it says, calls end, and what comes out is JSON. (The package refuses most of these: `src/npm/profile.js`.)
#![no_main]

use auth_sessions_fuzz::{case_target, drive::Client};
use serde_json::Value;

case_target!(|case: &Value| Client::new(case, Some(case.get("profile").unwrap_or(&Value::Null))).run());
