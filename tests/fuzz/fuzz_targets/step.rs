//! Whole calls over every back-end: see [`auth_sessions_fuzz::drive`] for what has to hold.
#![no_main]

use auth_sessions_fuzz::{case_target, drive::Client};

case_target!(|case| Client::new(case, None).run());
