//! AuthVital, in both generations of its API.
//!
//! Generation 1 has `/oauth/sessions`, `/oauth/logout-all`, `/oauth/logout` and `/oauth/token`; generation 2 has `/api/auth/…`. They are told
//! apart by the 404 that a generation 2 server's router gives for a generation 1 route. Generation 2 knows the refresh token from a cookie only; a browser
//! sends that by itself or not at all.

use super::{Answer, Asked, Operation, Provider, said};
use crate::error::{Code, Error};
use crate::http::{Response, without_query};
use crate::json::Json;

/// The list holds nothing but live sessions, and does not say which one is the current.
pub const PROVIDER: Provider = Provider {
    profile: r#"{"name":"authvital","effect":"refresh-only","lifetime":0,
"list":[{"method":"GET","path":"/oauth/sessions?application_id={applicationId}","fields":{"items":["sessions"],"current":[],"lastActiveAt":[]}},
{"method":"GET","path":"/api/auth/sessions","fields":{"items":["sessions"],"current":[],"lastActiveAt":[]}}],
"revoke":[{"method":"POST","path":"/oauth/sessions/{id}/revoke","confirm":"success"},
{"method":"DELETE","path":"/api/auth/sessions/{id}","confirm":"success"}],
"revokeAll":[{"method":"POST","path":"/oauth/logout-all","body":{"application_id":"{applicationId}"},"confirm":"success"},
{"method":"POST","path":"/api/auth/logout","body":{"everywhere":true},"confirm":"success"}],
"logout":[{"method":"POST","path":"/oauth/logout","auth":"none","body":{"refresh_token":"{refreshToken}"},"confirm":"success"},
{"method":"POST","path":"/api/auth/logout","auth":"optional","body":{},"cookie":"refresh_token","confirm":"success"}],
"refresh":[{"method":"POST","path":"/oauth/token","auth":"none","needs":["refreshToken","clientId"],
"body":{"grant_type":"refresh_token","refresh_token":"{refreshToken}","client_id":"{clientId}"},"accessToken":"access_token","refreshToken":"refresh_token","expiresIn":"expires_in"},
{"method":"POST","path":"/api/auth/refresh","auth":"none","cookie":"refresh_token","accessToken":"access_token","expiresIn":"expires_in"}]}"#,
    hook,
};

fn hook(asked: &Asked<'_>, response: &Response<'_>) -> Result<Option<Answer>, Error> {
    let body = response.body;
    let message = body.member("message").as_words();
    let fails = |code, text| Err(Error::new(code, text).with_status(response.status));
    if !response.is_success() {
        // The router's 404 names the route, behind a proxy with more or less in front; a session that is not found reads otherwise.
        let route = message.strip_prefix("Cannot ").and_then(|rest| rest.strip_prefix(asked.endpoint.member("method").word()));
        let path = without_query(asked.path);
        if response.status == 404 && body.member("error").word() == "Not Found" && route.is_some_and(|route| without_query(route).ends_with(path)) {
            return Ok(Some(Answer::OtherDialect));
        }
        // The one 401 that does not mean "sign in": the session is somebody else's.
        if response.status == 401 && message == "Cannot revoke another user's session" {
            return fails(Code::Forbidden, "the session belongs to another user");
        }
        return Ok(None);
    }
    let Some(success) = body.flag("success") else { return Ok(None) };
    if asked.operation == Operation::Revoke {
        return Ok(Some(Answer::Ended { success, count: None, message: Some(message) }));
    }
    // A 200 that nevertheless ended nothing: generation 1 saw neither a token nor a cookie, generation 2 nobody it knows.
    if message == "Logged out (no active session)" || body.get_or_null("loggedUser").is_some_and(Json::is_null) {
        return fails(Code::Unauthenticated, "the back-end saw no session to end: pass the refresh token, or set credentials");
    }
    if !success {
        let code = if asked.operation == Operation::Logout { Code::NotFound } else { Code::Rejected };
        return Err(said(code, "the back-end declined", &message).with_status(response.status));
    }
    Ok(None)
}
