//! Clerk's Backend API, version 2026-05-12: `/sessions` and `/sessions/{id}/…`.
//!
//! It takes a secret key, knows no current session and has no revoke-all: those are made of its list and its revoke, for one user. Lists hold sessions that
//! are over, too. With `paginated=true` it answers `{"data":[…],"total_count":n}`, although its OpenAPI document says a bare array: both are read.

use super::{Provider, no_hook};

/// The page's size and the offset count sessions; an answer without a next page is shorter, or reaches the total.
pub const PROVIDER: Provider = Provider {
    profile: r#"{"name":"clerk","effect":"refresh-only","lifetime":60,"isKey":true,"bases":{"production":"https://api.clerk.com/v1"},
"noBrowser":"everybody can read a secret key in a browser: call Clerk from a server or through the edge handler, auth-sessions/edge",
"headers":{"clerk-api-version":"2026-05-12"},
"list":{"method":"GET","path":"/sessions?paginated=true&user_id={userId}&client_id={ofClient}&status={status}&limit={pageSize}&offset={cursor}","needs":[["userId","ofClient"]],
"pageSize":{"min":1,"max":500,"default":10},"isOffset":true,"isStable":true,"fields":{"current":[],"expiresAt":["expire_at"],"ipAddress":["/latest_activity/ip_address"],"browser":["/latest_activity/browser_name"],
"deviceType":["/latest_activity/device_type"],"isMobile":["/latest_activity/is_mobile"],"city":["/latest_activity/city"],"country":["/latest_activity/country"]},"time":"milliseconds"},
"get":{"method":"GET","path":"/sessions/{id}","item":""},
"create":{"method":"POST","path":"/sessions","body":{"user_id":"{userId}","active_organization_id":"{activeOrganizationId}"},"item":""},
"revoke":{"method":"POST","path":"/sessions/{id}/revoke","confirm":"status","inWords":true},
"createToken":{"method":"POST","path":"/sessions/{id}/tokens","body":{"expires_in_seconds":"{expiresInSeconds}"},"value":["jwt"]},
"createTokenFromTemplate":{"method":"POST","path":"/sessions/{id}/tokens/{template}","body":{"expires_in_seconds":"{expiresInSeconds}"},"value":["jwt"]},
"refreshSession":{"method":"POST","path":"/sessions/{id}/refresh","body":{"expired_token":"{expiredToken}","refresh_token":"{sessionRefreshToken}","request_origin":"{requestOrigin}",
"request_headers":"{requestHeaders}","format":"{format}","request_originating_ip":"{requestOriginatingIp}"},"value":["jwt","cookies"]}}"#,
    hook: no_hook,
};
