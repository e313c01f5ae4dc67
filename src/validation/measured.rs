//! One measured serving configuration, as a row of a file states it.

use super::gpu;
use super::read::Line;
use crate::catalog::{Catalog, Model};
use crate::physics::attention::doubled_area;
use crate::physics::inference::{Features, Serving};
use crate::physics::network::{Attention, Network, Reach};
use crate::physics::parallel::Layout;
use crate::physics::precision::Precision;
use crate::physics::speculative::Speculation;
use crate::plan::{attention, network_of};
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
    /// The cells of a line, and what is wrong with the first that is no number inside its limits.
    pub(super) fn read(line: Line<'_>) -> (Self, Option<String>) {
        let (mut numbers, mut wrong) = (HashMap::new(), line.whole().err());
        for (column, low, high) in NUMBERS {
            match line.value(column, low..=high) {
                Ok(value) => numbers.extend(value.map(|value| (column, value))),
                Err(problem) => wrong = wrong.or(Some(problem)),
            }
        }
        let texts = line.cells().map(|(column, text)| (column.to_owned(), text.to_owned())).collect();
        (Self { texts, numbers }, wrong)
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

    /// A number that is filled where the row does not say it, which is written down.
    fn filled(&self, column: &str, default: f64, why: &str, assumed: &mut Vec<String>) -> f64 {
        self.number(column).unwrap_or_else(|| {
            assumed.push(format!("`{column}` is empty: {why}"));
            default
        })
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
    /// Reads a row, with what was filled in `assumed`; the reason is in words where it cannot be predicted.
    ///
    /// # Errors
    /// Why the row cannot be predicted.
    pub fn read(cells: &Cells, catalog: &Catalog, assumed: &mut Vec<String>) -> std::result::Result<Self, String> {
        let hardware = gpu::named(catalog, cells.text("gpu").ok_or("`gpu` is empty")?, cells.text("source"))
            .map_err(|error| error.to_string())?;
        let known = cells.text("model").and_then(|name| catalog.model(name).ok()).map(|found| found.row);
        let reads_only = known.is_some_and(|model| matches!(model.kind.as_str(), "embedding" | "rerank"));
        let output = match cells.number("mean_output_tokens") {
            Some(output) => output,
            None if reads_only => 0.0,
            None => return Err("`mean_output_tokens` is empty; 0 is a request that generates nothing".into()),
        };
        let squared = if output > 0.0 {
            let spread = 1.5 * output * output;
            cells.filled("output_tokens_second_moment", spread, "1.5 times the mean squared", assumed)
        } else {
            0.0
        };
        let precision = precision(cells, assumed)?;
        let (network, precision) = network(cells, known, precision, assumed)?;
        let concurrency = match (cells.number("mean_batch"), cells.number("max_batch")) {
            (Some(mean), _) => mean,
            (None, Some(most)) => {
                assumed.push("`mean_batch` is empty: `max_batch` requests ran at once".into());
                most
            }
            (None, None) => return Err("`mean_batch` and `max_batch` are empty".into()),
        };
        let own = cells.number("n_layers").is_some();
        let sparse = known.filter(|model| is_sparse(model) || !own);
        let devices = cells.filled("n_gpus", 1.0, "one device", assumed).max(1.0);
        if devices.fract() != 0.0 {
            return Err(format!("`n_gpus` is {devices}, expected a whole number"));
        }
        let (dense, experts) = precision.stored_bytes(network.dense_parameters, network.expert_parameters);
        let (weights, memory) = (dense + experts, hardware.memory_gb.unwrap_or(f64::INFINITY) * 1e9 * devices);
        if weights > memory {
            let (needs, has) = ((weights / 1e9).round(), (memory / 1e9).round());
            return Err(format!("{needs} GB of weights do not fit into the {has} GB of {devices} × {}", hardware.id));
        }
        Ok(Self {
            network,
            hardware: hardware.id.clone(),
            serving: Serving {
                layout: Layout {
                    devices,
                    data: cells.or("data_parallel", 1.0).max(1.0),
                    pipeline: cells.or("pipeline_parallel", 1.0).max(1.0),
                },
                precision,
                speculation: Speculation::NONE,
            },
            concurrency: concurrency.max(1.0),
            input: cells.number("mean_input_tokens"),
            output,
            output_of_a_token: if output > 0.0 { (squared / output).max(output) } else { 0.0 },
            window: sparse.and_then(Model::sliding_window).map_or_else(|| cells.or("attn_window", 0.0), f64::from),
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

/// Whether a model reads only a selection of its context, which the columns of a file cannot say.
fn is_sparse(model: &Model) -> bool {
    model.shape().is_some_and(|shape| shape.index_bytes > 0.0 || shape.read.fixed > 0.0)
}

fn precision(cells: &Cells, assumed: &mut Vec<String>) -> std::result::Result<Precision, String> {
    let bits = cells.number("weight_bits");
    let name = match (cells.text("weight_precision"), bits) {
        (Some(name), _) => name,
        (None, Some(bits)) if bits < 16.0 => "of no name",
        (None, _) => {
            assumed.push("`weight_precision` is empty: 16 bits".into());
            "bfloat16"
        }
    };
    if let Some(known) = Precision::named(name) {
        return Ok(known);
    }
    // A format without a name here is stored as it says and multiplied in 16 bits.
    let bits = bits.ok_or_else(|| format!("`{name}` is no known precision and `weight_bits` is empty"))?;
    assumed.push(format!("`{name}` is no known precision: stored in `weight_bits`, multiplied in 16"));
    Ok(Precision::stored(bits / 8.0, bits / 8.0, crate::physics::precision::Compute::Sixteen))
}

/// The network of a row: its own architecture, with the catalog's word on what is looked up and not multiplied, and on
/// attention that reads a selection. The precision is that of its weights.
fn network(
    cells: &Cells,
    known: Option<&Model>,
    precision: Precision,
    assumed: &mut Vec<String>,
) -> std::result::Result<(Network, Precision), String> {
    let shape = ["total_params_b", "n_layers", "hidden_size"];
    if let Some(model) = known.filter(|_| shape.iter().any(|column| cells.number(column).is_none())) {
        let network = network_of(model).map_err(|error| error.to_string())?;
        assumed.push(format!("sizes and shape are empty or not whole: those of `{}` in the catalog", model.id));
        let precision = if network.expert_share.is_some() { precision } else { precision.dense() };
        return Ok((network, precision));
    }
    let total = cells.needed("total_params_b")? * 1e9;
    let active = cells.number("active_params_b").map_or(total, |active| active * 1e9);
    if active > total {
        return Err("`active_params_b` is above `total_params_b`".into());
    }
    let layers = cells.needed("n_layers")?;
    let hidden_size = cells.needed("hidden_size")?;
    let heads = cells.filled("n_heads", hidden_size / 128.0, "heads of 128", assumed);
    let head = cells.filled("head_dim", hidden_size / heads.max(1.0), "hidden size over heads", assumed);
    let kv_heads = cells.filled("n_kv_heads", heads, "as many as heads", assumed);
    let full_layers = cells.or("n_full_attn_layers", layers);
    let window_layers = cells.or("n_window_layers", 0.0);
    let experts = (cells.or("experts_per_token", 0.0), cells.or("n_experts", 0.0));
    let expert_share = (experts.1 > experts.0 && experts.0 > 0.0 && active < total).then(|| experts.0 / experts.1);
    if active < 0.9 * total && expert_share.is_none() {
        return Err(
            "`active_params_b` is below `total_params_b`, and `experts_per_token` or `n_experts` is empty".into()
        );
    }
    let precision = if expert_share.is_some() { precision } else { precision.dense() };
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
    let stated = Attention {
        read,
        stored: read,
        index_bytes: 0.0,
        decode_flop: Reach { full: per_pair * full_layers, window: per_pair * window_layers, fixed: 0.0 },
        prefill_flop: Reach { full: prefill_pair * full_layers, window: prefill_pair * window_layers, fixed: 0.0 },
        cache_shards: kv_heads.max(1.0),
    };
    let sparse = known.filter(|model| is_sparse(model));
    if let Some(model) = sparse {
        assumed.push(format!("attention of `{}` reads a selection of its context, as the catalog has it", model.id));
    }
    let network = Network {
        resident_parameters: total,
        dense_parameters,
        expert_parameters,
        active_parameters: active,
        layers,
        hidden_size,
        expert_share,
        hybrid: cells.text("architecture") == Some("hybrid"),
        state_elements: cells.or("recurrent_state_bytes_per_seq", 0.0) / precision.state_bytes,
        encoder_flop: 0.0,
        attention: sparse.and_then(attention).unwrap_or(stated),
    };
    Ok((network, precision))
}

/// Weights that a catalog model looks up, if this count of active ones holds them.
fn lookup_parameters(model: &Model, active: f64) -> f64 {
    let Some(shape) = model.shape() else { return 0.0 };
    let embedding = (model.active_params - shape.active).max(0.0);
    if active > shape.active + 0.5 * embedding { embedding } else { 0.0 }
}
