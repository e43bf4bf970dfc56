//! KSeF: every operation, parameter, status and error code.

use serde_json::{Value, json};

use crate::contract::Contract;
use crate::harness::*;

const KSEF: &str = "/ksef/v2";
const LIST: (&str, &str) = ("GET", "/auth/sessions");
const REVOKE_CURRENT: (&str, &str) = ("DELETE", "/auth/sessions/current");
const REVOKE: (&str, &str) = ("DELETE", "/auth/sessions/{referenceNumber}");
const REFRESH: (&str, &str) = ("POST", "/auth/token/refresh");
const REDEEM: (&str, &str) = ("POST", "/auth/token/redeem");
const OPERATIONS: [(&str, &str); 5] = [LIST, REVOKE_CURRENT, REVOKE, REFRESH, REDEEM];

const NO_AUTHORISATION: &str = "Brak autoryzacji.";

fn contract() -> Contract {
    Contract::load("ksef-auth-sessions.openapi.json")
}

/// What a sign-in gives.
struct Session {
    access: String,
    refresh: String,
    authentication: String,
    reference: String,
}

impl Sandbox {
    async fn ksef_sign_in(&self) -> Session {
        let signed_in = self.sign_in_to("ksef").await;
        let text = |name| text(&signed_in, name).to_owned();
        Session { access: text("access_token"), refresh: text("refresh_token"), authentication: text("authentication_token"), reference: text("session_id") }
    }

    fn ksef(&self, operation: (&str, &str), token: &str) -> Call {
        self.call(operation.0, format!("{KSEF}{}", operation.1)).bearer(token)
    }

    fn ksef_revoke(&self, reference: &str, token: &str) -> Call {
        self.ksef((REVOKE.0, &REVOKE.1.replace("{referenceNumber}", reference)), token)
    }

    async fn ksef_list(&self, token: &str) -> Vec<Value> {
        let path = format!("{}?pageSize=100", LIST.1);
        let answer = self.ksef((LIST.0, &path), token).send().await;
        contract().check(LIST, &answer, &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["items"].as_array().unwrap().clone()
    }

    async fn ksef_references(&self, token: &str) -> Vec<String> {
        self.ksef_list(token).await.iter().map(|item| text(item, "referenceNumber").to_owned()).collect()
    }
}

/// A 400 in both forms. `call` is sent once with and once without the header that asks for problem details.
async fn refused(operation: (&str, &str), call: impl Fn() -> Call, code: u32, description: &str, detail: Option<&str>) {
    let answer = call().send().await;
    contract().check(operation, &answer, &[]);
    let body = answer.json();
    assert_eq!((answer.status, names(&body)), (400, vec!["exception"]), "{body}");
    let exception = &body["exception"];
    assert_eq!(names(exception), ["exceptionDetailList", "referenceNumber", "serviceCode", "serviceCtx", "serviceName", "timestamp"]);
    let details: Vec<_> = detail.into_iter().collect();
    assert_eq!(exception["exceptionDetailList"], json!([{"exceptionCode": code, "exceptionDescription": description, "details": details}]));
    assert!(text(exception, "timestamp").ends_with(".0000000"), "{exception}");

    let answer = call().header("x-error-format", "problem-details").send().await;
    contract().check(operation, &answer, &[]);
    let body = answer.problem();
    assert_eq!(names(&body), ["detail", "errors", "instance", "status", "timestamp", "title", "traceId"]);
    assert_eq!((answer.status, &body["status"], &body["title"]), (400, &json!(400), &json!("Bad Request")));
    let details = detail.map(|detail| [detail]);
    assert_eq!(body["errors"], json!([{"code": code, "description": description, "details": details}]));
    assert!(text(&body, "instance").starts_with("/ksef/v2/auth/"), "{body}");
    assert_eq!(text(&body, "traceId").len(), 32);
    answer.has_no_cors();
}

#[track_caller]
fn unauthorized(operation: (&str, &str), answer: &Answer) {
    contract().check(operation, answer, &[]);
    let body = answer.problem();
    assert_eq!(names(&body), ["detail", "instance", "status", "timestamp", "title", "traceId"]);
    assert_eq!((answer.status, &body["status"], &body["title"]), (401, &json!(401), &json!("Unauthorized")));
    assert_eq!(body["detail"], "Wymagane jest uwierzytelnienie.");
}

fn path_for(operation: (&str, &str), reference: &str) -> String {
    format!("{KSEF}{}", operation.1.replace("{referenceNumber}", reference))
}

#[tokio::test]
async fn sign_in_gives_three_kinds_of_tokens() {
    let sandbox = Sandbox::start().await;
    let signed_in = sandbox.sign_in_to("ksef").await;
    assert_eq!(names(&signed_in), ["access_token", "authentication_token", "expires_in", "refresh_token", "session_id", "token_type", "user"]);
    assert_eq!(signed_in["expires_in"], 900);
    let now = START_MS / 1000;
    for (name, typ, ttl) in
        [("access_token", "ContextToken", 900), ("refresh_token", "RefreshToken", 7 * 24 * 3600), ("authentication_token", "AuthenticationToken", 900)]
    {
        let claims = claims(text(&signed_in, name));
        assert_eq!((&claims["typ"], &claims["arn"]), (&json!(typ), &signed_in["session_id"]), "{name}");
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(now), &json!(now + ttl)), "{name}");
    }
    let row = &sandbox.rows().await[0];
    assert_eq!(row["ids"]["ksef"], signed_in["session_id"]);
    let digits = text(row, "id").replace('-', "").to_uppercase();
    assert_eq!(text(&signed_in, "session_id"), format!("20260131-AU-{}-{}-{}", &digits[..10], &digits[10..20], &digits[20..22]));
}

#[tokio::test]
async fn items_have_exactly_these_fields() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    let answer = sandbox.ksef(LIST, &session.access).send().await;
    answer.has_no_cors();
    assert_eq!(names(&answer.json()), ["continuationToken", "items"]);
    let items = sandbox.ksef_list(&session.access).await;
    assert_eq!(
        items[0],
        json!({
            "referenceNumber": session.reference, "isCurrent": true, "startDate": "2026-01-31T09:30:00.0000010+00:00",
            "authenticationMethod": "QualifiedSeal",
            "authenticationMethodInfo": {"category": "XadesSignature", "code": "xades.qualified-seal", "displayName": "Pieczęć kwalifikowana"},
            "status": {"code": 200, "description": "Uwierzytelnianie zakończone sukcesem"},
            "isTokenRedeemed": true, "refreshTokenValidUntil": "2026-02-07T09:30:00.000+00:00",
        })
    );
    let current: Vec<_> = items.iter().map(|item| item["isCurrent"] == true).collect();
    assert_eq!(current, [true, false, false, false, false, false, false, false]);
    assert!(items[1].get("lastTokenRefreshDate").is_some(), "the seed's were used");
    let all = items.iter().map(Value::to_string).collect::<String>();
    for letter in ["ą", "ę", "ł", "ń"] {
        assert!(all.contains(letter), "{letter}");
    }
    let dates: Vec<_> = items.iter().map(|item| text(item, "startDate")).collect();
    assert!(dates.is_sorted_by(|a, b| a > b), "{dates:?}");
    assert!(dates.iter().all(|date| date.len() == "2026-01-31T09:30:00.0000010+00:00".len()));
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    for _ in 0..17 {
        sandbox.sign_in_to("ksef").await; // all in the same millisecond
    }
    let all = sandbox.ksef_references(&session.access).await;
    assert_eq!(all.len(), 25);
    let page = async |size: &str, token: Option<&str>| {
        let path = format!("{}{size}", LIST.1);
        let mut call = sandbox.ksef((LIST.0, &path), &session.access);
        if let Some(token) = token {
            call = call.header("x-continuation-token", token);
        }
        let answer = call.send().await;
        contract().check(LIST, &answer, &[]);
        let body = answer.json();
        let items: Vec<_> = body["items"].as_array().unwrap().iter().map(|item| text(item, "referenceNumber").to_owned()).collect();
        (items, body["continuationToken"].clone())
    };
    let (first, token) = page("", None).await;
    assert_eq!(first, all[..10], "10 is the default");
    let (second, token) = page("?pageSize=10", token.as_str()).await;
    assert_eq!(second, all[10..20]);
    // A session that goes while somebody turns the pages leaves no gap.
    sandbox.ksef_revoke(&all[3], &session.access).send().await;
    let (third, last) = page("?pageSize=10", token.as_str()).await;
    assert_eq!((third, last), (all[20..].to_vec(), Value::Null));
    let (again, _) = page("", Some("")).await;
    assert_eq!(again[0], all[0], "an empty token is none");
    let (exactly, last) = page("?pageSize=24", None).await;
    assert_eq!((exactly.len(), last), (24, Value::Null), "no empty last page");
}

#[tokio::test]
async fn bad_pages() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    for size in ["9", "101", "0", "-10", "x", "10.5", ""] {
        let path = format!("{}?pageSize={size}", LIST.1);
        let detail = "Wartość parametru pageSize musi być liczbą od 10 do 100.";
        refused(LIST, || sandbox.ksef((LIST.0, &path), &session.access), 21405, "Błąd walidacji danych wejściowych.", Some(detail)).await;
    }
    for token in ["garbage", "!", "MTIz", "eDp5"] {
        let call = || sandbox.ksef(LIST, &session.access).header("x-continuation-token", token);
        refused(LIST, call, 21418, "Przekazany token kontynuacji ma nieprawidłowy format.", None).await;
    }
}

#[tokio::test]
async fn revoking_the_current_session_leaves_its_access_token_alive() {
    for by_refresh_token in [false, true] {
        let sandbox = Sandbox::start().await;
        let session = sandbox.ksef_sign_in().await;
        let token = if by_refresh_token { &session.refresh } else { &session.access };
        let answer = sandbox.ksef(REVOKE_CURRENT, token).send().await;
        contract().check(REVOKE_CURRENT, &answer, &[]);
        answer.is(204, "");
        let left = sandbox.ksef_list(&session.access).await;
        assert_eq!(left.len(), 7);
        assert!(left.iter().all(|item| item["isCurrent"] == false && text(item, "referenceNumber") != session.reference));
        let row = &sandbox.rows().await[0];
        assert_eq!((&row["ids"]["ksef"], &row["ended_by"]), (&json!(session.reference), &json!("logout")));
        sandbox.ksef(REVOKE_CURRENT, token).send().await.is(204, "");
        sandbox.advance_seconds(899).await;
        sandbox.ksef_list(&session.access).await;
        sandbox.advance_seconds(1).await;
        unauthorized(LIST, &sandbox.ksef(LIST, &session.access).send().await);
    }
}

#[tokio::test]
async fn revoking_by_reference_number() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    let references = sandbox.ksef_references(&session.access).await;
    for _ in 0..2 {
        let answer = sandbox.ksef_revoke(&references[4], &session.access).send().await;
        contract().check(REVOKE, &answer, &[]);
        answer.is(204, "");
    }
    let mut left = references.clone();
    left.remove(4);
    assert_eq!(sandbox.ksef_references(&session.access).await, left);
    // One's own by its number is the same as the current one.
    sandbox.ksef_revoke(&session.reference, &session.access).send().await.is(204, "");
    assert_eq!(sandbox.ksef_references(&session.access).await, left[1..]);
}

#[tokio::test]
async fn reference_numbers_that_nobody_has_are_400_and_other_peoples_403() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    let validation = "Błąd walidacji danych wejściowych.";
    let other_day = session.reference.replace("20260131", "20260130");
    for unknown in ["20260131-AU-FFFFFFFFFF-FFFFFFFFFF-FF", &other_day] {
        let detail = format!("Sesja o numerze referencyjnym {unknown} nie została znaleziona.");
        refused(REVOKE, || sandbox.ksef_revoke(unknown, &session.access), 21405, validation, Some(&detail)).await;
    }
    let lower = session.reference.to_lowercase();
    for malformed in ["x", "20260131-AU-FFFFFFFFFF-FFFFFFFFFF-F", &lower, "%ff", "20260131-EU-FFFFFFFFFF-FFFFFFFFFF-FF"] {
        let detail = "Numer referencyjny ma nieprawidłowy format.";
        refused(REVOKE, || sandbox.ksef_revoke(malformed, &session.access), 21405, validation, Some(detail)).await;
    }
    let other = sandbox.sign_in_as("other", "ksef").await;
    let foreign = text(&other, "session_id");
    let answer = sandbox.ksef_revoke(foreign, &session.access).send().await;
    contract().check(REVOKE, &answer, &[]);
    let body = answer.problem();
    assert_eq!(names(&body), ["detail", "instance", "reasonCode", "security", "status", "timestamp", "title", "traceId"]);
    assert_eq!((answer.status, &body["reasonCode"], &body["security"]), (403, &json!("insufficient-resource-access"), &json!({})));
    assert_eq!(body["instance"], format!("/ksef/v2/auth/sessions/{foreign}"));
    assert!(sandbox.ksef_references(text(&other, "access_token")).await.contains(&foreign.to_owned()), "nothing was done");
}

#[tokio::test]
async fn no_good_token_is_401_and_one_of_the_wrong_kind_an_empty_403() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    let authvital = sandbox.sign_in().await;
    for operation in OPERATIONS {
        let path = path_for(operation, &session.reference);
        let call = || sandbox.call(operation.0, &path);
        for format in ["", "problem-details"] {
            unauthorized(operation, &call().header("x-error-format", format).send().await);
        }
        for bad in ["garbage", &authvital.access, &authvital.refresh, &format!("{}x", session.access)] {
            unauthorized(operation, &call().bearer(bad).send().await);
        }
        let allowed: &[&String] = match operation {
            LIST | REVOKE => &[&session.access],
            REVOKE_CURRENT => &[&session.access, &session.refresh],
            REFRESH => &[&session.refresh],
            _ => &[&session.authentication],
        };
        for token in [&session.access, &session.refresh, &session.authentication] {
            if !allowed.contains(&token) {
                let answer = call().bearer(token).send().await;
                answer.is(403, "");
                contract().check(operation, &answer, &[]);
            }
        }
    }
    assert_eq!(sandbox.ksef_list(&session.access).await.len(), 9, "nothing was done");
    sandbox.post("/sandbox/reset").send().await;
    for operation in [LIST, REVOKE_CURRENT, REVOKE] {
        let answer = sandbox.call(operation.0, path_for(operation, &session.reference)).bearer(&session.access).send().await;
        unauthorized(operation, &answer);
    }
}

#[tokio::test]
async fn a_refresh_gives_an_access_token_and_does_not_use_the_refresh_token_up() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    for turn in 1..=3 {
        sandbox.advance_seconds(1000).await;
        let answer = sandbox.ksef(REFRESH, &session.refresh).send().await;
        contract().check(REFRESH, &answer, &[]);
        let body = answer.json();
        assert_eq!(names(&body), ["accessToken"]);
        let token = text(&body["accessToken"], "token");
        let claims = claims(token);
        assert_eq!((&claims["typ"], &claims["arn"]), (&json!("ContextToken"), &json!(session.reference)));
        assert_eq!(claims["exp"], START_MS / 1000 + turn * 1000 + 900);
        let item = sandbox.ksef_list(token).await.remove(0);
        assert_eq!((&item["referenceNumber"], &item["isCurrent"]), (&json!(session.reference), &json!(true)));
        assert!(text(&item, "lastTokenRefreshDate").starts_with("2026-01-31T"), "{item}");
        if turn == 1 {
            assert_eq!(body["accessToken"]["validUntil"], "2026-01-31T10:01:40.0000000+00:00");
        }
    }
    sandbox.advance_seconds(7 * 24 * 3600).await;
    unauthorized(REFRESH, &sandbox.ksef(REFRESH, &session.refresh).send().await);
}

#[tokio::test]
async fn a_refresh_of_a_revoked_session_is_400_with_its_status() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    sandbox.ksef(REVOKE_CURRENT, &session.access).send().await;
    let detail = "Status uwierzytelnienia (425) nie pozwala na odświeżenie tokenu dostępowego.";
    refused(REFRESH, || sandbox.ksef(REFRESH, &session.refresh), 21301, NO_AUTHORISATION, Some(detail)).await;
    let detail = "Status uwierzytelniania (425) nie pozwala na pobranie tokenów.";
    refused(REDEEM, || sandbox.ksef(REDEEM, &session.authentication), 21301, NO_AUTHORISATION, Some(detail)).await;
    // A replay on another wire is suspected theft, and blocks every session of the user on that client.
    let session = sandbox.ksef_sign_in().await;
    let stolen = sandbox.sign_in().await.refresh;
    for _ in 0..2 {
        let refresh = json!({"grant_type": "refresh_token", "refresh_token": stolen, "client_id": "web-client"});
        sandbox.post(format!("{G1}/oauth/token")).json(refresh).send().await;
    }
    let detail = "Status uwierzytelnienia (480) nie pozwala na odświeżenie tokenu dostępowego.";
    refused(REFRESH, || sandbox.ksef(REFRESH, &session.refresh), 21301, NO_AUTHORISATION, Some(detail)).await;
}

#[tokio::test]
async fn an_authentication_token_is_good_once() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    let answer = sandbox.ksef(REDEEM, &session.authentication).send().await;
    contract().check(REDEEM, &answer, &[]);
    let body = answer.json();
    assert_eq!((answer.status, names(&body)), (200, vec!["accessToken", "refreshToken"]));
    assert_eq!(body["refreshToken"]["validUntil"], "2026-02-07T09:30:00.0000000+00:00");
    sandbox.ksef_list(text(&body["accessToken"], "token")).await;
    assert_eq!(sandbox.ksef(REFRESH, text(&body["refreshToken"], "token")).send().await.status, 200);
    let detail = format!("Tokeny dla operacji uwierzytelniania {} zostały już pobrane.", session.reference);
    refused(REDEEM, || sandbox.ksef(REDEEM, &session.authentication), 21301, NO_AUTHORISATION, Some(&detail)).await;
    sandbox.ksef_list(&session.access).await;
    let late = sandbox.ksef_sign_in().await;
    sandbox.advance_seconds(900).await;
    unauthorized(REDEEM, &sandbox.ksef(REDEEM, &late.authentication).send().await);
}

#[tokio::test]
async fn tokens_of_sessions_that_are_gone() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    sandbox.post("/sandbox/reset").send().await;
    let detail = format!("Operacja uwierzytelniania o numerze referencyjnym {} nie została znaleziona.", session.reference);
    refused(REFRESH, || sandbox.ksef(REFRESH, &session.refresh), 21304, "Brak uwierzytelnienia.", Some(&detail)).await;
    refused(REDEEM, || sandbox.ksef(REDEEM, &session.authentication), 21304, "Brak uwierzytelnienia.", Some(&detail)).await;
}

#[tokio::test]
async fn what_does_not_come_about_by_itself_can_be_had_by_faults() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    let body = json!({"exception": {"exceptionDetailList": [
        {"exceptionCode": 21308, "exceptionDescription": "Próba wykorzystania metod autoryzacyjnych osoby zmarłej.", "details": []}]}})
    .to_string();
    sandbox
        .faults(json!([
            {"route": "POST /ksef/v2/auth/token/refresh", "fault": {"status": 400, "body": body}, "times": 1},
            {"route": "GET /ksef/v2/auth/sessions", "fault": {"status": 403, "body": ""}, "times": 1},
            {"route": "*", "fault": {"headers": {"x-system-warning": "[1]: a | [2]: b"}}, "times": 1},
        ]))
        .await;
    let answer = sandbox.ksef(REFRESH, &session.refresh).header("origin", WEB).send().await;
    contract().check(REFRESH, &answer, &[]);
    assert_eq!((answer.status, answer.json()["exception"]["exceptionDetailList"][0]["exceptionCode"].clone()), (400, json!(21308)));
    answer.has_no_cors();
    sandbox.ksef(LIST, &session.access).send().await.is(403, "");
    let warned = sandbox.ksef(LIST, &session.access).send().await;
    assert_eq!((warned.status, warned.header("x-system-warning")), (200, Some("[1]: a | [2]: b")));
}

#[tokio::test]
async fn warnings_come_back_as_they_were_asked_for() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    for operation in OPERATIONS {
        let call = sandbox.call(operation.0, path_for(operation, &session.reference));
        let answer = call.header("x-test-system-warning", "[7]: uwaga").send().await;
        assert_eq!((answer.status, answer.header("x-system-warning")), (401, Some("[7]: uwaga")));
    }
    assert_eq!(sandbox.ksef(LIST, &session.access).send().await.header("x-system-warning"), None);
}

#[tokio::test]
async fn browsers_can_read_nothing() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.ksef_sign_in().await;
    sandbox.ksef(LIST, &session.access).header("origin", WEB).send().await.has_no_cors();
    let preflight = sandbox.ksef(("OPTIONS", LIST.1), "x").header("origin", WEB).header("access-control-request-method", "GET").send().await;
    preflight.is(405, "");
    preflight.has_no_cors();
    sandbox.get(format!("{KSEF}/nothing")).send().await.is(404, "");
}

/// A 429 in both forms, and after how many seconds it lets the next one through.
async fn limited(operation: (&str, &str), call: impl Fn() -> Call) -> String {
    let answer = call().send().await;
    contract().check(operation, &answer, &[]);
    let seconds = answer.header("retry-after").unwrap().to_owned();
    let message = format!("Przekroczono limit żądań. Spróbuj ponownie po {seconds} sekundach.");
    assert_eq!((answer.status, answer.json()), (429, json!({"status": {"code": 429, "description": "Too Many Requests", "details": [message]}})));
    let answer = call().header("x-error-format", "problem-details").send().await;
    contract().check(operation, &answer, &[]);
    let body = answer.problem();
    assert_eq!((answer.status, &body["title"], &body["detail"]), (429, &json!("Too Many Requests"), &json!(message)));
    assert_eq!(answer.header("retry-after"), Some(seconds.as_str()));
    seconds
}

#[tokio::test]
async fn each_operation_has_its_limits() {
    let sandbox = Sandbox::start().await;
    sandbox.rate_limit(true).await;
    let send = async |operation: (&str, &str), times: usize| {
        for _ in 0..times {
            let answer = sandbox.call(operation.0, path_for(operation, "x")).send().await;
            assert_eq!(answer.status, 401, "{operation:?}");
        }
    };
    let calling = |operation: (&'static str, &'static str)| {
        let sandbox = &sandbox;
        move || sandbox.call(operation.0, path_for(operation, "x"))
    };
    for operation in [LIST, REVOKE_CURRENT, REVOKE] {
        send(operation, 10).await;
        assert_eq!(limited(operation, calling(operation)).await, "1", "10 a second");
    }
    for operation in [REFRESH, REDEEM] {
        send(operation, 60).await;
        assert_eq!(limited(operation, calling(operation)).await, "1", "60 a second");
    }
    sandbox.advance_seconds(1).await;
    send(REFRESH, 60).await;
    // Those that were refused count, too: 12 so far; 32 at the end of this minute, 113 after three more.
    send(LIST, 9).await;
    sandbox.advance_seconds(1).await;
    send(LIST, 9).await;
    assert_eq!(limited(LIST, calling(LIST)).await, "58", "30 a minute");
    for _ in 0..3 {
        sandbox.advance_seconds(60).await;
        for _ in 0..3 {
            sandbox.advance_seconds(1).await;
            send(LIST, 9).await;
        }
    }
    sandbox.advance_seconds(60).await;
    send(LIST, 7).await;
    let seconds: u32 = limited(LIST, calling(LIST)).await.parse().unwrap();
    assert!((3000..3600).contains(&seconds), "120 an hour: {seconds}");
    sandbox.advance_seconds(3600).await;
    send(LIST, 1).await;
}
