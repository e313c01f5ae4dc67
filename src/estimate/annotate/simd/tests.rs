use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_form_gives_the_same_bits(
        tokens in prop::collection::vec((0..1_000_000_000_u32, 0..1_000_000_000_u32, 0..1_000_000_000_u32), 0..30),
        seed in any::<u32>(),
        features in prop::sample::select(vec![5_usize, 6, 8]),
        (has_more, has_two) in any::<(bool, bool)>(),
    ) {
        let input: Vec<u32> = tokens.iter().map(|t| t.0.max(t.1)).collect();
        let cached: Vec<u32> = tokens.iter().map(|t| t.0.min(t.1)).collect();
        let output: Vec<u32> = tokens.iter().map(|t| t.2).collect();
        let windowed: Vec<[f64; 2]> = output.iter().map(|o| [f64::from(*o) / 3.0, f64::from(seed)]).collect();
        let tokens = Tokens { input: &input, cached: &cached, output: &output, windowed: &windowed };
        let mut rows = Vec::new();
        for i in 0..input.len() {
            let mut row = portable::features([input[i], cached[i], output[i]]);
            let [n, c, o] = [input[i], cached[i], output[i]].map(u128::from);
            #[expect(clippy::cast_precision_loss, reason = "rounding once, to the nearest")]
            let exact =
                [2, 2 * (n - c), n * n - c * c, 2 * o, 2 * n * o + o * o, 2 * c].map(|twice| twice as f64 / 2.0);
            prop_assert_eq!(&row[..6], exact);
            [row[6], row[7]] = windowed[i];
            rows.push(row);
        }
        let (slots, groups) = (3_usize, 2);
        let number = |i: usize| f64::from(u32::try_from(i).unwrap().wrapping_mul(seed | 1) % 1009) / 7.0;
        let some = |n: usize, from: usize| (0..n).map(|i| [number(from + 2 * i), number(from + 2 * i + 1)]).collect();
        let pairs: Vec<[f64; 2]> = some(slots * features, 0);
        let more: Vec<[f64; 2]> = if has_more { some(slots * features, 100) } else { Vec::new() };
        let at: Vec<u32> = output.iter().map(|o| o % 3).collect();
        let weights = Weights { pairs: &pairs, more: &more, features };
        let mut loads = [vec![[0.0; 4]; rows.len()], vec![[0.0; 4]; rows.len()]];
        weigh(tokens, &at, weights, &mut loads[0]);
        portable::weigh(tokens, &at, weights, &mut loads[1]);
        prop_assert_eq!(&loads[0], &loads[1]);
        let loads = &loads[0];
        let four = |i: usize| [number(i), number(3 * i), number(5 * i), number(7 * i)];
        let of_load: Vec<[f64; GROUP]> = (0..slots * groups).map(four).collect();
        let of_time: Vec<[f64; GROUP]> = if has_two { (0..slots * groups).map(|i| four(i + 9)).collect() } else { Vec::new() };
        let group = seed as usize % groups;
        let places = [0, 1, seed % 4, 2];
        let factors = Factors { of_load: &of_load, of_time: &of_time, groups, group, loads: places };
        let mut values = [[[0.0; TILE]; GROUP]; 2];
        spread(loads, &at, factors, &mut values[0]);
        portable::spread(loads, &at, factors, &mut values[1]);
        prop_assert_eq!(values[0], values[1]);
        for (i, row) in rows.iter().enumerate() {
            let slot = at[i] as usize;
            let sum = |weights: &[[f64; 2]], lane: usize| -> f64 {
                (0..features).map(|f| row[f] * weights.get(slot * features + f).map_or(0.0, |w| w[lane])).sum()
            };
            let expected = [sum(&pairs, 0), sum(&pairs, 1), sum(&more, 0), sum(&more, 1)];
            prop_assert!(expected.iter().zip(loads[i]).all(|(a, b)| (a - b).abs() <= 1e-14 * a.abs()));
            for column in 0..GROUP {
                let place = slot * groups + group;
                let time = of_time.get(place).map_or(0.0, |of_time| of_time[column]);
                let value = loads[i][places[column] as usize] * of_load[place][column] + loads[i][TIME] * time;
                prop_assert!((value - values[0][column][i]).abs() <= 1e-14 * value.abs());
            }
        }
    }
}
