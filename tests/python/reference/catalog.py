"""What the catalog's tables say, in the terms of the method: accelerators, networks, parameters.

Reads the tables themselves (src/catalog/data/*.csv) and shares no code with the engine.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal, getcontext
from functools import cache
from pathlib import Path

getcontext().prec = 50
D = Decimal
ONE, ZERO = D(1), D(0)
DATA = Path(__file__).resolve().parents[3] / "src" / "catalog" / "data"

#: Column to text; an empty cell says nothing.
Row = dict[str, str]


@cache
def rows(name: str) -> tuple[Row, ...]:
    """Return the rows of a table without their empty cells."""
    with (DATA / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return tuple({column: text for column, text in row.items() if text} for row in csv.DictReader(file))


def row(name: str, key: str) -> Row:
    return next(one for one in rows(name) if one["id"] == key)


def cell(row: Row, column: str) -> D | None:
    return D(row[column]) if column in row else None


def first(*values: D | None) -> D:
    """The first value that is known; the last one has to be."""
    return next(value for value in values if value is not None)


# Accelerators


@dataclass(frozen=True)
class Hardware:
    """One device: rated power in W, 1e9 byte/s, 1e12 FLOP/s, 1e9 byte/s in both directions, 1e9 byte."""

    tdp_w: D
    memory_bw_gbs: D
    bf16_tflops: D
    fp8_tflops: D | None
    fp4_tflops: D | None
    interconnect_gbs: D
    memory_gb: D
    idle_w: D | None
    idle_context_w: D | None
    generation: str


def hardware(row: Row) -> Hardware:
    return Hardware(
        tdp_w=D(row["tdp_w"]),
        memory_bw_gbs=D(row["memory_bw_gbs"]),
        bf16_tflops=D(row["bf16_tflops"]),
        fp8_tflops=cell(row, "fp8_tflops"),
        fp4_tflops=cell(row, "fp4_tflops"),
        # Without a figure, the link is that of PCIe 4.0 x16.
        interconnect_gbs=first(cell(row, "interconnect_gbs"), D(64)),
        memory_gb=D(row["memory_gb"]),
        idle_w=cell(row, "idle_w"),
        idle_context_w=cell(row, "idle_context_w"),
        generation=generation(row),
    )


def generation(row: Row) -> str:
    """Return the generation whose parameters hold: one with measured kernels or serving energy, else `other`."""
    measured = {"hopper": "hopper", "ampere": "ampere", "ada": "ada"}
    measured |= {"blackwell": "blackwell", "blackwell-ultra": "blackwell"}
    # An edge module or a system on a chip shares a name with the data-centre part and little else.
    is_card = row["category"].endswith("gpu") or row["category"] == "superchip"
    return measured.get(row.get("generation", ""), "other") if is_card else "other"


# Networks


@dataclass(frozen=True)
class Reach:
    """A quantity per token of context, per token of context inside the window, and per token whatever the context."""

    full: D = ZERO
    window: D = ZERO
    fixed: D = ZERO

    def without_window(self) -> Reach:
        return Reach(self.full + self.window, ZERO, self.fixed)


@dataclass(frozen=True)
class Network:
    """Weights, cache elements and FLOP; attention is summed over the layers."""

    resident: D
    dense: D
    experts: D
    active: D
    layers: D
    hidden: D
    #: Share of the experts that one token is routed to, or nothing for a dense network.
    share: D | None
    hybrid: bool
    state_elements: D
    read: Reach
    stored: Reach
    index_bytes: D
    decode_flop: Reach
    prefill_flop: Reach
    cache_shards: D
    window: int | None
    generates: bool
    #: Parameters of the tower that makes tokens of media, where the model has one.
    encoder: D | None
    #: FLOP of that tower per input token.
    encoder_flop: D = ZERO


def network(row: Row) -> Network:
    """Read a row of a model."""

    def number(column: str) -> D:
        return first(cell(row, column), ZERO)

    layers, hidden = D(row["n_layers"]), D(row["hidden_size"])
    share = expert_share(row)
    active, streamed = weights(row, share)
    # Whatever of the streamed weights is not multiplied with lies in experts that a token is not routed to.
    experts = ZERO if share is None else (streamed - active) / (ONE - share)

    window_layers, linear_layers = number("n_window_layers"), number("n_linear_layers")
    full_layers = first(cell(row, "n_full_attn_layers"), max(layers - window_layers - linear_layers, ZERO))
    elements, decode, prefill = widths(row, hidden)

    def reach(columns: str, per_layer: D, fixed: D) -> Reach:
        full = first(cell(row, f"{columns}_full"), per_layer * full_layers)
        return Reach(full, first(cell(row, f"{columns}_window"), per_layer * window_layers), fixed)

    read = reach("kv_elements_per_token", elements, number("kv_elements_fixed"))
    # Layers that share a cache keep less than they read.
    kept_full = first(cell(row, "kv_stored_elements_per_token_full"), read.full)
    stored = Reach(kept_full, first(cell(row, "kv_stored_elements_per_token_window"), read.window), read.fixed)
    decode_flop = reach("attn_flop_decode", decode, number("attn_flop_decode_fixed"))
    prefill_flop = reach("attn_flop_prefill", prefill, number("attn_flop_prefill_fixed"))
    attention = (read, stored, decode_flop, prefill_flop)
    window = int(row["attn_window"].split(".")[0]) if "attn_window" in row else None
    if window is None or all(part.window == 0 for part in attention):
        # A window of unknown length bounds nothing.
        window = None
        read, stored, decode_flop, prefill_flop = (part.without_window() for part in attention)
    # A latent is one thing; key-value heads can be kept apart.
    latent = row.get("kv_kind") == "mla"
    heads = ONE if latent else first(cell(row, "n_kv_heads"), cell(row, "n_heads"), ONE)
    return Network(
        resident=D(row["total_params"]),
        dense=streamed - experts,
        experts=experts,
        active=active,
        layers=layers,
        hidden=hidden,
        share=share,
        hybrid=linear_layers > 0,
        state_elements=number("state_elements"),
        read=read,
        stored=stored,
        index_bytes=number("index_bytes_per_token"),
        decode_flop=decode_flop,
        prefill_flop=prefill_flop,
        cache_shards=max(first(cell(row, "kv_max_shards"), heads), ONE),
        window=window,
        generates=row.get("kind") not in ("embedding", "rerank", "classification"),
        encoder=cell(row, "vision_params"),
    )


def expert_share(row: Row) -> D | None:
    """k/E where a token leaves some experts out."""
    used, every = cell(row, "experts_per_token"), cell(row, "n_experts")
    if used is None or every is None or used >= every or D(row["active_params"]) >= D(row["total_params"]):
        return None
    return used / every


def weights(row: Row, share: D | None) -> tuple[D, D]:
    """Return the weights that a text token is multiplied with, and those that steps stream with every expert in use."""
    total, active = D(row["total_params"]), D(row["active_params"])
    # The input embedding is looked up; where it is the output head as well, a step streams it all the same. Most small
    # networks share the two, and a network that embeds has no head.
    likely = "yes" if total <= D("5e9") and row.get("kind") != "embedding" else "no"
    tied = row.get("tied_embeddings", likely) == "yes"
    embedding = cell(row, "input_embedding_params")
    if embedding is None:
        embedding = first(cell(row, "vocab_size"), ZERO) * D(row["hidden_size"])
    if tied:
        embedding = ZERO
    if embedding < active:
        active -= embedding
    if share is None and row.get("architecture") != "moe":
        return active, active
    looked_up = first(cell(row, "lookup_params"), ZERO) + embedding
    streamed = total - looked_up - first(cell(row, "vision_params"), ZERO)
    if share is not None:
        # More experts than that cannot be for text.
        streamed = min(streamed, active / share)
    return active, max(streamed, active)


def widths(row: Row, hidden: D) -> tuple[D, D, D]:
    """Cache elements of a token, and FLOP per pair of tokens in decode and in prefill, of one layer."""
    heads = first(cell(row, "n_heads"), ZERO)
    key = first(cell(row, "head_dim"), hidden / heads if heads else ZERO)
    value = first(cell(row, "v_head_dim"), key)
    # A product of query and key and one of weight and value, at two FLOP for each element.
    plain = 2 * heads * (key + value)
    rank = cell(row, "kv_lora_rank")
    if row.get("kv_kind") != "mla" or rank is None:
        return first(cell(row, "n_kv_heads"), heads) * (key + value), plain, plain
    rope, nope = first(cell(row, "qk_rope_head_dim"), ZERO), cell(row, "qk_nope_head_dim")
    # Decode multiplies with the latent twice, once with the rotated part; prefill expands it into keys and values.
    prefill = plain if nope is None else 2 * heads * (nope + rope + value)
    return rank + rope, 2 * heads * (2 * rank + rope), prefill


# Parameters

DEFAULT_SET, BASE_ENGINE, OLDER_ENGINE = "V12", "vllm-0.11.1", "vllm-0.11.1-v0"
#: Symbol to value.
Parameters = dict[str, D]


def parameters(stated_set: str | None, engine: str | None, generation: str, own: tuple[Row, ...] = ()) -> Parameters:
    """Every symbol of a set for an engine on a generation; rows of `own` replace those of the catalog, or join them.

    Of several rows that fit, the one of both engine and generation holds, else that of the engine, else that of the
    generation, else the one for all.
    """
    engine = engine or BASE_ENGINE
    name = stated_set or DEFAULT_SET
    if stated_set is None and engine == OLDER_ENGINE:
        name, engine = "V0", BASE_ENGINE
    mine = {one["id"]: one for one in (*rows("parameters"), *own) if one["set"] == name}
    chosen: dict[str, tuple[int, D]] = {}
    for one in mine.values():
        if one["layer"] not in ("method", "silicon", "stack"):
            continue
        if one.get("engine", engine) != engine or one.get("generation", generation) != generation:
            continue
        says = 2 * ("engine" in one) + ("generation" in one)
        if says >= chosen.get(one["symbol"], (0, ZERO))[0]:
            chosen[one["symbol"]] = (says, D(one["value"]))
    values = {symbol: value for symbol, (_, value) in chosen.items()}
    fitted = engine in (BASE_ENGINE, OLDER_ENGINE) or any(one.get("engine") == engine for one in mine.values())
    if not fitted:
        # Software without a fit: its published host times, and the base engine's for the rest.
        published = row("engines", engine)
        for symbol in ("t_step", "t_seq", "t_layer"):
            if f"{symbol}_us" in published:
                values[symbol] = D(published[f"{symbol}_us"]) / 10**6
    return values


def tier(name: str) -> tuple[D, D]:
    """Joules to load a byte of a cache from where it is kept, and to write it there."""
    found = {one["symbol"]: D(one["value"]) for one in rows("parameters") if one.get("subject") == name}
    return found["load_j"], found["write_j"]
