//! Parameters of the inference method: versioned sets, one value a row.

use super::record::{File, Load, Row, record};

record! {
    /// One value of one parameter set. What the symbols mean stands with the method (`docs/method/inference.md`).
    pub Parameter = "parameter" {
        /// Key: set, layer, engine, generation and symbol, with slashes.
        id: String,
        /// Parameter set; values of different sets are never mixed.
        set: String,
        /// method, silicon, stack, task, spread or cache.
        layer: String,
        /// Engine of a stack value; empty for every engine.
        engine: Option<String>,
        /// Generation of accelerators of a silicon or stack value; empty for every generation.
        generation: Option<String>,
        /// Symbol.
        symbol: String,
        /// Benchmark task of a task value, tier of a cache value.
        subject: Option<String>,
        /// Value; times in seconds, everything else a ratio.
        value: f64 = "" [0.0, 1e6],
        /// What the value was expected to be before the fit; empty where it was not fitted.
        prior: Option<f64> = "" [0.0, 1e6],
        /// Width of that expectation, as a standard deviation of the logarithm.
        prior_sigma: Option<f64> = "" [0.0, 10.0],
        /// A remark.
        note: Option<String>,
    }
}

impl Parameter {
    /// The key that a row has to have.
    fn key(&self) -> String {
        let Self { set, layer, engine, generation, symbol, .. } = self;
        let (engine, generation) = (engine.as_deref().unwrap_or("*"), generation.as_deref().unwrap_or("*"));
        let subject = self.subject.as_deref().map(|subject| format!(":{subject}")).unwrap_or_default();
        format!("{set}/{layer}/{engine}/{generation}/{symbol}{subject}")
    }

    /// The row of the same symbol for one engine on one generation, with this value.
    #[must_use]
    pub fn for_engine(&self, engine: &str, generation: &str, value: f64) -> Self {
        let (engine, generation) = (Some(engine.to_owned()), Some(generation.to_owned()));
        let mut row = Self { engine, generation, value, ..self.clone() };
        row.id = row.key();
        row
    }
}

impl Load for Parameter {
    const FILES: &'static [File] =
        &[File { name: "parameters.csv", text: include_str!("data/parameters.csv"), prefix: "", sources: None }];

    fn build(row: &Row<'_>) -> Result<Self, String> {
        let parameter = Self::read(row);
        let layer = &parameter.layer;
        if !["method", "silicon", "stack", "task", "spread", "cache"].contains(&layer.as_str()) {
            return Err(format!("`{layer}` is no layer: method, silicon, stack, task, spread or cache"));
        }
        let key = parameter.key();
        if parameter.id == key { Ok(parameter) } else { Err(format!("the id has to be `{key}`")) }
    }
}
