//! The build tool of the project, run as `cargo xtask VERB`.
//!
//! | module | does |
//! |---|---|
//! | `tools` | finds or installs everything that the verbs need, pinned |
//! | `package` | wasm-pack, then `package.mjs` and `size.mjs`: makes `pkg/` |
//! | `sandbox` | builds and runs the sandbox server, for `start` and for the tests |
//! | `start` | the demo: package, page and sandbox by one command |
//! | `test` | every test step in order, and the table at the end |
//! | `privacy` | the step that scans the files for what must not be published |
//! | `supply` | the steps about where crates and modules come from, and the same bytes from the same files |
//! | `process` | child processes: logs, deadlines, and nothing left running |

#[cfg(not(unix))]
compile_error!("cargo xtask needs Linux or macOS; on Windows use WSL");

mod package;
mod privacy;
mod process;
mod sandbox;
mod start;
mod supply;
mod test;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask VERB

  start [--port N] [--no-open] [--reset]   build everything, run the sandbox and the page, open it in the browser
                                           (--reset: begin with a fresh database)
  test [NAME...] [--list]                  run every test step, or only those named
  build                                    make pkg/ and print its size
  fuzz [TARGET...]                         the fuzzers, 10 minutes each, or FUZZ_SECONDS
  bench [NAME...] [--quick] [--publish]    measure the package beside other clients and plain fetch: download, list, start,
                                           memory, revoke-all; figures and a chart go to target/bench/;
                                           without names also labels beside bowser
                                           (--publish: after a full run, the chart to docs/images/bench.svg, too)
  doctor                                   show which tools are there; installs nothing

Missing tools are installed by themselves; the Rust ones go to
$AUTH_SESSIONS_TOOLS, or else to auth-sessions/ in your cache directory.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = process::stop_children_on_signals().and_then(|()| run(&args));
    process::kill_all();
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let (verb, rest) = match args.split_first() {
        Some((verb, rest)) => (verb.as_str(), rest),
        None => ("help", args),
    };
    if rest.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    match verb {
        "start" => start::run(&start::Options::parse(rest)?),
        "test" => test::run_steps(rest),
        "build" | "doctor" if !rest.is_empty() => {
            anyhow::bail!("`{verb}` takes no arguments\n\n{USAGE}")
        }
        "build" => {
            tools::require(&[tools::Need::WasmTarget, tools::Need::WasmTools, tools::Need::Packager])?;
            package::build()?;
            package::sizes(false)?;
            Ok(ExitCode::SUCCESS)
        }
        "fuzz" => {
            process::run(process::command("node").args(["tests/fuzz/run.mjs", "long"]).args(rest))?;
            Ok(ExitCode::SUCCESS)
        }
        "bench" => {
            use tools::Need;
            tools::require(&[Need::WasmTarget, Need::WasmTools, Need::Packager])?;
            // Without one of them, the table says what could not be measured.
            tools::ensure(&[Need::Matrix, Need::Peers, Need::TestModules, Need::Chromium]);
            package::build()?;
            test::bench(rest)?;
            if rest.iter().all(|name| name.starts_with('-')) {
                test::matrix("bench-labels.mjs")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        "doctor" => Ok(tools::doctor()),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => anyhow::bail!("there is no verb `{other}`\n\n{USAGE}"),
    }
}
