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
use crate::tokens::{AccessClaims, AccessType, Claims, IdpClaims, IdpType, PasswordHash, RefreshClaims, Signer, TokenError};

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

    /// Signs a user in; `None` if they are unknown or the password is wrong. Hashes a password: not for the async threads.
    pub fn sign_in(&self, sign_in: SignIn<'_>) -> anyhow::Result<Option<(User, Session, TokenPair)>> {
        let Some((user, password)) = self.store.user_by_email(sign_in.email)? else {
            // The same work as for a known user, so that the time does not tell who is known.
            PasswordHash::new(sign_in.password, [0; 16], crate::tokens::PASSWORD_ROUNDS);
            return Ok(None);
        };
        if !password.matches(sign_in.password) {
            return Ok(None);
        }
        let now = self.clock.now_ms();
        let session = Session {
            id: random_uuid(&*self.random)?,
            user_id: user.id.clone(),
            application_id: sign_in.application_id.to_owned(),
            client_id: sign_in.client_id.to_owned(),
            created_at: now,
            last_active_at: now,
            expires_at: now.saturating_add(self.refresh_ttl.saturating_mul(1000)),
            revoked_at: None,
            ended_by: None,
            user_agent: sign_in.user_agent,
            ip_address: sign_in.ip_address,
            tenant: Some(seed::DEFAULT_TENANT.to_owned()),
            city: None,
            country: None,
        };
        let jti = random_uuid(&*self.random)?;
        self.store.add_session(&session, &jti)?;
        let tokens = self.tokens(&session, jti)?;
        Ok(Some((user, session, tokens)))
    }

    /// Uses a refresh token, for `client_id` where the wire says which client it is.
    pub fn refresh(&self, token: &str, client_id: Option<&str>) -> anyhow::Result<Refreshed> {
        let claims: RefreshClaims = match self.verify(token) {
            Ok(claims) => claims,
            Err(TokenError::Expired) => return Ok(Refreshed::Expired),
            Err(TokenError::Invalid) => return Ok(Refreshed::Invalid),
        };
        let now = self.clock.now_ms();
        let new_jti = random_uuid(&*self.random)?;
        let rotation = self.store.rotate(Rotate {
            jti: &claims.jti,
            client_id,
            now,
            expires_at: now.saturating_add(self.refresh_ttl.saturating_mul(1000)),
            new_id: &random_uuid(&*self.random)?,
            new_jti: &new_jti,
        })?;
        Ok(match rotation {
            Rotation::Fresh(session) => Refreshed::Fresh(self.tokens(&session, new_jti)?),
            Rotation::Unknown | Rotation::WrongClient => Refreshed::Invalid,
            Rotation::Expired => Refreshed::Expired,
            Rotation::Ended | Rotation::Replayed => Refreshed::Revoked,
        })
    }

    fn tokens(&self, session: &Session, jti: String) -> anyhow::Result<TokenPair> {
        let iat = self.now_seconds();
        let access = self.signer.sign(&AccessClaims {
            sub: session.user_id.clone(),
            aud: session.client_id.clone(),
            iat,
            exp: iat.saturating_add(self.access_ttl),
            jti: random_uuid(&*self.random)?,
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

    fn now_seconds(&self) -> i64 {
        self.clock.now_ms().div_euclid(1000)
    }
}

/// Requests that are let through in one window.
const LIMIT: u32 = 100;
/// Length of a window in milliseconds.
const WINDOW_MS: i64 = 60_000;
/// Windows that are remembered; when there are more callers, all start anew.
const MAX_CALLERS: usize = 10_000;

/// A hundred requests in sixty seconds, per back-end and address. Off unless asked for.
pub struct RateLimit {
    enabled: AtomicBool,
    windows: Mutex<HashMap<(&'static str, IpAddr), Window>>,
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

    /// Counts a request; false if it is one too many.
    pub fn admits(&self, back_end: &'static str, caller: IpAddr, now: i64) -> bool {
        if !self.enabled() {
            return true;
        }
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MAX_CALLERS {
            windows.clear();
        }
        let fresh = Window { start: now, count: 0 };
        let window = windows.entry((back_end, caller)).or_insert(fresh);
        if now.saturating_sub(window.start) >= WINDOW_MS {
            *window = fresh;
        }
        window.count = window.count.saturating_add(1);
        window.count <= LIMIT
    }
}
