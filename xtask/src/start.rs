//! `cargo xtask start`: from a clean clone to the page in a browser.

use crate::{
    package,
    process::{self, command, target, which},
    sandbox::{self, Sandbox},
    tools::{self, Need},
};
use anyhow::{Context, Result, anyhow, bail};
use std::{
    env,
    path::Path,
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
    thread::scope(|scope| {
        // Compiles while the tools are fetched and the package is built.
        let server = scope.spawn(sandbox::build);
        let rest = tools::require(&[Need::WasmTarget, Need::WasmTools, Need::Packager])
            .and_then(|()| package::build())
            .and_then(|()| package::sizes(false))
            .and_then(|()| page());
        if rest.is_err() {
            process::kill_all();
        }
        let server = server.join().unwrap_or_else(|_| bail!("building the sandbox server broke off"));
        rest.and(server)
    })?;

    let database = target().join("demo/sandbox.sqlite3");
    let mut sandbox = Sandbox::start(&sandbox::Options {
        database: database.clone(),
        reset: options.reset,
        port: options.port,
        page: Some(&process::root().join("www/dist")),
        allow_origin: None,
        log: None,
    })?;
    if !sandbox.url.ends_with(&format!(":{}", options.port)) {
        println!("\nPort {} is busy; this one is the next that is free.", options.port);
    }
    print!("{}", welcome(&sandbox.url, &database));
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

/// The box that says where everything is.
fn welcome(url: &str, database: &Path) -> String {
    let lines = [
        "auth-sessions is running".to_owned(),
        String::new(),
        format!("Page       {url}"),
        "Sign in    demo@example.com / demo-password".to_owned(),
        String::new(),
        format!("Sessions   curl {url}/sandbox/sessions"),
        format!("Database   {}", process::show(database)),
        String::new(),
        "Stop       Ctrl-C".to_owned(),
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
        let welcome = welcome("http://127.0.0.1:4800", Path::new("/elsewhere/é.sqlite3"));
        let widths: Vec<_> = welcome.lines().filter(|l| !l.is_empty()).map(|l| l.chars().count()).collect();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{welcome}");
        assert!(welcome.contains("demo-password"));
    }
}
