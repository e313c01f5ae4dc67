//! Rust text without what is no code: comments, the insides of literals, and test modules.

/// The text with comments and the insides of literals blanked; lines stay where they are.
pub fn masked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    while at < chars.len() {
        let end = match (chars[at], chars.get(at + 1)) {
            ('/', Some('/')) => line_end(&chars, at),
            ('/', Some('*')) => block_end(&chars, at),
            ('r', Some('"' | '#')) if !follows_word(&chars, at) => raw_end(&chars, at),
            ('"', _) => quoted_end(&chars, at),
            ('\'', _) => character_end(&chars, at),
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| blank(*c)));
            at = end;
        }
    }
    out
}

/// Masked text without items under `#[cfg(test)]`.
pub fn code(text: &str) -> String {
    let masked = masked(text);
    let mut out = String::with_capacity(masked.len());
    let mut rest = masked.as_str();
    while let Some(at) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let body = rest.find('{').unwrap_or(rest.len());
        let short = rest.find(';').unwrap_or(rest.len());
        let end = if short < body { short + 1 } else { body + block_length(&rest[body..]) };
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Length of a block from its opening brace.
fn block_length(text: &str) -> usize {
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

fn follows_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_')
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |length| at + length)
}

fn block_end(chars: &[char], at: usize) -> usize {
    let mut depth = 0_u32;
    let mut i = at;
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

/// The end of `r"…"` or `r#"…"#`; `at` itself where it is a raw identifier.
fn raw_end(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let from = at + 2 + hashes;
    let length = chars[from..].windows(close.len()).position(|window| window == close);
    length.map_or(chars.len(), |length| from + length + close.len())
}

fn quoted_end(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

/// The end of a character literal; `at` itself where it is a lifetime.
fn character_end(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => chars[at + 3..].iter().position(|c| *c == '\'').map_or(at, |length| at + 4 + length),
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

#[test]
fn what_is_no_code_is_blank() {
    let text = "a /* b /* c */ d */ e // f\ng \"h \\\" i\" r#\"j \" k\"# 'l' '\\'' 'm \"n\"";
    let words: Vec<String> = masked(text).split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, ["a", "e", "g", "'m"]);
    assert_eq!(masked(text).lines().count(), 2);
    assert_eq!(
        code("a\n#[cfg(test)]\nmod tests { { b } '}' }\nc\n#[cfg(test)]\nmod tests;\nd").split_whitespace().count(),
        3
    );
}
