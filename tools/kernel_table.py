"""The table of measured GPU kernels: rows with datasheets, and what their power readings say under NVML's lag.

`kernel_anchors.py` says how power is read and why; it and `compose_prefill.py` fit on these tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from scipy.optimize import least_squares, lsq_linear, minimize  # type: ignore[import-untyped]

F = npt.NDArray[np.float64]
B = npt.NDArray[np.bool_]
MIN_WEIGHT = 0.2
PHI0 = 0.25
SEED = 20260801
NUMERIC = [
    "m",
    "n",
    "k",
    "batch",
    "new_tokens",
    "cached_tokens",
    "heads",
    "kv_heads",
    "head_dim",
    "window",
    "tokens",
    "hidden",
    "inter",
    "experts",
    "topk",
    "moe_tp",
    "moe_ep",
    "latency_ms",
    "power_w",
    "power_limit_w",
    "power_samples",
    "flops",
    "bytes_moved",
    "own_weight",
]
STRINGS = ["gpu", "framework", "op", "precision", "kv_precision", "distribution", "model", "flag", "source_path"]


@dataclass(frozen=True)
class Spec:
    """Datasheet figures of data/hardware.csv (W, FLOP/s dense, B/s); awake = lowest reading with a context open."""

    tdp: float
    bf16: float
    fp8: float
    fp4: float
    bandwidth: float
    clock: str
    awake: float = float("nan")

    def peak(self, precision: str) -> float:
        """Dense peak of the arithmetic a precision name stands for (weight-only formats compute in bf16)."""
        if precision.startswith("fp8") or precision == "w4a8_mxfp4_mxfp8":
            return self.fp8
        return self.fp4 if precision.startswith("nvfp4") else self.bf16


SPECS = {
    "A100-80GB": Spec(400, 312e12, 312e12, 312e12, 2.039e12, "burst"),
    "L40S": Spec(350, 362e12, 733e12, 733e12, 0.864e12, "burst"),
    "H100": Spec(700, 989e12, 1979e12, 1979e12, 3.35e12, "burst"),
    "H200": Spec(700, 989e12, 1979e12, 1979e12, 4.8e12, "sustained", 127.0),
    "B200": Spec(1000, 2250e12, 4500e12, 9000e12, 7.672e12, "sustained", 243.0),
    "B300": Spec(1100, 2250e12, 4500e12, 13500e12, 7.75e12, "burst"),
}
# compared only within one clock regime (see the module docstring)
PAIRS = (("A100-80GB", "H100"), ("L40S", "H100"), ("B300", "H100"), ("B200", "H200"))


@dataclass
class Table:
    """Columns as arrays; strings as codes with their vocabulary."""

    num: dict[str, F]
    code: dict[str, npt.NDArray[np.int32]]
    vocab: dict[str, list[str]]

    def __len__(self) -> int:
        """Row count."""
        return len(self.num["m"])

    def eq(self, column: str, *values: str) -> B:
        """Rows whose string column is one of the values ('' = empty)."""
        wanted = [i for i, v in enumerate(self.vocab[column]) if v in values]
        return np.isin(self.code[column], wanted)

    def take(self, mask: B) -> Table:
        """Rows under a mask."""
        return Table({c: v[mask] for c, v in self.num.items()}, {c: v[mask] for c, v in self.code.items()}, self.vocab)

    def groups(self, *columns: str) -> list[tuple[tuple[str, ...], B]]:
        """Distinct values of string columns with their row masks."""
        keys = np.stack([self.code[c] for c in columns])
        out: list[tuple[tuple[str, ...], B]] = []
        for u in np.unique(keys, axis=1).T:
            mask = np.all(keys == u[:, None], axis=0)
            out.append((tuple(self.vocab[c][int(i)] for c, i in zip(columns, u, strict=True)), mask))
        return out


@dataclass
class Sink:
    """Output rows and the tally of what was rejected."""

    rows: list[list[object]] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)

    def quantiles(
        self, key: tuple[str, str, str], quantity: str, size: str, q: Iterable[float], n: int, unit: str, note: str = ""
    ) -> None:
        """Add a row from ready quantiles; note gets the clock regime."""
        low, mid, high = (float(x) for x in q)
        if n > 0 and np.isfinite(mid):
            clock = SPECS[key[0]].clock if key[0] in SPECS else ""
            text = "; ".join(x for x in (clock and f"clock={clock}", note) if x)
            self.rows.append([*key, quantity, size, f"{low:.4g}", f"{mid:.4g}", f"{high:.4g}", n, unit, text])

    def values(
        self, key: tuple[str, str, str], quantity: str, size: str, v: F, unit: str, note: str = "", at_least: int = 4
    ) -> None:
        """Add a row from a sample."""
        v = v[np.isfinite(v)]
        if len(v) >= at_least:
            self.quantiles(key, quantity, size, np.quantile(v, [0.1, 0.5, 0.9]), len(v), unit, note)


def load(path: Path) -> Table:
    """Read the parquet; nulls of numeric columns become NaN (blank power is missing, never 0)."""
    raw = pq.read_table(path, columns=NUMERIC + STRINGS)
    num: dict[str, F] = {}
    for c in NUMERIC:
        num[c] = raw.column(c).cast("float64").to_numpy(zero_copy_only=False).astype(np.float64)
    code: dict[str, npt.NDArray[np.int32]] = {}
    vocab: dict[str, list[str]] = {}
    for c in STRINGS:
        enc = raw.column(c).combine_chunks().fill_null("").dictionary_encode()
        code[c] = enc.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        vocab[c] = [str(x) for x in enc.dictionary.to_pylist()]
    if np.any(num["power_w"] == 0):
        raise SystemExit("power of exactly 0 W in the table: blanks were filled, refuse to continue")
    table = Table(num, code, vocab)
    num["near"] = neighbour_power(table)
    return table


def neighbour_power(t: Table, reach: int = 2) -> F:
    """Mean reading of the rows measured around each row: a thermometer of the state before it.

    The table is sorted by shape; the order of measurement is restored as far as the readings of one sample (which show
    only the state before them) allow: fastest index k (gemm), context (decode attention), batch (prefill attention),
    tokens (experts).  Correlation with the neighbour then is .96, .55, .75 and .9, against .96, .0, .6 and .7.
    """
    decode = np.isin(t.code["op"], [i for i, v in enumerate(t.vocab["op"]) if v.startswith(("generation", "mla_gen"))])
    decode |= t.eq("op", "dsa_generation_module", "gdn_generation", "mamba2_generation")
    c = {name: np.nan_to_num(t.num[name], nan=-1.0) for name in NUMERIC}
    fast = np.where(c["k"] >= 0, c["k"], np.where(c["tokens"] >= 0, c["tokens"], c["batch"]))
    fast = np.where(decode, c["cached_tokens"], fast)
    second = np.where(c["k"] >= 0, c["n"], np.where(decode, c["batch"], c["new_tokens"]))
    slow = [
        c[x]
        for x in ["moe_ep", "moe_tp", "topk", "experts", "inter", "hidden", "window", "head_dim", "kv_heads", "heads"]
    ]
    text = [t.code[x] for x in ["distribution", "model", "kv_precision", "precision", "source_path"]]
    order = np.lexsort([fast, second, c["m"], *slow, *text])
    power, source = t.num["power_w"][order], t.code["source_path"][order]
    total = np.zeros(len(power))
    count = np.zeros(len(power))
    ok = np.isfinite(power)
    filled = np.where(ok, power, 0.0)
    for shift in [s for s in range(-reach, reach + 1) if s]:
        moved, alive, src = np.roll(filled, shift), np.roll(ok, shift), np.roll(source, shift)
        use = alive & (src == source)
        total += np.where(use, moved, 0.0)
        count += use
    out = np.empty(len(power))
    out[order] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return out


# ---------------------------------------------------------------- acceptance


def count_rejections(t: Table, sink: Sink) -> None:
    """Tally what is not used, per GPU and reason."""
    power = np.isfinite(t.num["power_w"])
    for (gpu,), mask in t.groups("gpu"):
        sink.rejected[f"{gpu}: no power reading (latency only, kept for speed)"] += int(np.sum(mask & ~power))
        low = mask & power & (t.num["own_weight"] < MIN_WEIGHT)
        sink.rejected[f"{gpu}: power reading with own weight < {MIN_WEIGHT} (latency kept)"] += int(np.sum(low))
        for flag in ("l2_resident", "launch_bound", "above_peak_bandwidth"):
            sink.rejected[f"{gpu}: flag {flag}"] += int(np.sum(mask & t.eq("flag", flag)))
        accepted = mask & power & (t.num["own_weight"] >= MIN_WEIGHT) & t.eq("flag", "")
        sink.rejected[f"{gpu}: ACCEPTED power readings"] += int(np.sum(accepted))


def powered(t: Table, weight: float = MIN_WEIGHT) -> B:
    """Rows whose power reading may speak about their kernel."""
    return np.isfinite(t.num["power_w"]) & (t.num["own_weight"] >= weight) & np.isfinite(t.num["near"])


# ---------------------------------------------------------------- lag model


def lag_fit(
    reading: F,
    weight: F,
    near: F,
    rates: F,
    floor: float,
    cap: float,
    limits: list[tuple[float, float]],
    guess: list[float],
) -> F:
    """Maximum likelihood of P = min(cap, floor + rates @ e) seen through R = (1-w)(a + b near) + w P.

    Student-t (4 degrees) errors whose scale is s0 (1-w) for the unknown past plus s1 for the rest.
    """

    def negative(p: F) -> float:
        e, a, b, s0, s1 = p[:-4], p[-4], p[-3], np.exp(p[-2]), np.exp(p[-1])
        raw = floor + rates @ e
        own = cap - 0.03 * cap * np.logaddexp(0.0, (cap - raw) / (0.03 * cap))  # smooth min(cap, raw)
        past = np.clip(a + b * near, 0.1 * cap, cap)
        scale = np.sqrt(((1 - weight) * s0) ** 2 + s1**2)
        z = (reading - (1 - weight) * past - weight * own) / scale
        return float(np.sum(2.5 * np.log1p(z * z / 4) + np.log(scale)))

    best: F | None = None
    value = np.inf
    bounds = [*limits, (-cap, cap), (0.0, 1.3), (np.log(5.0), np.log(cap)), (np.log(3.0), np.log(0.3 * cap))]
    for factor in (0.5, 1.2):
        for link in (0.6,):
            past = [(1 - link) * 0.5 * cap, link, np.log(0.1 * cap), np.log(0.03 * cap)]
            start = np.array([*(factor * g for g in guess), *past])
            fit = minimize(negative, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 120})
            if fit.fun < value:
                best, value = np.asarray(fit.x[: len(guess)], dtype=np.float64), float(fit.fun)
    if best is None:
        raise ValueError("lag fit failed")
    return best


def lag_spread(t: Table, rates: F, floors: tuple[float, ...], scale: F, reps: int = 4) -> tuple[F, F, int]:
    """Dynamic energies over floors, own-weight thresholds and bootstrap samples: floor of each draw, draws, rows."""
    rng = np.random.default_rng(SEED)
    draws: list[F] = []
    label: list[float] = []
    used = int(np.sum(powered(t)))
    for weight in (MIN_WEIGHT, 0.4):
        ok = np.flatnonzero(powered(t, weight))
        if len(ok) < 60:
            continue
        limit = float(np.nanmedian(t.num["power_limit_w"][ok]))
        many = rates.shape[1]
        for floor in floors:
            for _ in range(reps):
                i = rng.choice(ok, size=min(len(ok), 700))
                reading, own, near = (t.num[c][i] for c in ("power_w", "own_weight", "near"))
                share = rates[i] / scale
                # above this the median row would sit on the power limit and the likelihood is flat
                most = [
                    min(8.0, 1.3 * (1 - floor) * limit / max(float(np.median(share[:, j])), 1e-9)) for j in range(many)
                ]
                e = lag_fit(
                    reading,
                    own,
                    near,
                    share,
                    floor * limit,
                    0.99 * limit,
                    [(0.0, x) for x in most],
                    [0.5 * min(most[0], 1.4)] * many,
                )
                draws.append(e / scale)
                label.append(floor)
    return np.array(label), (np.array(draws) if draws else np.full((0, rates.shape[1]), np.nan)), used


def steady(t: Table, weight: float = MIN_WEIGHT) -> B:
    """Accepted rows whose neighbours read within 10 %: what ran before drew the same power, so P is close to R."""
    with np.errstate(invalid="ignore"):
        return powered(t, weight) & (np.abs(t.num["near"] / t.num["power_w"] - 1) < 0.1)


# ---------------------------------------------------------------- helpers


def size_label(value: float) -> str:
    """Bytes as a short label."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= step:
            return f"{value / step:g}{unit}"
    return f"{value:g}B"


def binned(x: F, edges: list[float]) -> list[tuple[str, B]]:
    """Half-open classes of x with labels."""
    out = []
    for low, high in pairwise(edges):
        out.append((f"{size_label(low)}-{size_label(high)}", (x >= low) & (x < high)))
    return out


def per_key(t: Table, op: str) -> list[tuple[tuple[str, str, str], Table, Spec]]:
    """Tables of one op split by gpu, framework and precision (+ kv precision where it applies)."""
    sub = t.take(t.eq("op", op))
    out = []
    for (gpu, framework, precision, kv), mask in sub.groups("gpu", "framework", "precision", "kv_precision"):
        name = precision + (f"/kv_{kv}" if kv else "")
        out.append(((gpu, framework, name), sub.take(mask), SPECS[gpu]))
    return out


def additive(t: Table, spec: Spec, peak: float, mask: B) -> tuple[F, int]:
    """t = t0 + bytes/(BW eta) + flops/(F eta_c) by relative least squares, bootstrapped: columns t0[us], eta, eta_c."""
    idx = np.flatnonzero(mask & np.isfinite(t.num["bytes_moved"]) & np.isfinite(t.num["flops"]))
    if len(idx) < 40:
        return np.full((1, 3), np.nan), len(idx)
    s = t.num["latency_ms"] * 1e-3
    design = np.stack([np.full(len(s), 1e-6), t.num["bytes_moved"] / spec.bandwidth, t.num["flops"] / peak], axis=1)
    rng = np.random.default_rng(SEED)
    out = []
    for _ in range(20):
        pick = rng.choice(idx, len(idx))
        fit = lsq_linear(design[pick] / s[pick, None], np.ones(len(pick)), bounds=(0, np.inf)).x
        out.append([fit[0], 1 / max(fit[1], 1e-9), 1 / max(fit[2], 1e-9)])
    return np.array(out), len(idx)


def overlap(t: Table, spec: Spec, peak: float, mask: B) -> tuple[F, int]:
    """t = t0 + ((bytes/(BW eta_w))^p + (flops/(F eta_c))^p)^(1/p): t0[us], eta_w, eta_c, p, rms, rms(p=1)."""
    idx = np.flatnonzero(mask & np.isfinite(t.num["bytes_moved"]) & np.isfinite(t.num["flops"]))
    if len(idx) < 100:
        return np.full((1, 6), np.nan), len(idx)
    s = t.num["latency_ms"] * 1e-3
    stream, work = t.num["bytes_moved"] / spec.bandwidth, t.num["flops"] / peak
    rng = np.random.default_rng(SEED)
    out = []
    for _ in range(8):
        pick = rng.choice(idx, min(len(idx), 1500))

        def residual(q: F, pick: npt.NDArray[np.int64] = pick) -> F:
            p = q[3] if len(q) > 3 else 1.0
            both = (stream[pick] / q[1]) ** p + (work[pick] / q[2]) ** p
            return np.asarray(np.log((q[0] * 1e-6 + both ** (1 / p)) / s[pick]), dtype=np.float64)

        free = least_squares(
            residual, [4.0, 0.85, 0.7, 2.0], bounds=([0, 0.1, 0.02, 1], [500, 5, 10, 20]), loss="soft_l1"
        )
        one = least_squares(residual, [4.0, 0.85, 1.0], bounds=([0, 0.1, 0.02], [500, 5, 10]), loss="soft_l1")
        rms = [float(np.sqrt(np.mean(residual(f.x) ** 2))) for f in (free, one)]
        out.append([*free.x, *rms])
    return np.array(out), len(idx)
