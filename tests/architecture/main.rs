//! The walls of the house: which room may use which, held against the text of `src/`.
//!
//! The tables here are the architecture. A door that no code goes through is a wall again: an allowed edge without a use
//! fails as a forbidden one does. Every check is also run on a planted text that it has to refuse.

mod imports;
mod text;

use imports::{crate_paths, escapes};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use text::{code, masked};

/// Each room, and the doors it may use. `physics::attention` opens that part of a room alone.
const ROOMS: [(&str, &[&str]); 23] = [
    ("units", &[]),
    ("lanes", &[]),
    ("memory", &[]),
    ("hours", &[]),
    ("error", &[]),
    ("event", &["lanes"]),
    ("keys", &[]),
    ("files", &["error"]),
    ("physics", &["units"]),
    ("catalog", &["error", "hours", "units"]),
    ("intake", &["error", "event", "files", "keys", "lanes"]),
    ("fleet", &["catalog", "error", "hours", "keys", "units"]),
    ("plan", &["catalog", "error", "fleet", "hours", "keys", "physics", "units"]),
    ("ledger", &["error", "event", "files", "hours", "keys", "memory"]),
    ("kernel", &["error", "event", "keys", "lanes", "ledger", "memory", "physics::attention"]),
    (
        "estimate",
        &["error", "event", "fleet", "hours", "keys", "lanes", "ledger", "memory", "physics", "plan", "units"],
    ),
    ("report", &["catalog", "error", "estimate", "event", "fleet", "hours", "keys", "ledger", "training"]),
    ("scan", &["error", "event", "intake", "kernel", "keys", "ledger"]),
    ("validation", &["catalog", "error", "fleet", "hours", "physics", "plan", "units"]),
    ("calibration", &["catalog", "error", "estimate", "fleet", "intake", "ledger", "plan", "units"]),
    ("training", &["catalog", "error", "estimate", "fleet", "hours", "physics", "plan", "units"]),
    ("annotate", &["error", "estimate", "event", "files", "intake", "keys", "report"]),
    // The porch enters by the public doors, whichever it likes.
    ("python", &["*"]),
];

/// Names at the root of the crate that stand for a room.
const REEXPORTS: [(&str, &str); 2] = [("Error", "error"), ("Result", "error")];

/// Files that may hold `unsafe`.
const UNSAFE: [&str; 5] =
    ["src/lanes/avx2.rs", "src/lanes/mod.rs", "src/memory.rs", "src/python/arrow.rs", "src/python/columns.rs"];
/// Most `unsafe` blocks there may be.
const UNSAFE_BLOCKS: usize = 30;
/// Longest file, in lines.
const LINES: usize = 400;
/// What users never meet: output beside the report, and panics without a sentence.
const FORBIDDEN: [&str; 7] = ["println!", "eprintln!", "print!", "dbg!", ".unwrap()", "todo!", "unimplemented!"];
/// The one map of the kernel: looked at once for a new series, never for an event.
const KERNEL_MAP: &str = "first_of_route";
/// Files of `src/physics` that hold no method.
const NO_METHOD: [&str; 3] = ["accelerator.rs", "mod.rs", "parameters.rs"];

/// A source file: its path from the root of the package, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn planted(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// The room a file belongs to; the root file belongs to none.
    fn room(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        let room = below.split('/').next()?.trim_end_matches(".rs");
        (room != "lib").then_some(room)
    }

    /// Files that are tests as a whole.
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
    }
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<Source>) {
        let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let below = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
                let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                found.push(Source { path: parts.join("/"), text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 50, "the sources are here");
    found
}

/// Every use of one room by another: room, path below the crate, file.
fn edges(sources: &[Source]) -> Vec<(String, Vec<String>, String)> {
    let mut edges = Vec::new();
    for source in sources.iter().filter(|s| !s.is_test()) {
        let Some(room) = source.room() else { continue };
        for mut path in crate_paths(&code(&source.text)) {
            if let Some((_, stands_for)) = REEXPORTS.iter().find(|(name, _)| *name == path[0]) {
                (*stands_for).clone_into(&mut path[0]);
            }
            if path[0] != room {
                edges.push((room.to_owned(), path, source.path.clone()));
            }
        }
    }
    edges
}

fn opens(door: &str, path: &[String]) -> bool {
    door == "*" || door.split("::").eq(path.iter().take(door.split("::").count()).map(String::as_str))
}

fn wrong_edges(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for (room, path, file) in edges(sources) {
        let Some((_, doors)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{file}: `{room}` is no room of the table"));
            continue;
        };
        match doors.iter().find(|door| opens(door, &path)) {
            Some(door) => _ = used.insert((room, *door)),
            None => wrong.push(format!("{file}: `{room}` may not use `crate::{}`", path.join("::"))),
        }
    }
    for (room, doors) in ROOMS {
        for door in doors.iter().filter(|door| !used.contains(&(room.to_owned(), **door))) {
            wrong.push(format!("`{room}` does not use `{door}`: close the door"));
        }
    }
    wrong
}

/// A circle of rooms, if there is one.
fn circle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut left = edges.clone();
    loop {
        let (open, done): (BTreeMap<_, _>, BTreeMap<_, _>) = left.into_iter().partition(|(_, uses)| !uses.is_empty());
        if open.is_empty() {
            return None;
        }
        if done.is_empty() {
            return Some(open.into_keys().collect());
        }
        let standing = |room: &String| open.contains_key(room);
        left = open
            .iter()
            .map(|(room, uses)| (room.clone(), uses.iter().filter(|used| standing(used)).cloned().collect()))
            .collect();
    }
}

fn rooms_used(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (room, path, _) in edges(sources) {
        graph.entry(path[0].clone()).or_default();
        graph.entry(room).or_default().insert(path[0].clone());
    }
    graph
}

/// `super` paths that lead out of the file's room, around the table.
fn back_doors(source: &Source) -> Vec<String> {
    let depth = source.path.matches('/').count();
    // src/a.rs and src/a/mod.rs stand one level below the crate, src/a/b.rs two.
    let levels = if source.path.ends_with("/mod.rs") { depth - 1 } else { depth };
    let found = escapes(&code(&source.text), levels);
    found.into_iter().map(|line| format!("{}: `super` leads out of the room: {line}", source.path)).collect()
}

fn python_outside(source: &Source) -> bool {
    !source.path.starts_with("src/python/") && imports::words(&code(&source.text)).any(|word| word == "pyo3")
}

/// `unsafe` in the wrong file, or without its reason; and how many blocks there are.
fn unsafe_blocks(source: &Source) -> (usize, Vec<String>) {
    let masked = masked(&source.text);
    let lines: Vec<&str> = source.text.lines().collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (i, line) in masked.lines().enumerate().filter(|(_, line)| imports::words(line).any(|word| word == "unsafe")) {
        count += 1;
        let above = lines[..i].iter().rev().take_while(|above| above.trim_start().starts_with("//"));
        if !UNSAFE.contains(&source.path.as_str()) {
            wrong.push(format!("{}:{}: unsafe belongs into {}", source.path, i + 1, UNSAFE.join(" and ")));
        } else if !above.into_iter().any(|comment| comment.contains("SAFETY: ")) {
            wrong.push(format!("{}:{}: no SAFETY comment above `{}`", source.path, i + 1, line.trim()));
        }
    }
    (count, wrong)
}

fn forbidden(source: &Source) -> Vec<String> {
    let code = code(&source.text);
    let stands = |call: &str| {
        let before = |at: usize| code[..at].chars().next_back();
        code.match_indices(call)
            .any(|(at, _)| call.starts_with('.') || !before(at).is_some_and(|c| c.is_alphanumeric() || c == '_'))
    };
    let found = FORBIDDEN.iter().filter(|call| !source.is_test() && stands(call));
    found.map(|call| format!("{}: {call}", source.path)).collect()
}

fn kernel_maps(source: &Source) -> Vec<String> {
    let code = code(&source.text);
    let map = |line: &&str| imports::words(line).any(|word| word == "HashMap" || word == "BTreeMap");
    let named = |line: &str| line.trim_start().starts_with("use ") || line.contains(KERNEL_MAP);
    let maps = code.lines().filter(|_| source.room() == Some("kernel")).filter(map).filter(|line| !named(line));
    maps.map(|line| format!("{}: {}", source.path, line.trim())).collect()
}

fn without_header(source: &Source) -> Vec<String> {
    let Some(name) = source.path.strip_prefix("src/physics/").filter(|name| !NO_METHOD.contains(name)) else {
        return Vec::new();
    };
    let header: Vec<&str> = source.text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let header = header.join("\n");
    let parts = [" ```text", "Source: ", "Range: "].into_iter().filter(|part| !header.contains(part));
    parts.map(|part| format!("{name}: no `{}` in its header", part.trim())).collect()
}

fn nothing(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    nothing(&wrong_edges(&sources()));
    for source in &sources() {
        nothing(&back_doors(source));
    }
}

#[test]
fn a_forbidden_door_is_seen() {
    let seen = |path: &str, text: &str| {
        let wrong = wrong_edges(&[Source::planted(path, text)]);
        wrong.into_iter().filter(|line| line.starts_with("src/")).collect::<Vec<_>>()
    };
    assert_eq!(
        seen("src/physics/new.rs", "use crate::{units::Watts, catalog::{Grid, Hardware}};"),
        [
            "src/physics/new.rs: `physics` may not use `crate::catalog::Grid`",
            "src/physics/new.rs: `physics` may not use `crate::catalog::Hardware`"
        ]
    );
    assert_eq!(seen("src/kernel/mod.rs", "use crate::physics::attention::doubled_area;").len(), 0);
    assert_eq!(seen("src/kernel/mod.rs", "fn f() { crate::physics::facility::water() }").len(), 1);
    assert_eq!(seen("src/units.rs", "use crate::Result;").len(), 1);
    assert_eq!(seen("src/newcomer/mod.rs", "use crate::units::Watts;").len(), 1);
    let unseen = "/// [`crate::catalog`]\n#[cfg(test)]\nmod tests {\n    use crate::catalog::Grid;\n}\n";
    assert_eq!(seen("src/units.rs", unseen).len(), 0);
    let closed = wrong_edges(&[]);
    assert!(closed.contains(&"`files` does not use `error`: close the door".to_owned()));
    let back = |path: &str, text: &str| back_doors(&Source::planted(path, text)).len();
    assert_eq!(back("src/event/mod.rs", "use super::catalog;"), 1);
    assert_eq!(back("src/event/coverage.rs", "use super::Event;"), 0);
    assert_eq!(back("src/event/coverage.rs", "use super::super::catalog;"), 1);
}

#[test]
fn no_circle_of_rooms() {
    assert_eq!(circle(&rooms_used(&sources())), None);
}

#[test]
fn a_circle_is_seen() {
    let planted = [
        Source::planted("src/units.rs", "use crate::keys::Label;"),
        Source::planted("src/keys.rs", "fn f() { crate::event::Reason::ALL; }"),
        Source::planted("src/event/mod.rs", "use crate::units::Watts;"),
        Source::planted("src/error/mod.rs", "use crate::units::Watts;"),
    ];
    assert_eq!(circle(&rooms_used(&planted)).unwrap(), ["error", "event", "keys", "units"]);
    assert_eq!(circle(&rooms_used(&planted[1..])), None);
}

#[test]
fn python_stays_on_the_porch() {
    let wrong: Vec<String> = sources().into_iter().filter(python_outside).map(|source| source.path).collect();
    nothing(&wrong);
    assert!(python_outside(&Source::planted("src/report/mod.rs", "use pyo3::prelude::*;")));
    assert!(!python_outside(&Source::planted("src/report/mod.rs", "// no pyo3 here\nlet s = \"pyo3\";")));
}

#[test]
fn every_unsafe_block_says_why_it_is_safe() {
    let (counts, wrong): (Vec<usize>, Vec<Vec<String>>) = sources().iter().map(unsafe_blocks).unzip();
    nothing(&wrong.concat());
    let blocks: usize = counts.iter().sum();
    assert!((1..=UNSAFE_BLOCKS).contains(&blocks), "{blocks} unsafe blocks");
}

#[test]
fn an_unsafe_block_without_a_reason_is_seen() {
    let wrong = |path: &str, text: &str| unsafe_blocks(&Source::planted(path, text)).1.len();
    assert_eq!(wrong("src/python/arrow.rs", "// SAFETY: it is.\nunsafe { f() }"), 0);
    assert_eq!(wrong("src/python/arrow.rs", "// SAFETY: it is.\nlet x = 1;\nunsafe { f() }"), 1);
    assert_eq!(wrong("src/kernel/mod.rs", "// SAFETY: it is.\nunsafe { f() }"), 1);
    assert_eq!(wrong("src/kernel/mod.rs", "// unsafe is not used\n#![expect(unsafe_code)]"), 0);
}

#[test]
fn nothing_prints_and_nothing_panics_without_a_sentence() {
    nothing(&sources().iter().flat_map(forbidden).collect::<Vec<_>>());
    let seen = |text: &str| forbidden(&Source::planted("src/scan/mod.rs", text));
    assert_eq!(seen("fn f() { x.unwrap(); }"), ["src/scan/mod.rs: .unwrap()"]);
    assert_eq!(seen("fn f() { eprintln!(\"x\"); dbg!(1); }").len(), 2);
    assert_eq!(seen("/// x.unwrap()\nfn f() { g(\"todo!\"); x.expect(\"said\"); x.unwrap_or(1); }").len(), 0);
    assert_eq!(seen("#[cfg(test)]\nmod tests { fn f() { x.unwrap(); println!(); } }").len(), 0);
}

#[test]
fn the_kernel_looks_nothing_up_in_its_loops() {
    nothing(&sources().iter().flat_map(kernel_maps).collect::<Vec<_>>());
    let planted = Source::planted("src/kernel/mod.rs", "use std::collections::HashMap;\nlet m = HashMap::new();");
    assert_eq!(kernel_maps(&planted), ["src/kernel/mod.rs: let m = HashMap::new();"]);
}

#[test]
fn no_file_is_too_long_to_hold_in_the_head() {
    let long = |source: &Source| source.text.lines().count() > LINES;
    nothing(&sources().into_iter().filter(long).map(|source| source.path).collect::<Vec<_>>());
    assert!(long(&Source::planted("src/units.rs", &"\n".repeat(LINES + 1))));
}

#[test]
fn every_method_has_formula_source_and_range() {
    nothing(&sources().iter().flat_map(without_header).collect::<Vec<_>>());
    let planted = Source::planted("src/physics/new.rs", "//! Heat.\n//!\n//! Source: a book.\n\nfn heat() {}");
    assert_eq!(without_header(&planted), ["new.rs: no ````text` in its header", "new.rs: no `Range:` in its header"]);
}
