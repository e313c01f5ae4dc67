//! Paths of masked Rust text: what a file says after `crate::` and after `super::`.

/// The words of a text: identifiers and numbers.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Identifiers, `::` and single punctuation.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            tokens.push(&rest[..length]);
        }
        rest = &rest[length..];
    }
    tokens
}

/// Every path below `crate::`, groups written out.
pub fn crate_paths(code: &str) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut paths = Vec::new();
    for at in 0..tokens.len() {
        if tokens[at] == "crate" && tokens.get(at + 1) == Some(&"::") {
            tree(&tokens, at + 2, &[], &mut paths);
        }
    }
    paths
}

/// Reads a path or a group of paths; the answer is the token after it.
fn tree(tokens: &[&str], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    loop {
        match tokens.get(at) {
            Some(&"{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| *token != "}") {
                    at = if tokens[at] == "," { at + 1 } else { tree(tokens, at, &path, paths) };
                }
                return at + 1;
            }
            Some(token) => path.push((*token).to_owned()),
            None => return at,
        }
        if tokens.get(at + 1) == Some(&"::") {
            at += 2;
            continue;
        }
        paths.push(path);
        // `path as name` inside a group.
        at += 1;
        while tokens.get(at).is_some_and(|token| *token == "as" || tokens[at - 1] == "as") {
            at += 1;
        }
        return at;
    }
}

/// `super` paths that climb `levels` or more; modules written inside the file add a level.
pub fn escapes(code: &str, levels: usize) -> Vec<String> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut modules: Vec<usize> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at] {
            "{" => {
                depth += 1;
                if at >= 2 && tokens[at - 2] == "mod" {
                    modules.push(depth);
                }
            }
            "}" => {
                modules.retain(|module| *module < depth);
                depth -= 1;
            }
            "super" => {
                let climbed = tokens[at..].chunks(2).take_while(|pair| **pair == ["super", "::"]).count();
                if climbed >= levels + modules.len() {
                    found.push(tokens[at..tokens.len().min(at + 2 * climbed + 1)].concat());
                }
                at += 2 * climbed.max(1);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

#[test]
fn groups_are_written_out() {
    let said = |code: &str| crate_paths(code).into_iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(
        said("use crate::a::{self, B, c::{D as E, F}}; use crate::g;"),
        ["a::self", "a::B", "a::c::D", "a::c::F", "g"]
    );
    assert_eq!(said("fn f() -> crate::Result<()> { crate::a::b(x) }"), ["Result", "a::b"]);
    assert_eq!(said("pub(crate) fn f() {}"), Vec::<String>::new());
    assert_eq!(escapes("mod a { use super::B; } use super::C;", 1), ["super::C"]);
}
