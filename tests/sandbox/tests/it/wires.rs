//! One store, many wires: a session that begins on one is seen and ended on the others.

use serde_json::{Value, json};

use crate::harness::*;

const WIRES: [&str; 4] = ["authvital", "clerk", "ksef", "rest"];

/// Somebody who is signed in on every wire.
struct Everywhere {
    authvital: Value,
    clerk: Value,
    ksef: Value,
    rest: Value,
}

impl Sandbox {
    async fn everywhere(&self) -> Everywhere {
        Everywhere {
            authvital: self.sign_in_to("authvital").await,
            clerk: self.sign_in_to("clerk").await,
            ksef: self.sign_in_to("ksef").await,
            rest: self.sign_in_to("rest").await,
        }
    }

    /// The ids that are alive, by the store, as the wire calls them.
    async fn alive(&self, wire: &str) -> Vec<String> {
        let rows = self.rows().await;
        let alive = rows.iter().filter(|row| row["state"] == "active" && row["user"] == "demo@example.com");
        alive.map(|row| id_on(wire, row)).collect()
    }
}

fn id_on(wire: &str, row: &Value) -> String {
    let id = if wire == "authvital" { &row["id"] } else { &row["ids"][wire] };
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

impl Everywhere {
    fn list(&self, sandbox: &Sandbox, wire: &str) -> Call {
        match wire {
            "clerk" => sandbox
                .get(format!("/clerk/v1/sessions?limit=100&status=active&user_id={}", text(&self.clerk, "user_id")))
                .bearer(text(&self.clerk, "secret_key")),
            "ksef" => sandbox.get("/ksef/v2/auth/sessions?pageSize=100").bearer(text(&self.ksef, "access_token")),
            "rest" => sandbox.get("/rest/api/v1/sessions").bearer(text(&self.rest, "access_token")),
            _ => sandbox.get("/authvital/oauth/sessions").bearer(text(&self.authvital, "access_token")),
        }
    }

    fn revoke(&self, sandbox: &Sandbox, wire: &str, id: &str) -> Call {
        match wire {
            "clerk" => sandbox.post(format!("/clerk/v1/sessions/{id}/revoke")).bearer(text(&self.clerk, "secret_key")),
            "ksef" => sandbox.call("DELETE", format!("/ksef/v2/auth/sessions/{id}")).bearer(text(&self.ksef, "access_token")),
            "rest" => sandbox.call("DELETE", format!("/rest/api/v1/sessions/{id}")).bearer(text(&self.rest, "access_token")),
            _ => sandbox.post(format!("/authvital/oauth/sessions/{id}/revoke")).bearer(text(&self.authvital, "access_token")),
        }
    }
}

fn ids_in(wire: &str, answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let (list, id) = match wire {
        "clerk" => (&body, "id"),
        "ksef" => (&body["items"], "referenceNumber"),
        "rest" => (&body["data"]["sessions"], "id"),
        _ => (&body["sessions"], "id"),
    };
    list.as_array().unwrap().iter().map(|session| session[id].as_str().map_or_else(|| session[id].to_string(), str::to_owned)).collect()
}

#[tokio::test]
async fn every_wire_lists_the_same_sessions_in_the_same_order() {
    let sandbox = Sandbox::start().await;
    let everywhere = sandbox.everywhere().await;
    for wire in WIRES {
        let listed = ids_in(wire, &everywhere.list(&sandbox, wire).send().await);
        assert_eq!(listed.len(), 11);
        assert_eq!(listed, sandbox.alive(wire).await, "{wire}");
    }
}

#[tokio::test]
async fn what_begins_on_one_wire_ends_on_another() {
    for from in WIRES {
        for to in WIRES {
            let sandbox = Sandbox::start().await;
            let everywhere = sandbox.everywhere().await;
            sandbox.sign_in_to(from).await;
            let row = &sandbox.rows().await[0];
            let answer = everywhere.revoke(&sandbox, to, &id_on(to, row)).send().await;
            assert!((200..300).contains(&answer.status), "{from} to {to}: {}", answer.text());
            let row = sandbox.stored(text(row, "id")).await;
            assert_eq!((&row["state"], &row["ended_by"]), (&json!("ended"), &json!("revoked")));
            for wire in WIRES {
                let listed = ids_in(wire, &everywhere.list(&sandbox, wire).send().await);
                assert!(listed.len() == 11 && !listed.contains(&id_on(wire, &row)), "{from} to {to}, seen on {wire}");
            }
        }
    }
}

#[tokio::test]
async fn the_tokens_of_an_ended_session_do_as_their_wire_does() {
    let sandbox = Sandbox::start().await;
    let all = sandbox.everywhere().await;
    let logout_all = sandbox.post("/authvital/oauth/logout-all").bearer(text(&all.authvital, "access_token")).json(json!({})).send().await;
    assert_eq!(logout_all.json()["count"], 11);
    assert_eq!(all.list(&sandbox, "authvital").send().await.status, 200, "good until they expire");
    assert_eq!(all.list(&sandbox, "ksef").send().await.status, 200, "good until they expire");
    assert_eq!(all.list(&sandbox, "clerk").send().await.text(), "[]");
    assert_eq!(all.list(&sandbox, "rest").send().await.status, 401, "refused at once");
    assert_eq!(sandbox.post("/ksef/v2/auth/token/refresh").bearer(text(&all.ksef, "refresh_token")).send().await.status, 400);
}

#[tokio::test]
async fn sign_ins_know_their_wires() {
    let sandbox = Sandbox::start().await;
    let credentials = json!({"email": "demo@example.com", "password": "demo-password"});
    let default = sandbox.post("/sandbox/sign-in").json(credentials.clone()).send().await.json();
    let named = sandbox.sign_in_to("authvital").await;
    for answer in [&default, &named] {
        assert_eq!(names(answer), ["access_token", "expires_in", "refresh_token", "token_type", "user"]);
    }
    let with = |name: &str, value: Value| {
        let mut body = credentials.clone();
        body[name] = value;
        body
    };
    for body in [with("wire", json!("soap")), with("wire", Value::Null)] {
        assert_eq!(sandbox.post("/sandbox/sign-in").json(body).send().await.status, 400);
    }
    for wire in ["clerk", "ksef", "rest"] {
        let mut body = with("wire", json!(wire));
        body["cookies"] = json!(true);
        sandbox.post("/sandbox/sign-in").json(body).send().await.is_error(400, "Only AuthVital has cookies");
    }
    let wrong = json!({"email": "demo@example.com", "password": "x", "wire": "clerk"});
    sandbox.post("/sandbox/sign-in").json(wrong).send().await.is_error(401, "Wrong e-mail address or password");
    assert_eq!(sandbox.rows().await.len(), 11, "refused sign-ins begin no session");
}

#[tokio::test]
async fn faults_and_the_log_know_every_wire() {
    let sandbox = Sandbox::start().await;
    let paths = [
        "/authvital/oauth/sessions",
        "/authvital-g2/api/auth/sessions",
        "/clerk/v1/sessions",
        "/ksef/v2/auth/sessions",
        "/rest/api/v1/sessions",
        "/rest-fastapi/api/v1/sessions/",
    ];
    sandbox.faults(json!([{"route": "*", "fault": {"status": 503}}])).await;
    for path in paths {
        assert_eq!(sandbox.get(path).send().await.status, 503, "{path}");
    }
    let log = sandbox.log().await;
    let logged: Vec<_> = log.iter().map(|entry| (text(entry, "path"), entry["fault"] == true)).collect();
    assert_eq!(logged, paths.map(|path| (path, true)));
    sandbox
        .faults(json!([
            {"route": "POST /clerk/v1/sessions/{id}/revoke", "fault": {"status": 500, "after": true}},
            {"route": "DELETE /ksef/v2/auth/sessions/{id}", "fault": {"status": 501}},
            {"route": "DELETE /rest/api/v1/sessions/{id}", "fault": {"status": 502}},
        ]))
        .await;
    let everywhere = sandbox.everywhere().await;
    let row = &sandbox.rows().await[0];
    for (wire, status) in [("ksef", 501), ("rest", 502), ("clerk", 500)] {
        assert_eq!(sandbox.stored(text(row, "id")).await["state"], "active", "{wire}");
        assert_eq!(everywhere.revoke(&sandbox, wire, &id_on(wire, row)).send().await.status, status);
    }
    assert_eq!(sandbox.stored(text(row, "id")).await["state"], "ended", "the server did its work, only the answer was lost");
}

#[tokio::test]
async fn foreign_host_names_are_turned_away_on_every_wire() {
    let sandbox = Sandbox::start().await;
    for path in ["/clerk/v1/sessions", "/ksef/v2/auth/sessions", "/rest/api/v1/sessions", "/rest-fastapi/api/v1/sessions"] {
        assert_eq!(sandbox.get(path).header("host", "rebound.evil.example").send().await.status, 421, "{path}");
    }
}

#[tokio::test]
async fn ids_and_tokens_are_the_same_in_every_run() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let sandbox = Sandbox::start().await;
        let all = sandbox.everywhere().await;
        runs.push([all.authvital, all.clerk, all.ksef, all.rest]);
    }
    // The secret that tokens are signed with comes from the same randomness.
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn numbers_are_never_given_twice() {
    let sandbox = Sandbox::start().await;
    let before = sandbox.sign_in_to("rest").await;
    sandbox.post("/sandbox/reset").send().await;
    let numbers: Vec<_> = sandbox.rows().await.iter().map(|row| row["ids"]["rest"].as_i64().unwrap()).collect();
    assert!(numbers.iter().all(|number| *number > before["session_id"].as_i64().unwrap()), "{numbers:?}");
}
