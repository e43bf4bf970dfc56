//! KSeF 2.0, the Polish national e-invoicing system: `/auth/sessions` and `/auth/token/refresh`.
//!
//! It has neither a user agent nor an address: a session is known by how the user authenticated. It ends one session at a time, and takes few requests.

use super::{Provider, no_hook};

/// Errors are asked for as problem details (RFC 9457); older servers answer in their own form, which is read as well.
pub const PROVIDER: Provider = Provider {
    profile: r#"{"name":"ksef","effect":"refresh-only","lifetime":900,"id":"00000000-AU-XXXXXXXXXX-XXXXXXXXXX-XX",
"bases":{"production":"https://api.ksef.mf.gov.pl/v2","demo":"https://api-demo.ksef.mf.gov.pl/v2","test":"https://api-test.ksef.mf.gov.pl/v2"},
"noBrowser":"KSeF sends no CORS headers: call it from a server or through the edge handler, auth-sessions/edge, or set baseUrl to a proxy of yours",
"headers":{"x-error-format":"problem-details"},"limits":[[1000,10],[60000,30],[3600000,120]],
"list":{"method":"GET","path":"/auth/sessions?pageSize={pageSize}","headers":{"x-continuation-token":"{cursor}"},"pageSize":{"min":10,"max":100,"default":10},"isStable":true,
"fields":{"next":["continuationToken"],"id":["referenceNumber"],"createdAt":["startDate"],"lastActiveAt":["lastTokenRefreshDate"],"expiresAt":["refreshTokenValidUntil"],"status":["/status/code"],"method":["authenticationMethodInfo"]},
"statuses":{"100":"pending","200":"active","425":"revoked","480":"blocked"}},
"revoke":{"method":"DELETE","path":"/auth/sessions/{id}","success":[204]},
"revokeCurrent":{"method":"DELETE","path":"/auth/sessions/current","auth":"either","success":[204]},
"logout":{"method":"DELETE","path":"/auth/sessions/current","auth":"either","success":[204]},
"refresh":{"method":"POST","path":"/auth/token/refresh","auth":"refresh","needs":["refreshToken"],"accessToken":"/accessToken/token","expiresIn":"/accessToken/validUntil"}}"#,
    hook: no_hook,
};
