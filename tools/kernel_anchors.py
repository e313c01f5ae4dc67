"""Derive the kernel anchors of the inference-energy method from measured GPU kernels.

What: efficiencies (share of datasheet FLOP/s and bandwidth), energies (pJ per FLOP and per byte) and ratios between
GPU generations, per (gpu, framework, precision), each with 10-50-90 % quantiles and the number of rows behind it.
Offline calibration only: nothing here is looked up row by row at run time.

Source: the kernel table, figures taken from ai-dynamo/aiconfigurator@095f58a (Apache-2.0, NVIDIA
CORPORATION & AFFILIATES); figures only, no code.  Datasheet peaks, bandwidth and rated power: data/hardware.csv.

How power is read.  NVML returns a trailing one-second average, so a reading mixes the kernel with what ran before it:
R = (1-w) R0 + w P with w = 0.055 (n-1) for n samples (column own_weight).  Readings with w < MIN_WEIGHT are rejected
as evidence about their kernel; blank power is missing, never 0; flagged rows are rejected (one stated exception:
`l2_resident` only says that bytes_moved is not memory traffic, so FLOP rates may keep those rows; each such value is
also given without them, quantity suffix `_strict`).  Where R matters below the power limit, P is fitted with the lag in
the likelihood: R0 is a linear function of the mean reading of the neighbouring rows (order of measurement restored),
plus noise.  A rejected reading still serves as such a thermometer of R0, which is what it measures.

Latency-only tables (A100, H100, L40S, B300) are six-launch bursts at boost clocks, powered ones (H200, B200) ran about
one second at the power limit: `clock` in the note says which, and ratios are formed only within one kind.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from kernel_table import (
    PAIRS,
    PHI0,
    SEED,
    SPECS,
    B,
    F,
    Sink,
    Table,
    additive,
    binned,
    count_rejections,
    lag_spread,
    load,
    overlap,
    per_key,
    powered,
    steady,
)


def floors(t: Table, sink: Sink) -> None:
    """Context-open floor (lowest readings) and the floor while launches run (launch-bound seconds)."""
    for gpu in ("H200", "B200"):
        spec = SPECS[gpu]
        mine = t.take(t.eq("gpu", gpu) & np.isfinite(t.num["power_w"]))
        key = (gpu, "all", "all")
        good = mine.num["power_w"][powered(mine)]
        q = np.quantile(good, [0.0001, 0.001, 0.005])
        note = "lowest 0.01/0.1/0.5 % of accepted readings: a reading is an average, hence an upper bound of the floor"
        sink.quantiles(key, "floor_w", "context open", q, len(good), "W", note)
        sink.quantiles(key, "floor_tdp", "context open", q / spec.tdp, len(good), "share of TDP", note)
        q = np.quantile(mine.num["power_w"], [0.00005, 0.0005, 0.005])
        sink.quantiles(key, "floor_w", "all readings", q, len(mine), "W", "states, any own weight, as a check")
        # modules launched one by one (eager): the smallest shapes are host-bound, the GPU waits between launches
        small = mine.eq("op", "dsa_context_module") & mine.eq("framework", "vllm") & steady(mine, 0.4)
        small &= (mine.num["batch"] * mine.num["new_tokens"] <= 16) & (mine.num["heads"] <= 4)
        r = mine.num["power_w"][small]
        note = "eager modules, <= 16 tokens, <= 4 heads, steady rows, w >= .4: launches keep coming, kernels tiny"
        sink.values(key, "gap_floor_w", "launch-bound second", r, "W", note)
        sink.values(key, "gap_floor_tdp", "launch-bound second", r / spec.tdp, "share of TDP", note)


def gemm(t: Table, sink: Sink) -> None:
    """Sustained and burst GEMM efficiency, energy per FLOP, dependence on tokens and on matrix size."""
    for key, g, spec in per_key(t, "gemm"):
        peak = spec.peak(key[2])
        m, n, k = g.num["m"], g.num["n"], g.num["k"]
        rate = 2 * m * n * k / (g.num["latency_ms"] * 1e-3)
        eff = rate / peak
        usable = ~g.eq("flag", "launch_bound", "above_peak_bandwidth")
        strict = g.eq("flag", "")
        big = (m >= 4096) & (n >= 4096) & (k >= 4096)
        sink.values(
            key, "gemm_eff", "m,n,k>=4096", eff[big & usable], "share of dense peak", "FLOP rate; l2_resident kept"
        )
        sink.values(key, "gemm_eff_strict", "m,n,k>=4096", eff[big & strict], "share of dense peak", "unflagged only")
        if key[2] == "nvfp4" and spec.fp4 > 9000e12:
            sink.values(key, "gemm_eff", "m,n,k>=4096 vs 9 PF", rate[big & usable] / 9e15, "share of 9 PFLOP/s", "")
        real = (np.minimum(n, k) >= 2048) & (np.maximum(n, k) <= 16384)
        for mm in (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768):
            sel = usable & real & (m == mm) & (n >= 4096) & (k >= 4096)
            sink.values(key, "gemm_eff_tokens", f"m={mm}", eff[sel], "share of dense peak", "n,k 4k-16k")
        for mm in (512, 2048, 8192):
            for side in (1024, 2048, 2560, 4096, 5120, 8192, 16384):
                sel = usable & (m == mm) & (np.minimum(n, k) == side) & (np.maximum(n, k) <= 4 * side)
                sink.values(key, "gemm_eff_side", f"m={mm},min(n,k)={side}", eff[sel], "share of dense peak", "", 2)
        # size exponent: eff ~ min(n,k)^g over hidden 2048..16384
        for mm in (2048, 8192):
            sel = np.flatnonzero(usable & (m == mm) & real & (np.maximum(n, k) <= 4 * np.minimum(n, k)))
            if len(sel) >= 10:
                rng = np.random.default_rng(SEED)
                slopes = []
                for _ in range(50):
                    p = rng.choice(sel, len(sel))
                    slopes.append(np.polyfit(np.log(np.minimum(n, k)[p]), np.log(eff[p]), 1)[0])
                note = "d ln eff / d ln min(n,k), 2048-16384, bootstrap"
                sink.quantiles(
                    key, "gemm_size_exponent", f"m={mm}", np.quantile(slopes, [0.1, 0.5, 0.9]), len(sel), "1", note
                )
        if spec.clock == "sustained":
            # fleet at the limit: neighbours at the limit too, so the mixture does not matter
            at = big & usable & powered(g) & (g.num["near"] > 0.9 * g.num["power_limit_w"])
            own = np.minimum(g.num["power_w"], g.num["power_limit_w"])
            pj = own / rate * 1e12
            note = "rows whose neighbours are at the power limit too"
            sink.values(key, "gemm_power_tdp", "m,n,k>=4096", own[at] / spec.tdp, "share of TDP", note)
            sink.values(key, "gemm_pj_per_flop", "m,n,k>=4096", pj[at], "pJ/FLOP incl. floor", note)
            sink.values(key, "gemm_pj_strict", "m,n,k>=4096", pj[at & strict], "pJ/FLOP incl. floor", note)
            dyn = (own - PHI0 * spec.tdp) / rate
            sink.values(key, "k_f_at_limit", "m,n,k>=4096", dyn[at] * peak / spec.tdp, "TDP/peak", "phi0 = .25")
            dyn16 = dyn * spec.bf16 / spec.tdp
            sink.values(key, "k_f_in_bf16_units", "m,n,k>=4096", dyn16[at], "TDP/bf16 peak", "phi0 = .25")


def gemv(t: Table, sink: Sink) -> None:
    """Weight streaming: bandwidth share against bytes, launch time, additive roofline, dynamic energy per byte."""
    edges = [4e6, 8e6, 16e6, 32e6, 64e6, 128e6, 256e6, 512e6, 1e9, 4e9]
    for key, g, spec in per_key(t, "gemm"):
        m, n, k = g.num["m"], g.num["n"], g.num["k"]
        s = g.num["latency_ms"] * 1e-3
        ok = g.eq("flag", "") & (np.minimum(n, k) >= 512)
        thin = ok & (m <= 16)
        eff = g.num["bytes_moved"] / s / spec.bandwidth
        for label, sel in binned(g.num["bytes_moved"], edges):
            sink.values(key, "gemv_eff", label, eff[sel & thin], "share of bandwidth", "m <= 16, unflagged")
        draws, used = additive(g, spec, spec.peak(key[2]), thin & (m <= 8))
        q = np.quantile(draws, [0.1, 0.5, 0.9], axis=0)
        sink.quantiles(key, "gemv_t0", "m<=8", q[:, 0], used, "us per launch", "t = t0 + bytes/(BW eta), bootstrap")
        sink.quantiles(key, "gemv_eta_inf", "m<=8", q[:, 1], used, "share of bandwidth", "asymptote of the same fit")
        mid = ok & (m <= 512) & (np.minimum(n, k) >= 2048) & (np.maximum(n, k) <= 16384)
        draws, used = additive(g, spec, spec.peak(key[2]), mid)
        q = np.quantile(draws, [0.1, 0.5, 0.9], axis=0)
        note = "additive roofline t = t0 + bytes/(BW eta_w) + flops/(F eta_c), m 1-512, n,k 2k-16k"
        sink.quantiles(key, "additive_t0", "m<=512", q[:, 0], used, "us per launch", note)
        sink.quantiles(key, "additive_eta_w", "m<=512", q[:, 1], used, "share of bandwidth", note)
        sink.quantiles(key, "additive_eta_c", "m<=512", q[:, 2], used, "share of dense peak", note)
        powers = ok & np.isin(m, [2.0**i for i in range(12)]) & (np.minimum(n, k) >= 2048) & (np.maximum(n, k) <= 16384)
        draws, used = overlap(g, spec, spec.peak(key[2]), powers)
        q = np.quantile(draws, [0.1, 0.5, 0.9], axis=0)
        note = "p-norm overlap, m = 1,2,4..2048 equally weighted, n,k 2k-16k, unflagged, log residuals"
        units = ("us per launch", "share of bandwidth", "share of dense peak", "1", "ln", "ln")
        for i, name in enumerate(("t0", "eta_w", "eta_c", "p", "rms", "rms_if_additive")):
            sink.quantiles(key, f"overlap_{name}", "m 1-2048", q[:, i], used, units[i], note)
        if spec.clock != "sustained":
            continue
        sub = g.take(thin)
        rates = (sub.num["bytes_moved"] / (sub.num["latency_ms"] * 1e-3))[:, None]
        unit = np.array([spec.tdp / spec.bandwidth])
        lag_rows(sink, key, "gemv", sub, rates, 1 / unit, ["byte"], [spec.bandwidth / spec.tdp])
        sub = g.take(mid)
        s = sub.num["latency_ms"] * 1e-3
        rates = np.stack([sub.num["bytes_moved"] / s, sub.num["flops"] / s], axis=1)
        unit = np.array([spec.tdp / spec.bandwidth, spec.tdp / spec.peak(key[2])])
        conv = [spec.bandwidth / spec.tdp, spec.peak(key[2]) / spec.tdp]
        lag_rows(sink, key, "gemm_m<=512", sub, rates, 1 / unit, ["byte", "flop"], conv)


def lag_rows(
    sink: Sink,
    key: tuple[str, str, str],
    what: str,
    sub: Table,
    rates: F,
    scale: F,
    names: list[str],
    conv: list[float],
) -> None:
    """Emit dynamic energies of a lag-model fit in pJ and in TDP units, for three floors together and phi0 = .25."""
    if int(np.sum(powered(sub))) < 100:
        return
    if rates.shape[1] == 1:
        calm = steady(sub)
        spec = SPECS[key[0]]
        k = (np.minimum(sub.num["power_w"], spec.tdp) - PHI0 * spec.tdp)[calm] / rates[calm, 0] * conv[0]
        sink.values(key, f"{what}_k_{names[0]}_steady", "phi0 .25", k, "TDP/peak", "steady rows, no lag model, check")
        power = sub.num["power_w"][calm] / spec.tdp
        sink.values(key, f"{what}_power_tdp", "steady rows", power, "share of TDP", "neighbours within 10 %")
    label, draws, used = lag_spread(sub, rates, (0.18, PHI0, 0.30), scale)
    note = "lag model; spread over floors, own-weight thresholds .2/.4, bootstrap; a wide range = not identified"
    for name, keep in (("phi0 .18-.30", np.ones(len(label), dtype=bool)), ("phi0 .25", label == PHI0)):
        if not np.any(keep):
            continue
        q = np.quantile(draws[keep], [0.1, 0.5, 0.9], axis=0)
        for i, what_unit in enumerate(names):
            sink.quantiles(key, f"{what}_dynamic", name, q[:, i] * 1e12, used, f"pJ/{what_unit}", note)
            sink.quantiles(key, f"{what}_k_{what_unit}", name, q[:, i] * conv[i], used, "TDP/peak", note)


def decode_attention(t: Table, sink: Sink) -> None:
    """KV streaming: bandwidth share against bytes, launch time, energy per byte, and what an fp8 cache saves."""
    edges = [8e6, 32e6, 100e6, 300e6, 1e9, 3e9, 10e9, 40e9]
    for key, g, spec in per_key(t, "generation_attention"):
        ok = g.eq("flag", "") & (g.num["head_dim"] == 128) & ~(g.num["window"] > 0) & (g.num["kv_heads"] <= 16)
        s = g.num["latency_ms"] * 1e-3
        eff = g.num["bytes_moved"] / s / spec.bandwidth
        for label, sel in binned(g.num["bytes_moved"], edges):
            sink.values(key, "kv_eff", label, eff[sel & ok], "share of bandwidth", "head_dim 128, no window, unflagged")
        draws, used = additive(g, spec, spec.bf16, ok)
        q = np.quantile(draws, [0.1, 0.5, 0.9], axis=0)
        sink.quantiles(key, "kv_t0", "all", q[:, 0], used, "us per launch", "additive fit")
        sink.quantiles(key, "kv_eta_inf", "all", q[:, 1], used, "share of bandwidth", "additive fit with a FLOP term")
        if spec.clock == "sustained" and key[1] == "vllm":  # TensorRT-LLM decode rows share KV blocks
            sub = g.take(g.eq("flag", "") & ~(g.num["window"] > 0) & (g.num["bytes_moved"] > 5e7))
            rates = (sub.num["bytes_moved"] / (sub.num["latency_ms"] * 1e-3))[:, None]
            scale = np.array([spec.bandwidth / spec.tdp])
            lag_rows(sink, key, "kv", sub, rates, scale, ["byte"], [spec.bandwidth / spec.tdp])
    sub = t.take(t.eq("op", "generation_attention") & ~t.eq("flag", "above_peak_bandwidth"))
    shape = ["batch", "cached_tokens", "heads", "kv_heads", "head_dim", "window"]
    for (gpu, framework), mask in sub.groups("gpu", "framework"):
        a, b = matched(
            sub.take(mask & sub.eq("kv_precision", "bfloat16")), sub.take(mask & sub.eq("kv_precision", "fp8")), shape
        )
        ratio = b.num["latency_ms"] / a.num["latency_ms"]
        keep = ~(a.num["window"] > 0) & (a.num["head_dim"] == 128)
        for label, sel in binned(a.num["bytes_moved"], edges):
            note = "same shape; 0.5 = all saved bytes become time, 1 = none"
            sink.values(
                (gpu, framework, "fp8 vs bf16 kv"), "kv_fp8_time_ratio", label, ratio[sel & keep], "time ratio", note
            )


def matched(a: Table, b: Table, shape: list[str], extra: tuple[str, ...] = ()) -> tuple[Table, Table]:
    """Rows of a and b with equal shape columns, aligned."""

    def keys(x: Table) -> list[tuple[float | str, ...]]:
        cols = [np.nan_to_num(x.num[c], nan=0.0).tolist() for c in shape]
        cols += [[x.vocab[c][i] for i in x.code[c]] for c in extra]
        return list(zip(*cols, strict=True))

    where = {key: i for i, key in enumerate(keys(a))}
    left, right = [], []
    for j, key in enumerate(keys(b)):
        if key in where:
            left.append(where[key])
            right.append(j)
    return pick(a, left), pick(b, right)


def pick(t: Table, rows: list[int]) -> Table:
    """Rows by index."""
    i = np.array(rows, dtype=np.int64)
    return Table({c: v[i] for c, v in t.num.items()}, {c: v[i] for c, v in t.code.items()}, t.vocab)


SHAPES = {
    (2048, 768, 128, 8): "Qwen3-30B-A3B",
    (4096, 1536, 128, 8): "Qwen3-235B-A22B",
    (2048, 512, 256, 8): "Qwen3.5-35B-A3B-like",
    (4096, 1024, 512, 10): "Qwen3.5-397B-like",
    (2880, 2880, 32, 4): "gpt-oss-20b",
    (2880, 2880, 128, 4): "gpt-oss-120b",
    (7168, 2048, 256, 8): "DeepSeek-V3",
    (7168, 2048, 384, 8): "Kimi-K2",
    (4096, 14336, 8, 2): "Mixtral-8x7B",
    (6144, 16384, 8, 2): "Mixtral-8x22B",
    (6144, 2560, 160, 8): "Qwen3-Coder-480B",
    (5120, 8192, 128, 1): "Llama-4-Maverick",
    (5120, 8192, 16, 1): "Llama-4-Scout",
}


def moe(t: Table, sink: Sink) -> None:
    """Expert layers of real models: bandwidth at few tokens, FLOP efficiency at many, energy, precision speed-ups."""
    for key, g, spec in per_key(t, "moe"):
        s = g.num["latency_ms"] * 1e-3
        bw = g.num["bytes_moved"] / s / spec.bandwidth
        rate = g.num["flops"] / s
        eff = rate / spec.peak(key[2])
        ok = g.eq("flag", "")
        way = np.where(g.num["moe_ep"] > 1, "EP", np.where(g.num["moe_tp"] > 1, "TP", "1 GPU"))
        plausible = (g.num["moe_tp"] <= 8) & (g.num["moe_ep"] <= 16)
        for kind in ("1 GPU", "TP", "EP"):
            base = ok & plausible & (way == kind)
            for low, high in ((1, 8), (8, 32), (32, 128), (128, 512)):
                sel = base & (g.num["tokens"] >= low) & (g.num["tokens"] <= high)
                sink.values(
                    key, "moe_bw_eff", f"{kind},tokens {low}-{high}", bw[sel], "share of bandwidth", "coverage bytes"
                )
            for low, high in ((512, 1024), (2048, 3072), (4096, 16384)):
                sel = base & (g.num["tokens"] >= low) & (g.num["tokens"] <= high)
                sink.values(
                    key, "moe_eff", f"{kind},tokens {low}-{high}", eff[sel], "share of dense peak", "all shapes"
                )
                bf = rate[sel] / spec.bf16
                sink.values(
                    key, "moe_eff_bf16_units", f"{kind},tokens {low}-{high}", bf, "share of bf16 peak", "all shapes"
                )
            for (h, i, e, kk), name in SHAPES.items():
                shape = (g.num["hidden"] == h) & (g.num["inter"] == i) & (g.num["experts"] == e) & (g.num["topk"] == kk)
                sel = base & shape & (g.num["tokens"] >= 4096) & (g.num["tokens"] <= 16384)
                sink.values(
                    key, "moe_eff_model", f"{name},{kind},tokens 4k-16k", eff[sel], "share of dense peak", "", 3
                )
                sel = base & shape & (g.num["tokens"] >= 8) & (g.num["tokens"] <= 128)
                sink.values(key, "moe_bw_model", f"{name},{kind},tokens 8-128", bw[sel], "share of bandwidth", "", 3)
        draws, used = additive(g, spec, spec.peak(key[2]), ok & plausible & (g.num["tokens"] <= 512))
        q = np.quantile(draws, [0.1, 0.5, 0.9], axis=0)
        note = "additive roofline over tokens 1-512"
        sink.quantiles(key, "moe_additive_t0", "tokens<=512", q[:, 0], used, "us per layer", note)
        sink.quantiles(key, "moe_additive_eta_w", "tokens<=512", q[:, 1], used, "share of bandwidth", note)
        sink.quantiles(key, "moe_additive_eta_c", "tokens<=512", q[:, 2], used, "share of dense peak", note)
        if spec.clock == "sustained":
            own = np.minimum(g.num["power_w"], g.num["power_limit_w"])
            for kind in ("1 GPU", "TP", "EP"):
                sel = ok & plausible & (way == kind) & (g.num["tokens"] >= 4096) & steady(g)
                note = "steady rows (neighbours within 10 %); nominal FLOPs"
                sink.values(
                    key,
                    "moe_pj_per_flop",
                    f"{kind},tokens>=4096",
                    (own / rate * 1e12)[sel],
                    "pJ/FLOP incl. floor",
                    note,
                )
                sink.values(key, "moe_power_tdp", f"{kind},tokens>=4096", own[sel] / spec.tdp, "share of TDP", note)
            sel = ok & plausible & (g.num["tokens"] >= 8) & (g.num["tokens"] <= 128) & steady(g)
            sink.values(key, "moe_power_tdp", "all,tokens 8-128", own[sel] / spec.tdp, "share of TDP", "steady rows")
            sub = g.take(ok & plausible & (g.num["tokens"] <= 512))
            s = sub.num["latency_ms"] * 1e-3
            rates = np.stack([sub.num["bytes_moved"] / s, sub.num["flops"] / s], axis=1)
            peak = spec.peak(key[2])
            scale = np.array([spec.bandwidth / spec.tdp, peak / spec.tdp])
            conv = [spec.bandwidth / spec.tdp, peak / spec.tdp]
            lag_rows(sink, key, "moe_tokens<=512", sub, rates, scale, ["byte", "flop"], conv)
    shape_columns = ["tokens", "hidden", "inter", "experts", "topk", "moe_tp", "moe_ep"]
    sub = t.take(t.eq("op", "moe") & ~t.eq("flag", "launch_bound"))
    for (gpu, framework, precision), mask in sub.groups("gpu", "framework", "precision"):
        base = sub.eq("gpu", gpu) & sub.eq("framework", framework) & sub.eq("precision", "bfloat16")
        if precision == "bfloat16" or not np.any(base):
            continue
        a, b = matched(sub.take(base), sub.take(mask), shape_columns, ("distribution",))
        ratio = a.num["latency_ms"] / b.num["latency_ms"]
        for low, high in ((1, 16), (16, 128), (128, 512), (4096, 16384)):
            sel = (
                (a.num["tokens"] >= low) & (a.num["tokens"] <= high) & (a.num["moe_tp"] <= 8) & (a.num["moe_ep"] <= 16)
            )
            note = "same shape and routing, bf16 time / this time"
            sink.values((gpu, framework, precision), "moe_speed_vs_bf16", f"tokens {low}-{high}", ratio[sel], "x", note)
    # formats that never meet a bf16 row of the same shape: against the closest format at 4 bits
    for gpu, framework in (("B200", "trtllm"), ("B300", "vllm"), ("H100", "vllm"), ("L40S", "vllm")):
        base = sub.eq("gpu", gpu) & sub.eq("framework", framework)
        a, b = matched(
            sub.take(base & sub.eq("precision", "w4a16_mxfp4")),
            sub.take(base & sub.eq("precision", "w4a8_mxfp4_mxfp8")),
            shape_columns,
            ("distribution",),
        )
        for low, high in ((1, 16), (16, 128), (128, 512), (4096, 16384)):
            sel = (a.num["tokens"] >= low) & (a.num["tokens"] <= high)
            ratio = a.num["latency_ms"][sel] / b.num["latency_ms"][sel]
            key = (gpu, framework, "w4a8_mxfp4_mxfp8")
            sink.values(key, "moe_speed_vs_w4a16", f"tokens {low}-{high}", ratio, "x", "same shape and routing")


def gemm_formats(t: Table, sink: Sink) -> None:
    """Speed of low-precision GEMMs against bf16 at equal shapes, large (FLOP) and thin (bytes, unflagged)."""
    sub = t.take(t.eq("op", "gemm") & ~t.eq("flag", "launch_bound", "above_peak_bandwidth"))
    for (gpu, framework, precision), mask in sub.groups("gpu", "framework", "precision"):
        base = sub.eq("gpu", gpu) & sub.eq("framework", framework) & sub.eq("precision", "bfloat16")
        if precision == "bfloat16" or not np.any(base):
            continue
        a, b = matched(sub.take(base), sub.take(mask), ["m", "n", "k"])
        ratio = a.num["latency_ms"] / b.num["latency_ms"]
        m, n, k = a.num["m"], a.num["n"], a.num["k"]
        key = (gpu, framework, precision)
        real = (np.minimum(n, k) >= 2048) & (np.maximum(n, k) <= 16384)
        for low, high in ((128, 256), (512, 1024), (2048, 3000), (4096, 32768)):
            sel = real & (m >= low) & (m <= high)
            sink.values(key, "gemm_speed_vs_bf16", f"m={low}-{high}", ratio[sel], "x", "n,k 2k-16k, l2_resident kept")
        thin = (m <= 16) & b.eq("flag", "") & a.eq("flag", "")
        for label, sel in binned(b.num["bytes_moved"], [3e7, 1e8, 2.5e8, 1e9, 4e9]):
            sink.values(
                key, "gemv_speed_vs_bf16", f"{label} (own bytes)", ratio[sel & thin], "x", "m <= 16, both unflagged"
            )


def prefill_attention(t: Table, sink: Sink) -> None:
    """Causal attention over new tokens: efficiency against length, and energy."""
    for key, g, spec in per_key(t, "context_attention"):
        ok = g.eq("flag", "") & (g.num["head_dim"] == 128) & ~(g.num["window"] > 0) & (g.num["heads"] >= 8)
        ok &= g.num["batch"] * g.num["new_tokens"] >= 4096
        s = g.num["latency_ms"] * 1e-3
        rate = g.num["flops"] / s
        for length in (128, 512, 1024, 2048, 4096, 8192, 16384):
            sel = ok & (g.num["new_tokens"] == length)
            sink.values(
                key, "prefill_attention_eff", f"{length} tokens", rate[sel] / spec.bf16, "share of bf16 peak",
                "causal FLOPs, head_dim 128, >= 4096 tokens in the batch",
            )  # fmt: skip
        if spec.clock == "sustained":
            own = np.minimum(g.num["power_w"], g.num["power_limit_w"])
            for length in (1024, 2048, 4096, 8192, 16384):
                sel = ok & (g.num["new_tokens"] == length) & steady(g)
                name, note = f"{length} tokens", "steady rows (neighbours within 10 %)"
                sink.values(key, "prefill_attention_pj", name, (own / rate * 1e12)[sel], "pJ/FLOP incl. floor", note)
                sink.values(key, "prefill_attention_power", name, own[sel] / spec.tdp, "share of TDP", note)


def modules(t: Table, sink: Sink) -> None:
    """MLA and DSA attention modules: time against context, i.e. what sparse attention still reads."""
    for op in ("mla_generation_module", "dsa_generation_module"):
        for key, g, spec in per_key(t, op):
            models = ("deepseek-ai/DeepSeek-V3", "deepseek-ai/DeepSeek-V3.2", "deepseek-ai/DeepSeek-R1")
            g = g.take(g.eq("model", *models))
            context = g.num["cached_tokens"]
            for heads in (16.0, 128.0):
                for batch in (32.0, 128.0):
                    sel = (g.num["heads"] == heads) & (g.num["batch"] == batch)
                    label = f"heads {heads:g}, batch {batch:g}"
                    curve = {
                        int(c): float(np.median(g.num["latency_ms"][sel & (context == c)]))
                        for c in np.unique(context[sel])
                    }
                    for c in (128, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072):
                        near = [v for u, v in curve.items() if abs(u - c) <= 2]
                        if near:
                            sink.quantiles(key, op + "_ms", f"{label}, context {c}", [near[0]] * 3, 1, "ms", "module")
                    for low, high, name in ((256, 2048, "below 2k"), (4096, 131072, "above 4k")):
                        xs = np.array([u for u in curve if low <= u <= high], dtype=np.float64)
                        if len(xs) >= 3:
                            ys = np.array([curve[int(u)] for u in xs]) * 1e-3
                            slopes = np.diff(ys) / np.diff(xs) / batch * spec.bandwidth
                            note = "slope of time x bandwidth / batch: bytes per context token and sequence (layer)"
                            q = np.quantile(slopes, [0.1, 0.5, 0.9])
                            sink.quantiles(
                                key, op + "_bytes", f"{label}, {name}", q, len(xs), "B per context token", note
                            )
    for op in ("mla_context_module", "dsa_context_module"):
        for key, g, _spec in per_key(t, op):
            g = g.take(g.eq("model", "deepseek-ai/DeepSeek-V3", "deepseek-ai/DeepSeek-V3.2"))
            for heads in (16.0, 128.0):
                for length in (1024, 2048, 4096, 8192, 16384, 32768):
                    sel = (g.num["heads"] == heads) & (g.num["new_tokens"] == length) & ~(g.num["cached_tokens"] > 0)
                    sel &= g.num["batch"] == 1
                    us = g.num["latency_ms"][sel] * 1e3 / length
                    sink.values(key, op + "_us_per_token", f"heads {heads:g}, {length} tokens", us, "us", "batch 1", 1)


def generations(t: Table, sink: Sink) -> None:
    """Efficiency ratios between GPU kinds at equal shapes, within one clock regime only."""
    vllm = t.take(t.eq("framework", "vllm"))
    for new, old in PAIRS:
        if SPECS[new].clock != SPECS[old].clock:
            raise AssertionError("burst and sustained clocks must not be mixed")
        a, b = vllm.take(vllm.eq("gpu", old)), vllm.take(vllm.eq("gpu", new))
        pair = f"{new}/{old}"
        note = f"same shapes, {SPECS[new].clock} clocks"

        def ratio(
            op: str,
            shape: list[str],
            flops: bool,
            rule: Callable[[Table], B],
            name: str,
            size: str,
            extra: tuple[str, ...],
            sides: tuple[str, str, Table, Table] = (old, new, a, b),
            texts: tuple[str, str] = (pair, note),
        ) -> None:
            old, new, a, b = sides
            pair, note = texts
            flags = ("", "l2_resident") if flops else ("",)
            x = a.take(a.eq("op", op) & a.eq("flag", *flags) & rule(a))
            y = b.take(b.eq("op", op) & b.eq("flag", *flags) & rule(b))
            x, y = matched(x, y, shape, ("precision", *extra))
            speed = x.num["latency_ms"] / y.num["latency_ms"]
            for precision in sorted({x.vocab["precision"][i] for i in x.code["precision"]}):
                sel = x.eq("precision", precision)
                if flops:
                    fair = SPECS[old].peak(precision) / SPECS[new].peak(precision)
                else:
                    fair = SPECS[old].bandwidth / SPECS[new].bandwidth
                for kv, keep in (
                    [("", sel)]
                    if not extra
                    else [
                        (f" kv {v}" if v else "", sel & x.eq(extra[0], v))
                        for v in sorted({x.vocab[extra[0]][i] for i in x.code[extra[0]]})
                    ]
                ):
                    sink.values(
                        (pair, "vllm", precision + kv), name, size, speed[keep] * fair, "efficiency ratio", note
                    )

        mnk = ["m", "n", "k"]
        ratio("gemm", mnk, True, lambda x: (x.num["m"] >= 4096) & (x.num["n"] >= 4096) & (x.num["k"] >= 4096),
              "ratio_gemm", "m,n,k>=4096", ())  # fmt: skip
        ratio("gemm", mnk, False, lambda x: (x.num["m"] <= 16) & (np.minimum(x.num["n"], x.num["k"]) >= 2048),
              "ratio_gemv", "m<=16", ())  # fmt: skip
        att = ["batch", "cached_tokens", "heads", "kv_heads", "head_dim"]
        ratio("generation_attention", att, False, lambda x: ~(x.num["window"] > 0) & (x.num["bytes_moved"] > 3e8),
              "ratio_kv", "> 300 MB", ("kv_precision",))  # fmt: skip
        ratio("context_attention", ["batch", "new_tokens", "heads", "kv_heads", "head_dim"], True,
              lambda x: ~(x.num["window"] > 0) & (x.num["new_tokens"] >= 1024) & (x.num["flops"] > 2e11),
              "ratio_prefill_attention", ">= 1024 tokens", ("kv_precision",))  # fmt: skip
        me = ["tokens", "hidden", "inter", "experts", "topk", "moe_tp", "moe_ep"]
        ratio("moe", me, True, lambda x: (x.num["tokens"] >= 4096) & (x.num["moe_tp"] <= 8) & (x.num["moe_ep"] <= 16),
              "ratio_moe_prefill", "tokens>=4096", ("distribution",))  # fmt: skip
        ratio("moe", me, False, lambda x: (x.num["tokens"] <= 128) & (x.num["moe_tp"] <= 8) & (x.num["moe_ep"] <= 16),
              "ratio_moe_bandwidth", "tokens<=128", ("distribution",))  # fmt: skip
    # same silicon, burst against sustained: what a power limit takes away
    a, b = (
        vllm.take(vllm.eq("gpu", "H200") & vllm.eq("op", "gemm")),
        vllm.take(vllm.eq("gpu", "H100") & vllm.eq("op", "gemm")),
    )
    a, b = matched(a, b, ["m", "n", "k"], ("precision",))
    big = (a.num["m"] >= 4096) & (a.num["n"] >= 4096) & (a.num["k"] >= 4096)
    for precision in ("bfloat16", "fp8_block"):
        v = (a.num["latency_ms"] / b.num["latency_ms"])[big & a.eq("precision", precision)]
        key = ("H100 burst/H200 sustained", "vllm", precision)
        sink.values(key, "burst_over_sustained", "m,n,k>=4096", v, "speed ratio", "same silicon: derate of burst rates")


def main(argv: list[str] | None = None) -> int:
    """Command line: parquet in, CSV of anchors out."""
    parser = argparse.ArgumentParser(description="Kernel anchors of the inference-energy method")
    parser.add_argument("parquet", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args(argv)
    table = load(args.parquet)
    sink = Sink()
    count_rejections(table, sink)
    for step in (floors, gemm, gemv, decode_attention, moe, gemm_formats, prefill_attention, modules, generations):
        before = len(sink.rows)
        step(table, sink)
        print(f"{step.__name__}: {len(sink.rows) - before} anchors", file=sys.stderr, flush=True)
    header = [
        "gpu",
        "framework",
        "precision",
        "quantity",
        "size_class",
        "value_p10",
        "value_p50",
        "value_p90",
        "n",
        "unit",
        "note",
    ]
    with args.output.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(sink.rows)
    print(f"{len(table)} rows read, {len(sink.rows)} anchors written to {args.output}")
    print("Not used, by reason (a row can appear under more than one):")
    for reason, count in sorted(sink.rejected.items()):
        print(f"  {count:>9,}  {reason}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
