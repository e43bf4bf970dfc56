//! JSON Web Tokens, signed with HMAC-SHA-256 (RFC 7515, RFC 7519), and password hashes.
//!
//! Written on `hmac`, `sha2` and `base64` rather than on `jsonwebtoken`: that crate's two cryptography back-ends bring RSA and elliptic curves
//! along (a minute of compiling), and the sandbox needs one algorithm only. Whoever reads a token here compares its header with the
//! one header that is ever written, so "alg":"none" and its relatives have no way in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Length of the signing secret in bytes: the output size of the hash, as RFC 7518 section 3.2 wants it.
pub const SECRET_LEN: usize = 32;

/// Longer tokens are refused unread; ours have about 400 bytes.
const MAX_TOKEN_LEN: usize = 4096;

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// What an access token says. AuthVital's carry no session id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaims {
    /// User id.
    pub sub: String,
    /// Client id.
    pub aud: String,
    /// Issued at, in seconds.
    pub iat: i64,
    /// Expires at, in seconds.
    pub exp: i64,
    /// Token id.
    pub jti: String,
    /// Always "access".
    pub typ: AccessType,
}

/// What a refresh token says: `sid` is the id of its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshClaims {
    /// User id.
    pub sub: String,
    /// Session id.
    pub sid: String,
    /// Token id, good for one use.
    pub jti: String,
    /// Issued at, in seconds.
    pub iat: i64,
    /// Expires at, in seconds.
    pub exp: i64,
}

/// What the `idp_session` cookie says: who is signed in at the identity provider itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdpClaims {
    /// User id.
    pub sub: String,
    /// The session that the sign-in made.
    pub sid: String,
    /// Issued at, in seconds.
    pub iat: i64,
    /// Expires at, in seconds.
    pub exp: i64,
    /// Always "idp".
    pub typ: IdpType,
}

/// The one value of an access token's `typ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessType {
    /// "access"
    #[serde(rename = "access")]
    Access,
}

/// The one value of an `idp_session` cookie's `typ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdpType {
    /// "idp"
    #[serde(rename = "idp")]
    Idp,
}

/// What a Clerk session token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClerkClaims {
    /// Who made it.
    pub iss: String,
    /// User id.
    pub sub: String,
    /// Session id.
    pub sid: String,
    /// Name of the template that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Token id.
    pub jti: String,
    /// Issued at, in seconds.
    pub iat: i64,
    /// Not good before, in seconds.
    pub nbf: i64,
    /// Expires at, in seconds.
    pub exp: i64,
}

/// What a Clerk refresh token says. Real ones are opaque; nobody is to look into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClerkRefreshClaims {
    /// Session id.
    pub refresh_of: String,
    /// Expires at, in seconds.
    pub exp: i64,
}

/// What the tokens of KSeF say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KsefClaims {
    /// What the token is for.
    pub typ: KsefType,
    /// Reference number of the session.
    pub arn: String,
    /// User id.
    pub sub: String,
    /// Token id; an authentication token is good for one use.
    pub jti: String,
    /// Issued at, in seconds.
    pub iat: i64,
    /// Expires at, in seconds.
    pub exp: i64,
}

/// The kinds of KSeF tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KsefType {
    /// Access.
    ContextToken,
    /// For new access tokens.
    RefreshToken,
    /// For the first pair of the other two.
    AuthenticationToken,
}

/// What the tokens of the plain REST wire say. Its ids are numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestClaims {
    /// What the token is for.
    #[serde(rename = "type")]
    pub kind: RestType,
    /// User id.
    pub sub: String,
    /// Session id.
    pub session_id: i64,
    /// Token id; a refresh token is good for one use.
    pub jti: String,
    /// Issued at, in seconds.
    pub iat: i64,
    /// Expires at, in seconds.
    pub exp: i64,
}

/// The kinds of tokens of the plain REST wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RestType {
    /// For calls.
    Access,
    /// For the next pair.
    Refresh,
}

/// Claims that have an end. The kinds refuse each other's fields, so one token is never taken for another.
pub trait Claims: Serialize + DeserializeOwned {
    /// Expires at, in seconds.
    fn exp(&self) -> i64;
}

macro_rules! claims {
    ($($kind:ty),*) => {
        $(impl Claims for $kind {
            fn exp(&self) -> i64 {
                self.exp
            }
        })*
    };
}

claims!(AccessClaims, RefreshClaims, IdpClaims, ClerkClaims, ClerkRefreshClaims, KsefClaims, RestClaims);

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// Not ours, or not of this kind.
    Invalid,
    /// Ours, but its time is over.
    Expired,
}

/// Signs and verifies. Deliberately without `Debug`: it holds the secret.
pub struct Signer {
    mac: Hmac<Sha256>,
}

impl Signer {
    /// A signer over a random secret, see [`SECRET_LEN`].
    pub fn new(secret: &[u8]) -> anyhow::Result<Self> {
        anyhow::ensure!(secret.len() == SECRET_LEN, "the token secret in the database has {} bytes instead of {SECRET_LEN}; start with --reset", secret.len());
        let mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|error| anyhow::anyhow!("token secret: {error}"))?;
        Ok(Self { mac })
    }

    /// A signed token in compact form.
    pub fn sign<T: Claims>(&self, claims: &T) -> anyhow::Result<String> {
        let mut token = String::from(HEADER);
        token.push('.');
        BASE64.encode_string(serde_json::to_vec(claims)?, &mut token);
        let mut mac = self.mac.clone();
        mac.update(token.as_bytes());
        let signature = mac.finalize().into_bytes();
        token.push('.');
        BASE64.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The claims of a token that this sandbox signed and whose time is not over at `now_ms`.
    pub fn verify<T: Claims>(&self, token: &str, now_ms: i64) -> Result<T, TokenError> {
        let claims: T = self.read(token)?;
        if claims.exp() <= now_ms.div_euclid(1000) {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    /// The claims of a token that this sandbox signed, whether its time is over or not.
    pub fn read<T: Claims>(&self, token: &str) -> Result<T, TokenError> {
        if token.len() > MAX_TOKEN_LEN {
            return Err(TokenError::Invalid);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        let payload = signed.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('.')).ok_or(TokenError::Invalid)?;
        let signature = BASE64.decode(signature).map_err(|_| TokenError::Invalid)?;
        let mut mac = self.mac.clone();
        mac.update(signed.as_bytes());
        mac.verify_slice(&signature) // in constant time
            .map_err(|_| TokenError::Invalid)?;
        let claims = BASE64.decode(payload).map_err(|_| TokenError::Invalid)?;
        serde_json::from_slice(&claims).map_err(|_| TokenError::Invalid)
    }
}

/// A salted password hash: PBKDF2 with HMAC-SHA-256 (RFC 8018).
///
/// PBKDF2 because its parts are here already for the tokens. The count of rounds is stored with each hash and is **far below what a real
/// service needs** (OWASP: 600,000): the seeded passwords stand in the README, and an unoptimised build must start at once.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    /// Random, one per user.
    pub salt: [u8; 16],
    /// Iterations of the hash.
    pub rounds: u32,
    /// The derived key.
    pub hash: [u8; 32],
}

/// Rounds for new hashes; see [`PasswordHash`] for why so few.
pub const PASSWORD_ROUNDS: u32 = 4_000;

impl PasswordHash {
    /// Hashes a password.
    pub fn new(password: &str, salt: [u8; 16], rounds: u32) -> Self {
        let mut hash = [0u8; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, rounds, &mut hash);
        Self { salt, rounds, hash }
    }

    /// Whether this is the password that was hashed.
    pub fn matches(&self, password: &str) -> bool {
        let other = Self::new(password, self.salt, self.rounds);
        // Without an early end, so that the time tells nothing.
        let different = self.hash.iter().zip(other.hash).fold(0u8, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(different) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new(&[7; SECRET_LEN]).unwrap()
    }

    fn refresh() -> RefreshClaims {
        RefreshClaims { sub: "u".into(), sid: "s".into(), jti: "j".into(), iat: 100, exp: 200 }
    }

    #[test]
    fn the_header_is_what_it_says() {
        let header = BASE64.decode(HEADER).unwrap();
        assert_eq!(header, br#"{"alg":"HS256","typ":"JWT"}"#);
    }

    #[test]
    fn agrees_with_the_published_example_of_jwt_io() {
        // The best-known HS256 token there is; its secret is "your-256-bit-secret".
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
        let signer = Signer { mac: Hmac::<Sha256>::new_from_slice(b"your-256-bit-secret").unwrap() };
        #[derive(Serialize, Deserialize)]
        struct Example {
            sub: String,
            name: String,
            iat: i64,
        }
        impl Claims for Example {
            fn exp(&self) -> i64 {
                self.iat + 1
            }
        }
        let claims: Example = signer.verify(token, 0).ok().unwrap();
        assert_eq!(claims.name, "John Doe");
        assert_eq!(signer.sign(&claims).unwrap(), token);
    }

    #[test]
    fn a_token_is_good_until_its_second_is_over() {
        let token = signer().sign(&refresh()).unwrap();
        assert_eq!(signer().verify(&token, 199_999), Ok(refresh()));
        assert_eq!(signer().verify::<RefreshClaims>(&token, 200_000), Err(TokenError::Expired));
        assert_eq!(signer().read(&token), Ok(refresh()), "for those who want to know what it said");
    }

    #[test]
    fn forged_tokens_are_invalid() {
        let good = signer().sign(&refresh()).unwrap();
        let other = Signer::new(&[8; SECRET_LEN]).unwrap();
        let (head, signature) = good.rsplit_once('.').unwrap();
        let payload = head.split_once('.').unwrap().1;
        let none = BASE64.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let forged = [
            String::new(),
            ".".into(),
            "..".into(),
            "a.b.c".into(),
            head.to_owned(),
            format!("{head}."),
            format!("{head}.{}", &signature[..signature.len() - 4]),
            format!("{none}.{payload}.{signature}"),
            format!("{none}.{payload}."),
            format!("{good}."),
            format!("{good}x"),
            "x".repeat(MAX_TOKEN_LEN + 1),
            other.sign(&refresh()).unwrap(),
        ];
        for token in forged {
            assert_eq!(signer().verify::<RefreshClaims>(&token, 0), Err(TokenError::Invalid), "{token}");
            assert_eq!(signer().read::<RefreshClaims>(&token), Err(TokenError::Invalid), "{token}");
        }
    }

    #[test]
    fn one_kind_is_never_taken_for_another() {
        let signer = signer();
        let (sub, sid, jti) = ("u".to_owned(), "s".to_owned(), "j".to_owned());
        let (iat, exp) = (1, 200);
        let clerk = ClerkClaims { iss: "i".into(), sub: sub.clone(), sid: sid.clone(), template: None, jti: jti.clone(), iat, nbf: iat, exp };
        let ksef = KsefClaims { typ: KsefType::ContextToken, arn: "r".into(), sub: sub.clone(), jti: jti.clone(), iat, exp };
        let rest = RestClaims { kind: RestType::Access, sub: sub.clone(), session_id: 1, jti: jti.clone(), iat, exp };
        let tokens = [
            signer.sign(&AccessClaims { sub: sub.clone(), aud: "c".into(), iat, exp, jti, typ: AccessType::Access }),
            signer.sign(&refresh()),
            signer.sign(&IdpClaims { sub, sid: sid.clone(), iat, exp, typ: IdpType::Idp }),
            signer.sign(&clerk),
            signer.sign(&ClerkRefreshClaims { refresh_of: sid, exp }),
            signer.sign(&ksef),
            signer.sign(&rest),
        ];
        for (index, token) in tokens.iter().enumerate() {
            let token = token.as_ref().unwrap();
            let taken = [
                signer.verify::<AccessClaims>(token, 0).is_ok(),
                signer.verify::<RefreshClaims>(token, 0).is_ok(),
                signer.verify::<IdpClaims>(token, 0).is_ok(),
                signer.verify::<ClerkClaims>(token, 0).is_ok(),
                signer.verify::<ClerkRefreshClaims>(token, 0).is_ok(),
                signer.verify::<KsefClaims>(token, 0).is_ok(),
                signer.verify::<RestClaims>(token, 0).is_ok(),
            ];
            let own: Vec<_> = (0..taken.len()).map(|kind| kind == index).collect();
            assert_eq!(taken.to_vec(), own);
        }
    }

    #[test]
    fn a_secret_of_the_wrong_length_is_refused() {
        assert!(Signer::new(b"short").is_err());
    }

    #[test]
    fn passwords_match_only_themselves() {
        // The first test vector of RFC 7914, section 11.
        let mut out = [0u8; 64];
        pbkdf2::pbkdf2_hmac::<Sha256>(b"passwd", b"salt", 1, &mut out);
        assert_eq!(out[..4], [0x55, 0xac, 0x04, 0x6e]);
        let hash = PasswordHash::new("demo-password", [1; 16], 2);
        assert!(hash.matches("demo-password"));
        assert!(!hash.matches("demo-passwore"));
        assert!(!hash.matches(""));
    }
}
