//! The loops in plain Rust.

use super::{Arrivals, Moments, Record, Tokens};

#[inline]
fn add(cell: &mut Moments, [input, cached, output]: [u32; 3]) {
    let [input, cached, output] = [input, cached, output].map(u64::from);
    let values = [1, input, cached, output, input * input, cached * cached, input * output, output * output];
    for (sum, value) in cell.0.iter_mut().zip(values) {
        *sum += value;
    }
}

pub(super) fn moments(cells: &mut [Moments], tokens: Tokens<'_>) {
    let Tokens { at, input, cached, output, .. } = tokens;
    for (((at, input), cached), output) in at.iter().zip(input).zip(cached).zip(output) {
        add(&mut cells[*at as usize], [*input, *cached, *output]);
    }
}

pub(super) fn moments_and_arrivals(cells: &mut [Moments], arrivals: &mut [Arrivals], at: &[u32], tokens: Tokens<'_>) {
    moments(cells, tokens);
    for (at, output) in at.iter().zip(tokens.output) {
        arrivals[*at as usize].add(*output);
    }
}

pub(super) fn moments_of_records(cells: &mut [Moments], records: &[Record]) {
    for Record { values: [at, input, cached, output], .. } in records {
        add(&mut cells[*at as usize], [*input, *cached, *output]);
    }
}
