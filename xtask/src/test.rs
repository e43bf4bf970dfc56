//! `cargo xtask test`: every step in order, each with its header and its output, and a table at the end.

use crate::{
    package, privacy,
    process::{command, run, run_within, show, target, which},
    sandbox::{self, Page, Sandbox},
    start, supply,
    tools::{self, Missing, Need},
};
use anyhow::{Context, Result, bail};
use std::{
    cell::OnceCell,
    fmt, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

/// One step of the test command.
struct Step {
    name: &'static str,
    title: &'static str,
    needs: &'static [Need],
    /// What has to be built first; done once in a run, in this order, by whichever step comes first.
    uses: &'static [Made],
    run: fn(&Shared) -> Result<Outcome>,
}

/// What several steps look at.
#[derive(Clone, Copy, PartialEq)]
enum Made {
    /// `pkg/`
    Package,
    /// `www/dist`, which imports the package
    Page,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Package => "pkg/",
            Self::Page => "the page",
        })
    }
}

/// What it takes to build the package, and so the page.
const PACKAGE_NEEDS: &[Need] = &[Need::WasmTarget, Need::WasmTools, Need::Packager];

/// How a step that did not fail ended.
enum Outcome {
    Passed,
    Skipped(String),
}

const STEPS: &[Step] = &[
    Step { name: "fmt", title: "formatting", needs: &[Need::Lints], uses: &[], run: |_| passed(cargo("fmt --all --check")) },
    Step {
        name: "clippy",
        title: "clippy, native",
        needs: &[Need::Lints],
        uses: &[],
        run: |_| passed(cargo("clippy --workspace --all-targets -- -D warnings")),
    },
    Step { name: "clippy-wasm", title: "clippy, wasm", needs: &[Need::Lints, Need::WasmTarget], uses: &[], run: |_| passed(wasm_lints()) },
    Step { name: "native", title: "native tests of the workspace", needs: &[], uses: &[], run: |_| passed(cargo("test --workspace")) },
    Step { name: "fuzz", title: "the fuzzers, a few seconds each", needs: &[], uses: &[], run: |_| fuzz() },
    Step {
        name: "doc",
        title: "documentation",
        needs: &[],
        uses: &[],
        run: |_| {
            let mut doc = command("cargo");
            doc.args(["doc", "--no-deps", "-p", "auth-sessions"]).env("RUSTDOCFLAGS", "-D warnings");
            passed(run(&mut doc))
        },
    },
    Step { name: "build", title: "the package in pkg/", needs: PACKAGE_NEEDS, uses: &[Made::Package], run: |_| Ok(Outcome::Passed) },
    Step { name: "sizes", title: "sizes within the budget", needs: &[Need::Packager], uses: &[Made::Package], run: |_| passed(package::sizes(true)) },
    Step { name: "wasm", title: "wasm tests in Chromium", needs: &[Need::WasmTarget, Need::WasmTools, Need::Chromium], uses: &[], run: wasm },
    Step { name: "types", title: "types, tsc --strict", needs: &[Need::TestModules, Need::WorkerModules], uses: &[Made::Package], run: |_| passed(types()) },
    Step { name: "node", title: "packed tarball in Node, against the sandbox", needs: &[Need::TestModules], uses: &[Made::Package], run: node },
    Step {
        name: "matrix",
        title: "packed tarball in every runtime and bundler, against the sandbox",
        needs: &[Need::Matrix],
        uses: &[Made::Package],
        run: |shared| {
            // Without one of them its cells say so.
            tools::ensure(&[Need::Chromium, Need::Firefox]);
            passed(shared.matrix("run.mjs"))
        },
    },
    Step {
        name: "tabs",
        title: "several tabs, one refresh, in Chromium and Firefox",
        needs: &[Need::Matrix],
        uses: &[Made::Package],
        run: |shared| {
            tools::ensure(&[Need::Chromium, Need::Firefox]);
            passed(shared.matrix("tabs.mjs"))
        },
    },
    Step {
        name: "frameworks",
        title: "<auth-session-list> in React, Vue and Svelte, in Chromium against the sandbox",
        needs: &[Need::Matrix],
        uses: &[Made::Package],
        run: |shared| {
            tools::ensure(&[Need::Chromium]);
            passed(shared.matrix("frameworks.mjs"))
        },
    },
    Step {
        name: "faults",
        title: "every operation under every fault, and all that comes out searched for secrets, in Node, workerd and Chromium",
        needs: &[Need::Matrix],
        uses: &[Made::Package],
        run: |shared| {
            tools::ensure(&[Need::Chromium]);
            passed(shared.matrix("faults.mjs"))
        },
    },
    Step {
        name: "load",
        title: "a thousand browsers on the handler in workerd",
        needs: &[Need::Matrix],
        uses: &[Made::Package],
        run: |shared| passed(shared.matrix("load.mjs")),
    },
    Step {
        name: "leaks",
        title: "what thousands of clients and a hundred thousand calls leave behind, in Node and Chromium",
        needs: &[Need::Matrix],
        uses: &[Made::Package],
        run: |_| {
            tools::ensure(&[Need::Chromium]);
            passed(matrix("leaks.mjs"))
        },
    },
    Step {
        name: "peers",
        title: "official clients and OpenAPI documents against the sandbox; Better Auth's wire",
        needs: &[Need::TestModules],
        uses: &[],
        run: peers,
    },
    Step { name: "page-build", title: "the page: type check and build", needs: &[], uses: &[Made::Package, Made::Page], run: |_| Ok(Outcome::Passed) },
    Step {
        name: "page",
        title: "the page in Chromium, against the sandbox",
        needs: &[Need::TestModules, Need::WorkerModules, Need::Chromium],
        uses: &[Made::Package, Made::Page],
        run: page,
    },
    Step { name: "privacy", title: "no machine paths, registry hosts or tokens in the files", needs: &[], uses: &[], run: |_| looked(privacy::check()) },
    Step { name: "deny", title: "bans, licences and sources of the crates", needs: &[Need::Deny], uses: &[], run: |_| passed(supply::deny()) },
    Step { name: "locks", title: "hashes and install scripts in the lock files", needs: &[], uses: &[], run: |_| looked(supply::locks()) },
    Step {
        name: "advisories",
        title: "what is known against crates and npm modules",
        needs: &[Need::Deny, Need::Packager],
        uses: &[],
        run: |_| looked(supply::advisories()),
    },
    Step {
        name: "reproducible",
        title: "the same bytes from the same files, built elsewhere",
        needs: PACKAGE_NEEDS,
        uses: &[Made::Package],
        run: |_| looked(supply::reproducible()),
    },
];

/// What the steps share: each part is made by the first step that asks for it.
struct Shared {
    package: OnceCell<std::result::Result<(), String>>,
    page: OnceCell<std::result::Result<(), String>>,
    server: OnceCell<std::result::Result<(), String>>,
}

impl Shared {
    fn made(&self, made: Made) -> &OnceCell<std::result::Result<(), String>> {
        match made {
            Made::Package => &self.package,
            Made::Page => &self.page,
        }
    }

    /// Builds it, once in this run; `lacking` is the tool that can't be had for that.
    fn make(&self, made: Made, lacking: Option<String>) -> std::result::Result<(), String> {
        let build = match made {
            Made::Package => package::build,
            Made::Page => start::page,
        };
        let result = self.made(made).get_or_init(|| match lacking {
            Some(reason) => Err(reason),
            None => build().map_err(|error| format!("{error:#}")),
        });
        result.clone()
    }

    /// The sandbox's binary, built once in this run.
    fn built_sandbox(&self) -> Result<()> {
        let built = self.server.get_or_init(|| sandbox::build().map_err(|error| format!("{error:#}")));
        built.clone().map_err(anyhow::Error::msg)
    }

    /// A script of tests/matrix, which starts its own sandbox: only it knows the origins of its pages.
    fn matrix(&self, script: &str) -> Result<()> {
        self.built_sandbox()?;
        matrix(script)
    }

    /// A sandbox with a fresh database, its binary built once in this run. Its log is kept with the artefacts.
    fn sandbox(&self, step: &str, port: u16, page: Option<Page<'_>>, allow_origin: Option<String>) -> Result<(Sandbox, PathBuf)> {
        self.built_sandbox()?;
        let database = target().join(format!("test/{step}.sqlite3"));
        let log = artifacts()?.join(format!("sandbox-{step}.log"));
        let sandbox = Sandbox::start(&sandbox::Options { database: database.clone(), reset: true, port, page, allow_origin, log: Some(&log) })?;
        println!("sandbox: {}, log in {}", sandbox.url, show(&log));
        Ok((sandbox, database))
    }
}

/// Runs the steps of these names, or all.
pub fn run_steps(args: &[String]) -> Result<ExitCode> {
    if args.iter().any(|arg| arg == "--list") {
        for step in STEPS {
            println!("{:12} {}", step.name, step.title);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let known = |name: &String| STEPS.iter().any(|step| step.name == *name);
    if let Some(unknown) = args.iter().find(|arg| !known(arg)) {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        bail!("there is no step `{unknown}`; the steps are {}", names.join(", "));
    }
    let steps: Vec<&Step> = STEPS.iter().filter(|step| args.is_empty() || args.iter().any(|arg| arg == step.name)).collect();

    let mut needs: Vec<Need> = steps.iter().flat_map(|step| step.needs).copied().collect();
    if steps.iter().any(|step| !step.uses.is_empty()) {
        needs.extend(PACKAGE_NEEDS);
    }
    let missing = tools::ensure(&needs);
    let shared = Shared { page: OnceCell::new(), package: OnceCell::new(), server: OnceCell::new() };
    let mut report = Report::default();
    for (number, step) in steps.iter().enumerate() {
        println!("\n[{}/{}] {}", number + 1, steps.len(), step.title);
        let start = Instant::now();
        let state = perform(step, &missing, &shared);
        report.add(step, state, start.elapsed());
    }
    println!("\n{report}");
    Ok(if report.count(|state| matches!(state, State::Failed(_))) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn perform(step: &Step, missing: &Missing, shared: &Shared) -> State {
    let lacks = |needs: &[Need]| missing.iter().find(|(need, _)| needs.contains(need)).map(|(_, why)| why.clone());
    if let Some(reason) = lacks(step.needs) {
        return State::Failed(reason);
    }
    for made in step.uses {
        let first = shared.made(*made).get().is_none();
        if let Err(reason) = shared.make(*made, lacks(PACKAGE_NEEDS)) {
            // Counted as one failure, of the step that met it first.
            return if first { State::Failed(reason) } else { State::Skipped(format!("{made} could not be built")) };
        }
    }
    match (step.run)(shared) {
        Ok(Outcome::Passed) => State::Passed,
        Ok(Outcome::Skipped(why)) => State::Skipped(why),
        Err(error) => State::Failed(format!("{error:#}")),
    }
}

/// `wasm-pack test`: the crate's tests compiled to wasm, in headless Chromium. The address of the sandbox is compiled in,
/// so it and that of the test page stay the same from run to run where their ports are free.
fn wasm(shared: &Shared) -> Result<Outcome> {
    let page = format!("127.0.0.1:{}", sandbox::free_port(4890)?);
    let (sandbox, _) = shared.sandbox("wasm", 4810, None, Some(format!("http://{page}")))?;
    let driver = crate::process::which("chromedriver").context("chromedriver is missing")?;
    let mut test = command("wasm-pack");
    test.args(["test", "--headless", "--chrome", "--mode", "no-install", "--chromedriver"])
        .arg(driver)
        .args([".", "--features", "fetch"])
        .env("SANDBOX_URL", &sandbox.url)
        .env("WASM_BINDGEN_TEST_ADDRESS", page)
        // All tests of one file in one page: its deadline, and one for a slow machine to start a browser in.
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300")
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60")
        // Test files that name no place to run in run there, too.
        .env("WASM_BINDGEN_USE_BROWSER", "1");
    passed(run(&mut test))
}

/// `npm run node` in tests/: the package as it would be published, installed and used in Node.
fn node(shared: &Shared) -> Result<Outcome> {
    let tarball = package::tarball()?;
    let (sandbox, _) = shared.sandbox("node", 4820, None, None)?;
    let trapping = package::trapping()?;
    passed(npm_run("node", &[("SANDBOX_URL", sandbox.url.as_ref()), ("PACKAGE_TARBALL", tarball.as_ref()), ("TRAPPING_WASM", trapping.as_ref())]))
}

/// Runs a script of tests/matrix on the packed package and the sandbox that is built.
pub fn matrix(script: &str) -> Result<()> {
    let mut node = on_package(&format!("tests/matrix/{script}"))?;
    run_within(node.env("SANDBOX_BIN", target().join("debug/sandbox")), Duration::from_secs(20 * 60))
}

/// Runs the benchmarks on the packed package.
pub fn bench(arguments: &[String]) -> Result<()> {
    run_within(on_package("tests/bench/run.mjs")?.args(arguments), Duration::from_secs(90 * 60))
}

/// A script that installs the package as it would be published, and drives browsers.
fn on_package(script: &str) -> Result<std::process::Command> {
    let mut node = command("node");
    node.arg(script).env("PACKAGE_TARBALL", package::tarball()?);
    for (name, program) in [("CHROMIUM", tools::chromium()), ("FIREFOX", tools::firefox())] {
        node.envs(program.map(|program| (name, program)));
    }
    Ok(node)
}

/// The short runs, which are the same every time. libFuzzer comes as source.
fn fuzz() -> Result<Outcome> {
    if ["c++", "g++", "clang++"].into_iter().all(|compiler| which(compiler).is_none()) {
        return Ok(Outcome::Skipped("libFuzzer needs a C++ compiler, and there is none: install g++".into()));
    }
    passed(run_within(command("node").args(["tests/fuzz/run.mjs", "short"]), Duration::from_secs(15 * 60)))
}

/// Of the package, and of the Worker that uses it.
fn types() -> Result<()> {
    npm_run("types", &[])?;
    run(command("npm").args(["--prefix", "www/edge", "run", "check"]))
}

/// `npm run peers` in tests/: what others say about the wires that the package is tested against.
fn peers(shared: &Shared) -> Result<Outcome> {
    let (sandbox, _) = shared.sandbox("peers", 4825, None, None)?;
    passed(npm_run("peers", &[("SANDBOX_URL", sandbox.url.as_ref())]))
}

/// `npm run page` in tests/: the built page, driven in Chromium.
fn page(shared: &Shared) -> Result<Outcome> {
    shared.built_sandbox()?;
    let artifacts = artifacts()?;
    let database = target().join("test/page.sqlite3");
    let options = start::DemoOptions { port: 4830, database: database.clone(), reset: true, logs: Some(&artifacts) };
    let demo = start::Demo::start(&options, start::Modules { better_auth: Ok(()), worker: Ok(()) })?;
    let (better_auth, _worker) = (demo.better_auth?, demo.worker?);
    let chromium = tools::chromium().context("Chromium is missing")?;
    passed(npm_run(
        "page",
        &[
            ("PAGE_URL", demo.page.as_ref()),
            ("SANDBOX_URL", demo.sandbox.url.as_ref()),
            ("BETTER_AUTH_URL", better_auth.url.as_ref()),
            ("SANDBOX_DB", database.as_ref()),
            ("CHROMIUM", chromium.as_ref()),
            ("ARTIFACTS", artifacts.as_ref()),
        ],
    ))
}

/// The crate as the npm package has it, without and with the handler, and with its client for Rust; its tests, too.
fn wasm_lints() -> Result<()> {
    cargo("clippy --target wasm32-unknown-unknown -p auth-sessions --lib -- -D warnings")?;
    cargo("clippy --target wasm32-unknown-unknown -p auth-sessions --lib --features edge -- -D warnings")?;
    cargo("clippy --target wasm32-unknown-unknown -p auth-sessions --lib --tests --features fetch -- -D warnings")
}

fn cargo(line: &str) -> Result<()> {
    run(command("cargo").args(line.split_whitespace()))
}

/// A script of tests/package.json.
fn npm_run(script: &str, env: &[(&str, &Path)]) -> Result<()> {
    let mut npm = command("npm");
    npm.args(["--prefix", "tests", "run", script]).envs(env.iter().copied());
    run_within(&mut npm, Duration::from_secs(15 * 60))
}

/// Screenshots, logs and figures of the run.
fn artifacts() -> Result<PathBuf> {
    let dir = target().join("artifacts");
    fs::create_dir_all(&dir).with_context(|| format!("could not create {}", dir.display()))?;
    Ok(dir)
}

fn passed(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Passed)
}

fn looked(found: Result<privacy::Found>) -> Result<Outcome> {
    found.map(|found| match found {
        privacy::Found::Nothing => Outcome::Passed,
        privacy::Found::NotLooked(why) => Outcome::Skipped(why),
    })
}

/// How a step ended.
enum State {
    Passed,
    Failed(String),
    Skipped(String),
}

/// The table, and the last line.
#[derive(Default)]
struct Report {
    rows: Vec<(&'static str, State, Duration)>,
}

impl Report {
    fn add(&mut self, step: &Step, state: State, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        match &state {
            State::Passed => println!("passed: {} ({seconds:.1} s)", step.title),
            State::Failed(why) => println!("FAILED: {} ({seconds:.1} s): {why}", step.title),
            State::Skipped(why) => println!("skipped: {}: {why}", step.title),
        }
        self.rows.push((step.name, state, elapsed));
    }

    fn count(&self, which: fn(&State) -> bool) -> usize {
        self.rows.iter().filter(|(_, state, _)| which(state)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, state, elapsed) in &self.rows {
            let (word, why) = match state {
                State::Passed => ("passed", ""),
                State::Failed(why) => ("FAILED", why.as_str()),
                State::Skipped(why) => ("skipped", why.as_str()),
            };
            let line = format!("{word:8}{name:12}{:8.1} s  {}", elapsed.as_secs_f64(), why.lines().next().unwrap_or_default());
            writeln!(f, "{}", line.trim_end())?;
        }
        let passed = self.count(|state| matches!(state, State::Passed));
        let failed = self.count(|state| matches!(state, State::Failed(_)));
        let skipped = self.count(|state| matches!(state, State::Skipped(_)));
        write!(f, "\n{passed} passed, {failed} failed")?;
        if skipped > 0 {
            write!(f, ", {skipped} skipped")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_one_that_ci_reads() {
        let seconds = Duration::from_secs(1);
        let mut report = Report { rows: vec![("fmt", State::Passed, seconds), ("doc", State::Failed("no\nmore".into()), seconds)] };
        assert_eq!(report.to_string().lines().last(), Some("1 passed, 1 failed"));
        assert!(report.to_string().contains("FAILED  doc              1.0 s  no\n"));
        report.rows.push(("page", State::Skipped("no pkg/".into()), seconds));
        assert_eq!(report.to_string().lines().last(), Some("1 passed, 1 failed, 1 skipped"));
    }

    #[test]
    fn names_are_unique() {
        for (index, step) in STEPS.iter().enumerate() {
            assert!(STEPS[..index].iter().all(|other| other.name != step.name), "{}", step.name);
        }
    }
}
