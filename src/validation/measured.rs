//! One measured serving configuration, as a row of a file states it.

use super::gpu;
use super::read::Line;
use crate::Result;
use crate::catalog::{Catalog, Model};
use crate::physics::attention::doubled_area;
use crate::physics::inference::{Features, Serving};
use crate::physics::network::{Attention, Network, Reach};
use crate::physics::parallel::Layout;
use crate::physics::precision::Precision;
use crate::physics::speculative::Speculation;
use std::collections::HashMap;

/// Columns of numbers with the smallest and largest that they may hold.
const NUMBERS: [(&str, f64, f64); 26] = [
    ("total_params_b", 1e-4, 1e5),
    ("active_params_b", 1e-4, 1e5),
    ("n_layers", 1.0, 2_000.0),
    ("hidden_size", 16.0, 200_000.0),
    ("n_heads", 0.0, 10_000.0),
    ("n_kv_heads", 0.0, 10_000.0),
    ("head_dim", 0.0, 10_000.0),
    ("n_full_attn_layers", 0.0, 2_000.0),
    ("n_window_layers", 0.0, 2_000.0),
    ("attn_window", 0.0, 1e9),
    ("n_experts", 0.0, 100_000.0),
    ("experts_per_token", 0.0, 10_000.0),
    ("kv_bytes_per_token_full", 0.0, 1e9),
    ("kv_bytes_per_token_window", 0.0, 1e9),
    ("recurrent_state_bytes_per_seq", 0.0, 1e12),
    ("weight_bits", 1.0, 64.0),
    ("n_gpus", 1.0, 65_536.0),
    ("data_parallel", 0.0, 65_536.0),
    ("pipeline_parallel", 0.0, 65_536.0),
    ("max_batch", 0.0, 1e7),
    ("mean_batch", 0.0, 1e7),
    ("mean_input_tokens", 0.0, 1e9),
    ("mean_output_tokens", 0.0, 1e9),
    ("output_tokens_second_moment", 0.0, 1e18),
    ("energy_per_output_token_j", 1e-9, 1e9),
    ("energy_per_request_j", 1e-9, 1e15),
];

/// The cells of one row, by column; empty cells are absent.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    texts: HashMap<String, String>,
    numbers: HashMap<&'static str, f64>,
}

impl Cells {
    /// The cells of a line, every number inside its limits.
    pub(super) fn read(line: Line<'_>) -> Result<Self> {
        let mut numbers = HashMap::new();
        for (column, low, high) in NUMBERS {
            numbers.extend(line.value(column, low..=high)?.map(|value| (column, value)));
        }
        Ok(Self { texts: line.cells().map(|(column, text)| (column.to_owned(), text.to_owned())).collect(), numbers })
    }

    /// What a cell says.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        self.texts.get(column).map(String::as_str)
    }

    /// The number in a cell.
    #[must_use]
    pub fn number(&self, column: &str) -> Option<f64> {
        self.numbers.get(column).copied()
    }

    /// A number that the row cannot be predicted without.
    fn needed(&self, column: &str) -> std::result::Result<f64, String> {
        self.number(column).ok_or_else(|| format!("`{column}` is empty"))
    }

    fn or(&self, column: &str, default: f64) -> f64 {
        self.number(column).unwrap_or(default)
    }
}

/// A row in the terms of the method.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The network, from the row's own architecture.
    pub network: Network,
    /// Catalog id of the accelerator.
    pub hardware: String,
    /// How it is served.
    pub serving: Serving,
    /// Requests running at once.
    pub concurrency: f64,
    /// Input tokens of a mean request; `None` where the row does not say.
    pub input: Option<f64>,
    /// Output tokens of a mean request.
    pub output: f64,
    /// Mean of the square of output tokens over their mean: the length that a mean token comes from.
    pub output_of_a_token: f64,
    /// Attention window in tokens.
    pub window: f64,
}

impl Configuration {
    /// Reads a row; the reason is in words where it cannot be predicted.
    ///
    /// # Errors
    /// Why the row cannot be predicted.
    pub fn read(cells: &Cells, catalog: &Catalog) -> std::result::Result<Self, String> {
        let output = cells.or("mean_output_tokens", 0.0);
        let squared = cells.or("output_tokens_second_moment", 1.5 * output * output);
        let known = cells.text("model").and_then(|name| catalog.model(name).ok()).map(|found| found.row);
        let precision = precision(cells)?;
        let network = network(cells, known, &precision)?;
        Ok(Self {
            network,
            hardware: gpu::named(catalog, cells.text("gpu").ok_or("`gpu` is empty")?, cells.text("source"))
                .map_err(|error| error.to_string())?
                .id
                .clone(),
            serving: Serving {
                layout: Layout {
                    devices: cells.or("n_gpus", 1.0).max(1.0),
                    data: cells.or("data_parallel", 1.0).max(1.0),
                    pipeline: cells.or("pipeline_parallel", 1.0).max(1.0),
                },
                precision,
                speculation: Speculation::NONE,
            },
            concurrency: cells
                .number("mean_batch")
                .or(cells.number("max_batch"))
                .ok_or("`mean_batch` and `max_batch` are empty")?
                .max(1.0),
            input: cells.number("mean_input_tokens"),
            output,
            output_of_a_token: if output > 0.0 { (squared / output).max(output) } else { 0.0 },
            window: cells.or("attn_window", 0.0),
        })
    }

    /// Features of a mean request with this many input tokens.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "token counts, rounded to whole ones")]
    pub fn features(&self, input: f64) -> Features {
        let (o, of) = (self.output, self.output_of_a_token);
        let window = if self.window > 0.0 { self.window as u64 } else { 1 << 40 };
        #[expect(clippy::cast_precision_loss, reason = "areas far below 2^53")]
        let area = |tokens: f64| doubled_area(tokens.round() as u64, window.min(1 << 31)) as f64 / 2.0;
        Features {
            requests: 1.0,
            cached: 0.0,
            uncached: input,
            prefill_pairs: input * input / 2.0,
            prefill_window_pairs: area(input),
            output: o,
            context_pairs: o * (input + of / 2.0),
            window_context_pairs: if of > 0.0 { o / of * (area(input + of) - area(input)) } else { 0.0 },
        }
    }
}

fn precision(cells: &Cells) -> std::result::Result<Precision, String> {
    let name = cells.text("weight_precision").unwrap_or("bfloat16");
    if let Some(known) = Precision::named(name) {
        return Ok(known);
    }
    // A format without a name here is stored as it says and multiplied in 16 bits.
    let bits = cells
        .number("weight_bits")
        .ok_or_else(|| format!("`{name}` is no known precision and `weight_bits` is empty"))?;
    Ok(Precision::stored(bits / 8.0, bits / 8.0, crate::physics::precision::Compute::Sixteen))
}

/// The network of a row: its own architecture, with the catalog's word on what is looked up and not multiplied.
fn network(cells: &Cells, known: Option<&Model>, precision: &Precision) -> std::result::Result<Network, String> {
    let (total, active) = (cells.needed("total_params_b")? * 1e9, cells.needed("active_params_b")? * 1e9);
    let layers = cells.needed("n_layers")?;
    let hidden_size = cells.needed("hidden_size")?;
    let (heads, head) = (cells.or("n_heads", 0.0), cells.or("head_dim", 0.0));
    let kv_heads = cells.or("n_kv_heads", heads);
    let full_layers = cells.or("n_full_attn_layers", layers);
    let window_layers = cells.or("n_window_layers", 0.0);
    let experts = (cells.or("experts_per_token", 0.0), cells.or("n_experts", 0.0));
    let expert_share = (experts.1 > experts.0 && experts.0 > 0.0 && active < total).then(|| experts.0 / experts.1);
    // An input embedding of its own is looked up. Rows that leave it out of the active count say so by their size.
    let lookup = known.map_or(0.0, |model| lookup_parameters(model, active));
    let (streamed, active) = (total - lookup, active - lookup);
    let (dense_parameters, expert_parameters) = Network::split(streamed, active, expert_share);
    let elements =
        |column: &str, layers: f64| cells.number(column).map_or(2.0 * layers * kv_heads * head, |bytes| bytes / 2.0);
    let full = elements("kv_bytes_per_token_full", full_layers);
    let window = elements("kv_bytes_per_token_window", window_layers);
    // A latent cache holds one head's width per layer and not twice that of its key-value heads.
    let latent = kv_heads <= 1.0 && full_layers > 0.0 && (full / full_layers - head).abs() < 1.0;
    let per_pair = 4.0 * heads * head;
    // Prefill of latent attention is expanded: 128 + 64 for queries and keys, 128 for values, in every released model.
    let prefill_pair = if latent { 2.0 * heads * 320.0 } else { per_pair };
    let read = Reach { full, window, fixed: 0.0 };
    Ok(Network {
        resident_parameters: total,
        dense_parameters,
        expert_parameters,
        active_parameters: active,
        layers,
        hidden_size,
        expert_share,
        hybrid: cells.text("architecture") == Some("hybrid"),
        state_elements: cells.or("recurrent_state_bytes_per_seq", 0.0) / precision.state_bytes,
        attention: Attention {
            read,
            stored: read,
            index_bytes: 0.0,
            decode_flop: Reach { full: per_pair * full_layers, window: per_pair * window_layers, fixed: 0.0 },
            prefill_flop: Reach { full: prefill_pair * full_layers, window: prefill_pair * window_layers, fixed: 0.0 },
            cache_shards: kv_heads.max(1.0),
        },
    })
}

/// Weights that a catalog model looks up, if this count of active ones holds them.
fn lookup_parameters(model: &Model, active: f64) -> f64 {
    let Some(shape) = model.shape() else { return 0.0 };
    let embedding = (model.active_params - shape.active).max(0.0);
    if active > shape.active + 0.5 * embedding { embedding } else { 0.0 }
}
