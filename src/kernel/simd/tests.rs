//! Every form of a loop gives the same integers.

use super::{Moments, Record, Tokens, portable};
use bytemuck::Zeroable;
use proptest::prelude::*;

fn events() -> impl Strategy<Value = Vec<[u32; 4]>> {
    prop::collection::vec((0..9_u32, any::<u32>(), any::<u32>(), any::<u32>()).prop_map(Into::into), 0..40)
}

proptest! {
    #[test]
    fn moments_are_the_same_in_every_form(events in events()) {
        // A billion is the most tokens there can be: forty squares of it fit.
        let events: Vec<[u32; 4]> = events.into_iter().map(|[at, i, c, o]| [at, i % 1_000_000_000, c % 1_000_000_000, o % 1_000_000_000]).collect();
        let column = |n: usize| events.iter().map(|event| event[n]).collect::<Vec<u32>>();
        let [at, input, cached, output] = [0, 1, 2, 3].map(column);
        let tokens = Tokens { at: &at, input: &input, cached: &cached, output: &output, ahead: crate::event::Ahead::default() };
        let records: Vec<Record> = events.iter().map(|values| Record { time_us: 0, latency_us: 0, values: *values }).collect();
        let mut naive = [[0_u64; 8]; 9];
        for [at, i, c, o] in &events {
            let [i, c, o] = [*i, *c, *o].map(u64::from);
            for (sum, value) in naive[*at as usize].iter_mut().zip([1, i, c, o, i * i, c * c, i * o, o * o]) {
                *sum += value;
            }
        }
        let gathered = |add: &dyn Fn(&mut [Moments])| {
            let mut cells = [Moments::zeroed(); 9];
            add(&mut cells);
            cells.map(|cell| cell.0)
        };
        prop_assert_eq!(gathered(&|cells| portable::moments(cells, tokens)), naive);
        prop_assert_eq!(gathered(&|cells| super::moments(cells, tokens)), naive);
        prop_assert_eq!(gathered(&|cells| portable::moments_of_records(cells, &records)), naive);
        prop_assert_eq!(gathered(&|cells| super::moments_of_records(cells, &records)), naive);
    }
}
