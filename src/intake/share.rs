//! Sharing: blocks of one stream among workers, each of which cuts the next for itself.
//!
//! What a worker has just cut is in its own cache, and nobody waits for anybody but to cut. (A thread that cuts for the others,
//! and blocks handed to whoever waits, were measured beside it: slower or no faster.)

use super::lines::{Block, Buffer};
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Cuts the next block, into memory that it is given; `None` at the end.
pub(super) type Cut<'a> = Box<dyn FnMut(Buffer) -> Option<Block> + Send + 'a>;

/// Gives every block of a stream to one of the workers. `should_stop` is asked for every block.
///
/// # Errors
/// One that a worker met, or [`Error::Interrupted`].
pub(super) fn share<W: Send>(
    workers: &mut [W],
    cut: Cut<'_>,
    should_stop: &(dyn Fn() -> bool + Sync),
    read: impl Fn(&mut W, &Block) -> Result<()> + Sync,
) -> Result<()> {
    let (cut, over) = (Mutex::new(cut), AtomicBool::new(false));
    let next = |memory: Buffer| {
        let mut cut = cut.lock().unwrap_or_else(PoisonError::into_inner);
        if over.load(Ordering::Relaxed) { None } else { cut(memory) }
    };
    let work = |worker: &mut W| {
        let failing = Over(&over);
        let mut memory = Buffer::default();
        while let Some(block) = next(memory) {
            if should_stop() {
                return Err(Error::Interrupted);
            }
            read(worker, &block)?;
            memory = block.bytes;
        }
        // The others still have blocks to read.
        std::mem::forget(failing);
        Ok(())
    };
    let [workers @ .., last] = workers else { return Ok(()) };
    thread::scope(|scope| {
        let work = &work;
        let working: Vec<_> = workers.iter_mut().map(|worker| scope.spawn(move || work(worker))).collect();
        let here = work(last);
        let there =
            working.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        std::iter::once(here).chain(there).collect()
    })
}

/// Ends the work of all when one of them fails, or panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    fn blocks(count: u64, pause: Duration) -> Cut<'static> {
        let mut lines = 0..count;
        Box::new(move |bytes| {
            thread::sleep(pause);
            lines.next().map(|first_line| Block { bytes, first_line })
        })
    }

    /// The lines that each of these workers read.
    fn read(workers: usize, cut: Cut<'_>, pause: Duration, bad: Option<u64>) -> (Result<()>, Vec<Vec<u64>>) {
        let mut lines = vec![Vec::new(); workers];
        let outcome = share(&mut lines, cut, &|| false, |lines: &mut Vec<u64>, block| {
            thread::sleep(pause);
            if bad == Some(block.first_line) {
                return Err(Error::Overflow { what: "a test".into() });
            }
            lines.push(block.first_line);
            Ok(())
        });
        (outcome, lines)
    }

    #[test]
    fn every_block_is_read_once_whoever_is_slow() {
        for (workers, cutting, reading) in
            [(1, 0, 0), (2, 0, 0), (2, 200, 0), (2, 0, 200), (2, 200, 200), (7, 0, 200), (7, 200, 0)]
        {
            let [cutting, reading] = [cutting, reading].map(Duration::from_micros);
            let (outcome, lines) = read(workers, blocks(200, cutting), reading, None);
            outcome.unwrap();
            let mut all = lines.concat();
            all.sort_unstable();
            assert_eq!(all, (0..200).collect::<Vec<_>>());
        }
    }

    #[test]
    fn nobody_waits_for_a_worker_that_is_gone() {
        for workers in [1, 2, 5] {
            let (outcome, lines) = read(workers, blocks(1000, Duration::ZERO), Duration::from_micros(50), Some(20));
            assert!(matches!(outcome, Err(Error::Overflow { .. })));
            assert!(lines.concat().len() < 1000);
            let broken: Cut<'_> = Box::new(|_| panic!("a damaged stream"));
            assert!(catch_unwind(AssertUnwindSafe(|| read(workers, broken, Duration::ZERO, None))).is_err());
        }
        let mut workers = [(); 3];
        let stopped = share(&mut workers, blocks(9, Duration::ZERO), &|| true, |(), _| Ok(()));
        assert!(matches!(stopped, Err(Error::Interrupted)));
    }
}
