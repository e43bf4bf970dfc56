//! The common home-made sessions API at `/api/v1/sessions`, and every other one that a `RestProfile` describes.
//!
//! What a profile does not say is found by itself: see the defaults in [`crate::model`].

use super::{Answer, Asked, Provider};
use crate::error::Error;
use crate::http::{Response, other_slash, without_query};

/// The built-in profile.
pub const PROVIDER: Provider = Provider {
    profile: r#"{"name":"rest","perOperation":true,"headers":{"accept":"application/json"},"list":{"method":"GET","path":"/api/v1/sessions?cursor={cursor}"},
"revoke":{"method":"DELETE","path":"/api/v1/sessions/{id}"},"logout":{"method":"POST","path":"/api/v1/auth/logout"}}"#,
    hook,
};

/// Frameworks redirect a path with one slash too few or too many at its end. No redirect is followed, as it could lead a secret to another origin: the same
/// address is asked with the other ending, once, unless the redirect is seen to mean something else.
fn hook(asked: &Asked<'_>, response: &Response<'_>) -> Result<Option<Answer>, Error> {
    let other = other_slash(without_query(asked.path));
    let leads_there = response.header("location").is_none_or(|location| without_query(&location).ends_with(other.as_str()));
    Ok((response.is_redirect() && leads_there).then_some(Answer::OtherDialect))
}
