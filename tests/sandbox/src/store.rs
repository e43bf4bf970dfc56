//! The session store: users, sessions and refresh tokens in SQLite. It knows no wire format; every back-end's wire is spoken over it.
//!
//! The connection stands behind a mutex and is used directly from the async handlers, not through `spawn_blocking`: each call is a handful of
//! indexed statements that take microseconds (write-ahead log, no `fsync` per commit), less than handing them to another thread would
//! cost, and the lock is never held across an await. Times are milliseconds since the Unix epoch. All values go in as parameters.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use crate::ambient::Random;
use crate::tokens::{PasswordHash, SECRET_LEN};

/// Marks a database file as ours ("SbOx"), so that `--reset` never empties anybody else's.
const APPLICATION_ID: i32 = 0x5362_4f78;
/// Version of [`SCHEMA`].
const SCHEMA_VERSION: i32 = 2;

const SCHEMA: &str = "
    CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT;
    -- seq is the user's number, for wires whose ids are numbers. AUTOINCREMENT: a number is never given twice, also not after replace_all.
    CREATE TABLE users (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        email TEXT NOT NULL UNIQUE COLLATE NOCASE,
        name TEXT NOT NULL,
        password_salt BLOB NOT NULL,
        password_rounds INTEGER NOT NULL,
        password_hash BLOB NOT NULL
    ) STRICT;
    -- seq is the order of insertion: it decides between sessions of the same millisecond, and is the session's number.
    CREATE TABLE sessions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        application_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        last_active_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        revoked_at INTEGER,
        ended_by TEXT,
        user_agent TEXT,
        ip_address TEXT,
        tenant TEXT,
        city TEXT,
        country TEXT
    ) STRICT;
    CREATE INDEX sessions_of_user ON sessions (user_id, created_at);
    -- The tokens themselves are not stored, only their ids.
    CREATE TABLE refresh_tokens (
        jti TEXT PRIMARY KEY,
        session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
        used_at INTEGER
    ) STRICT;
";

const SESSION_COLUMNS: &str = "sessions.seq, sessions.id, sessions.user_id, application_id, client_id, created_at, last_active_at, expires_at, \
     revoked_at, ended_by, user_agent, ip_address, tenant, city, country";

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The store's number for it; given when it is added.
    pub seq: i64,
    /// UUID.
    pub id: String,
    /// Also the sign-in name; its case does not matter.
    pub email: String,
    /// As shown to people.
    pub name: String,
}

/// One row of the store: a session as it is, alive or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The store's number for it, in the order of insertion; given when it is added.
    pub seq: i64,
    /// UUID; the `sid` of its refresh token.
    pub id: String,
    /// Whose session it is.
    pub user_id: String,
    /// The application that it belongs to.
    pub application_id: String,
    /// The OAuth client that it was minted for.
    pub client_id: String,
    /// Made (a refresh makes a new session).
    pub created_at: i64,
    /// Last seen.
    pub last_active_at: i64,
    /// Ends by itself.
    pub expires_at: i64,
    /// Was ended before that.
    pub revoked_at: Option<i64>,
    /// By what, see [`Ending`].
    pub ended_by: Option<String>,
    /// `None` for sessions that were minted by OAuth.
    pub user_agent: Option<String>,
    /// `None` for sessions that were minted by OAuth.
    pub ip_address: Option<String>,
    /// Name of the tenant.
    pub tenant: Option<String>,
    /// Where it was started.
    pub city: Option<String>,
    /// Two-letter code.
    pub country: Option<String>,
}

/// What ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Revoked by its id.
    Revoked,
    /// Its own logout.
    Logout,
    /// Logged out everywhere.
    LogoutAll,
    /// Replaced by a new session when its refresh token was used.
    Rotated,
    /// A refresh token was used twice: theft is assumed.
    Replay,
}

impl Ending {
    fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Logout => "logout",
            Self::LogoutAll => "logout-all",
            Self::Rotated => "rotated",
            Self::Replay => "replay",
        }
    }
}

/// What came of ending one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// It is ended now.
    Done,
    /// It was ended before.
    AlreadyEnded,
    /// There is no such session.
    NotFound,
    /// It is somebody else's; nothing was done.
    NotYours,
}

/// Everything that using a refresh token needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Rotate<'a> {
    /// Id of the refresh token that is used.
    pub jti: &'a str,
    /// The client that uses it, where the wire says so.
    pub client_id: Option<&'a str>,
    /// Now.
    pub now: i64,
    /// When the new session will end.
    pub expires_at: i64,
    /// Id of the new session.
    pub new_id: &'a str,
    /// Id of the new refresh token.
    pub new_jti: &'a str,
}

/// What came of using a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The new session; the old one is ended.
    Fresh(Box<Session>),
    /// There is no such refresh token.
    Unknown,
    /// It was minted for another client; nothing was done.
    WrongClient,
    /// It was used before, so every session of its user on its client is ended.
    Replayed,
    /// Its session is revoked.
    Ended,
    /// Its session is over.
    Expired,
}

/// What came of using a token that is good for one use and leaves its session as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spending {
    /// It is used now; its session as it is now.
    Fresh(Box<Session>),
    /// There is no such token.
    Unknown,
    /// It was used before; nothing was done.
    Used(Box<Session>),
    /// Its session is ended.
    Ended(Box<Session>),
    /// Its session is over.
    Expired,
}

/// The store. Deliberately without `Debug`.
pub struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens or makes the database at `path`. With `reset` a store that is there already is emptied first; a file that is not a store is refused.
    pub fn open(path: &Path, reset: bool) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent()
            && !folder.as_os_str().is_empty()
        {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        make_private_file(path).with_context(|| format!("cannot open the database {}", path.display()))?;
        Connection::open(path)
            .map_err(anyhow::Error::from)
            .and_then(|connection| Self::prepare(connection, reset))
            .with_context(|| format!("cannot use the database {} (see --db)", path.display()))
    }

    /// A store that is gone when it is dropped.
    pub fn in_memory() -> anyhow::Result<Self> {
        Self::prepare(Connection::open_in_memory()?, false)
    }

    fn prepare(mut connection: Connection, reset: bool) -> anyhow::Result<Self> {
        connection.busy_timeout(Duration::from_secs(2))?;
        let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if objects > 0 {
            let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
            if application != APPLICATION_ID {
                bail!("it is not a sandbox database, and is left as it is");
            }
        }
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if reset {
            transaction
                .execute_batch("DROP TABLE IF EXISTS refresh_tokens; DROP TABLE IF EXISTS sessions; DROP TABLE IF EXISTS users; DROP TABLE IF EXISTS meta;")?;
        } else if objects > 0 && version != SCHEMA_VERSION {
            bail!("it was written by another version of the sandbox ({version}, this one is {SCHEMA_VERSION}); start once with --reset");
        }
        if reset || objects == 0 {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        transaction.commit()?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// A statement that panicked cannot have left a transaction open (it rolls back when dropped), so a poisoned lock is good to use.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secret that tokens are signed with; made on first use and kept for good.
    pub fn token_secret(&self, random: &dyn Random) -> anyhow::Result<Vec<u8>> {
        let mut secret = vec![0u8; SECRET_LEN];
        random.fill(&mut secret)?;
        let connection = self.lock();
        connection.execute("INSERT INTO meta (key, value) VALUES ('token_secret', ?1) ON CONFLICT DO NOTHING", params![secret])?;
        Ok(connection.query_row("SELECT value FROM meta WHERE key = 'token_secret'", [], |row| row.get(0))?)
    }

    /// Whether nobody can sign in yet.
    pub fn has_no_users(&self) -> rusqlite::Result<bool> {
        self.lock().query_row("SELECT NOT EXISTS (SELECT 1 FROM users)", [], |row| row.get(0))
    }

    /// Forgets every user, session and refresh token and puts these in their place; all or nothing.
    pub fn replace_all(&self, users: &[(User, PasswordHash)], sessions: &[Session]) -> rusqlite::Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch("DELETE FROM refresh_tokens; DELETE FROM sessions; DELETE FROM users;")?;
        for (user, password) in users {
            insert_user(&transaction, user, password)?;
        }
        for session in sessions {
            insert(&transaction, session)?;
        }
        transaction.commit()
    }

    /// Adds a user; false if there is one with that address.
    pub fn add_user(&self, user: &User, password: &PasswordHash) -> rusqlite::Result<bool> {
        Ok(insert_user(&self.lock(), user, password)? > 0)
    }

    /// A user by id.
    pub fn user(&self, id: &str) -> rusqlite::Result<Option<User>> {
        self.lock().query_row("SELECT seq, id, email, name FROM users WHERE id = ?1", params![id], read_user).optional()
    }

    /// A user and their password by e-mail address.
    pub fn user_by_email(&self, email: &str) -> rusqlite::Result<Option<(User, PasswordHash)>> {
        self.lock()
            .query_row("SELECT seq, id, email, name, password_salt, password_rounds, password_hash FROM users WHERE email = ?1", params![email], |row| {
                let password = PasswordHash { salt: row.get("password_salt")?, rounds: row.get("password_rounds")?, hash: row.get("password_hash")? };
                Ok((read_user(row)?, password))
            })
            .optional()
    }

    /// Adds a session and its refresh token; answers it with its number.
    pub fn add_session(&self, session: Session, jti: &str) -> rusqlite::Result<Session> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let seq = insert(&transaction, &session)?;
        insert_refresh_token(&transaction, jti, &session.id)?;
        transaction.commit()?;
        Ok(Session { seq, ..session })
    }

    /// A session by its id, whatever its state.
    pub fn session(&self, id: &str) -> rusqlite::Result<Option<Session>> {
        self.one_session("sessions.id = ?1", params![id])
    }

    /// A session by its number, whatever its state.
    pub fn session_by_seq(&self, seq: i64) -> rusqlite::Result<Option<Session>> {
        self.one_session("sessions.seq = ?1", params![seq])
    }

    /// The session whose id begins with this text, whatever its state. `prefix` has to be long enough for there to be one only.
    pub fn session_by_prefix(&self, prefix: &str) -> rusqlite::Result<Option<Session>> {
        // `g` comes after every hexadecimal digit and the hyphen, so the index is used, which LIKE would not do.
        self.one_session("sessions.id >= ?1 AND sessions.id < ?1 || 'g'", params![prefix])
    }

    fn one_session(&self, condition: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<Option<Session>> {
        self.lock().query_row(&format!("SELECT {SESSION_COLUMNS} FROM sessions WHERE {condition}"), parameters, read_session).optional()
    }

    /// Sessions in any state, of one user, of one client, or both; newest first.
    pub fn find_sessions(&self, user_id: Option<&str>, client_id: Option<&str>) -> rusqlite::Result<Vec<Session>> {
        self.lock()
            .prepare(&format!(
                "SELECT {SESSION_COLUMNS} FROM sessions
                 WHERE (?1 IS NULL OR user_id = ?1) AND (?2 IS NULL OR client_id = ?2)
                 ORDER BY created_at DESC, seq DESC"
            ))?
            .query_map(params![user_id, client_id], read_session)?
            .collect()
    }

    /// Notes that a session was seen.
    pub fn touch(&self, id: &str, now: i64) -> rusqlite::Result<()> {
        self.lock().execute("UPDATE sessions SET last_active_at = max(last_active_at, ?2) WHERE id = ?1", params![id, now]).map(drop)
    }

    /// The sessions of a user that are alive, newest first.
    pub fn active_sessions(&self, user_id: &str, application_id: Option<&str>, now: i64) -> rusqlite::Result<Vec<Session>> {
        self.lock()
            .prepare(&format!(
                "SELECT {SESSION_COLUMNS} FROM sessions
                 WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?2 AND (?3 IS NULL OR application_id = ?3)
                 ORDER BY created_at DESC, seq DESC"
            ))?
            .query_map(params![user_id, now, application_id], read_session)?
            .collect()
    }

    /// Every session as it is stored, ended ones too, with its user's e-mail address, newest first.
    pub fn all_sessions(&self, email: Option<&str>) -> rusqlite::Result<Vec<(Session, String)>> {
        self.lock()
            .prepare(&format!(
                "SELECT {SESSION_COLUMNS}, email FROM sessions JOIN users ON users.id = sessions.user_id
                 WHERE ?1 IS NULL OR email = ?1 ORDER BY created_at DESC, sessions.seq DESC"
            ))?
            .query_map(params![email], |row| Ok((read_session(row)?, row.get("email")?)))?
            .collect()
    }

    /// Ends a session, but only if it is the session of `owner`.
    pub fn revoke(&self, id: &str, owner: &str, now: i64, ending: Ending) -> rusqlite::Result<Revocation> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: Option<(String, Option<i64>)> =
            transaction.query_row("SELECT user_id, revoked_at FROM sessions WHERE id = ?1", params![id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let result = match found {
            None => Revocation::NotFound,
            Some((user, _)) if user != owner => Revocation::NotYours,
            Some((_, Some(_))) => Revocation::AlreadyEnded,
            Some((_, None)) => {
                transaction.execute("UPDATE sessions SET revoked_at = ?2, ended_by = ?3 WHERE id = ?1", params![id, now, ending.as_str()])?;
                Revocation::Done
            }
        };
        transaction.commit()?;
        Ok(result)
    }

    /// Ends the living sessions of a user, on one application or everywhere; answers how many.
    pub fn revoke_all(&self, user_id: &str, application_id: Option<&str>, now: i64, ending: Ending) -> rusqlite::Result<usize> {
        self.lock().execute(
            "UPDATE sessions SET revoked_at = ?3, ended_by = ?4
             WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?3 AND (?2 IS NULL OR application_id = ?2)",
            params![user_id, application_id, now, ending.as_str()],
        )
    }

    /// Uses a token that is good for one use, without touching its session; `next` is the id of the one that takes its place and when the
    /// session ends then.
    pub fn spend(&self, jti: &str, next: Option<(&str, i64)>, now: i64) -> rusqlite::Result<Spending> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some((mut session, used_at)) = session_of_token(&transaction, jti)? else {
            return Ok(Spending::Unknown);
        };
        if session.revoked_at.is_some() {
            return Ok(Spending::Ended(Box::new(session)));
        }
        if used_at.is_some() {
            return Ok(Spending::Used(Box::new(session)));
        }
        if session.expires_at <= now {
            return Ok(Spending::Expired);
        }
        transaction.execute("UPDATE refresh_tokens SET used_at = ?2 WHERE jti = ?1", params![jti, now])?;
        if let Some((next, expires_at)) = next {
            insert_refresh_token(&transaction, next, &session.id)?;
            session = Session { last_active_at: now, expires_at, ..session };
            transaction.execute("UPDATE sessions SET last_active_at = ?2, expires_at = ?3 WHERE id = ?1", params![session.id, now, expires_at])?;
        }
        transaction.commit()?;
        Ok(Spending::Fresh(Box::new(session)))
    }

    /// Uses a refresh token: ends its session and makes a new one in its place, in one transaction. A second use ends everything.
    pub fn rotate(&self, rotate: Rotate<'_>) -> rusqlite::Result<Rotation> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some((old, used_at)) = session_of_token(&transaction, rotate.jti)? else {
            return Ok(Rotation::Unknown);
        };
        if rotate.client_id.is_some_and(|client| client != old.client_id) {
            return Ok(Rotation::WrongClient);
        }
        let result = if used_at.is_some() {
            transaction.execute(
                "UPDATE sessions SET revoked_at = ?3, ended_by = ?4 WHERE user_id = ?1 AND client_id = ?2 AND revoked_at IS NULL",
                params![old.user_id, old.client_id, rotate.now, Ending::Replay.as_str()],
            )?;
            Rotation::Replayed
        } else if old.revoked_at.is_some() {
            Rotation::Ended
        } else if old.expires_at <= rotate.now {
            Rotation::Expired
        } else {
            transaction.execute("UPDATE refresh_tokens SET used_at = ?2 WHERE jti = ?1", params![rotate.jti, rotate.now])?;
            transaction.execute("UPDATE sessions SET revoked_at = ?2, ended_by = ?3 WHERE id = ?1", params![old.id, rotate.now, Ending::Rotated.as_str()])?;
            let new = Session { id: rotate.new_id.to_owned(), created_at: rotate.now, last_active_at: rotate.now, expires_at: rotate.expires_at, ..old };
            let seq = insert(&transaction, &new)?;
            insert_refresh_token(&transaction, rotate.new_jti, &new.id)?;
            Rotation::Fresh(Box::new(Session { seq, ..new }))
        };
        transaction.commit()?;
        Ok(result)
    }
}

/// SQLite would make the file readable to everybody; it holds the token secret.
fn make_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A refresh token's session, and when the token was used.
fn session_of_token(transaction: &Transaction<'_>, jti: &str) -> rusqlite::Result<Option<(Session, Option<i64>)>> {
    transaction
        .query_row(
            &format!("SELECT {SESSION_COLUMNS}, used_at FROM refresh_tokens JOIN sessions ON sessions.id = session_id WHERE jti = ?1"),
            params![jti],
            |row| Ok((read_session(row)?, row.get("used_at")?)),
        )
        .optional()
}

/// Answers how many there are more.
fn insert_user(connection: &Connection, user: &User, password: &PasswordHash) -> rusqlite::Result<usize> {
    connection.execute(
        "INSERT OR IGNORE INTO users (id, email, name, password_salt, password_rounds, password_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![user.id, user.email, user.name, password.salt, password.rounds, password.hash],
    )
}

/// Answers the number of the new row.
fn insert(transaction: &Transaction<'_>, session: &Session) -> rusqlite::Result<i64> {
    transaction.execute(
        "INSERT INTO sessions (id, user_id, application_id, client_id, created_at, last_active_at, expires_at,
             revoked_at, ended_by, user_agent, ip_address, tenant, city, country)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            session.id,
            session.user_id,
            session.application_id,
            session.client_id,
            session.created_at,
            session.last_active_at,
            session.expires_at,
            session.revoked_at,
            session.ended_by,
            session.user_agent,
            session.ip_address,
            session.tenant,
            session.city,
            session.country,
        ],
    )?;
    Ok(transaction.last_insert_rowid())
}

fn insert_refresh_token(transaction: &Transaction<'_>, jti: &str, session_id: &str) -> rusqlite::Result<()> {
    transaction.execute("INSERT INTO refresh_tokens (jti, session_id) VALUES (?1, ?2)", params![jti, session_id])?;
    Ok(())
}

fn read_user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User { seq: row.get("seq")?, id: row.get("id")?, email: row.get("email")?, name: row.get("name")? })
}

fn read_session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        seq: row.get("seq")?,
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        application_id: row.get("application_id")?,
        client_id: row.get("client_id")?,
        created_at: row.get("created_at")?,
        last_active_at: row.get("last_active_at")?,
        expires_at: row.get("expires_at")?,
        revoked_at: row.get("revoked_at")?,
        ended_by: row.get("ended_by")?,
        user_agent: row.get("user_agent")?,
        ip_address: row.get("ip_address")?,
        tenant: row.get("tenant")?,
        city: row.get("city")?,
        country: row.get("country")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::OsRandom;

    fn user(id: &str) -> (User, PasswordHash) {
        let user = User { seq: 0, id: id.into(), email: format!("{id}@example.com"), name: id.into() };
        (user, PasswordHash::new("p", [0; 16], 1))
    }

    fn session(id: &str, user: &str, created_at: i64) -> Session {
        Session {
            seq: 0,
            id: id.into(),
            user_id: user.into(),
            application_id: "app".into(),
            client_id: "client".into(),
            created_at,
            last_active_at: created_at,
            expires_at: 1_000,
            revoked_at: None,
            ended_by: None,
            user_agent: Some("agent".into()),
            ip_address: None,
            tenant: None,
            city: None,
            country: None,
        }
    }

    fn store() -> Store {
        let store = Store::in_memory().unwrap();
        store.replace_all(&[user("a"), user("b")], &[]).unwrap();
        store
    }

    fn rotate<'a>(jti: &'a str, new: &'a str) -> Rotate<'a> {
        Rotate { jti, client_id: Some("client"), now: 10, expires_at: 2_000, new_id: new, new_jti: new }
    }

    fn active(store: &Store, user: &str) -> Vec<String> {
        let sessions = store.active_sessions(user, None, 10).unwrap();
        sessions.into_iter().map(|session| session.id).collect()
    }

    #[test]
    fn lists_newest_first_and_only_what_is_alive() {
        let store = store();
        for (id, created) in [("old", 1), ("tie-1", 5), ("tie-2", 5)] {
            store.add_session(session(id, "a", created), id).unwrap();
        }
        store.add_session(session("b1", "b", 9), "b1").unwrap();
        assert_eq!(active(&store, "a"), ["tie-2", "tie-1", "old"]);
        assert!(store.active_sessions("a", None, 1_000).unwrap().is_empty());
        assert!(store.active_sessions("a", Some("x' OR 1=1 --"), 10).unwrap().is_empty());
    }

    #[test]
    fn revokes_once_and_only_ones_own() {
        let store = store();
        store.add_session(session("s", "a", 1), "s").unwrap();
        let revoke = |id, owner| store.revoke(id, owner, 5, Ending::Revoked).unwrap();
        assert_eq!(revoke("nothing", "a"), Revocation::NotFound);
        assert_eq!(revoke("s", "b"), Revocation::NotYours);
        assert_eq!(revoke("s", "a"), Revocation::Done);
        assert_eq!(revoke("s", "a"), Revocation::AlreadyEnded);
        let (row, email) = store.all_sessions(None).unwrap().remove(0);
        assert_eq!((row.revoked_at, row.ended_by.as_deref()), (Some(5), Some("revoked")));
        assert_eq!(email, "a@example.com");
    }

    #[test]
    fn a_refresh_makes_a_new_session_and_ends_the_old() {
        let store = store();
        store.add_session(session("s", "a", 1), "j").unwrap();
        let Rotation::Fresh(new) = store.rotate(rotate("j", "s2")).unwrap() else {
            panic!("not rotated");
        };
        assert_eq!((new.created_at, new.expires_at, new.user_agent.as_deref()), (10, 2_000, Some("agent")));
        assert_eq!(active(&store, "a"), ["s2"]);
    }

    #[test]
    fn a_replay_ends_every_session_of_the_user_on_the_client_and_no_other() {
        let store = store();
        store.add_session(session("s", "a", 1), "j").unwrap();
        store.add_session(session("phone", "a", 1), "phone").unwrap();
        let other_client = Session { client_id: "other".into(), ..session("tv", "a", 1) };
        store.add_session(other_client, "tv").unwrap();
        store.add_session(session("b1", "b", 1), "b1").unwrap();
        assert!(matches!(store.rotate(rotate("j", "s2")).unwrap(), Rotation::Fresh(_)));
        assert_eq!(store.rotate(rotate("j", "s3")).unwrap(), Rotation::Replayed);
        assert_eq!(active(&store, "a"), ["tv"]);
        assert_eq!(active(&store, "b"), ["b1"]);
        assert_eq!(store.rotate(rotate("s2", "s4")).unwrap(), Rotation::Ended, "the thief's token too");
    }

    #[test]
    fn other_refresh_failures_change_nothing() {
        let store = store();
        store.add_session(session("s", "a", 1), "j").unwrap();
        let with_client = |client_id| Rotate { client_id, ..rotate("j", "n") };
        assert_eq!(store.rotate(rotate("unknown", "n")).unwrap(), Rotation::Unknown);
        assert_eq!(store.rotate(with_client(Some("other"))).unwrap(), Rotation::WrongClient);
        let late = Rotate { now: 1_000, ..rotate("j", "n") };
        assert_eq!(store.rotate(late).unwrap(), Rotation::Expired);
        assert_eq!(active(&store, "a"), ["s"]);
        assert!(matches!(store.rotate(with_client(None)).unwrap(), Rotation::Fresh(_)));
    }

    #[test]
    fn a_token_is_spent_once_and_leaves_its_session_alive() {
        let store = store();
        store.add_session(session("s", "a", 1), "j").unwrap();
        let spend = |jti, next, now| store.spend(jti, next, now).unwrap();
        assert_eq!(spend("unknown", None, 5), Spending::Unknown);
        assert_eq!(spend("j", None, 1_000), Spending::Expired);
        let Spending::Fresh(made_longer) = spend("j", Some(("j2", 3_000)), 5) else {
            panic!("not spent");
        };
        assert_eq!((made_longer.last_active_at, made_longer.expires_at, made_longer.created_at), (5, 3_000, 1));
        assert_eq!(store.session("s").unwrap().as_ref(), Some(&*made_longer));
        assert_eq!(spend("j", None, 6), Spending::Used(made_longer.clone()));
        assert_eq!(spend("j2", None, 7), Spending::Fresh(made_longer), "nothing comes after it: the session stays as it is");
        assert_eq!(active(&store, "a"), ["s"]);
        store.revoke("s", "a", 8, Ending::Revoked).unwrap();
        assert!(matches!(spend("j", None, 9), Spending::Ended(_)));
    }

    #[test]
    fn sessions_are_found_by_id_number_and_prefix_whatever_their_state() {
        let store = store();
        let one = store.add_session(Session { client_id: "tv".into(), ..session("00ab-1", "a", 1) }, "1").unwrap();
        let two = store.add_session(session("00ac-2", "b", 2), "2").unwrap();
        assert_eq!((one.seq, two.seq), (1, 2));
        store.revoke("00ab-1", "a", 3, Ending::Revoked).unwrap();
        let seq = |session: Option<Session>| session.map(|session| session.seq);
        assert_eq!(seq(store.session("00ab-1").unwrap()), Some(1));
        assert_eq!(seq(store.session_by_seq(2).unwrap()), Some(2));
        assert_eq!(seq(store.session_by_prefix("00ab-").unwrap()), Some(1));
        assert_eq!(seq(store.session_by_prefix("00ac").unwrap()), Some(2));
        assert_eq!(seq(store.session_by_prefix("00ad").unwrap()), None);
        assert_eq!((seq(store.session("00ab").unwrap()), seq(store.session_by_seq(3).unwrap())), (None, None));
        let find = |user, client| store.find_sessions(user, client).unwrap().iter().map(|session| session.seq).collect::<Vec<_>>();
        assert_eq!((find(None, None), find(Some("a"), None), find(None, Some("tv")), find(Some("b"), Some("tv"))), (vec![2, 1], vec![1], vec![1], vec![]));
        store.touch("00ac-2", 9).unwrap();
        store.touch("00ac-2", 4).unwrap();
        assert_eq!(store.session("00ac-2").unwrap().unwrap().last_active_at, 9, "never back");
    }

    #[test]
    fn files_that_are_not_a_store_are_left_alone() {
        let folder = std::env::temp_dir().join(format!("sandbox-store-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let foreign = folder.join("foreign.sqlite3");
        Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE users (x); INSERT INTO users VALUES (1)").unwrap();
        let text = folder.join("text");
        std::fs::write(&text, "dear diary, ".repeat(100)).unwrap();
        for path in [&foreign, &text] {
            let error = Store::open(path, true).err().unwrap();
            assert!(format!("{error:#}").contains("--db"), "{error:#}");
        }
        let rows: i64 = Connection::open(&foreign).unwrap().query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
        let ours = folder.join("deep/ours.sqlite3");
        let secret = Store::open(&ours, false).unwrap().token_secret(&OsRandom).unwrap();
        let again = Store::open(&ours, false).unwrap().token_secret(&OsRandom).unwrap();
        assert_eq!(secret, again);
        let after_reset = Store::open(&ours, true).unwrap().token_secret(&OsRandom).unwrap();
        assert_ne!(secret, after_reset);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&ours).unwrap().permissions().mode() & 0o77, 0);
        }
        Connection::open(&ours).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(format!("{:#}", Store::open(&ours, false).err().unwrap()).contains("--reset"), "another version of the schema");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
