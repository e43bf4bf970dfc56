//! Reading cases, and what answers are made of.

use auth_sessions::jwt;
use serde_json::{Map, Value};

/// Longer ones only cost time.
const LONGEST: usize = 16 * 1024;

/// A document that can be a case.
pub fn read(data: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(data.get(..LONGEST.min(data.len()))?).ok()?;
    value.is_object().then_some(value)
}

/// A text member; of a text that is no member of ours, nothing.
pub fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

/// A number member within bounds.
pub fn number(value: &Value, name: &str, least: i64, most: i64) -> Option<i64> {
    Some(value.get(name)?.as_f64()?.clamp(least as f64, most as f64) as i64)
}

/// A flag member.
pub fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// The items of an array member.
pub fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The secrets of a case, by the names under which answers and arguments may repeat them.
pub struct Secrets(pub Vec<(&'static str, String)>);

impl Secrets {
    /// Tokens as the case has them: claims make a JWT, a text an opaque token. Each has a part that nothing else has.
    pub fn of(case: &Value) -> Self {
        let token = |name: &str, mark: &str| match case.get(name) {
            Some(Value::Object(claims)) => jwt(&Value::Object(claims.clone()), mark),
            Some(Value::String(text)) => [text, mark].concat(),
            _ => String::new(),
        };
        Self(vec![
            ("$ACCESS", token("access", "-Q7accEss")),
            ("$REFRESH", token("refresh", "-Q7rEfrEsh")),
            ("$USER", token("user", "-Q7usEr")),
            ("$HEADER", "Q7hEadEr-value".to_owned()),
            ("$CSRF", "Q7csrf-valuE".to_owned()),
            ("$NEWER", "nEwQ7-rEfrEsh".to_owned()),
            ("$NEW", "nEwQ7-accEss".to_owned()),
        ])
    }

    /// The secret of that name; empty where the case has none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, secret)| secret)
    }

    /// A text with the secrets that it names.
    pub fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, secret) in &self.0 {
            if text.contains(name) {
                text = text.replace(name, secret);
            }
        }
        text
    }

    /// The same for the strings and names of a value.
    pub fn fill_all(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.fill_all(item)).collect()),
            Value::Object(members) => Value::Object(members.iter().map(|(name, value)| (self.fill(name), self.fill_all(value))).collect()),
            other => other.clone(),
        }
    }

    /// The body of an answer of the case: JSON in `body`, anything else in `text`.
    pub fn body(&self, answer: &Value) -> String {
        match (answer.get("body"), text(answer, "text")) {
            (Some(body), _) => self.fill_all(body).to_string(),
            (None, Some(text)) => self.fill(text),
            _ => String::new(),
        }
    }

    /// The headers of an answer: those that are looked at, as a driver gives them.
    pub fn headers(&self, answer: &Value) -> Value {
        let mut out = Map::new();
        for name in auth_sessions::http::READ_HEADERS {
            if let Some(value) = answer.get("headers").and_then(|headers| text(headers, name)) {
                out.insert(name.to_owned(), Value::String(self.fill(value)));
            }
        }
        Value::Object(out)
    }
}

/// A token with these claims, which nobody signed.
pub fn jwt(claims: &Value, mark: &str) -> String {
    format!("h.{}.{mark}", crate::encoding::base64url(claims.to_string().as_bytes()))
}

/// The id of the session that a token names.
pub fn session_of(token: &str) -> Option<String> {
    let claims: Value = serde_json::from_slice(&jwt::payload(token)).ok()?;
    text(&claims, "sid").filter(|id| !id.is_empty()).or_else(|| text(&claims, "arn")).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// Whether any string or name in a value has one of these in it, escapes undone; which one.
pub fn holds<'a>(value: &Value, needles: &[&'a str]) -> Option<&'a str> {
    let in_text = |text: &str| needles.iter().find(|needle| needle.len() >= 4 && text.contains(**needle)).copied();
    match value {
        Value::String(text) => in_text(text),
        Value::Array(items) => items.iter().find_map(|item| holds(item, needles)),
        Value::Object(members) => members.iter().find_map(|(name, value)| in_text(name).or_else(|| holds(value, needles))),
        _ => None,
    }
}

/// JSON that came out of the crate.
#[track_caller]
pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("this is no JSON ({error}): {text}"))
}
