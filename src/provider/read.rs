//! How answers are read: by a back-end's profile, and errors wherever back-ends are used to put them.

use super::{Answer, Asked, Hook, Operation, said, unexpected};
use crate::device::has;
use crate::error::{Code, Error};
use crate::http::{Response, is_bearer, without_query};
use crate::json::{Json, Writer, join, words};
use crate::secret::Secret;
use crate::text::Text;
use crate::time::Time;

/// Where errors have their code, the words for people, details and the request's id, one place after the other.
const CODES: &str = "/errors/0/code /exception/exceptionDetailList/0/exceptionCode /reasonCode /error/code /code /error_code /status/code";
const WORDS: &str = "/errors/0/long_message /errors/0/message /errors/0/description /exception/exceptionDetailList/0/exceptionDescription \
/error/message /message /error_description /detail /detail/0/msg /status/description /title /error";
const DETAILS: &str = "/errors /exception/exceptionDetailList /error/details /details /security /status/details /detail";
const IDS: &str = "clerk_trace_id traceId";
/// Where it is said how many sessions were ended.
pub const COUNTS: &str = "count revoked_count revokedCount /data/count /data/revoked_count /data/revokedCount";

/// What the answer says.
pub fn read(asked: &Asked<'_>, response: Response<'_>, hook: Hook) -> Result<Answer, Error> {
    let body = response.body;
    if let Some(answer) = hook(asked, &response)? {
        return Ok(answer);
    }
    let among = |statuses: Json<'_>| statuses.items().any(|status| status.as_scaled(0) == Some(response.status));
    let ends = matches!(asked.operation, Operation::Revoke | Operation::RevokeCurrent | Operation::RevokeAll | Operation::RevokeOthers | Operation::Logout);
    if ends && among(asked.endpoint.member("gone")) {
        return Ok(Answer::Ended { success: false, count: None, message: first(body, "message") });
    }
    let success = asked.endpoint.member("success");
    if if success.is_null() { !response.is_success() } else { !among(success) } {
        return Err(refused(asked, &response));
    }
    let says = |name: &str| asked.endpoint.get(name).and_then(|path| body.at(&path.as_words())).unwrap_or(Json::NULL);
    let lacks = |what: &str| Err(unexpected(&response, &join("it has no \"", what, "\"")));
    // That is no list, and confirms nothing.
    if response.is_page {
        return Err(unexpected(&response, "it is a page, or not whole: check baseUrl"));
    }
    match asked.operation {
        Operation::List => {
            // A success by its status only: an empty list would say that nobody is signed in.
            if asked.listed.number_or("size", 0) == 0 && declines(body, "error fail failed failure") {
                return Err(declined(&response));
            }
            if asked.listed.member("lacks").is_word("id") {
                return Err(unexpected(&response, "a session has no \"id\""));
            }
            let named = asked.endpoint.member("fields").member("items").items().next().unwrap_or(Json::NULL).as_words();
            if asked.listed.member("size").is_null() {
                return Err(unexpected(&response, &join("it has no list \"", if named.is_empty() { "sessions" } else { &named }, "\"")));
            }
            Ok(Answer::Page)
        }
        Operation::Get | Operation::Current | Operation::Create => {
            if !asked.listed.member("found").is_null() {
                return Ok(Answer::Session);
            }
            // Servers that answer "nobody" with a success, and say so.
            if asked.operation == Operation::Current && body.is_null() && !response.is_broken {
                return Err(Error::new(Code::Unauthenticated, "nobody is signed in").with_status(response.status));
            }
            lacks("id")
        }
        Operation::Refresh => {
            let access = says("accessToken").as_words();
            if !is_bearer(&access) {
                return lacks(&asked.endpoint.member("accessToken").as_words());
            }
            let expires = says("expiresIn");
            let expires =
                if expires.is_string() { Time::parse_iso(&expires.as_words()) } else { expires.as_scaled(3).and_then(|lifetime| asked.now?.plus(lifetime)) };
            let refresh = says("refreshToken").as_words();
            let cookie = || ["cookie", "refreshToken"].iter().find_map(|name| response.set_cookie(asked.endpoint.get(name)?.word()));
            Ok(Answer::Tokens {
                access: Secret::new(access),
                refresh: if refresh.is_empty() { cookie() } else { Some(refresh) }.map(Secret::new),
                expires_at: expires,
            })
        }
        Operation::CreateToken | Operation::CreateTokenFromTemplate | Operation::RefreshSession => {
            for name in asked.endpoint.member("value").items() {
                let value = body.member(name.word());
                let is_token = value.is_string() && is_bearer(&value.as_words());
                if is_token || value.is_array() && name.is_word("cookies") && value.items().all(Json::is_string) {
                    return Ok(Answer::Value(Writer::new().json(name.word(), value.source()).finish()));
                }
            }
            lacks("jwt")
        }
        // A result of this package's own, if it is a whole one.
        _ if asked.endpoint.is("own") => {
            let is_logout = asked.operation == Operation::Logout;
            let last = if is_logout { "server" } else { "accessTokenValidUntil" };
            let is_whole = body.get_or_null(last).is_some() && (is_logout || body.is("success"));
            if is_whole { Ok(Answer::Value(body.source().into())) } else { lacks(last) }
        }
        _ => {
            let confirm = asked.endpoint.member("confirm").word();
            let told = body.member(confirm);
            let is_told = if asked.endpoint.is("inWords") { told.is_string() } else { told.as_bool().is_some() };
            if !confirm.is_empty() && !is_told {
                return lacks(confirm);
            }
            // Clerk answers with the session, whatever it was before.
            if response.is_success() && declines(body, "active pending error fail failed failure") {
                return Err(declined(&response));
            }
            let success = !body.member("status").is_among("ended expired removed abandoned replaced");
            Ok(Answer::Ended { success, count: number_at(body, COUNTS), message: first(body, "message") })
        }
    }
}

fn first(body: Json<'_>, paths: &str) -> Option<Text> {
    words(paths).find_map(|path| body.at(path)?.as_text().filter(|text| !text.is_empty()))
}

/// The first number of sessions at one of the paths: what JavaScript can't count to is none.
pub fn number_at(body: Json<'_>, paths: &str) -> Option<i64> {
    words(paths).find_map(|path| body.at(path)?.as_scaled(0)).filter(|number| (0..1 << 53).contains(number))
}

/// Whether a success says of itself that it is none; `states` are those that are none.
fn declines(body: Json<'_>, states: &str) -> bool {
    let status = body.member("status");
    status.as_bool() == Some(false)
        || status.is_among(states)
        || words("success ok").any(|flag| matches!(body.member(flag).source(), "false" | "0" | "\"false\""))
        || words("error errors").any(|name| says_something(body.member(name)))
}

fn says_something(json: Json<'_>) -> bool {
    let mut is_full = false;
    json.each(&mut |_, _| is_full = true);
    is_full || json.as_bool() == Some(true) || !matches!(json.as_words().as_str(), "" | "0")
}

/// The answer itself says no.
fn declined(response: &Response<'_>) -> Error {
    explained(said(Code::Rejected, "the back-end declined", &first(response.body, WORDS).unwrap_or_default()), response)
}

/// The error that a status stands for, with the back-end's words.
fn refused(asked: &Asked<'_>, response: &Response<'_>) -> Error {
    let body = response.body;
    let server_code = first(body, CODES).unwrap_or_default();
    let is_refresh = asked.operation == Operation::Refresh;
    let no_list = join("there is no list below baseUrl, at ", without_query(asked.path), "");
    let (code, text) = match response.status {
        _ if asked.endpoint.is("own") && !body.member("error").member("code").is_null() => (Code::by_name(&server_code), "the back-end declined"),
        _ if response.is_redirect() => (Code::InvalidResponse, "the back-end answered with a redirect, which is not followed: check baseUrl"),
        _ if server_code == "SESSION_NOT_FRESH" => (Code::ReauthenticationRequired, "the back-end wants the user to sign in again first"),
        // A refresh token that is no good any more, in the words of KSeF and of RFC 6749.
        400 if is_refresh && (matches!(server_code.as_str(), "21301" | "21304" | "21308") || body.member("error").word() == "invalid_grant") => {
            (Code::Unauthenticated, "the refresh token is no good any more")
        }
        // RFC 9470, 3.
        401 if response.header("www-authenticate").is_some_and(|how| has(&how, "insufficient_user_authentication")) => {
            (Code::ReauthenticationRequired, "the back-end wants the user to sign in again first")
        }
        401 => (Code::Unauthenticated, "the back-end does not accept the credentials"),
        403 => (Code::Forbidden, "the back-end does not allow it"),
        404 | 410 if asked.operation == Operation::List => (Code::NotFound, &*no_list),
        404 | 410 => (Code::NotFound, "the back-end does not know it"),
        408 => (Code::Timeout, "the back-end gave up waiting"),
        409 => (Code::Conflict, "the back-end says that the state does not allow it"),
        429 => (Code::RateLimited, "too many requests"),
        400..=499 => (Code::Rejected, "the back-end refused the request"),
        500.. => (Code::ServerError, "the back-end failed"),
        _ => (Code::InvalidResponse, "the back-end answered with an unexpected status"),
    };
    explained(said(code, text, &first(body, WORDS).unwrap_or_default()), response)
}

/// With what else the back-end says of it.
fn explained(mut error: Error, response: &Response<'_>) -> Error {
    let body = response.body;
    error.server_code = first(body, CODES);
    // What is longer nobody reads, and looking for secrets in it takes its time.
    let is_fit = |details: &Json<'_>| !details.is_string() && details.source().len() < 65_536;
    error.details = words(DETAILS).find_map(|path| body.at(path)).filter(is_fit).map(|details| details.source().into());
    error.request_id = first(body, IDS);
    if error.code == Code::PartialRevocation {
        let of = |name| Some(body.member("error").member(name)).filter(|list| list.is_array()).map_or("[]", Json::source).into();
        error.partial = Some((of("revoked"), of("failed")));
    }
    error.with_status(response.status)
}

/// A profile's list; of several dialects, the first.
pub fn list(profile: Json<'_>) -> Json<'_> {
    let list = profile.member("list");
    list.items().next().unwrap_or(list)
}
