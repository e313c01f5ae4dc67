//! Sources and containers: where bytes come from, and how they are packed.

use crate::support::{Collect, file, scan, scan_all, with_threads};
use std::fs;
use std::io::Write;
use wattledger::Error;
use wattledger::intake::{Options, Source, discover, read};

const LINE: &str = r#"{"ts":"2026-01-01T00:00:00Z","model":"m","input_tokens":10,"output_tokens":5}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|i| LINE.replace("10,", &format!("{i},")).into_bytes().into_iter().chain(*b"\n")).collect()
}

#[test]
fn packing_does_not_show() {
    let plain = lines(40_000);
    let (_folder, path) = file("a.jsonl", &plain);
    let reference = scan(&path, &with_threads(1)).expect("plain");
    let (front, back) = plain.split_at(plain.len() / 3);
    let members = [gzip(front), gzip(b""), gzip(back)].concat();
    let frames = [zstd::encode_all(front, 1).expect("packs"), zstd::encode_all(back, 1).expect("packs")].concat();
    // Names are misleading on purpose.
    for (name, bytes) in [("a.jsonl.gz", gzip(&plain)), ("a.jsonl", members), ("a.gz", frames.clone()), ("a", frames)] {
        let (_folder, path) = file(name, &bytes);
        for threads in [1, 3] {
            let mut scan = scan(&path, &with_threads(threads)).expect(name);
            scan.rows.sort();
            assert_eq!((&scan.rows, &scan.coverage), (&reference.rows, &reference.coverage), "{name}");
            assert_eq!(scan.inputs[0].bytes, bytes.len() as u64);
            assert_eq!(scan.inputs[0].digest, format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bytes)));
        }
    }
}

#[test]
fn damage_in_the_middle_is_told_and_never_presented_as_a_whole() {
    let plain = lines(60_000);
    let packed = zstd::encode_all(&plain[..], 1).expect("packs");
    let gzipped = gzip(&plain);
    let mut wrong_sum = gzipped.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    for (name, bytes) in [
        ("cut.gz", gzipped[..gzipped.len() / 2].to_vec()),
        ("sum.gz", wrong_sum),
        ("cut.zst", packed[..packed.len() - 10].to_vec()),
        ("more.gz", [gzipped.clone(), b"garbage".to_vec()].concat()),
    ] {
        let (_folder, path) = file(name, &bytes);
        let [one, three] = [1, 3].map(|threads| scan(&path, &with_threads(threads)).expect(name));
        assert_eq!(one.coverage, three.coverage, "{name}");
        assert_eq!(one.coverage.incomplete.len(), 1, "{name}");
        assert!(one.coverage.incomplete[0].contains(name));
        assert_eq!(one.coverage.rejected, 0, "the line the damage fell into is no row");
        assert_eq!(one.inputs[0].bytes, bytes.len() as u64, "{name}: all stored bytes are identified");
    }
    let (_folder, path) = file("head.gz", &gzipped[..12]);
    assert!(matches!(scan(&path, &with_threads(1)), Err(Error::FileDamaged { .. })));
    let (_folder, path) = file("twice.gz", &gzip(&gzip(b"x")));
    assert!(matches!(scan(&path, &with_threads(1)), Err(Error::FileKind { .. })));
}

#[test]
fn windows_beyond_128_mib_are_refused() {
    for (log, good) in [(27, true), (28, false)] {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
        encoder.window_log(log).expect("a window");
        encoder.write_all(&lines(10)).expect("memory takes all");
        let (_folder, path) = file("a.jsonl.zst", &encoder.finish().expect("memory takes all"));
        let scan = scan(&path, &with_threads(1));
        assert_eq!(scan.is_ok(), good, "2^{log}");
        assert!(good || matches!(scan, Err(Error::FileDamaged { .. })));
    }
}

#[test]
fn folders_patterns_and_names_are_found_once_and_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    fs::create_dir_all(root.join("b/deep.jsonl")).expect("folders");
    for name in ["z.jsonl", "a.ndjson", "b/deep.jsonl/c.log", "b/x.csv.gz", "notes.txt", "b/README"] {
        fs::write(root.join(name), LINE).expect("a file");
    }
    let names = |places: &[&str]| -> Vec<String> {
        let places: Vec<_> = places.iter().map(|place| root.join(place)).collect();
        let sources = discover(&places).expect("sources");
        sources.iter().map(|s| s.name().replace(&format!("{}/", root.display()), "")).collect()
    };
    let all = ["a.ndjson", "b/deep.jsonl/c.log", "b/x.csv.gz", "z.jsonl"];
    assert_eq!(names(&[""]).iter().map(|n| n.trim_start_matches('/')).collect::<Vec<_>>(), all);
    assert_eq!(names(&["*.jsonl", "z.jsonl", "b/../z.jsonl", "notes.txt"]), ["z.jsonl", "notes.txt"]);
    assert_eq!(names(&["**/*.log"]), ["b/deep.jsonl/c.log"]);
    assert!(matches!(discover(&[root.join("none.jsonl")]), Err(Error::FileNotFound { .. })));
    assert!(matches!(discover(&[root.join("*.parquet")]), Err(Error::NothingToRead { .. })));
    fs::create_dir(root.join("empty")).expect("a folder");
    assert!(matches!(discover(&[root.join("empty")]), Err(Error::NothingToRead { .. })));
    assert_eq!(discover(&["-", "-"]).expect("stdin"), [Source::Stdin]);
    let scan = scan_all(&[root], &with_threads(2));
    assert_eq!(scan.expect("four logs").coverage.counted, 4);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    for bytes in [lines(30_000), gzip(&lines(30_000))] {
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::File::options().write(true).open(pipe).expect("opens").write_all(&bytes)
        });
        assert_eq!(scan(&pipe, &with_threads(2)).expect("a pipe").coverage.counted, 30_000);
        writer.join().expect("no panic").expect("all written");
    }
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::File::options().write(true).open(pipe).expect("opens").write_all(b"PAR1....PAR1")
    });
    assert!(matches!(scan(&pipe, &with_threads(1)), Err(Error::FileKind { .. })));
    let _ = writer.join();
}

#[test]
fn a_stop_and_a_failing_sink_end_the_scan() {
    struct Full;
    impl wattledger::intake::Sink for Full {
        fn events(
            &mut self,
            _: &wattledger::event::EventColumns<'_>,
            _: &wattledger::keys::SeriesTable,
        ) -> wattledger::Result<()> {
            Err(Error::Overflow { what: "a test".into() })
        }
    }
    let (_folder, path) = file("a.jsonl", &lines(200_000));
    let sources = discover(&[path]).expect("a source");
    for threads in [1, 4] {
        let options = Options { threads, ..Options::default() };
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 3;
        let stopped = read(&sources, &options, Collect::default, &stop);
        assert!(matches!(stopped, Err(Error::Interrupted)));
        assert!(matches!(read(&sources, &options, || Full, &|| false), Err(Error::Overflow { .. })));
    }
}
