//! The command line of the sandbox.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use lexopt::Arg;
use sandbox::Config;
use sandbox::http::Origins;

const USAGE: &str = "\
A session server to develop and test against. It lets everybody in: for your own machine only.

Usage: sandbox [OPTIONS]

  --db PATH               database file [default: ./target/sandbox.sqlite3]
  --reset                 empty it and start with fresh demo data
  --listen ADDR:PORT      where to listen; port 0 is any free one [default: 127.0.0.1:4800]
  --listen-anywhere       allow an address that other machines can reach
  --page DIR              serve these static files at /
  --connect-origin ORIGIN let that page call this origin, too; can be repeated
  --allow-origin ORIGIN   let pages of this origin call, too; can be repeated
  --access-ttl SECONDS    lifetime of access tokens [default: 3600]
  --refresh-ttl SECONDS   lifetime of sessions and refresh tokens [default: 604800]
  --rate-limit            limit requests as the real back-ends do
  --help, --version

When it is ready it prints one line: sandbox listening on http://127.0.0.1:4800
Demo user: demo@example.com, password demo-password
";

enum Command {
    Serve(Box<Config>),
    Print(String),
}

fn main() -> ExitCode {
    let result = parse(std::env::args_os().skip(1)).and_then(|command| match command {
        Command::Print(text) => print(&text),
        Command::Serve(config) => serve(*config),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: impl Iterator<Item = OsString>) -> anyhow::Result<Command> {
    let mut config = Config { db: Some(PathBuf::from("./target/sandbox.sqlite3")), listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4800)), ..Config::default() };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("db") => config.db = Some(parser.value()?.into()),
            Arg::Long("page") => config.page = Some(parser.value()?.into()),
            Arg::Long("reset") => config.reset = true,
            Arg::Long("rate-limit") => config.rate_limit = true,
            Arg::Long("listen-anywhere") => config.listen_anywhere = true,
            Arg::Long("listen") => config.listen = address(&text(&mut parser)?)?,
            Arg::Long("allow-origin") => {
                let origin = Origins::parse(&text(&mut parser)?).context("--allow-origin")?;
                config.allow_origins.push(origin);
            }
            Arg::Long("connect-origin") => {
                let origin = Origins::parse(&text(&mut parser)?).context("--connect-origin")?;
                config.connect_origins.push(origin);
            }
            Arg::Long("access-ttl") => config.access_ttl = seconds(&mut parser, "--access-ttl")?,
            Arg::Long("refresh-ttl") => config.refresh_ttl = seconds(&mut parser, "--refresh-ttl")?,
            Arg::Long("help") | Arg::Short('h') => return Ok(Command::Print(USAGE.to_owned())),
            Arg::Long("version") | Arg::Short('V') => {
                return Ok(Command::Print(format!("sandbox {}\n", env!("CARGO_PKG_VERSION"))));
            }
            other => return Err(anyhow!("{} (see --help)", other.unexpected())),
        }
    }
    Ok(Command::Serve(Box::new(config)))
}

fn text(parser: &mut lexopt::Parser) -> anyhow::Result<String> {
    parser.value()?.into_string().map_err(|value| anyhow!("{value:?} is not text"))
}

fn seconds(parser: &mut lexopt::Parser, name: &str) -> anyhow::Result<i64> {
    let text = text(parser)?;
    text.parse().map_err(|_| anyhow!("{name} is a number of seconds, not {text:?}"))
}

fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("{}:{port}", Ipv4Addr::LOCALHOST),
        None => text.to_owned(),
    };
    numeric.parse().map_err(|_| anyhow!("--listen is an address and a port, such as 127.0.0.1:4800 or [::1]:0, not {text:?}"))
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to stdout")
}

fn serve(config: Config) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("cannot start")?.block_on(async {
        let running = sandbox::start(config).await?;
        // Before the line: whoever reads it may stop the sandbox at once.
        let stop = stop_signal()?;
        print(&format!("sandbox listening on {}\n", running.url()))?;
        stop.await?;
        running.stop().await;
        Ok(())
    })
}

/// Listens for Ctrl-C, or SIGTERM from whoever started us, from now on; the future ends with the first of them.
fn stop_signal() -> anyhow::Result<impl Future<Output = anyhow::Result<()>>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            Ok(())
        })
    }
    #[cfg(not(unix))]
    Ok(async { tokio::signal::ctrl_c().await.context("cannot listen for signals") })
}
