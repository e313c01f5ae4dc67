"""Fit the current parameter set of the inference method, cross-validate it and write it where the catalog reads it.

Usage: python tools/fit_inference.py [data/measurements/inference.csv] [--write] [--seeds N]

Which parameters are fitted, and what was expected of each, stands in src/catalog/data/parameters.csv: rows with a prior
are free, the others are fixed. Priors come from kernel measurements where there are any. Cross-validation leaves out
whole model groups. `--write` puts the fitted values and the spreads of the intervals into the file; build the package
afterwards. The output is the table of docs/method/inference.md.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from wattledger._engine import InferenceMeasurements
from wattledger._fit import Options, columns, errors, fit, observed, summary

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "src" / "catalog" / "data" / "parameters.csv"
CROSS = ROOT / "data" / "measurements" / "inference-cross-validation.csv"
FOLDS = 9
LINES = []


def line(name, logs):
    s = summary(logs)
    if not any(known["rows"] == name.strip() for known in LINES):
        LINES.append({"rows": name.strip(), **{key: f"{value:.4g}" for key, value in s.items()}})
    ape = f"{100 * s['median_ape']:5.1f} {100 * s['p90_ape']:5.1f}"
    signed = f"{100 * s['bias']:+6.1f} {100 * s['mean_error']:+6.1f}"
    print(f"{name:44} {s['n']:6.0f} {ape} {signed}  {s['geometric_error']:.3f}")


class Data:
    def __init__(self, path):
        self.path = path
        self.all = InferenceMeasurements(path)
        text = {
            name: np.array(self.all.column(name))
            for name in (
                "model",
                "model_group",
                "gpu",
                "task",
                "n_gpus",
                "weight_precision",
                "quality",
                "serving_stack",
                "architecture",
            )
        }
        self.text = text
        self.steady = text["quality"] == "A"
        self.media = np.array([any(word in task for word in ("image", "video")) for task in text["task"]])
        self.batch = columns(self.all, "mean_batch")

    def fresh(self):
        return InferenceMeasurements(self.path)


def free_parameters(measurements, *, skip=()):
    return [
        key
        for key, _, prior, sigma in measurements.parameters
        if prior is not None and sigma is not None and not any(word in key for word in skip)
    ]


def at_priors(measurements):
    measurements.set([(key, prior) for key, _, prior, _ in measurements.parameters if prior is not None])


def cross_validate(data, rows, seeds, options):
    groups = np.unique(data.text["model_group"][rows])
    energy = np.full((seeds, len(rows)), np.nan)
    time = energy.copy()
    for seed in range(seeds):
        for fold in np.array_split(np.random.RandomState(seed).permutation(groups), FOLDS):
            left_out = rows & np.isin(data.text["model_group"], fold)
            m = data.fresh()
            fit(m, free_parameters(m), rows & ~left_out, options)
            e, t = errors(m)
            energy[seed, left_out], time[seed, left_out] = e[left_out], t[left_out]
    return energy, time


def unseen_generation(data, rows, options):
    """Errors on the kind of accelerator that a fit never saw, both ways: what the width for such rests on."""
    found = np.full(len(rows), np.nan)
    for left_out, kept in (("B200", "H100"), ("H100", "B200")):
        train = rows & (data.text["gpu"] == kept)
        m = data.fresh()
        at_priors(m)
        fit(m, free_parameters(m), train, options)
        test = rows & (data.text["gpu"] == left_out)
        e, _ = errors(m)
        found[test] = e[test]
        line(f"{kept} fitted, {left_out} never seen", e[test])
        if left_out == "H100":
            line(
                "  H100 never seen, the same engine version only",
                e[test & (data.text["serving_stack"] == "vllm-0.11.1")],
            )
    return found


def mean_of_seeds(energy):
    """Mean over seeds; rows that were left out of all have none."""
    return np.array([seeds.mean() if np.isfinite(seeds).all() else np.nan for seeds in energy.T])


def deployments(data, rows):
    keys = list(zip(*(data.text[name] for name in ("model", "task", "gpu", "n_gpus", "weight_precision")), strict=True))
    found = {}
    for i in np.flatnonzero(rows):
        found.setdefault(keys[i], []).append(i)
    return [np.array(sorted(rows_of, key=lambda i: data.batch[i])) for rows_of in found.values() if len(rows_of) > 1]


def one_metered_point(data, rows, energy):
    """What a meter at one load says of the others; half widths that cover 90 % near it and from the middle."""
    logs = mean_of_seeds(energy)
    middle, near, anywhere, offset = [], [], [], []
    for of in deployments(data, rows):
        at = of[len(of) // 2]
        middle += [logs[i] - logs[at] for i in of if i != at]
        near += [
            logs[i] - logs[j] for i in of for j in of if i != j and abs(np.log2(data.batch[i] / data.batch[j])) <= 1.01
        ]
        anywhere += [logs[i] - logs[j] for i in of for j in of if i != j]
        offset += list(logs[of] - np.median(logs[of]))
    line("metered at the middle load, the rest", middle)
    line("metered within a factor 2 of the load", near)
    line("metered at any load, the rest", anywhere)
    line("median offset of the deployment removed", offset)
    widths = {"spread_metered_near": near, "spread_metered": middle, "spread_metered_any": anywhere}
    return {symbol: float(np.quantile(np.abs(found), 0.9)) for symbol, found in widths.items()}


def kinds(data):
    return {
        "spread": np.ones(len(data.steady), bool),
        "spread_moe": data.text["architecture"] == "moe",
        "spread_hybrid": data.text["architecture"] == "hybrid",
        "spread_blackwell": data.text["gpu"] == "B200",
        "spread_fp8": data.text["weight_precision"] == "fp8",
        "spread_media": data.media,
    }


def squared_widths(design, logs):
    """Squares of the half widths whose sum covers 90 %: quantile regression by coordinate descent on a grid."""
    squares = np.full(design.shape[1], 0.01)
    grid = np.concatenate([[0.0], np.geomspace(0.0005, 0.5, 60)])

    def loss(candidate):
        miss = logs - np.sqrt(design @ candidate)
        return np.mean(np.where(miss > 0, 0.9 * miss, -0.1 * miss))

    for _ in range(40):
        before = squares.copy()
        for k in range(len(squares)):
            squares[k] = min(grid, key=lambda value, k=k: loss(np.where(np.arange(len(squares)) == k, value, squares)))
        if np.array_equal(before, squares):
            break
    return squares


def spreads(data, rows, energy, seeds):
    """Half widths, in log units, whose root of squares covers 90 % of each kind of row; counted nested as well: every
    model group inside the widths that the residuals of the other groups give."""
    logs = np.abs(mean_of_seeds(energy))[rows]
    members = {kind: member[rows] for kind, member in kinds(data).items()}
    design = np.stack(list(members.values()), axis=1).astype(float)
    squares = squared_widths(design, logs)
    half = np.sqrt(design @ squares)
    covered = logs <= half
    wide = np.exp(2 * half.mean())
    said(f"90 % interval: covers {100 * covered.mean():.1f} % of cross-validated rows, mean width x{wide:.2f}")
    for kind, part in members.items():
        wide = np.exp(2 * half[part].mean())
        said(f"{kind} covers {100 * covered[part].mean():.1f} % of {part.sum()} rows, mean width x{wide:.2f}")
    groups = data.text["model_group"][rows]
    inside, halves = [], []
    for seed in range(seeds):
        for fold in np.array_split(np.random.RandomState(seed).permutation(np.unique(groups)), FOLDS):
            out = np.isin(groups, fold)
            widths = np.sqrt(design[out] @ squared_widths(design[~out], logs[~out]))
            inside += list(logs[out] <= widths)
            halves += list(widths)
    said(
        f"widths chosen without the rows they are counted on (by model group, {seeds} seeds): cover "
        f"{100 * np.mean(inside):.1f} %, mean width x{np.exp(2 * np.mean(halves)):.2f}"
    )
    return dict(zip(members, np.sqrt(squares).tolist(), strict=True))


def kernels_spread(data, unseen, spread):
    """What a generation with kernels and without served energy adds to the half width: nine in ten of the accelerators
    left out whole have to lie inside."""
    rows = np.isfinite(unseen)
    logs = np.abs(unseen[rows])
    # Nothing of the left-out generation was known, so neither was how much Blackwell varies.
    known = {kind: member[rows] for kind, member in kinds(data).items() if kind != "spread_blackwell"}
    half = np.stack(list(known.values()), axis=1).astype(float) @ np.array([spread[kind] ** 2 for kind in known])
    grid = np.concatenate([[0.0], np.geomspace(0.0005, 0.5, 200)])
    added = next(square for square in grid if np.mean(logs <= np.sqrt(half + square)) >= 0.9)
    inside = 100 * np.mean(logs <= np.sqrt(half))
    said(
        f"an accelerator never seen, kernels alone: {inside:.1f} % inside the others' widths, "
        f"90 % with {added**0.5:.3f}"
    )
    return {"spread_kernels": float(added**0.5)}


def alternatives(data, rows):
    m = data.fresh()
    at_priors(m)
    e, _ = errors(m)
    line("kernels and judgement alone, no fit", e[rows])
    width = np.quantile(np.abs(e[rows]), 0.9)
    said(f"a 90 % interval of kernels alone has width x{np.exp(2 * width):.2f}")
    spec = {
        "eta_w": 1,
        "eta_kv": 1,
        "eta_c": 1,
        "eta_p": 1,
        "eta_l": 1,
        "moe_c": 1,
        "moe_p": 1,
        "moe_pn": 0.0,
        "cov_c": 1,
        "g_h": 0,
        "fp8_c": 1,
        "fp8_b": 1,
        "fp4_b": 1,
        "a_act": 0,
        "k_x": 1,
        "k_8": 1,
        "h": 1,
        "q": 1,
        "q_4": 1,
        "t_step": 0,
        "t_seq": 0,
        "t_layer": 0,
        "t_moe": 0,
        "t_fp8": 0,
        "t_fp8x": 0,
        "t_hyb": 0,
        "t_phyb": 0,
        "t_ar": 0,
        "r_f": 1,
        "r_w": 1,
        "r_kv": 1,
    }
    m.set([(key, float(spec[symbol])) for key, *_ in m.parameters if (symbol := key.rsplit("/", 1)[-1]) in spec])
    e, _ = errors(m)
    line("datasheets alone", e[rows])
    width = np.quantile(np.abs(e[rows] - np.median(e[rows])), 0.9)
    said(f"a 90 % interval of datasheets alone, their bias removed, has width x{np.exp(2 * width):.2f}")


def ecologits(data, rows):
    """EcoLogits 0.8 and later: joules per token of the accelerators it assumes (1.2 x 16-bit weights on 80 GB, 2^k)."""
    active, total = columns(data.all, "active_params_b"), columns(data.all, "total_params_b")
    per_token = (1.1665273170451914e-06 * np.exp(-0.011205921025579175 * 64) * active + 4.052928146734005e-05) * 3600
    gpus = 2 ** np.ceil(np.log2(np.ceil(1.2 * total * 2 / 80)))
    line("EcoLogits' formula", np.log(per_token * gpus / observed(data.all)[0])[rows])


def said(text):
    """Prints a figure that is no error of rows, and keeps it with the others."""
    print(f"  {text}")
    LINES.append({"rows": text})


def write(values, spread):
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    header = list(rows[0])
    by_id = {row["id"]: row for row in rows}
    for key, value in values.items():
        by_id[key]["value"] = f"{value:.6g}"
    for symbol, value in spread.items():
        by_id[f"V12/spread/*/*/{symbol}"]["value"] = f"{value:.3g}"
    with TABLE.open("w", newline="") as file:
        out = csv.DictWriter(file, header, lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    with CROSS.open("w", newline="") as file:
        columns_of = ["rows", "n", "median_ape", "p90_ape", "bias", "mean_error", "geometric_error"]
        out = csv.DictWriter(file, columns_of, lineterminator="\n")
        out.writeheader()
        out.writerows(LINES)
    print(f"wrote {TABLE.relative_to(ROOT)} and {CROSS.relative_to(ROOT)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measurements", nargs="?", default=str(ROOT / "data" / "measurements" / "inference.csv"))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    data, options = Data(asked.measurements), Options()
    rows = data.steady
    print(f"{'':44} {'n':>6}   med   p90   bias   mean  geo   (per cent; geometric as a factor)")
    energy, time = cross_validate(data, rows, asked.seeds, options)
    line("cross-validated by model group, energy", energy[:, rows])
    line("  text only", energy[:, rows & ~data.media])
    line("  images and videos", energy[:, rows & data.media])
    line("cross-validated, time", time[:, rows])
    for name in ("gpu", "architecture", "weight_precision", "serving_stack", "task"):
        slices = {value: energy[:, rows & (data.text[name] == value)] for value in np.unique(data.text[name][rows])}
        for value, logs in sorted(slices.items(), key=lambda item: -summary(item[1])["median_ape"]):
            line(f"  {name}={value}", logs)
    unseen = unseen_generation(data, rows & ~data.media, options)
    metered = one_metered_point(data, rows & ~data.media, energy)
    alternatives(data, rows)
    ecologits(data, rows)
    spread = spreads(data, rows, energy, asked.seeds)
    spread |= kernels_spread(data, unseen, spread) | metered
    m = data.fresh()
    values = fit(m, free_parameters(m), rows, options)
    e, t = errors(m)
    line("in the fit, energy", e[rows])
    line("in the fit, time", t[rows])
    if asked.write:
        write(values, spread)


if __name__ == "__main__":
    sys.exit(main())
