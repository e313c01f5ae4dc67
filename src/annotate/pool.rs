//! Buffers of results, used again once nobody holds them.

use super::Number;
use arrow_buffer::{Buffer, ScalarBuffer};

/// Buffers that were handed out. One that its taker has let go is filled anew; one that is still held is left alone.
#[derive(Debug, Default)]
pub struct Pool {
    lent: Vec<Buffer>,
}

/// Buffers that are remembered; more only while more are held.
const REMEMBERED: usize = 128;

impl Pool {
    /// A column of so many values, whatever they are.
    pub(super) fn take<T: Number>(&mut self, n: usize) -> Vec<T> {
        for _ in 0..self.lent.len() {
            match self.lent.remove(0).into_vec::<T>() {
                Ok(mut values) => {
                    values.resize(n, T::NAN);
                    return values;
                }
                Err(held) => self.lent.push(held),
            }
        }
        vec![T::NAN; n]
    }

    /// The column as a buffer to hand out.
    pub(super) fn lend<T: Number>(&mut self, values: Vec<T>) -> ScalarBuffer<T> {
        let buffer = Buffer::from_vec(values);
        if self.lent.len() == REMEMBERED {
            self.lent.remove(0);
        }
        self.lent.push(buffer.clone());
        buffer.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_once_nobody_holds_it() {
        let mut pool = Pool::default();
        let held = {
            let column = pool.take::<f64>(1000);
            pool.lend(column)
        };
        let second = pool.take::<f64>(1000);
        assert_ne!(second.as_ptr(), held.as_ptr(), "one that is held is not touched");
        let address = held.as_ptr();
        drop(held);
        let mut again = pool.take::<f64>(10);
        assert_eq!((again.as_ptr(), again.len()), (address, 10));
        again[3] = 1.0;
        drop(pool.lend(again));
        assert_eq!(pool.take::<f32>(5).len(), 5, "numbers of another width take another");
    }
}
