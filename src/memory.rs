//! Memory: large buffers on large pages.
//!
//! First touch of a fresh page costs microseconds where pages are 4 KiB, more than the work on what it holds. A buffer of
//! megabytes asks the system for large pages instead; where the system has none, nothing else changes.

use bytemuck::Zeroable;

/// Buffers from this size on ask for large pages.
const LARGE: usize = 4 << 20;

/// An empty vector with room for `n` values.
pub(crate) fn with_capacity<T>(n: usize) -> Vec<T> {
    let vec = Vec::<T>::with_capacity(n);
    advise(vec.as_ptr().addr(), n * size_of::<T>());
    vec
}

/// A vector of `n` zeros, in memory that nobody touched yet.
pub(crate) fn zeroed<T: Zeroable>(n: usize) -> Vec<T> {
    let vec: Vec<T> = bytemuck::zeroed_vec(n);
    advise(vec.as_ptr().addr(), n * size_of::<T>());
    vec
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system is told about memory by its address")]
fn advise(address: usize, bytes: usize) {
    const PAGE: usize = 2 << 20;
    let (start, end) = (address.next_multiple_of(PAGE), (address + bytes) / PAGE * PAGE);
    if bytes >= LARGE && start < end {
        // SAFETY: the range lies inside one allocation of this process, and the advice says how it is mapped, not what it
        // holds. A refusal is of no consequence.
        unsafe { libc::madvise(std::ptr::without_provenance_mut(start), end - start, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_: usize, _: usize) {}
