//! Answers compared with a published OpenAPI document, as far as those documents go: is the status documented, and has the body its shape?
//! The documents are not in the repository. Where they are absent, nothing is compared, and the test says so.

use std::io::Write as _;
use std::path::Path;
use std::sync::Once;

use serde_json::Value;

use crate::harness::Answer;

pub struct Contract(Option<Value>);

impl Contract {
    pub fn load(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs").join(name);
        match std::fs::read(&path) {
            Ok(bytes) => Self(Some(serde_json::from_slice(&bytes).unwrap())),
            Err(_) => {
                // Not by a macro: the test runner would swallow it.
                static ONCE: Once = Once::new();
                ONCE.call_once(|| writeln!(std::io::stderr(), "SKIPPED: without {name} answers are not compared with it").unwrap());
                Self(None)
            }
        }
    }

    /// `also` are statuses that the document leaves out.
    #[track_caller]
    pub fn check(&self, operation: (&str, &str), answer: &Answer, also: &[u16]) {
        let Some(document) = &self.0 else { return };
        let (method, path) = operation;
        let responses = &document["paths"][path][method.to_lowercase()]["responses"];
        assert!(responses.is_object(), "the document has no {operation:?}");
        let Some(response) = responses.get(answer.status.to_string()) else {
            assert!(also.contains(&answer.status), "{operation:?} documents no {}: {}", answer.status, answer.text());
            return;
        };
        let response = resolve(document, response);
        let Some(content) = response.get("content") else {
            assert!(answer.body.is_empty(), "{operation:?} documents no body: {}", answer.text());
            return;
        };
        if answer.body.is_empty() {
            return; // only where the wire does that in spite of the document; the tests say where
        }
        let media_type = answer.header("content-type").unwrap().split(';').next().unwrap();
        let schema = &content[media_type]["schema"];
        assert!(schema.is_object(), "{operation:?} documents no {media_type} with {}", answer.status);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let mut mistakes = Vec::new();
        compare(document, schema, &body, "", &mut mistakes);
        assert!(mistakes.is_empty(), "{operation:?} {}: {mistakes:?}\n{body:#}", answer.status);
    }
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(pointer) => document.pointer(pointer.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn compare(document: &Value, schema: &Value, value: &Value, at: &str, mistakes: &mut Vec<String>) {
    let schema = resolve(document, schema);
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        compare(document, part, value, at, mistakes);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = |choice: &&Value| {
            let mut found = Vec::new();
            compare(document, choice, value, at, &mut found);
            found.is_empty()
        };
        if choices.iter().filter(fits).count() != 1 {
            mistakes.push(format!("{at}: not exactly one of the choices"));
        }
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some(other) => panic!("the type {other} is not known here"),
        None => true,
    };
    if !fits {
        mistakes.push(format!("{at}: {value} is not {}", schema["type"]));
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        mistakes.push(format!("{at}: {value} is not one of {values:?}"));
    }
    if let (Some(text), Some(min), Some(max)) = (value.as_str(), schema["minLength"].as_u64(), schema["maxLength"].as_u64())
        && !(min..=max).contains(&(text.chars().count() as u64))
    {
        mistakes.push(format!("{at}: {text:?} has not {min} to {max} characters"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.is_object() && value.get(name).is_none() {
            mistakes.push(format!("{at}: no {name}"));
        }
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(schema) => compare(document, schema, value, &format!("{at}/{name}"), mistakes),
            None if schema["additionalProperties"] == false => mistakes.push(format!("{at}: {name} is not in the document")),
            None => {}
        }
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        compare(document, &schema["items"], value, &format!("{at}/{index}"), mistakes);
    }
}

#[test]
fn the_comparison_finds_what_does_not_fit() {
    let document: Value = serde_json::from_str(
        r##"{"schemas": {"S": {"type": "object", "additionalProperties": false, "required": ["id"], "properties": {
            "id": {"type": "string", "minLength": 2, "maxLength": 2}, "kind": {"type": "string", "enum": ["a"], "nullable": true},
            "list": {"type": "array", "items": {"type": "integer"}}}}}, "root": {"allOf": [{"$ref": "#/schemas/S"}]}}"##,
    )
    .unwrap();
    let mistakes = |body: &str| {
        let mut found = Vec::new();
        compare(&document, &document["root"], &serde_json::from_str(body).unwrap(), "", &mut found);
        found.len()
    };
    assert_eq!(mistakes(r#"{"id": "ab", "kind": null, "list": [1]}"#), 0);
    for body in
        [r#"{}"#, r#"[]"#, r#"{"id": 1}"#, r#"{"id": "abc"}"#, r#"{"id": "ab", "kind": "b"}"#, r#"{"id": "ab", "list": ["1"]}"#, r#"{"id": "ab", "x": 1}"#]
    {
        assert_eq!(mistakes(body), 1, "{body}");
    }
}
