//! One measured serving configuration, as a row of a file states it.

use crate::catalog::{Catalog, Model};
use crate::physics::attention::doubled_area;
use crate::physics::inference::{Features, Serving};
use crate::physics::network::{Attention, Network, Reach};
use crate::physics::parallel::Layout;
use crate::physics::precision::Precision;
use crate::physics::speculative::Speculation;
use crate::{Error, Result};
use std::collections::HashMap;

/// The cells of one row, by column; empty cells are absent.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    values: HashMap<String, String>,
    place: String,
}

impl Cells {
    /// Cells of the row on this line of the file.
    #[must_use]
    pub fn new(place: &str, line: u64, header: &csv::StringRecord, record: &csv::StringRecord) -> Self {
        let given = header.iter().zip(record).filter(|(_, cell)| !cell.trim().is_empty());
        let values = given.map(|(column, cell)| (column.trim().to_owned(), cell.trim().to_owned())).collect();
        Self { values, place: format!("{place}, line {line}") }
    }

    /// Words of a cell.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        self.values.get(column).map(String::as_str)
    }

    /// A finite, non-negative number.
    ///
    /// # Errors
    /// [`Error::Argument`] for a cell that holds something else.
    pub fn number(&self, column: &str) -> Result<Option<f64>> {
        let Some(text) = self.text(column) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() && value >= 0.0 => Ok(Some(value)),
            _ => Err(Error::Argument {
                what: format!("{}, {column}", self.place),
                value: text.to_owned(),
                expected: "a number of zero or more, or an empty cell".into(),
            }),
        }
    }

    /// A number that the row cannot be predicted without.
    fn needed(&self, column: &str) -> std::result::Result<f64, String> {
        match self.number(column) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(format!("no {column}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn or(&self, column: &str, default: f64) -> std::result::Result<f64, String> {
        self.number(column).map(|value| value.unwrap_or(default)).map_err(|error| error.to_string())
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
        let output = match cells.or("mean_output_tokens", 0.0)? {
            none if none <= 0.0 => 0.0,
            tokens => tokens,
        };
        let squared = cells.or("output_tokens_second_moment", 1.5 * output * output)?;
        let known = cells.text("model").and_then(|name| catalog.model(name).ok()).map(|found| found.row);
        let precision = precision(cells)?;
        let network = network(cells, known, &precision)?;
        Ok(Self {
            network,
            hardware: hardware(cells, catalog)?,
            serving: Serving {
                layout: Layout {
                    devices: cells.or("n_gpus", 1.0)?.max(1.0),
                    data: cells.or("data_parallel", 1.0)?.max(1.0),
                    pipeline: cells.or("pipeline_parallel", 1.0)?.max(1.0),
                },
                precision,
                speculation: Speculation::NONE,
            },
            concurrency: match cells.number("mean_batch").map_err(|e| e.to_string())? {
                Some(running) => running,
                None => cells.needed("max_batch").map_err(|_| "no mean_batch and no max_batch".to_owned())?,
            }
            .max(1.0),
            input: cells.number("mean_input_tokens").map_err(|e| e.to_string())?,
            output,
            output_of_a_token: if output > 0.0 { (squared / output).max(output) } else { 0.0 },
            window: cells.or("attn_window", 0.0)?,
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
    let bits = cells.needed("weight_bits").map_err(|_| format!("`{name}` is no known precision and no weight_bits"))?;
    Ok(Precision::stored(bits / 8.0, bits / 8.0, crate::physics::precision::Compute::Sixteen))
}

/// The accelerator by the name that the source gives it.
fn hardware(cells: &Cells, catalog: &Catalog) -> std::result::Result<String, String> {
    let name = cells.text("gpu").ok_or("no gpu")?;
    let source = cells.text("source").unwrap_or_default();
    // The second ML.ENERGY leaderboard ran on p4d.24xlarge, whose A100 have 40 GB; everybody else's "A100" has 80.
    let name = match name {
        "A100" if source.contains("leaderboard-v2") => "a100-sxm4-40gb",
        "A100" => "a100-sxm4-80gb",
        "H100" => "h100-sxm5-80gb",
        "B200" => "b200-sxm",
        other => other,
    };
    catalog.hardware(name).map(|found| found.row.id.clone()).map_err(|error| error.to_string())
}

/// The network of a row: its own architecture, with the catalog's word on what is looked up and not multiplied.
fn network(cells: &Cells, known: Option<&Model>, precision: &Precision) -> std::result::Result<Network, String> {
    let (total, active) = (cells.needed("total_params_b")? * 1e9, cells.needed("active_params_b")? * 1e9);
    let layers = cells.needed("n_layers")?;
    let hidden_size = cells.needed("hidden_size")?;
    let (heads, head) = (cells.or("n_heads", 0.0)?, cells.or("head_dim", 0.0)?);
    let kv_heads = cells.or("n_kv_heads", heads)?;
    let full_layers = cells.or("n_full_attn_layers", layers)?;
    let window_layers = cells.or("n_window_layers", 0.0)?;
    let experts = (cells.or("experts_per_token", 0.0)?, cells.or("n_experts", 0.0)?);
    let expert_share = (experts.1 > experts.0 && experts.0 > 0.0 && active < total).then(|| experts.0 / experts.1);
    // An input embedding of its own is looked up. Rows that leave it out of the active count say so by their size.
    let lookup = known.map_or(0.0, |model| lookup_parameters(model, active));
    let (streamed, active) = (total - lookup, active - lookup);
    let (dense_parameters, expert_parameters) = Network::split(streamed, active, expert_share);
    let elements = |column: &str, layers: f64| {
        cells.number(column).map(|bytes| bytes.map_or(2.0 * layers * kv_heads * head, |bytes| bytes / 2.0))
    };
    let full = elements("kv_bytes_per_token_full", full_layers).map_err(|e| e.to_string())?;
    let window = elements("kv_bytes_per_token_window", window_layers).map_err(|e| e.to_string())?;
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
        state_elements: cells.or("recurrent_state_bytes_per_seq", 0.0)? / precision.state_bytes,
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
