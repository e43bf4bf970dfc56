//! The sandbox server: builds it, starts it on a free port and ends it.

use crate::process::{self, Group, command, run_quiet, target};
use anyhow::{Context, Result, anyhow, bail};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// What the sandbox prints before its address, once it accepts connections.
const READY: &str = "sandbox listening on ";
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How to start it.
pub struct Options<'a> {
    /// Its SQLite file; the folder is made.
    pub database: PathBuf,
    /// Whether to begin with a fresh database.
    pub reset: bool,
    /// The port, if it is free, otherwise the next one that is.
    pub port: u16,
    /// A page to serve.
    pub page: Option<Page<'a>>,
    /// An origin besides its own that may call it, under both of this machine's names.
    pub allow_origin: Option<String>,
    /// Where its log goes; `None`: to our output.
    pub log: Option<&'a Path>,
}

/// A page, and what it may call besides the sandbox.
pub struct Page<'a> {
    pub folder: &'a Path,
    pub connect_origin: Option<String>,
}

/// A running sandbox; ended when dropped.
pub struct Sandbox {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    group: Group,
}

/// Compiles the sandbox, quietly unless it fails.
pub fn build() -> Result<()> {
    run_quiet("sandbox server", command("cargo").args(["build", "-p", "sandbox"]))
}

impl Sandbox {
    /// Starts it and waits until it accepts connections.
    pub fn start(options: &Options<'_>) -> Result<Self> {
        if let Some(folder) = options.database.parent() {
            fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
        }
        let port = free_port(options.port)?;
        let mut sandbox = command(target().join("debug/sandbox"));
        sandbox.arg("--db").arg(&options.database).args(["--listen", &format!("{}:{port}", Ipv4Addr::LOCALHOST)]);
        if let Some(Page { folder, connect_origin }) = &options.page {
            sandbox.arg("--page").arg(folder);
            sandbox.args(connect_origin.iter().flat_map(|origin| ["--connect-origin", origin]));
        }
        if let Some(origin) = &options.allow_origin {
            sandbox.args(["--allow-origin", origin, "--allow-origin", &origin.replace("127.0.0.1", "localhost")]);
        }
        if options.reset {
            sandbox.arg("--reset");
        }
        let (url, group) = serve("the sandbox", &mut sandbox, READY, options.log)?;
        Ok(Self { url, group })
    }

    /// Waits for as long as it runs; that it ends by itself is an error.
    pub fn wait(&mut self) -> Result<()> {
        let status = self.group.wait_forever()?;
        bail!("the sandbox ended by itself ({status})")
    }
}

/// Starts a server and waits until it says where it listens: on stdout, after the words `ready`.
pub fn serve(name: &str, server: &mut Command, ready: &'static str, log: Option<&Path>) -> Result<(String, Group)> {
    server.stdout(Stdio::piped());
    let output: Box<dyn Write + Send> = match log {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("could not write {}", path.display()))?;
            server.stderr(file.try_clone()?);
            Box::new(file)
        }
        None => Box::new(std::io::stdout()),
    };
    let mut group = Group::spawn(server)?;
    let stdout = group.child().stdout.take().ok_or_else(|| anyhow!("{name} has no output"))?;
    let (send, address) = mpsc::channel();
    thread::spawn(move || forward(BufReader::new(stdout), ready, output, &send));
    let place = log.map(|log| format!("; see {}", process::show(log))).unwrap_or_default();
    match address.recv_timeout(READY_WITHIN) {
        Ok(url) => Ok((url, group)),
        Err(mpsc::RecvTimeoutError::Timeout) => bail!("{name} was not ready after {} s{place}", READY_WITHIN.as_secs()),
        Err(mpsc::RecvTimeoutError::Disconnected) => bail!("{name} ended before it was ready{place}"),
    }
}

/// The first free port from `first` on.
pub fn free_port(first: u16) -> Result<u16> {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let last = first.saturating_add(100);
    (first..=last).find(free).ok_or_else(|| anyhow!("no free port from {first} to {last}"))
}

/// Copies a server's output to `log`, and sends the address once it is there.
fn forward(output: impl BufRead, ready: &str, mut log: impl Write, address: &mpsc::Sender<String>) {
    for line in output.lines().map_while(Result::ok) {
        match line.strip_prefix(ready) {
            Some(url) => {
                let _ = address.send(url.trim().to_owned());
            }
            None => {
                let _ = writeln!(log, "{line}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(free_port(port).unwrap() > port);
    }

    #[test]
    fn the_address_is_sent_and_the_rest_is_logged() {
        let (send, ready) = mpsc::channel();
        let mut log = Vec::new();
        forward("seeding\nsandbox listening on http://127.0.0.1:4800\nGET /\n".as_bytes(), READY, &mut log, &send);
        assert_eq!(ready.recv().unwrap(), "http://127.0.0.1:4800");
        assert_eq!(log, b"seeding\nGET /\n");
    }
}
