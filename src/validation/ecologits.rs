//! EcoLogits' published formula, as the yardstick beside which errors are read.
//!
//! Source: EcoLogits 0.8 to 0.11, `ecologits/impacts/llm.py` (MPL-2.0; the constants only): energy of one accelerator per
//! output token, α·e^(β·64)·active + γ in Wh, times the accelerators of 80 GB that 1.2 times the weights at 16 bits
//! fill, rounded up to a power of two. Input tokens, the accelerator, precision and load do not enter.

const ALPHA_WH: f64 = 1.166_527_317_045_191_4e-6;
const BETA: f64 = -0.011_205_921_025_579_175;
const GAMMA_WH: f64 = 4.052_928_146_734_005e-5;
const BATCH: f64 = 64.0;
const MEMORY_GB: f64 = 80.0;

/// Joules of all accelerators per output token, for parameters in billions.
pub(super) fn joules_per_token(active_billions: f64, total_billions: f64) -> f64 {
    let one = (ALPHA_WH * (BETA * BATCH).exp() * active_billions + GAMMA_WH) * 3600.0;
    let needed = (1.2 * total_billions * 2.0 / MEMORY_GB).ceil();
    one * needed.log2().ceil().exp2()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_model_of_70_billion_takes_four_accelerators() {
        let joules = super::joules_per_token(70.0, 70.0);
        // (1.1665e-6·e^(−0.71718)·70 + 4.0529e-5) Wh·3600·4
        assert!((joules - 1.1575).abs() < 1e-3, "{joules}");
    }
}
