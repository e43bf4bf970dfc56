//! `cargo xtask start`: from a clean clone to the page in a browser.

use crate::{
    package,
    process::{self, Group, command, target, which},
    sandbox::{self, Page, Sandbox},
    tools::{self, Need},
};
use anyhow::{Context, Result, anyhow, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    thread,
    time::Instant,
};

/// The arguments of `start`.
#[derive(Debug, PartialEq)]
pub struct Options {
    port: u16,
    open: bool,
    reset: bool,
}

impl Options {
    /// Reads them from the command line.
    pub fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { port: 4800, open: true, reset: false };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--no-open" => options.open = false,
                "--reset" => options.reset = true,
                "--port" => {
                    let port = args.next().ok_or_else(|| anyhow!("--port needs a number"))?;
                    options.port = port.parse().with_context(|| format!("--port {port}"))?;
                }
                other => bail!("`start` knows --port N, --no-open and --reset, not {other}"),
            }
        }
        Ok(options)
    }
}

/// Builds everything, runs it until Ctrl-C.
pub fn run(options: &Options) -> Result<ExitCode> {
    let start = Instant::now();
    let modules = thread::scope(|scope| {
        // Compiles while the tools are fetched and the package is built.
        let server = scope.spawn(sandbox::build);
        let modules = scope.spawn(|| tools::npm_ci("tests"));
        let rest = tools::require(&[Need::WasmTarget, Need::WasmTools, Need::Packager])
            .and_then(|()| package::build())
            .and_then(|()| package::sizes(false))
            .and_then(|()| page());
        if rest.is_err() {
            process::kill_all();
        }
        let server = server.join().unwrap_or_else(|_| bail!("building the sandbox server broke off"));
        let modules = modules.join().unwrap_or_else(|_| bail!("fetching its modules broke off"));
        rest.and(server).map(|()| modules)
    })?;

    let port = sandbox::free_port(options.port)?;
    // One back-end of several: without it, the page shows the others and says so.
    let better_auth = modules.and_then(|()| BetterAuth::start(port, None));
    if let Err(error) = &better_auth {
        eprintln!("\nBetter Auth is left out: {error:#}");
    }
    let better_auth = better_auth.ok();

    let database = target().join("demo/sandbox.sqlite3");
    let dist = dist();
    let mut sandbox = Sandbox::start(&sandbox::Options {
        database: database.clone(),
        reset: options.reset,
        port,
        page: Some(Page { folder: &dist, connect_origin: better_auth.as_ref().map(|server| server.url.clone()) }),
        allow_origin: None,
        log: None,
    })?;
    if !sandbox.url.ends_with(&format!(":{}", options.port)) {
        println!("\nPort {} is busy; this one is the next that is free.", options.port);
    }
    print!("{}", welcome(&sandbox.url, &database, better_auth.as_ref().map(|server| server.url.as_str())));
    println!("Ready after {} s.\n", start.elapsed().as_secs());
    if options.open {
        open(&sandbox.url);
    }
    sandbox.wait()?;
    Ok(ExitCode::SUCCESS)
}

/// Type-checks and builds the page into `www/dist`.
pub fn page() -> Result<()> {
    tools::npm_ci("www")?;
    process::run(command("npm").args(["--prefix", "www", "run", "build"])).context("the page could not be built")
}

/// Where the built page is.
pub fn dist() -> PathBuf {
    process::root().join("www/dist")
}

/// The real Better Auth, which the page calls beside the sandbox; ended when dropped.
pub struct BetterAuth {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    _group: Group,
}

impl BetterAuth {
    /// Starts it for the page that is served at `page_port`, on the next free port, and tells the built page where it is.
    pub fn start(page_port: u16, log: Option<&Path>) -> Result<Self> {
        let port = sandbox::free_port(page_port.checked_add(1).context("there is no port after that of the page")?)?;
        let mut server = command("node");
        server.args(["tests/better-auth/server.mjs", "--port", &port.to_string()]);
        for host in ["127.0.0.1", "localhost"] {
            server.args(["--allow-origin", &format!("http://{host}:{page_port}")]);
        }
        let (url, group) = sandbox::serve("the Better Auth server", &mut server, "better-auth listening on ", log)?;
        let servers = dist().join("backends.json");
        fs::write(&servers, format!("{{\"better-auth\":\"{url}\"}}\n")).with_context(|| format!("could not write {}", process::show(&servers)))?;
        Ok(Self { url, _group: group })
    }
}

/// The box that says where everything is.
fn welcome(url: &str, database: &Path, better_auth: Option<&str>) -> String {
    let lines = [
        "auth-sessions is running".to_owned(),
        String::new(),
        format!("Page         {url}"),
        "Sign in      demo@example.com / demo-password".to_owned(),
        String::new(),
        format!("Sessions     curl {url}/sandbox/sessions"),
        format!("Database     {}", process::show(database)),
        format!("Better Auth  {}", better_auth.unwrap_or("not running, see above")),
        String::new(),
        "Stop         Ctrl-C".to_owned(),
    ];
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    let bar = "─".repeat(width + 4);
    let body: String = lines.iter().map(|line| format!("│  {line:width$}  │\n")).collect();
    format!("\n╭{bar}╮\n{body}╰{bar}╯\n")
}

/// Opens the default browser where there is a screen; the address is printed in any case.
fn open(url: &str) {
    let opener = if cfg!(target_os = "macos") {
        Some("open")
    } else {
        ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| env::var_os(name).is_some()).then_some("xdg-open")
    };
    let Some(opener) = opener.and_then(which).filter(|_| env::var_os("CI").is_none()) else {
        return;
    };
    // Not one of our children: the browser stays when the sandbox is stopped.
    let _ = Command::new(opener).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn arguments() {
        assert_eq!(parse("").unwrap(), Options { port: 4800, open: true, reset: false });
        assert_eq!(parse("--reset --port 80 --no-open").unwrap(), Options { port: 80, open: false, reset: true });
        for wrong in ["--port", "--port x", "--prot 1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_box_is_square() {
        for better_auth in [None, Some("http://127.0.0.1:4801")] {
            let welcome = welcome("http://127.0.0.1:4800", Path::new("/elsewhere/é.sqlite3"), better_auth);
            let widths: Vec<_> = welcome.lines().filter(|l| !l.is_empty()).map(|l| l.chars().count()).collect();
            assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{welcome}");
            assert!(welcome.contains("demo-password"));
            assert!(welcome.contains(better_auth.unwrap_or("not running")), "{welcome}");
        }
    }
}
