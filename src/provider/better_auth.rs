//! Better Auth: `/api/auth/list-sessions` and its neighbours.
//!
//! Its revocation takes a session's secret token, which is what its list hands out: the client keeps the tokens to itself and shows the ids. A revocation is
//! answered with success whatever the token, so a session is revoked only when it was listed.

use super::{Provider, no_hook};

/// The list is of one hundred sessions at most, and "others" are the others among those.
pub const PROVIDER: Provider = Provider {
    profile: r#"{"name":"better-auth","effect":"immediate",
"list":{"method":"GET","path":"/api/auth/list-sessions","fields":{"items":[""]},"handle":"token"},
"current":{"method":"GET","path":"/api/auth/get-session","item":"session"},
"revoke":{"method":"POST","path":"/api/auth/revoke-session","body":{"token":"{handle}"},"confirm":"status"},
"revokeOthers":{"method":"POST","path":"/api/auth/revoke-other-sessions","body":{},"confirm":"status"},
"revokeAll":{"method":"POST","path":"/api/auth/revoke-sessions","body":{},"confirm":"status"},
"logout":{"method":"POST","path":"/api/auth/sign-out","body":{},"confirm":"success"}}"#,
    hook: no_hook,
};
