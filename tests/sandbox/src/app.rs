//! What all routes share, and the steps that every wire is made of: signing in, making tokens, using a refresh token.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Config;
use crate::ambient::{AdjustableClock, Clock as _, Random, random_uuid};
use crate::fault::Faults;
use crate::http::Origins;
use crate::request_log::RequestLog;
use crate::seed::{self, Seeded};
use crate::store::{Rotate, Rotation, Session, Store, User};
use crate::tokens::{AccessClaims, AccessType, Claims, IdpClaims, IdpType, PASSWORD_ROUNDS, PasswordHash, RefreshClaims, Signer, TokenError};

/// The state of a running sandbox.
pub struct App {
    /// Users, sessions and refresh tokens.
    pub store: Store,
    /// The sandbox's time.
    pub clock: AdjustableClock,
    /// Who may call from a browser.
    pub origins: Origins,
    /// Faults in force.
    pub faults: Faults,
    /// Requests so far.
    pub log: RequestLog,
    /// The limit of the wires that have one.
    pub rate_limit: RateLimit,
    /// Lifetime of access tokens in seconds.
    pub access_ttl: i64,
    /// Lifetime of sessions and refresh tokens in seconds.
    pub refresh_ttl: i64,
    rate_limit_at_start: bool,
    signer: Signer,
    random: Arc<dyn Random>,
}

/// What a sign-in or a refresh gives.
pub struct TokenPair {
    /// For `Authorization`.
    pub access: String,
    /// For the next refresh.
    pub refresh: String,
}

/// A session that was just made, and the id of its first token that is good for one use.
pub struct Begun {
    /// The session.
    pub session: Session,
    /// For [`crate::store::Store::rotate`] or [`crate::store::Store::spend`].
    pub jti: String,
}

/// What came of a refresh.
pub enum Refreshed {
    /// New tokens of a new session.
    Fresh(TokenPair),
    /// Not a refresh token of ours, or of another client.
    Invalid,
    /// Its time, or that of its session, is over.
    Expired,
    /// Its session is revoked; or it was used before, and so every session of the user on that client is revoked now.
    Revoked,
}

/// Where a sign-in comes from and what it is for.
pub struct SignIn<'a> {
    /// Sign-in name.
    pub email: &'a str,
    /// In clear.
    pub password: &'a str,
    /// The session that it is to make.
    pub session: NewSession<'a>,
}

/// A session that is to be made.
pub struct NewSession<'a> {
    /// The application that the session is for.
    pub application_id: &'a str,
    /// The OAuth client that it is for.
    pub client_id: &'a str,
    /// As the browser said.
    pub user_agent: Option<String>,
    /// Of the connection.
    pub ip_address: Option<String>,
}

impl App {
    /// Opens the store and seeds it if it is new. Does disk work and hashes passwords: not for the async threads.
    pub fn open(config: &Config, address: SocketAddr) -> anyhow::Result<Self> {
        let store = match &config.db {
            Some(path) => Store::open(path, config.reset)?,
            None => Store::in_memory()?,
        };
        let clock = AdjustableClock::new(Arc::clone(&config.clock));
        let random = Arc::clone(&config.random);
        if store.has_no_users()? {
            seed::seed(&store, &*random, clock.now_ms())?;
        }
        Ok(Self {
            signer: Signer::new(&store.token_secret(&*random)?)?,
            store,
            clock,
            origins: Origins::new(config.allow_origins.clone(), address),
            faults: Faults::default(),
            log: RequestLog::default(),
            rate_limit: RateLimit::new(config.rate_limit),
            access_ttl: config.access_ttl,
            refresh_ttl: config.refresh_ttl,
            rate_limit_at_start: config.rate_limit,
            random,
        })
    }

    /// Everything as after a fresh start: users and devices, clock, faults, log, rate limit. Tokens from before are of users who are gone.
    pub fn reset(&self) -> anyhow::Result<Seeded> {
        self.clock.reset();
        self.faults.clear();
        self.log.clear();
        self.rate_limit.set(self.rate_limit_at_start);
        seed::seed(&self.store, &*self.random, self.clock.now_ms())
    }

    /// Adds a user; `None` if the address is taken. Hashes a password, too.
    pub fn add_user(&self, email: String, password: &str, name: String) -> anyhow::Result<Option<User>> {
        let mut salt = [0u8; 16];
        self.random.fill(&mut salt)?;
        let user = User { seq: 0, id: random_uuid(&*self.random)?, email, name };
        let is_new = self.store.add_user(&user, &PasswordHash::new(password, salt, PASSWORD_ROUNDS))?;
        Ok(is_new.then_some(user))
    }

    /// Signs a user in; `None` if they are unknown or the password is wrong. Hashes a password: not for the async threads.
    pub fn sign_in(&self, sign_in: SignIn<'_>) -> anyhow::Result<Option<(User, Begun)>> {
        let Some((user, password)) = self.store.user_by_email(sign_in.email)? else {
            // The same work as for a known user, so that the time does not tell who is known.
            PasswordHash::new(sign_in.password, [0; 16], PASSWORD_ROUNDS);
            return Ok(None);
        };
        if !password.matches(sign_in.password) {
            return Ok(None);
        }
        let begun = self.begin_session(&user, sign_in.session)?;
        Ok(Some((user, begun)))
    }

    /// Makes a session for a user.
    pub fn begin_session(&self, user: &User, new: NewSession<'_>) -> anyhow::Result<Begun> {
        let now = self.clock.now_ms();
        let session = Session {
            seq: 0,
            id: self.uuid()?,
            user_id: user.id.clone(),
            application_id: new.application_id.to_owned(),
            client_id: new.client_id.to_owned(),
            created_at: now,
            last_active_at: now,
            expires_at: self.session_end(),
            revoked_at: None,
            ended_by: None,
            user_agent: new.user_agent,
            ip_address: new.ip_address,
            tenant: Some(seed::DEFAULT_TENANT.to_owned()),
            city: None,
            country: None,
        };
        let jti = self.uuid()?;
        let session = self.store.add_session(session, &jti)?;
        Ok(Begun { session, jti })
    }

    /// Uses a refresh token, for `client_id` where the wire says which client it is.
    pub fn refresh(&self, token: &str, client_id: Option<&str>) -> anyhow::Result<Refreshed> {
        let claims: RefreshClaims = match self.verify(token) {
            Ok(claims) => claims,
            Err(TokenError::Expired) => return Ok(Refreshed::Expired),
            Err(TokenError::Invalid) => return Ok(Refreshed::Invalid),
        };
        let now = self.clock.now_ms();
        let new_jti = self.uuid()?;
        let rotation =
            self.store.rotate(Rotate { jti: &claims.jti, client_id, now, expires_at: self.session_end(), new_id: &self.uuid()?, new_jti: &new_jti })?;
        Ok(match rotation {
            Rotation::Fresh(session) => Refreshed::Fresh(self.tokens(&session, new_jti)?),
            Rotation::Unknown | Rotation::WrongClient => Refreshed::Invalid,
            Rotation::Expired => Refreshed::Expired,
            Rotation::Ended | Rotation::Replayed => Refreshed::Revoked,
        })
    }

    /// AuthVital's tokens for a session.
    pub fn tokens(&self, session: &Session, jti: String) -> anyhow::Result<TokenPair> {
        let iat = self.now_seconds();
        let access = self.signer.sign(&AccessClaims {
            sub: session.user_id.clone(),
            aud: session.client_id.clone(),
            iat,
            exp: iat.saturating_add(self.access_ttl),
            jti: self.uuid()?,
            typ: AccessType::Access,
        })?;
        let refresh =
            self.signer.sign(&RefreshClaims { sub: session.user_id.clone(), sid: session.id.clone(), jti, iat, exp: iat.saturating_add(self.refresh_ttl) })?;
        Ok(TokenPair { access, refresh })
    }

    /// The value of an `idp_session` cookie for this session.
    pub fn idp_token(&self, session: &Session) -> anyhow::Result<String> {
        let iat = self.now_seconds();
        self.signer.sign(&IdpClaims {
            sub: session.user_id.clone(),
            sid: session.id.clone(),
            iat,
            exp: iat.saturating_add(self.refresh_ttl),
            typ: IdpType::Idp,
        })
    }

    /// The claims of a token, if it is ours and its time is not over. Whether its session is still there is another question.
    pub fn verify<T: Claims>(&self, token: &str) -> Result<T, TokenError> {
        self.signer.verify(token, self.clock.now_ms())
    }

    /// The claims of a token of ours, even if its time is over.
    pub fn read<T: Claims>(&self, token: &str) -> Result<T, TokenError> {
        self.signer.read(token)
    }

    /// A signed token.
    pub fn sign<T: Claims>(&self, claims: &T) -> anyhow::Result<String> {
        self.signer.sign(claims)
    }

    /// A random UUID.
    pub fn uuid(&self) -> anyhow::Result<String> {
        random_uuid(&*self.random)
    }

    /// Now, in seconds, as tokens have it.
    pub fn now_seconds(&self) -> i64 {
        self.clock.now_ms().div_euclid(1000)
    }

    /// When a session ends that begins, or is made longer, now.
    pub fn session_end(&self) -> i64 {
        self.clock.now_ms().saturating_add(self.refresh_ttl.saturating_mul(1000))
    }
}

/// So many requests in so long a time.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Requests that are let through in one window.
    pub requests: u32,
    /// Length of a window in milliseconds.
    pub window_ms: i64,
}

/// Windows that are remembered; when there are more, all start anew.
const MAX_WINDOWS: usize = 10_000;

/// Limits of requests per back-end (or operation) and address. Off unless asked for.
pub struct RateLimit {
    enabled: AtomicBool,
    windows: Mutex<HashMap<(&'static str, IpAddr, i64), Window>>,
}

#[derive(Clone, Copy)]
struct Window {
    start: i64,
    count: u32,
}

impl RateLimit {
    fn new(enabled: bool) -> Self {
        Self { enabled: AtomicBool::new(enabled), windows: Mutex::default() }
    }

    /// Switches the limit; every caller starts anew.
    pub fn set(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::SeqCst);
        self.windows.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether the limit is on.
    pub fn enabled(&self) -> bool {
        self.enabled.load(Ordering::SeqCst)
    }

    /// Counts a request; if it is one too many, answers when the next one is let through.
    pub fn blocked_until(&self, what: &'static str, caller: IpAddr, limits: &[Limit], now: i64) -> Option<i64> {
        if !self.enabled() {
            return None;
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MAX_WINDOWS {
            windows.clear();
        }
        let mut until = None;
        for limit in limits {
            let fresh = Window { start: now, count: 0 };
            let window = windows.entry((what, caller, limit.window_ms)).or_insert(fresh);
            if now.saturating_sub(window.start) >= limit.window_ms {
                *window = fresh;
            }
            window.count = window.count.saturating_add(1);
            if window.count > limit.requests {
                until = until.max(Some(window.start.saturating_add(limit.window_ms)));
            }
        }
        until
    }
}
