//! Tokens and keys, so that none gets into a message by accident.

use std::fmt;

/// A token, key or cookie: whoever wants to see it has to say so. Nothing that prints values for debugging shows it.
///
/// In the npm package nothing of it stays in wasm either: the memory of a step is overwritten when the step is done (`src/js`). What JavaScript and, in the Rust API, JSON on its
/// way hold of it is not ours to overwrite.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(all(target_arch = "wasm32", feature = "fetch"), derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Secret<T = String>(T);

impl<T: AsRef<str>> Secret<T> {
    /// From now on it is one.
    pub const fn new(secret: T) -> Self {
        Self(secret)
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        self.0.as_ref()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(secret: T) -> Self {
        Self(secret.into())
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;
    use crate::provider::Answer;

    #[test]
    fn printed_for_debugging_it_is_not_to_be_seen() {
        let secret: Secret = "marked".into();
        assert_eq!((format!("{secret:?}"), secret.expose()), ("[redacted]".to_owned(), "marked"));
        let token = Secret::new("marked".into());
        let answer = Answer::Tokens { access: token.clone(), refresh: Some(token), expires_at: None };
        assert!(!format!("{answer:?}").contains("marked"));
        // What a back-end sent, too: it may be anything.
        let document = Document::read(r#"{"access_token":"marked"}"#).unwrap();
        let shown = format!("{document:?} {:?}", document.root());
        assert!(!shown.contains("marked"), "{shown}");
    }
}
