//! Waiting for work without holding the interpreter, and ending it when the user asks.

use crate::Result;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

/// How often signals are looked for.
const TICK: Duration = Duration::from_millis(50);

/// Runs `work` on a thread of its own; the caller's thread handles signals meanwhile. A panic inside becomes an error.
pub(super) fn interruptible<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&(dyn Fn() -> bool + Sync)) -> Result<T> + Send,
) -> PyResult<T> {
    let stop = AtomicBool::new(false);
    let stop = &stop;
    let (done, finished) = mpsc::channel();
    let finished = Mutex::new(finished);
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let result = work(&|| stop.load(Ordering::Relaxed));
            let _ = done.send(());
            result
        });
        let mut signal = None;
        while let Err(mpsc::RecvTimeoutError::Timeout) = py.detach(|| wait(&finished)) {
            if signal.is_none()
                && let Err(raised) = py.check_signals()
            {
                stop.store(true, Ordering::Relaxed);
                signal = Some(raised);
            }
        }
        match (worker.join(), signal) {
            (_, Some(raised)) => Err(raised),
            (Ok(result), None) => result.map_err(PyErr::from),
            (Err(panic), None) => std::panic::resume_unwind(panic),
        }
    })
}

fn wait(finished: &Mutex<mpsc::Receiver<()>>) -> std::result::Result<(), mpsc::RecvTimeoutError> {
    finished.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(TICK)
}
