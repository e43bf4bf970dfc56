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
        let modules = scope.spawn(|| Modules { better_auth: tools::npm_ci("tests"), worker: tools::npm_ci("www/edge") });
        let rest = tools::require(&[Need::WasmTarget, Need::WasmTools, Need::Packager])
            .and_then(|()| package::build())
            .and_then(|()| package::sizes(false))
            .and_then(|()| page());
        if rest.is_err() {
            process::kill_all();
        }
        let server = server.join().unwrap_or_else(|_| bail!("building the sandbox server broke off"));
        let modules = modules.join().map_err(|_| anyhow!("fetching modules broke off"));
        rest.and(server).and(modules)
    })?;

    let database = target().join("demo/sandbox.sqlite3");
    let mut demo = Demo::start(&DemoOptions { port: options.port, database: database.clone(), reset: options.reset, logs: None }, modules)?;
    if !demo.page.ends_with(&format!(":{}", options.port)) {
        println!("\nPort {} is busy; this one is the next that is free.", options.port);
    }
    if let Err(error) = &demo.better_auth {
        eprintln!("\nBetter Auth is left out: {error:#}");
    }
    if let Err(error) = &demo.worker {
        eprintln!("\nThe handler is left out, and so are Clerk and KSeF: {error:#}");
    }
    print!("{}", welcome(&demo, &database));
    println!("Ready after {} s.\n", start.elapsed().as_secs());
    if options.open {
        open(&demo.page);
    }
    demo.sandbox.wait()?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the npm modules are there of what is not needed for the page itself.
pub struct Modules {
    /// For Better Auth: those of `tests/`.
    pub better_auth: Result<()>,
    /// For the Worker: those of `www/edge/`.
    pub worker: Result<()>,
}

/// How to start what is behind the page.
pub struct DemoOptions<'a> {
    /// The page's port, if it is free, otherwise the next one that is.
    pub port: u16,
    /// The sandbox's SQLite file.
    pub database: PathBuf,
    /// Whether to begin with a fresh database.
    pub reset: bool,
    /// The folder for the logs; `None`: to our output.
    pub logs: Option<&'a Path>,
}

/// The page and all that it calls, running; ended when dropped. A Worker serves the page, and the handler for Clerk and KSeF with it; the sandbox and Better Auth are other
/// origins, which the page calls directly. Where the Worker can't run, the sandbox serves the page.
pub struct Demo {
    /// `http://127.0.0.1:PORT`
    pub page: String,
    pub sandbox: Sandbox,
    /// Or why it is left out: the page shows the other back-ends and says so.
    pub better_auth: Result<BetterAuth>,
    /// Or why it is left out.
    pub worker: Result<Worker>,
}

impl Demo {
    pub fn start(options: &DemoOptions<'_>, modules: Modules) -> Result<Self> {
        let log = |name: &str| options.logs.map(|folder| folder.join(format!("{name}-page.log")));
        let port = sandbox::free_port(options.port)?;
        let better_auth = modules.better_auth.and_then(|()| BetterAuth::start(port, log("better-auth").as_deref()));
        let better_auth_url = better_auth.as_ref().ok().map(|server| server.url.clone());
        let beside = sandbox::free_port(port.checked_add(2).context("there is no port left beside the page's")?)?;
        let beside_url = format!("http://127.0.0.1:{beside}");
        tell(Some(&beside_url), better_auth_url.as_deref(), Some("/"))?;
        let worker = modules.worker.and_then(|()| Worker::start(port, &beside_url, better_auth_url.as_deref(), log("worker").as_deref()));
        let dist = dist();
        let (port, page, allow_origin) = match &worker {
            Ok(worker) => (beside, None, Some(worker.url.clone())),
            Err(_) => {
                tell(Some("/"), better_auth_url.as_deref(), None)?;
                (port, Some(Page { folder: &dist, connect_origin: better_auth_url }), None)
            }
        };
        let log = log("sandbox");
        let sandbox =
            Sandbox::start(&sandbox::Options { database: options.database.clone(), reset: options.reset, port, page, allow_origin, log: log.as_deref() })?;
        let page = worker.as_ref().map_or_else(|_| sandbox.url.clone(), |worker| worker.url.clone());
        Ok(Self { page, sandbox, better_auth, worker })
    }
}

/// Tells the built page where the servers are; `/` is its own origin.
fn tell(sandbox: Option<&str>, better_auth: Option<&str>, handler: Option<&str>) -> Result<()> {
    let file = dist().join("backends.json");
    let url = |url: Option<&str>| url.map_or_else(|| "null".to_owned(), |url| format!("\"{url}\""));
    let text = format!("{{\"sandbox\":{},\"better-auth\":{},\"handler\":{}}}\n", url(sandbox), url(better_auth), url(handler));
    fs::write(&file, text).with_context(|| format!("could not write {}", process::show(&file)))
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
    /// Starts it for the page that is served at `page_port`, on the next free port.
    pub fn start(page_port: u16, log: Option<&Path>) -> Result<Self> {
        let port = sandbox::free_port(page_port.checked_add(1).context("there is no port after that of the page")?)?;
        let mut server = command("node");
        server.args(["tests/better-auth/server.mjs", "--port", &port.to_string()]);
        for host in ["127.0.0.1", "localhost"] {
            server.args(["--allow-origin", &format!("http://{host}:{page_port}")]);
        }
        let (url, group) = sandbox::serve("the Better Auth server", &mut server, "better-auth listening on ", log)?;
        Ok(Self { url, _group: group })
    }
}

/// The Worker of `www/edge` in workerd; ended when dropped.
pub struct Worker {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    _group: Group,
}

impl Worker {
    /// Starts it on `port`. The page that it serves may call the sandbox and Better Auth.
    fn start(port: u16, sandbox: &str, better_auth: Option<&str>, log: Option<&Path>) -> Result<Self> {
        let mut server = command("node");
        server.args(["www/edge/serve.mjs", "--port", &port.to_string(), "--sandbox", sandbox]);
        for origin in [sandbox, &sandbox.replace("127.0.0.1", "localhost")].into_iter().chain(better_auth) {
            server.args(["--connect-origin", origin]);
        }
        let (url, group) = sandbox::serve("workerd", &mut server, "worker listening on ", log)?;
        Ok(Self { url, _group: group })
    }
}

/// The box that says where everything is.
fn welcome(demo: &Demo, database: &Path) -> String {
    let better_auth = demo.better_auth.as_ref().map(|server| &*server.url).ok();
    let worker = demo.worker.as_ref().map(|worker| &*worker.url).ok();
    boxed(&demo.page, &demo.sandbox.url, database, better_auth, worker)
}

fn boxed(page: &str, sandbox: &str, database: &Path, better_auth: Option<&str>, worker: Option<&str>) -> String {
    let not = "not running, see above";
    let lines = [
        "auth-sessions is running".to_owned(),
        String::new(),
        format!("Page         {page}"),
        "Sign in      demo@example.com / demo-password".to_owned(),
        String::new(),
        format!("Sessions     curl {sandbox}/sandbox/sessions"),
        format!("Database     {}", process::show(database)),
        format!("Handler      {}", worker.map_or_else(|| not.to_owned(), |url| format!("{url}, in workerd"))),
        format!("Better Auth  {}", better_auth.unwrap_or(not)),
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
        let url = "http://127.0.0.1:4801";
        for (better_auth, worker) in [(None, None), (Some(url), None), (None, Some(url)), (Some(url), Some(url))] {
            let welcome = boxed("http://127.0.0.1:4800", "http://127.0.0.1:4802", Path::new("/elsewhere/é.sqlite3"), better_auth, worker);
            let widths: Vec<_> = welcome.lines().filter(|l| !l.is_empty()).map(|l| l.chars().count()).collect();
            assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{welcome}");
            assert!(welcome.contains("demo-password"));
            assert_eq!(welcome.matches("not running").count(), [better_auth, worker].iter().filter(|server| server.is_none()).count(), "{welcome}");
        }
    }
}
