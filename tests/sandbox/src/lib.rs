//! A small real session server with a real database: the back-end of the demo, and of the tests.
//!
//! It speaks every supported back-end's wire format over one session store ([`wire`], [`store`]), signs real tokens ([`tokens`]), and plays
//! faults on demand ([`fault`]). [`start`] runs it inside a process; the binary is a command line around it. The README describes its routes.

pub mod admin;
pub mod ambient;
pub mod app;
pub mod fault;
pub mod http;
pub mod request_log;
pub mod seed;
pub mod server;
pub mod store;
pub mod tokens;
pub mod wire;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ambient::{Clock, OsRandom, Random, SystemClock};
use crate::app::App;

/// How a sandbox is to run.
#[derive(Clone)]
pub struct Config {
    /// The database file; `None` keeps everything in memory.
    pub db: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Allows an address that other machines can reach.
    pub listen_anywhere: bool,
    /// A folder of static files to serve at `/`.
    pub page: Option<PathBuf>,
    /// Origins of other pages that may call; see [`http::Origins::parse`].
    pub allow_origins: Vec<String>,
    /// Other origins that the page may call.
    pub connect_origins: Vec<String>,
    /// Lifetime of access tokens in seconds.
    pub access_ttl: i64,
    /// Lifetime of sessions and refresh tokens in seconds.
    pub refresh_ttl: i64,
    /// Empties the database first.
    pub reset: bool,
    /// Whether the rate limit is on from the start.
    pub rate_limit: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub random: Arc<dyn Random>,
}

impl Default for Config {
    /// In memory, on any free loopback port.
    fn default() -> Self {
        Self {
            db: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            listen_anywhere: false,
            page: None,
            allow_origins: Vec::new(),
            connect_origins: Vec::new(),
            access_ttl: 3600,
            refresh_ttl: 7 * 24 * 3600,
            reset: false,
            rate_limit: false,
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
        }
    }
}

/// A sandbox that is listening. It stops when this is dropped, or by [`Running::stop`].
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its state, for tests in the same process.
    pub app: Arc<App>,
    stop: watch::Sender<()>,
    serving: JoinHandle<()>,
}

impl Running {
    /// `http://127.0.0.1:4800`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops listening and waits for open requests, though not for long.
    pub async fn stop(self) {
        self.stop.send(()).ok();
        self.serving.await.ok();
    }
}

/// Opens the database, seeds it if it is new, and listens. Must be called inside a tokio runtime with time and network.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    check(&config)?;
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        let listen = config.listen;
        match error.kind() {
            ErrorKind::AddrInUse => anyhow!(
                "port {} is in use, perhaps by another sandbox: stop that one, or choose another port with --listen {}:0",
                listen.port(),
                config.listen.ip()
            ),
            ErrorKind::PermissionDenied => {
                anyhow!("not allowed to listen on {listen}: choose another port with --listen")
            }
            _ => anyhow!("cannot listen on {listen} (--listen): {error}"),
        }
    })?;
    let address = listener.local_addr().context("cannot listen")?;
    let page = config.page.clone().map(|folder| server::Page::new(folder, &config.connect_origins)).transpose()?;
    let app = tokio::task::spawn_blocking(move || App::open(&config, address)).await.context("cannot start")??;
    let app = Arc::new(app);
    let router = server::router(&app, page);
    let (stop, stopped) = watch::channel(());
    let serving = tokio::spawn(server::serve(listener, router, Arc::clone(&app), stopped));
    Ok(Running { address, app, stop, serving })
}

fn check(config: &Config) -> anyhow::Result<()> {
    if !config.listen.ip().is_loopback() && !config.listen_anywhere {
        bail!(
            "{} can be reached from other machines, and the sandbox lets everybody in: listen on 127.0.0.1, or say --listen-anywhere too",
            config.listen.ip()
        );
    }
    // A century is enough, and keeps every sum of times far from overflow.
    for (name, ttl) in [("--access-ttl", config.access_ttl), ("--refresh-ttl", config.refresh_ttl)] {
        if !(1..=100 * 366 * 24 * 3600).contains(&ttl) {
            bail!("{name} is a number of seconds, 1 or more");
        }
    }
    if let Some(page) = &config.page
        && !page.join("index.html").is_file()
    {
        bail!("there is no index.html in {} (--page): build the page first", page.display());
    }
    for origin in config.allow_origins.iter().chain(&config.connect_origins) {
        http::Origins::parse(origin)?;
    }
    Ok(())
}
