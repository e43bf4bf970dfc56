//! AuthVital, in both generations of its API.
//!
//! Generation 1 has `/oauth/sessions`, `/oauth/logout-all`, `/oauth/logout` and `/oauth/token`; generation 2 has `/api/auth/…`. They are told
//! apart by the 404 that a generation 2 server's router gives for a generation 1 route.

use super::{Answer, Asked, Operation, Provider, json, refused, said, unexpected};
use crate::error::{Code, Error};
use crate::http::Method::{Delete, Get, Post};
use crate::http::{Auth, Endpoint, Response, is_bearer, without_query};
use crate::json::Json;
use crate::jwt::Claims;
use crate::model::Support::{Emulated, Native, Unsupported};
use crate::model::{Capabilities, Field, Kind};

/// An AuthVital server.
pub struct AuthVital;

static SESSION: [Field; 7] = [
    ("id", "id", Kind::Text),
    // The list holds nothing but live sessions.
    ("status", "", Kind::Fixed("active")),
    ("createdAt", "createdAt", Kind::Iso),
    ("expiresAt", "expiresAt", Kind::Iso),
    ("userAgent", "userAgent", Kind::Text),
    ("ipAddress", "ipAddress", Kind::Text),
    ("tenant", "tenant", Kind::Text),
];

impl Provider for AuthVital {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            provider: "authvital",
            operations: [Native, Emulated, Emulated, Native, Emulated, Native, Emulated, Native, Native, Unsupported, Unsupported],
            effect: "refresh-only",
            browser: true,
        }
    }

    fn endpoint(&self, operation: Operation, dialect: u8, has: &dyn Fn(&str) -> bool) -> Result<Endpoint, Error> {
        let first = dialect == 0;
        // Generation 2 ignores the parameter: asking would show, or end, more than was asked for.
        if !first && has("applicationId") {
            return Err(Error::new(Code::Unsupported, "this AuthVital server can't limit sessions to one application: leave applicationId out"));
        }
        if first && operation == Operation::Refresh {
            if !has("refreshToken") {
                return Err(Error::new(Code::Unauthenticated, "there is no refresh token: set refreshToken, or have the user sign in"));
            }
            if !has("clientId") {
                return Err(Error::new(Code::InvalidOptions, "AuthVital refreshes tokens for an OAuth client: set clientId"));
            }
        }
        Ok(match operation {
            Operation::List if first => Endpoint::new(Get, "/oauth/sessions?application_id={applicationId}"),
            Operation::List => Endpoint::new(Get, "/api/auth/sessions"),
            Operation::Revoke if first => Endpoint::new(Post, "/oauth/sessions/{id}/revoke"),
            Operation::Revoke => Endpoint::new(Delete, "/api/auth/sessions/{id}"),
            Operation::RevokeAll if first => Endpoint::new(Post, "/oauth/logout-all").body(&[("application_id", "applicationId")]),
            Operation::RevokeAll => Endpoint::new(Post, "/api/auth/logout").body(&[("everywhere", "=true")]),
            Operation::Logout if first => Endpoint::new(Post, "/oauth/logout").auth(Auth::None).body(&[("refresh_token", "refreshToken")]),
            Operation::Refresh if first => {
                const BODY: [(&str, &str); 3] = [("grant_type", "=\"refresh_token\""), ("refresh_token", "refreshToken"), ("client_id", "clientId")];
                Endpoint::new(Post, "/oauth/token").auth(Auth::None).body(&BODY)
            }
            // Generation 2 knows the refresh token from a cookie only. A browser sends that by itself or not at all.
            Operation::Logout => Endpoint::new(Post, "/api/auth/logout").auth(Auth::Optional).body(&[]).cookie("refresh_token"),
            Operation::Refresh => Endpoint::new(Post, "/api/auth/refresh").auth(Auth::None).cookie("refresh_token"),
        })
    }

    fn read<'a>(&self, asked: &Asked<'_>, response: &'a Response) -> Result<Answer<'a>, Error> {
        if !response.is_success() {
            return self.read_refusal(asked, response);
        }
        let body = json(response)?;
        match asked.operation {
            Operation::List => {
                let list = body.get("sessions").filter(|list| list.is_array()).ok_or_else(|| unexpected(response, "it has no array \"sessions\""))?;
                for item in list.items() {
                    item.text("id").filter(|id| !id.is_empty()).ok_or_else(|| unexpected(response, "a session has no \"id\""))?;
                }
                return Ok(Answer::Page { items: list, table: &SESSION, count: body.number("count") });
            }
            Operation::Refresh => {
                let access = body.text("access_token").filter(|token| is_bearer(token)).ok_or_else(|| unexpected(response, "it has no \"access_token\""))?;
                let from_lifetime = || asked.now?.plus(body.number("expires_in")?.checked_mul(1000)?);
                return Ok(Answer::Tokens {
                    expires_at: Claims::of(&access).expires_at.or_else(from_lifetime),
                    refresh: body.text("refresh_token").or_else(|| response.set_cookie("refresh_token")),
                    access,
                });
            }
            _ => {}
        }
        let success = body.flag("success").ok_or_else(|| unexpected(response, "it has no \"success\""))?;
        let message = body.text("message");
        let words = message.as_deref().unwrap_or_default();
        // A 200 that nevertheless ended nothing: generation 1 saw neither a token nor a cookie, generation 2 nobody it knows.
        let nobody = words == "Logged out (no active session)" || body.get_or_null("loggedUser") == Some(Json::NULL);
        if nobody && asked.operation != Operation::Revoke {
            let text = "the back-end saw no session to end: pass the refresh token, or set credentials so that its cookie is sent";
            return Err(Error::new(Code::Unauthenticated, text).with_status(response.status));
        }
        if !success && asked.operation != Operation::Revoke {
            let code = if asked.operation == Operation::Logout { Code::NotFound } else { Code::Rejected };
            return Err(said(code, "the back-end declined", words).with_status(response.status));
        }
        Ok(Answer::Ended { success, count: body.number("count"), message })
    }

    fn current_id(&self, _: Option<&str>, refresh_token: Option<&str>) -> Option<String> {
        Claims::of(refresh_token?).session_id
    }
}

impl AuthVital {
    fn read_refusal<'a>(&self, asked: &Asked<'_>, response: &Response) -> Result<Answer<'a>, Error> {
        let text = |name| Json::parse(&response.body).and_then(|body| body.text(name)).unwrap_or_default();
        let message = text("message");
        // The router's 404 names the route, behind a proxy with more or less in front; a session that is not found reads otherwise.
        let route = message.strip_prefix("Cannot ").and_then(|rest| rest.strip_prefix(asked.endpoint.method.as_str()));
        if response.status == 404 && text("error") == "Not Found" && route.is_some_and(|route| without_query(route).ends_with(without_query(asked.path))) {
            return if asked.dialect == 0 {
                Ok(Answer::OtherDialect)
            } else {
                Err(Error::new(Code::NotFound, "no AuthVital server answers at baseUrl: it has the routes of neither generation").with_status(404))
            };
        }
        // The one 401 that does not mean "sign in": the session is somebody else's.
        if response.status == 401 && message == "Cannot revoke another user's session" {
            return Err(Error::new(Code::Forbidden, "the session belongs to another user").with_status(401));
        }
        Err(refused(response, &message))
    }
}
