//! How often labels are right: measured on the test data of uap-core (ua-parser's, Apache-2.0), which the crate `ua-parser` has in its source.
//!
//! What its names are called here is said below, name by name. No case is left out because it fails; those of other families are counted.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use auth_sessions::{device::describe, json::Document};
use ua_parser::device::{Builder, Flag, Parser};

/// Families of uap-core, and what they are called here. Variants for telephones are no families of their own.
const BROWSERS: &[(&str, &[&str])] = &[
    ("Chrome", &["Chrome", "Chrome Mobile", "Chrome Mobile iOS"]),
    ("Chromium", &["Chromium"]),
    ("Headless Chrome", &["HeadlessChrome"]),
    ("Edge", &["Edge", "Edge Mobile"]),
    ("Firefox", &["Firefox", "Firefox Beta", "Firefox Alpha", "Firefox Mobile", "Firefox iOS"]),
    ("Safari", &["Safari", "Mobile Safari"]),
    ("Opera", &["Opera", "Opera Mobile", "Opera Mini", "Opera Tablet", "Opera Coast"]),
    ("Internet Explorer", &["IE", "IE Mobile", "IE Large Screen"]),
    ("Samsung Internet", &["Samsung Internet"]),
    ("Vivaldi", &["Vivaldi"]),
    ("UC Browser", &["UC Browser"]),
    ("Yandex Browser", &["Yandex Browser"]),
    ("Android WebView", &["Chrome Mobile WebView"]),
    ("Android Browser", &["Android"]),
    ("Naver Whale", &["Whale"]),
    ("Amazon Silk", &["Amazon Silk"]),
    ("DuckDuckGo", &["DuckDuckGo Mobile"]),
    ("Brave", &["Brave"]),
];

/// Distributions are Linux.
const SYSTEMS: &[(&str, &[&str])] = &[
    ("iOS", &["iOS"]),
    ("Windows", &["Windows"]),
    ("Windows Phone", &["Windows Phone"]),
    ("Android", &["Android"]),
    ("macOS", &["Mac OS X"]),
    ("ChromeOS", &["Chrome OS"]),
    ("FreeBSD", &["FreeBSD"]),
    ("Linux", &["Linux", "Ubuntu", "Debian", "Fedora", "Red Hat", "CentOS", "Gentoo", "Mandriva", "Slackware", "Linux Mint", "PCLinuxOS", "Puppy"]),
];

/// In-app browsers.
const APPS: &[(&str, &[&str])] = &[
    ("Facebook", &["Facebook"]),
    ("Messenger", &["Facebook Messenger"]),
    ("Instagram", &["Instagram"]),
    ("Pinterest", &["Pinterest"]),
    ("Google Search", &["Google"]),
    ("LINE", &["LINE"]),
    ("Twitter", &["Twitter"]),
    ("Snapchat", &["Snapchat"]),
    ("Slack", &["Slack Desktop Client"]),
    ("Outlook", &["Outlook"]),
    ("Spotify", &["Spotify"]),
];

/// The folder of uap-core, wherever cargo keeps its sources.
fn uap_core() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = Command::new(cargo).args(["metadata", "--format-version=1", "--offline"]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let text = String::from_utf8(metadata.stdout).unwrap();
    let document = Document::parse(text.as_bytes()).expect("what cargo metadata says");
    let package = document.root().member("packages").items().find(|package| package.member("name").is_word("ua-parser")).unwrap();
    Path::new(&package.text("manifest_path").unwrap()).with_file_name("uap-core")
}

/// Entries of one of its YAML files, which all have one form: scalars by name, a first one that begins each entry.
fn entries(file: &str, first: &str) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(uap_core().join(file)).unwrap();
    let mut entries: Vec<BTreeMap<String, String>> = vec![];
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let begins = line.strip_prefix("- ");
        let Some((name, value)) = begins.unwrap_or(line).split_once(':') else { continue };
        let value = value.trim();
        let quote = value.chars().next().filter(|quote| ['\'', '"'].contains(quote));
        let value = match quote {
            Some('\'') => value[1..value.rfind('\'').unwrap()].replace("''", "'"),
            Some(_) => value[1..value.rfind('"').unwrap()].replace("\\\"", "\"").replace("\\\\", "\\"),
            None => value.to_owned(),
        };
        if begins.is_some() {
            entries.push(BTreeMap::new());
        }
        if let Some(entry) = entries.last_mut() {
            entry.insert(name.to_owned(), value);
        }
    }
    entries.retain(|entry| entry.contains_key(first));
    assert_eq!(entries.len(), text.lines().filter(|line| line.trim().starts_with(&format!("- {first}:"))).count(), "{file} has a form that is not known");
    entries
}

/// Agents and families. Cases that need more than the agent are not ours.
fn cases(files: &[&str]) -> Vec<(String, String)> {
    let all = files.iter().flat_map(|file| entries(file, "user_agent_string"));
    all.filter(|case| !case.contains_key("js_ua")).map(|mut case| (case.remove("user_agent_string").unwrap(), case.remove("family").unwrap())).collect()
}

/// A member of an agent's label.
fn said(agent: &str, member: &str) -> Option<String> {
    let json = describe(agent);
    Document::read(&json).unwrap().root().text(member)
}

/// Measures, prints, and gives the share that is right.
fn measure(title: &str, files: &[&str], member: &str, families: &[(&str, &[&str])]) -> f64 {
    let cases = cases(files);
    let ours = |theirs: &str| families.iter().find(|(_, names)| names.contains(&theirs)).map(|(name, _)| *name);
    let mut counts: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    let mut others = BTreeSet::new();
    let mut left_out = 0;
    for (agent, family) in &cases {
        let Some(expected) = ours(family) else {
            left_out += 1;
            others.insert(family);
            continue;
        };
        let (count, misses) = counts.entry(expected).or_default();
        *count += 1;
        let found = said(agent, member);
        if found.as_deref() != Some(expected) {
            misses.push(format!("{}: {agent}", found.as_deref().unwrap_or("null")));
        }
    }
    let all: usize = counts.values().map(|(count, _)| count).sum();
    let wrong: usize = counts.values().map(|(_, misses)| misses.len()).sum();
    let share = (all - wrong) as f64 / all as f64;
    println!("\n{title}: {} of {all} right, {:.1} %; {left_out} cases of {} other families left out", all - wrong, share * 100.0, others.len());
    for (family, (count, misses)) in &counts {
        println!("  {family}: {} of {count}", count - misses.len());
        misses.iter().for_each(|miss| println!("    {miss}"));
    }
    for (name, _) in families {
        assert!(counts.contains_key(name), "there is no case for {name}");
    }
    share
}

const UA: &str = "tests/test_ua.yaml";
const FIREFOX: &str = "test_resources/firefox_user_agent_strings.yaml";
const OS: [&str; 2] = ["tests/test_os.yaml", "test_resources/additional_os_tests.yaml"];
const DEVICE: &str = "tests/test_device.yaml";

#[test]
fn browsers() {
    assert!(measure("browsers", &[UA, FIREFOX], "browser", BROWSERS) >= 0.97);
    // More than half of the first are Firefox.
    measure("browsers but for the list of Firefoxes", &[UA], "browser", BROWSERS);
}

#[test]
fn systems() {
    assert!(measure("operating systems", &OS, "os", SYSTEMS) >= 0.92);
}

#[test]
fn apps() {
    assert!(measure("in-app browsers", &[UA], "browser", APPS) >= 0.9);
}

/// What uap-core's own rules take for a crawler ("Spider"), of all agents in its tests.
#[test]
fn bots() {
    let rules = entries("regexes.yaml", "regex");
    let mut builder = Builder::new();
    // Rules for browsers and systems come before those for devices, and have no replacement of that name.
    for mut rule in rules.into_iter().skip_while(|rule| !rule.contains_key("device_replacement")) {
        builder = builder
            .push(Parser {
                regex: rule.remove("regex").unwrap().into(),
                regex_flag: rule.contains_key("regex_flag").then_some(Flag::IgnoreCase),
                device_replacement: rule.remove("device_replacement").map(Into::into),
                brand_replacement: None,
                model_replacement: None,
            })
            .unwrap();
    }
    let theirs = builder.build().unwrap();
    let agents: BTreeSet<String> = cases(&[UA, FIREFOX, OS[0], OS[1], DEVICE]).into_iter().map(|(agent, _)| agent).collect();
    let (mut bots, mut missed, mut others, mut wrong) = (0, vec![], 0, vec![]);
    for agent in &agents {
        let is_bot = said(agent, "kind").as_deref() == Some("bot");
        if theirs.extract(agent).is_some_and(|device| device.device == "Spider") {
            bots += 1;
            if !is_bot {
                missed.push(agent);
            }
        } else {
            others += 1;
            if is_bot {
                wrong.push(agent);
            }
        }
    }
    println!(
        "\nbots: {} of {bots} told, {:.1} %; {} of {others} others taken for one",
        bots - missed.len(),
        100.0 - 100.0 * missed.len() as f64 / bots as f64,
        wrong.len()
    );
    missed.iter().for_each(|agent| println!("  missed: {agent}"));
    wrong.iter().for_each(|agent| println!("  wrong: {agent}"));
    assert!(missed.len() * 10 <= bots && wrong.len() * 100 <= others);
}
