//! Sharing: blocks of one stream among workers, each of which may cut the next.
//!
//! Whoever is free cuts, and reads what it cut: that is still in its own cache. Only where another worker has nothing to do
//! the block is handed over and the next is cut, so that a stream that is slow to unpack is unpacked without a pause.

use super::lines::{Block, Buffer};
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Cuts the next block, into memory that it is given; `None` at the end.
pub(super) type Cut<'a> = Box<dyn FnMut(Buffer) -> Option<Block> + Send + 'a>;

/// What the workers share.
struct Shared<'a> {
    state: Mutex<State<'a>>,
    changed: Condvar,
}

struct State<'a> {
    /// Taken by the worker that cuts.
    cut: Option<Cut<'a>>,
    /// Blocks for workers that wait.
    ready: VecDeque<Block>,
    waiting: usize,
    spare: Vec<Buffer>,
    /// Nothing more is to come: the stream has ended, or a worker has failed.
    over: bool,
}

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
    let state = State { cut: Some(cut), ready: VecDeque::new(), waiting: 0, spare: Vec::new(), over: false };
    let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
    let work = |worker: &mut W| {
        let over = Over(&shared);
        let mut memory = Buffer::default();
        while let Some(block) = shared.next(memory) {
            if should_stop() {
                return Err(Error::Interrupted);
            }
            read(worker, &block)?;
            memory = block.bytes;
        }
        // The others still have blocks to read.
        std::mem::forget(over);
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

impl<'a> Shared<'a> {
    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next block for a worker, which brings the memory of its last one.
    fn next(&self, memory: Buffer) -> Option<Block> {
        let mut state = self.lock();
        state.spare.push(memory);
        let mut handed_over = false;
        loop {
            // What was handed over is for the one who waits.
            if let Some(block) = (!handed_over).then(|| state.ready.pop_front()).flatten() {
                return Some(block);
            }
            if state.over {
                return None;
            }
            let Some(mut cut) = state.cut.take() else {
                handed_over = false;
                state.waiting += 1;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.waiting -= 1;
                continue;
            };
            let memory = state.spare.pop().unwrap_or_default();
            drop(state);
            let block = cut(memory);
            state = self.lock();
            state.cut = Some(cut);
            let Some(block) = block else {
                state.over = true;
                self.changed.notify_all();
                handed_over = false;
                continue;
            };
            if state.waiting <= state.ready.len() {
                return Some(block);
            }
            state.ready.push_back(block);
            self.changed.notify_one();
            handed_over = true;
        }
    }
}

/// Ends the work of all when one of them fails, or panics: nobody waits for someone who is gone.
struct Over<'s, 'a>(&'s Shared<'a>);

impl Drop for Over<'_, '_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.over = true;
        state.ready.clear();
        self.0.changed.notify_all();
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
    fn a_slow_cut_does_not_wait_for_its_reader() {
        let slow = Duration::from_millis(2);
        let (outcome, lines) = read(2, blocks(40, slow), slow, None);
        outcome.unwrap();
        assert!(lines.iter().all(|lines| !lines.is_empty()), "both had something to do");
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
