//! Every error and every reject, triggered from outside and shown as people read it.
//!
//! An error without a sample, or a reason without a line that earns it, fails the suite. The sentences are snapshots:
//! when one changes, read the difference as someone would who has to act on it.

mod reasons;
mod samples;

use samples::samples;
use std::collections::BTreeSet;
use std::fmt::Write;
use wattledger::error::Code;

#[test]
fn every_error_has_a_sample_and_a_sentence() {
    let samples = samples();
    let mut shown = String::new();
    for code in Code::ALL {
        let mine: Vec<_> = samples.iter().filter(|error| error.code() == code).collect();
        assert!(!mine.is_empty(), "{} has no sample", code.name());
        for error in mine {
            writeln!(shown, "{}: {}", code.name(), error).unwrap();
            match error.hint() {
                Some(hint) => writeln!(shown, "  hint: {hint}\n").unwrap(),
                None => shown.push('\n'),
            }
        }
    }
    let shown = shown.replace(&samples::folder().to_string_lossy().into_owned(), "FOLDER");
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("errors", shown) });
}

#[test]
fn sentences_are_one_sentence_and_hints_do_not_repeat_them() {
    for error in samples() {
        let (said, hint) = (error.to_string(), error.hint().unwrap_or_default());
        assert!(!said.ends_with('.') && !hint.ends_with('.'), "{said} / {hint}");
        assert!(said.chars().count() < 500 && hint.chars().count() < 300, "{said} / {hint}");
        assert!(!said.contains('\n') && !said.chars().any(char::is_control), "{said:?}");
        assert!(hint.is_empty() || !said.contains(&hint), "{said} / {hint}");
    }
}

#[test]
fn names_of_codes_are_unique_and_in_snake_case() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    for code in Code::ALL {
        let snake = format!("{code:?}").char_indices().fold(String::new(), |mut name, (at, c)| {
            if at > 0 && c.is_uppercase() {
                name.push('_');
            }
            name.extend(c.to_lowercase());
            name
        });
        assert_eq!(code.name(), snake);
    }
}
