//! Child processes. Each runs in a process group of its own, so that what it started (a browser behind a driver, vite
//! behind npm) can be ended with it: at its deadline, when its handle is dropped, on Ctrl-C and on SIGTERM.

use anyhow::{Context, Error, Result, anyhow, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::{
    ffi::OsStr,
    fmt::Display,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Longest that any one command may take; a hung one must not eat the whole of CI's time.
pub const DEADLINE: Duration = Duration::from_secs(25 * 60);

/// How often a quiet command says that it is still at work.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The process groups that are running now.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Set once the children are being ended: nothing new may start then.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// Set when that is because of a signal: the thread that got it ends xtask, and the others wait for that.
static SIGNALLED: AtomicBool = AtomicBool::new(false);

/// The root of the repository.
pub fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// Where cargo puts its output; everything that xtask makes (but `pkg/`) goes there too.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A command in the root of the repository, with the project's tools first on its `PATH` and no standard input.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).env("PATH", crate::tools::path()).stdin(Stdio::null()).process_group(0);
    // What `cargo run` set for xtask itself is not meant for the cargo that xtask runs.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    command
}

/// A running child and everything that it started; ended when dropped.
pub struct Group {
    child: Child,
    name: String,
}

impl Group {
    /// Starts `command`.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        let name = describe(command);
        wait_if_signalled();
        let mut running = running();
        if STOPPING.load(Ordering::SeqCst) {
            bail!("stopped before `{name}`");
        }
        let child = command.spawn().with_context(|| format!("could not start `{name}`"))?;
        running.push(child.id());
        Ok(Self { child, name })
    }

    /// The child itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until the child is done; an error when that takes longer than `deadline`. `tick` is called meanwhile.
    fn wait(&mut self, deadline: Duration, mut tick: impl FnMut(Duration)) -> Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                wait_if_signalled();
                return Ok(status);
            }
            if start.elapsed() > deadline {
                bail!("`{}` was still running after {} s and was ended", self.name, deadline.as_secs());
            }
            tick(start.elapsed());
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits for as long as it takes.
    pub fn wait_forever(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait()?;
        wait_if_signalled();
        Ok(status)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let id = self.child.id();
        signal_group(id, "TERM");
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && asked.elapsed() < Duration::from_secs(3) {
            thread::sleep(Duration::from_millis(20));
        }
        // Also sweeps what the child left behind when it went.
        signal_group(id, "KILL");
        let _ = self.child.wait();
        running().retain(|running| *running != id);
    }
}

/// Runs `command` with its output streamed to ours.
pub fn run(command: &mut Command) -> Result<()> {
    run_within(command, DEADLINE)
}

/// Like [`run`], with a deadline of its own.
pub fn run_within(command: &mut Command, deadline: Duration) -> Result<()> {
    let mut group = Group::spawn(command)?;
    let status = group.wait(deadline, |_| {})?;
    success(status, &group.name)
}

/// Runs `command` with its output in a log under `target/xtask/`, saying from time to time how far it is. When it fails,
/// the end of the log is printed.
pub fn run_quiet(label: &str, command: &mut Command) -> Result<()> {
    let log = log_path(label)?;
    let file = File::create(&log).with_context(|| format!("could not write {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    println!("  {label} …");
    let start = Instant::now();
    let mut group = Group::spawn(command)?;
    let mut next = HEARTBEAT;
    let done = group.wait(DEADLINE, |elapsed| {
        if elapsed >= next {
            next += HEARTBEAT;
            println!("  {label}: {} s, {}", elapsed.as_secs(), last_line(&log));
        }
    });
    match done.and_then(|status| success(status, &group.name)) {
        Ok(()) => {
            println!("  {label}: done in {} s", start.elapsed().as_secs());
            Ok(())
        }
        Err(error) => {
            eprintln!("  {label}: failed; the end of its output:\n{}", indent(&tail(&log, 4000)));
            Err(error.context(format!("{label} (all of its output: {})", show(&log))))
        }
    }
}

/// Adds what can be done about it to an error.
pub fn hint(advice: impl Display) -> impl FnOnce(Error) -> Error {
    move |error| anyhow!("{error:#}\n{advice}")
}

/// What `command` prints on standard output, or `None` when it can't be run or fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first place of `program` on the `PATH` that the children get.
pub fn which(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&crate::tools::path()).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// Ends every child and everything that they started.
pub fn kill_all() {
    STOPPING.store(true, Ordering::SeqCst);
    let groups = running().clone();
    for id in &groups {
        signal_group(*id, "TERM");
    }
    if !groups.is_empty() {
        thread::sleep(Duration::from_millis(300));
    }
    for id in groups {
        signal_group(id, "KILL");
    }
}

/// From now on Ctrl-C and SIGTERM end the children before xtask itself.
pub fn stop_children_on_signals() -> Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]).context("could not watch signals")?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            SIGNALLED.store(true, Ordering::SeqCst);
            kill_all();
            println!();
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

/// A path as a person at the root of the repository would write it.
pub fn show(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// After a signal the children end one by one; that must not be taken for their own failure.
fn wait_if_signalled() {
    while SIGNALLED.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(100));
    }
}

fn running() -> MutexGuard<'static, Vec<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Through the shell's own `kill`: std can't signal a group, and every Unix has this one.
fn signal_group(id: u32, signal: &str) {
    let _ = Command::new("sh").args(["-c", r#"kill -s "$1" -- "-$2" 2>/dev/null"#, "kill", signal, &id.to_string()]).stdin(Stdio::null()).status();
}

fn success(status: ExitStatus, name: &str) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    match status.code() {
        Some(code) => bail!("`{name}` failed (exit code {code})"),
        None => bail!("`{name}` was ended by a signal"),
    }
}

/// A command as one would type it, cut when it gets long.
fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words: Vec<_> = std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    let line = words.join(" ");
    match line.char_indices().nth(100) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default()),
        None => line,
    }
}

fn log_path(label: &str) -> Result<PathBuf> {
    let dir = target().join("xtask");
    fs::create_dir_all(&dir).with_context(|| format!("could not create {}", dir.display()))?;
    let name: String = label.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    Ok(dir.join(format!("{name}.log")))
}

/// The last `bytes` of a file, as text; empty when it can't be read.
fn tail(path: &Path, bytes: u64) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(text)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

fn last_line(path: &Path) -> String {
    let tail = tail(path, 400);
    let line = tail.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("starting");
    line.trim().chars().take(80).collect()
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_past_its_deadline_is_ended_with_its_children() {
        let mark = std::env::temp_dir().join(format!("xtask-deadline-{}", std::process::id()));
        let script = format!("(sleep 1; touch {}) & sleep 30", mark.display());
        let start = Instant::now();
        let error = run_within(command("sh").args(["-c", &script]), Duration::from_millis(200)).unwrap_err();
        assert!(error.to_string().contains("still running"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(5));
        thread::sleep(Duration::from_millis(1200));
        assert!(!mark.exists(), "the grandchild lived on");
    }

    #[test]
    fn failures_name_the_command_and_the_code() {
        let error = run(command("sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` failed (exit code 3)");
    }
}
