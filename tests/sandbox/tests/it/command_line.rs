//! The binary itself.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Output, Stdio};

use crate::admin::Folder;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn refused(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    assert!(!status.success(), "{arguments:?}");
    assert!(stdout.is_empty());
    String::from_utf8(stderr).unwrap()
}

struct Started {
    child: Child,
    line: String,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Started {
    fn new(arguments: &[&str]) -> Self {
        let mut child = command(arguments).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Self { child, line, stdout }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn prints_one_line_and_stops_on_ctrl_c() {
    let folder = Folder::new("cli");
    let db = folder.0.join("db.sqlite3");
    let db = db.to_str().unwrap();
    let mut started = Started::new(&["--db", db, "--listen=127.0.0.1:0", "--reset"]);
    let address = started
        .line
        .strip_prefix("sandbox listening on http://")
        .and_then(|rest| rest.strip_suffix('\n'))
        .unwrap_or_else(|| panic!("{:?}", started.line))
        .to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());

    let second = refused(&["--db", db, "--listen", &address]);
    assert!(second.contains("in use"), "{second}");
    assert!(second.contains("--listen"), "{second}");

    if cfg!(unix) {
        let pid = started.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert!(started.child.wait().unwrap().success());
        let mut rest = String::new();
        started.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "nothing but the one line");
    }
}

#[test]
fn refuses_what_it_should_with_a_reason() {
    for (arguments, part) in [
        (&["--listen", "0.0.0.0:0"][..], "--listen-anywhere"),
        (&["--listen", "[::]:0"], "--listen-anywhere"),
        (&["--listen", "4800"], "127.0.0.1:4800"),
        (&["--allow-origin", "*"], "not offered"),
        (&["--allow-origin", "http://localhost:5173/"], "origin"),
        (&["--connect-origin", "http://127.0.0.1:4801/api"], "--connect-origin"),
        (&["--access-ttl", "0", "--listen", "127.0.0.1:0"], "--access-ttl"),
        (&["--refresh-ttl", "x"], "--refresh-ttl"),
        (&["--page", "/nonexistent"], "index.html"),
        (&["--bd", "x"], "--help"),
        (&["x"], "--help"),
        (&["--db"], "--db"),
        (&["--db", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/x"), "--listen", "127.0.0.1:0"], "Cargo.toml"),
    ] {
        let error = refused(arguments);
        assert!(error.starts_with("sandbox: "), "{error}");
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
}

#[test]
fn help_and_version() {
    for (argument, part) in [("--help", "--allow-origin"), ("-V", "sandbox 0.")] {
        let output = command(&[argument]).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains(part));
    }
}

#[test]
fn listens_on_localhost_by_name_and_anywhere_if_told() {
    let folder = Folder::new("cli-listen");
    let db = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let by_name = Started::new(&["--db", &db("a"), "--listen", "localhost:0"]);
    assert!(by_name.line.contains("http://127.0.0.1:"), "{}", by_name.line);
    let anywhere = Started::new(&["--db", &db("b"), "--listen", "0.0.0.0:0", "--listen-anywhere"]);
    assert!(anywhere.line.contains("http://0.0.0.0:"), "{}", anywhere.line);
}
