"""Compose whole-model prefill energy per input token from measured kernels, with a Monte Carlo interval.

What: for each (model, GPUs, precision, parallelism, prompt length) the kernels of one layer at a chunk of 8192 tokens
are read from the kernel table (source and licence as in kernel_anchors.py: ai-dynamo/aiconfigurator@095f58a,
Apache-2.0, figures only) and summed over layers; elementwise kernels and collectives are modelled from bytes.  Power of
each class is a range, not the row's reading (readings lag by up to a second).  Output: J per input token, pJ per FLOP
of 2 x active parameters, model FLOP utilisation, implied prefill efficiency and dynamic energy, each 5-50-95 %.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kernel_table import PHI0, SEED, SPECS, F, Table, load

CHUNK = 8192
DRAWS = 4000
LINK = {"H200": 450e9, "B200": 900e9}


@dataclass(frozen=True)
class Model:
    """Shapes of a model (from released configurations)."""

    name: str
    active: float
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    inter: int
    experts: int = 0
    topk: int = 0
    window_layers: int = 0
    window: int = 0


MODELS = {
    m.name: m
    for m in (
        Model("Llama-3.1-8B", 8.0303e9, 32, 4096, 32, 8, 128, 14336),
        Model("Qwen3-32B", 32.7621e9, 64, 5120, 64, 8, 128, 25600),
        Model("Llama-3.1-70B", 70.5537e9, 80, 8192, 64, 8, 128, 28672),
        Model("Qwen3-30B-A3B", 3.353e9, 48, 2048, 32, 4, 128, 768, 128, 8),
        Model("Qwen3-235B-A22B", 22.1907e9, 94, 4096, 64, 4, 128, 1536, 128, 8),
        Model("gpt-oss-120b", 5.712e9, 36, 2880, 64, 8, 64, 2880, 128, 4, 18, 128),
    )
}
CASES: list[tuple[str, int, str]] = [
    ("Llama-3.1-8B", 1, ""),
    ("Qwen3-32B", 1, ""),
    ("Llama-3.1-70B", 2, ""),
    ("Llama-3.1-70B", 4, ""),
    ("Qwen3-30B-A3B", 1, ""),
    ("Qwen3-235B-A22B", 4, "TP"),
    ("Qwen3-235B-A22B", 4, "EP"),
    ("Qwen3-235B-A22B", 8, "TP"),
    ("Qwen3-235B-A22B", 8, "EP"),
    ("gpt-oss-120b", 1, ""),
]


class Kernels:
    """Lookups into the kernel table; every lookup returns draws of seconds."""

    def __init__(self, table: Table, rng: np.random.Generator) -> None:
        """Index the ops the composition needs."""
        self.rng = rng
        self.t = {op: table.take(table.eq("op", op)) for op in ("gemm", "context_attention", "moe")}
        self.missing: list[str] = []

    def gemm(self, gpu: str, precision: str, m: int, n: float, k: float) -> F:
        """Seconds of an m x n x k GEMM: local mean of log rate over the (n, k) grid at this m, with its spread."""
        t = self.t["gemm"]
        sel = t.eq("gpu", gpu) & t.eq("framework", "vllm") & t.eq("precision", precision) & (t.num["m"] == m)
        sel &= ~t.eq("flag", "launch_bound") & (t.num["n"] >= 128) & (t.num["k"] >= 128)
        x = np.log(t.num["n"][sel] / n), np.log(t.num["k"][sel] / k)
        y = np.log(2 * m * t.num["n"][sel] * t.num["k"][sel] / (t.num["latency_ms"][sel] * 1e-3))
        w = np.exp(-(x[0] ** 2 + x[1] ** 2) / (2 * 0.2**2))
        if w.sum() < 0.3:  # off the grid (a very small or missing shape): widen
            w = np.exp(-(x[0] ** 2 + x[1] ** 2) / (2 * 0.6**2))
        mean = float(np.average(y, weights=w))
        spread = float(np.sqrt(np.average((y - mean) ** 2, weights=w)))
        rate = np.exp(mean + self.rng.normal(0, max(0.03, 0.7 * spread), DRAWS))
        return np.asarray(2.0 * m * n * k / rate, dtype=np.float64)

    def attention(self, gpu: str, heads: int, kv: int, dim: int, window: int, length: int) -> F:
        """Seconds of causal attention over the chunk (bf16)."""
        t = self.t["context_attention"]
        sel = t.eq("gpu", gpu) & t.eq("framework", "vllm") & t.eq("kv_precision", "bfloat16")
        sel &= (t.num["heads"] == heads) & (t.num["kv_heads"] == kv) & (t.num["head_dim"] == dim)
        sel &= (np.nan_to_num(t.num["window"]) == window) & (t.num["new_tokens"] == length)
        sel &= (t.num["batch"] == CHUNK // length) & ~(t.num["cached_tokens"] > 0)
        found = t.num["latency_ms"][sel]
        if len(found) == 0:
            raise LookupError(f"attention {gpu} {heads}/{kv}/{dim} window {window} length {length}")
        return np.asarray(np.median(found) * 1e-3 * np.exp(self.rng.normal(0, 0.05, DRAWS)), dtype=np.float64)

    def moe(self, gpu: str, framework: str, precision: str, m: Model, tp: int, ep: int) -> tuple[F, F, str]:
        """(rank time, mean-load time) in seconds of the expert layer over the routings measured."""
        t = self.t["moe"]
        sel = t.eq("gpu", gpu) & t.eq("framework", framework) & t.eq("precision", precision)
        sel &= (t.num["hidden"] == m.hidden) & (t.num["inter"] == m.inter) & (t.num["experts"] == m.experts)
        sel &= (t.num["topk"] == m.topk) & (t.num["moe_tp"] == tp) & (t.num["moe_ep"] == ep)
        sel &= t.num["tokens"] == CHUNK
        times = {
            t.vocab["distribution"][int(c)]: float(v) * 1e-3
            for c, v in zip(t.code["distribution"][sel], t.num["latency_ms"][sel], strict=True)
        }
        if not times:
            raise LookupError(f"moe {gpu} {framework} {precision} {m.name} tp{tp} ep{ep}")
        values = np.array(list(times.values()))
        rank = self.rng.choice(values, DRAWS) * np.exp(self.rng.normal(0, 0.05, DRAWS))
        mean = np.minimum(rank, times.get("balanced", float(values.min())))
        return rank, mean, ",".join(f"{k} {v * 1e3:.3g} ms" for k, v in sorted(times.items()))


def compose(k: Kernels, gpu: str, m: Model, n: int, way: str, precision: str, length: int) -> dict[str, object]:
    """Energy and time of one chunk on n GPUs."""
    spec, rng = SPECS[gpu], k.rng
    limit = spec.tdp
    u = rng.uniform
    heads, kv = m.heads // n, max(1, m.kv_heads // n)
    q_dim, kv_dim = heads * m.head_dim, kv * m.head_dim
    dense = "bfloat16" if precision == "mxfp4" else precision
    # tensor-core kernels run at the limit: 0.93-0.99 of TDP read; small shards draw less
    gemm = k.gemm(gpu, dense, CHUNK, q_dim + 2 * kv_dim, m.hidden) + k.gemm(gpu, dense, CHUNK, m.hidden, q_dim)
    note = ""
    moe_t = moe_mean = np.zeros(DRAWS)
    moe_power = u(0.85, 0.99, DRAWS)
    if m.experts:
        gemm = gemm + k.gemm(gpu, "bfloat16", CHUNK, m.experts, m.hidden)
        tp, ep = (1, n) if way == "EP" else (n, 1)
        if precision == "mxfp4" and gpu == "H200":
            moe_t, moe_mean, note = k.moe("H100", "vllm", "w4a16_mxfp4", m, tp, ep)
            derate = u(1.03, 1.20, DRAWS)  # burst clocks of the H100 table to sustained
            moe_t, moe_mean = moe_t * derate, moe_mean * derate
            note = "expert kernel: H100 burst (Marlin, w4a16) x 1.03-1.20; " + note
        elif precision == "mxfp4":
            moe_t, moe_mean, note = k.moe("B200", "trtllm", "w4a8_mxfp4_mxfp8", m, tp, ep)
            note = "expert kernel: TensorRT-LLM w4a8_mxfp4_mxfp8; " + note
        else:
            moe_t, moe_mean, note = k.moe(gpu, "vllm", precision, m, tp, ep)
        if gpu == "B200" and precision == "fp8_block":
            moe_power = u(0.68, 0.90, DRAWS)  # steady rows of this kernel stay below the limit
        act = 0.0
    else:
        gemm = (
            gemm
            + k.gemm(gpu, dense, CHUNK, 2 * m.inter / n, m.hidden)
            + k.gemm(gpu, dense, CHUNK, m.hidden, m.inter / n)
        )
        act = 6.0 * m.inter / n
    full = k.attention(gpu, heads, kv, m.head_dim, 0, length)
    share = m.window_layers / m.layers
    core = full * (1 - share)
    if m.window_layers:
        core = core + share * k.attention(gpu, heads, kv, m.head_dim, m.window, length)
    # two add+norm (8 values of hidden moved twice), rotary and head norms, cache write, gate
    moved = CHUNK * (16.0 * m.hidden + 8.0 * (q_dim + kv_dim) + 8.0 * kv_dim + act)
    element = moved / (spec.bandwidth * u(0.5, 0.85, DRAWS)) + u(8e-6, 30e-6, DRAWS)
    wire = 2 * 2 * (n - 1) / n * CHUNK * m.hidden * 2.0  # two all-reduces per layer, ring bytes per GPU
    comm = wire / (LINK[gpu] * u(0.5, 0.85, DRAWS)) if n > 1 else np.zeros(DRAWS)
    gap = u(0.0, 0.04, DRAWS)

    busy = gemm + core + moe_t + element + comm
    time = m.layers * busy * (1 + gap)
    watt_gemm, watt_core = u(0.93, 0.99, DRAWS) * limit, u(0.75, 0.99, DRAWS) * limit
    watt_small, watt_comm = u(0.55, 0.92, DRAWS) * limit, u(0.40, 0.75, DRAWS) * limit
    watt_wait = u(0.30, 0.50, DRAWS) * limit
    layer = gemm * watt_gemm + core * watt_core + moe_mean * moe_power * limit + (moe_t - moe_mean) * watt_wait
    layer = layer + element * watt_small + comm * watt_comm + busy * gap * watt_wait
    energy = n * m.layers * layer
    per_token = energy / CHUNK
    flop = 2 * m.active
    peak = spec.bf16 if precision == "mxfp4" else spec.peak(dense)
    # the closed form's prefill term without attention core and collectives
    own_time = m.layers * (gemm + moe_t + element) * (1 + gap)
    own_energy = (
        n
        * m.layers
        * (gemm * watt_gemm + moe_mean * moe_power * limit + (moe_t - moe_mean) * watt_wait + element * watt_small)
    )
    eta = flop * CHUNK / (own_time * n * peak)
    dyn = (own_energy - n * PHI0 * limit * own_time) / (flop * CHUNK) * peak / limit
    out: dict[str, object] = {
        "gpu": gpu, "model": m.name, "n_gpus": n, "parallel": way or ("TP" if n > 1 else "none"),
        "precision": precision, "prompt_tokens": length,
    }  # fmt: skip
    for name, value in (
        ("j_per_token", per_token),
        ("pj_per_flop", per_token / flop * 1e12),
        ("mfu_bf16", flop * CHUNK / (time * n * spec.bf16)),
        ("eta_p", eta),
        ("k_p", dyn),
        ("power_tdp", energy / time / n / limit),
    ):
        for q in (5, 50, 95):
            out[f"{name}_p{q:02d}"] = f"{np.percentile(value, q):.4g}"
    total = np.median(busy)
    for name, part in (("gemm", gemm), ("attention", core), ("moe", moe_t), ("elementwise", element), ("comm", comm)):
        out[f"share_{name}"] = f"{float(np.median(part) / total):.3f}"
    out["note"] = note
    return out


# what a serving stack adds to its kernels (low, high): Hopper dense from disaggregated prefill measured end to end
# (1.04-1.06 pJ/FLOP against 0.95-1.06 composed), the rest judgement on Blackwell's and MoE's younger kernels
STACK = {
    ("H200", "dense"): (1.0, 1.2),
    ("H200", "moe"): (1.0, 1.3),
    ("B200", "dense"): (1.0, 1.35),
    ("B200", "moe"): (0.9, 1.35),
}


def classes(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """pJ per FLOP by class: kernels (lowest p05, median p50, highest p95) and with the stack's share."""
    groups: dict[tuple[str, str, str], list[dict[str, object]]] = {}
    for r in rows:
        if MODELS[str(r["model"])].experts:
            split = {"none": "1 GPU", "TP": "TP", "EP": "EP"}[str(r["parallel"])]
            kind = f"moe, {split}" if r["model"] != "gpt-oss-120b" else "moe, 1 GPU (gpt-oss)"
        else:
            kind = "dense, 1 GPU" if r["n_gpus"] == 1 else "dense, TP 2-4"
        groups.setdefault((str(r["gpu"]), kind, str(r["precision"])), []).append(r)
    out: list[dict[str, object]] = []
    for (gpu, kind, precision), members in sorted(groups.items()):
        low, mid, high = (np.array([float(str(m[f"pj_per_flop_p{q}"])) for m in members]) for q in ("05", "50", "95"))
        add = STACK[(gpu, kind.split(",")[0])]
        centre = float(np.median(mid)) * float(np.sqrt(add[0] * add[1]))
        out.append({
            "gpu": gpu, "class": kind, "precision": precision, "cases": len(members),
            "kernels_low": f"{low.min():.3g}", "kernels_central": f"{np.median(mid):.3g}",
            "kernels_high": f"{high.max():.3g}", "served_p05": f"{low.min() * add[0]:.3g}",
            "served_central": f"{centre:.3g}", "served_p95": f"{high.max() * add[1]:.3g}",
            "eta_p": f"{np.median([float(str(m['eta_p_p50'])) for m in members]):.3g}",
            "k_p": f"{np.median([float(str(m['k_p_p50'])) for m in members]):.3g}",
            "unit": "pJ per FLOP of 2 x active parameters, context 1k-8k included",
        })  # fmt: skip
    return out


def main() -> int:
    """Command line: parquet in, CSV of compositions out."""
    parser = argparse.ArgumentParser(description="Prefill J per input token composed from measured kernels")
    parser.add_argument("parquet", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    kernels = Kernels(load(args.parquet), np.random.default_rng(SEED))
    rows: list[dict[str, object]] = []
    for gpu in ("H200", "B200"):
        for name, n, way in CASES:
            precisions: tuple[str, ...] = ("mxfp4",) if name == "gpt-oss-120b" else ("bfloat16", "fp8_block")
            if name != "gpt-oss-120b" and gpu == "B200" and not MODELS[name].experts:
                precisions = ("bfloat16", "fp8_block", "nvfp4")
            for precision in precisions:
                for length in (1024, 2048, 8192):
                    try:
                        rows.append(compose(kernels, gpu, MODELS[name], n, way, precision, length))
                    except LookupError as error:
                        print(f"left out: {name} n={n} {way} {precision} {length}: {error}")
    with args.output.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    summary = classes(rows)
    with args.output.with_name(args.output.stem + "_classes.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(summary[0]))
        writer.writeheader()
        writer.writerows(summary)
    print(f"{len(rows)} compositions written to {args.output}, {len(summary)} classes beside it")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
