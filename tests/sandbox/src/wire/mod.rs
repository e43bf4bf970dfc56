//! The wire formats of the back-ends: one file each, all over the one store.
//!
//! A new back-end is a file with a `router` here, a line in [`mount`] and its prefix in [`MOUNTS`].

use std::sync::Arc;

use axum::Router;

use crate::app::App;

pub mod authvital;

/// The path prefixes of the back-ends. Below them faults apply and requests are logged.
pub const MOUNTS: [&str; 2] = ["/authvital", "/authvital-g2"];

/// Whether a path belongs to a back-end.
pub fn is_wire(path: &str) -> bool {
    MOUNTS.iter().any(|mount| path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Adds every back-end to the routes.
pub fn mount(router: Router, app: &Arc<App>) -> Router {
    use authvital::Generation;
    let mut router = router;
    for generation in [Generation::G1, Generation::G2] {
        router = router.nest(generation.mount(), authvital::router(Arc::clone(app), generation));
    }
    router
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_at_a_segment() {
        assert!(is_wire("/authvital"));
        assert!(is_wire("/authvital/oauth/sessions"));
        assert!(is_wire("/authvital-g2/api"));
        assert!(!is_wire("/authvitalx"));
        assert!(!is_wire("/sandbox/authvital"));
    }
}
