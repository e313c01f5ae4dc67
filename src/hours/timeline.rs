//! Values by time: loads come in order of time again and again, so a place is guessed before it is searched.

use std::collections::BTreeMap;

/// Values in the order of their times.
#[derive(Clone, Debug)]
pub struct Timeline<T> {
    times: Vec<i64>,
    values: Vec<T>,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self { times: Vec::new(), values: Vec::new() }
    }
}

impl<T> Timeline<T> {
    /// Adds a value behind all others.
    ///
    /// # Panics
    /// If its time is not behind theirs.
    pub fn push(&mut self, time: i64, value: T) {
        assert!(self.times.last().is_none_or(|last| *last < time), "times come in order");
        self.times.push(time);
        self.values.push(value);
    }

    /// Where a time stands.
    #[must_use]
    pub fn place(&self, time: i64) -> Option<usize> {
        // Most lines have no gaps: from the end, one step is as long as another.
        let guess = || {
            let [.., before, last] = self.times.as_slice() else { return None };
            let back = last.checked_sub(time)? / last.checked_sub(*before)?;
            (self.times.len() - 1).checked_sub(usize::try_from(back).ok()?)
        };
        let guess = guess().filter(|at| self.times[*at] == time);
        guess.or_else(|| self.times.binary_search(&time).ok())
    }

    /// The value at a time.
    #[must_use]
    pub fn get(&self, time: i64) -> Option<&T> {
        self.place(time).map(|at| &self.values[at])
    }

    /// The times in order.
    #[must_use]
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// The values in the order of their times.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// Times with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &T)> {
        self.times.iter().copied().zip(&self.values)
    }
}

impl<T> FromIterator<(i64, T)> for Timeline<T> {
    /// Values that come in order.
    fn from_iter<I: IntoIterator<Item = (i64, T)>>(values: I) -> Self {
        let values = values.into_iter();
        let (least, _) = values.size_hint();
        let mut line = Self { times: Vec::with_capacity(least), values: Vec::with_capacity(least) };
        for (time, value) in values {
            line.push(time, value);
        }
        line
    }
}

/// A timeline in the making: times may come in any order, and several times.
#[derive(Clone, Debug)]
pub struct Gathering<T> {
    line: Timeline<T>,
    /// What came too late to stand at the end of the line.
    late: BTreeMap<i64, T>,
    /// Where the next is expected: behind the one before.
    next: usize,
}

impl<T> Default for Gathering<T> {
    fn default() -> Self {
        Self { line: Timeline::default(), late: BTreeMap::new(), next: 0 }
    }
}

impl<T> Gathering<T> {
    /// The value at a time, a new one where there was none.
    ///
    /// ```
    /// use wattledger::hours::Gathering;
    /// let mut sums = Gathering::default();
    /// for (hour, kwh) in [(7, 1.0), (9, 2.0), (7, 3.0), (8, 4.0)] {
    ///     *sums.at(hour, || 0.0) += kwh;
    /// }
    /// let sums = sums.finish();
    /// assert_eq!(sums.iter().collect::<Vec<_>>(), [(7, &4.0), (8, &4.0), (9, &2.0)]);
    /// assert_eq!(sums.get(8), Some(&4.0));
    /// ```
    pub fn at(&mut self, time: i64, new: impl FnOnce() -> T) -> &mut T {
        let line = &mut self.line;
        let place = if line.times.get(self.next) == Some(&time) {
            self.next
        } else if line.times.last().is_none_or(|last| *last < time) {
            line.push(time, new());
            line.times.len() - 1
        } else if let Ok(place) = line.times.binary_search(&time) {
            place
        } else {
            return self.late.entry(time).or_insert_with(new);
        };
        self.next = place + 1;
        &mut line.values[place]
    }

    /// The values in order.
    #[must_use]
    pub fn finish(self) -> Timeline<T> {
        if self.late.is_empty() {
            return self.line;
        }
        let mut late = self.late.into_iter().peekable();
        let mut all = Timeline::default();
        for (time, value) in self.line.times.into_iter().zip(self.line.values) {
            while let Some((before, value)) = late.next_if(|(late, _)| *late < time) {
                all.push(before, value);
            }
            all.push(time, value);
        }
        // The last of the line is behind all that came late.
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn gathered_as_by_a_map(
            times in prop::collection::vec(prop_oneof![4 => -20_i64..60, 1 => Just(i64::MIN), 1 => any::<i64>()], 0..200),
            step in prop_oneof![Just(1_i64), Just(3600)],
        ) {
            let (mut map, mut gathering) = (BTreeMap::new(), Gathering::default());
            for (n, time) in times.iter().map(|time| time.saturating_mul(step)).enumerate() {
                *map.entry(time).or_insert(0) += n;
                *gathering.at(time, || 0) += n;
            }
            let line = gathering.finish();
            prop_assert_eq!(line.iter().collect::<Vec<_>>(), map.iter().map(|(t, n)| (*t, n)).collect::<Vec<_>>());
            for time in times.iter().flat_map(|time| [time.saturating_mul(step), time.saturating_add(1)]) {
                prop_assert_eq!(line.get(time), map.get(&time));
            }
        }
    }
}
