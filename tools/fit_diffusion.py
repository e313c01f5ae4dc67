"""Fit the diffusion method, cross-validate it by whole model family, and write its parameter set.

python tools/fit_diffusion.py [--fast] [--keep]

Reads data/measurements/image-video.csv and the catalog's diffusion.csv and hardware.csv, prints the tables that
docs/method/diffusion.md quotes, and writes src/catalog/data/diffusion-parameters.csv (--keep leaves it as it is).
Needs numpy, pandas and scipy. The formula, its symbols and its source stand in src/physics/diffusion.rs.
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "src" / "catalog" / "data"
MEASUREMENTS = ROOT / "data" / "measurements" / "image-video.csv"
PARAMETERS = DATA / "diffusion-parameters.csv"
SET = "diffusion-2026.11"
RETRIEVED = "2026-11-22"
FITTED_ON = (
    "fit on 1138 configurations of ml-energy/leaderboard@0cd52da and leaderboard-v2@c3af7f3 (tools/fit_diffusion.py)"
)
LAWS_ON = "least squares over the 42 transformer shapes of diffusion.csv (tools/fit_diffusion.py)"
CROSS_VALIDATED = "cross-validation by model family, rounded up (tools/fit_diffusion.py)"
JUDGEMENT = "judgement of this project"

#: Catalog ids of the accelerators as the measurements name them.
GPUS = {"A100-SXM4-40GB": "a100-sxm4-40gb", "H100": "h100-sxm5-80gb", "B200": "b200-sxm"}
#: Those whose software has its own factors.
BLACKWELL = {"B200"}

#: Fitted: symbol to (start, lower bound, upper bound, unit, meaning).
FITTED = {
    "eta_l": (0.85, 0.4, 1.0, "", "share of peak FLOP rate that matrix products reach"),
    "eta_a": (0.34, 0.15, 1.0, "", "share of peak FLOP rate that attention reaches"),
    "phi0": (0.28, 0.1, 0.5, "", "power floor while generating over rated power"),
    "k_f": (1.0, 0.3, 3.0, "", "dynamic energy per FLOP of matrix products x peak / rated power"),
    "k_a": (2.0, 0.3, 4.0, "", "dynamic energy per FLOP of attention x peak / rated power"),
    "k_b": (0.65, 0.05, 1.2, "", "dynamic energy per element-wise byte x bandwidth / rated power"),
    "t_b": (1.0e-3, 1e-5, 3e-3, "s", "host time per block and step"),
    "t_n": (0.75e-3, 1e-5, 5e-3, "s", "further host time per block and step on several devices"),
    "eta_k": (0.09, 0.02, 1.0, "", "share of link bandwidth reached"),
    "t_px": (0.15, 1e-3, 0.3, "s", "decoding, conversion and saving per million output pixels"),
    "q_t": (1.65, 0.7, 3.0, "", "device time on Blackwell relative to Ampere and Hopper"),
    "q_e": (1.45, 0.7, 3.0, "", "dynamic energy on Blackwell relative to Ampere and Hopper"),
}
#: Set and not fitted: symbol to (value, unit, meaning).
SET_BY_HAND = {
    "c_el": (3.0, "", "effective over counted accesses of element-wise kernels: fp32 intermediates, strides"),
    "ring": (0.25, "", "further host time per ring step as a share of t_n"),
    "q_other": (1.25, "", "device time and dynamic energy on any other accelerator; half-way to Blackwell"),
}
#: Laws that are judgement: symbol to (value, unit, meaning).
LAWS_BY_HAND = {
    "acc": (
        100.0,
        "",
        "element-wise accesses per token and block over width, of a block with norm and rotary embedding",
    ),
    "px_video": (16.0, "px", "pixels per token along a side of a video transformer"),
    "tc_video": (4.0, "", "frames per latent frame of a video transformer"),
    "text": (256.0, "tokens", "prompt tokens of a transformer"),
    "te": (4.8e9, "parameters", "text encoder of a transformer"),
    "un_tok_a": (
        0.095,
        "1e9 parameters",
        "U-Net: weights per latent pixel at 1e9 parameters; set from five measured U-Nets",
    ),
    "un_tok_b": (0.6, "", "exponent of un_tok_a; set from five measured U-Nets"),
    "un_elem_a": (230e3, "", "U-Net: element-wise accesses at 1e9 parameters; set from five measured U-Nets"),
    "un_elem_b": (0.55, "", "exponent of un_elem_a; set from five measured U-Nets"),
    "un_l_a": (45.0, "", "U-Net: blocks at 1e9 parameters; set from five measured U-Nets"),
    "un_l_b": (0.5, "", "exponent of un_l_a; set from five measured U-Nets"),
    "un_att": (1000.0, "", "U-Net: sum of attention widths at full resolution"),
    "un_width": (320.0, "", "U-Net: width of the first level"),
    "un_px": (8.0, "px", "U-Net: pixels per latent pixel along a side"),
    "un_text": (77.0, "tokens", "U-Net: prompt tokens"),
    "un_passes": (2.0, "", "U-Net: passes per step"),
    "un_te": (0.4e9, "parameters", "U-Net: text encoder"),
    "un_video": (1.35, "", "U-Net: factor of temporal layers on weights and accesses"),
}
#: Half-widths of the 90 % interval in the natural logarithm: symbol to (value, quality, meaning).
HALF_WIDTHS = {
    "h_known": (0.22, "derived", "shape known, one device"),
    "h_log2n": (0.03, "derived", "further, per doubling of devices"),
    "h_scaled": (0.55, "derived", "shape scaled from a sibling, one device"),
    "h_scaled_n": (0.75, "derived", "shape scaled from a sibling, several devices"),
    "h_laws": (0.62, "derived", "parameter count alone"),
    "h_mature": (0.20, "derived", "another accelerator of Ampere, Ada or Hopper; in quadrature"),
    "h_blackwell": (0.27, "assumed", "another Blackwell; in quadrature"),
    "h_other": (0.40, "assumed", "any other accelerator; in quadrature"),
    "h_passes": (0.35, "assumed", "passes unknown for a few-step model; in quadrature"),
    "h_precision": (0.20, "assumed", "weights of other than 16 bits; in quadrature"),
}
#: A measured model and the one whose shape stands for it where its own were unknown.
SIBLINGS = {
    "sana1.5-1.6b": "sana1.5-4.8b",
    "sana1.5-4.8b": "sana1.5-1.6b",
    "stable-diffusion-3-medium": "stable-diffusion-3.5-large",
    "stable-diffusion-3.5-medium": "stable-diffusion-3.5-large",
    "stable-diffusion-3.5-large": "stable-diffusion-3-medium",
    "wan2.1-t2v-14b": "wan2.1-t2v-1.3b",
    "wan2.1-t2v-1.3b": "wan2.1-t2v-14b",
    "cogvideox-2b": "cogvideox-5b",
    "cogvideox1.5-5b": "cogvideox-2b",
    "stable-diffusion-xl-base-1.0": "ssd-1b",
    "ssd-1b": "stable-diffusion-xl-base-1.0",
    "i2vgen-xl": "text-to-video-ms-1.7b",
    "text-to-video-ms-1.7b": "i2vgen-xl",
    "stable-diffusion-2-1": "stable-diffusion-v1-5",
    "openjourney-v4": "stable-diffusion-v1-5",
    "hunyuanvideo": "hunyuanvideo-1.5",
    "sdxl-turbo": "stable-diffusion-xl-base-1.0",
}
IN_SEQUENCE = 0.5
SHAPE = [
    "n_layers", "width", "pixels_per_token", "frames_per_latent", "temporal_patch", "token_params", "text_token_params",
    "text_tokens", "attn_width_sum", "attn_scope", "elem_accesses", "passes_default", "text_encoder_params", "unet",
]  # fmt: skip


def significant(value: float, digits: int) -> str:
    """A number with so many significant digits, in plain decimals."""
    return np.format_float_positional(float(f"{value:.{digits}g}"), trim="-")


def models() -> pd.DataFrame:
    """Shapes of the catalog by id."""
    table = pd.read_csv(DATA / "diffusion.csv").set_index("id")
    table["unet"] = table.architecture.eq("unet")
    return table


def measurements(known: pd.DataFrame) -> pd.DataFrame:
    """The measurements with id and family of their model and the datasheet of their accelerator."""
    rows = pd.read_csv(MEASUREMENTS)
    ids = {repo.split("/")[-1].lower(): name for name, repo in known.hf_repo.items()}
    rows["id"] = [ids[model.split("/")[-1].lower()] for model in rows.model]
    rows["family"] = known.family.loc[rows.id].to_numpy()
    rows["video"] = rows.num_frames > 1
    hardware = pd.read_csv(DATA / "hardware.csv").set_index("id")
    sheet = hardware.loc[[GPUS[gpu] for gpu in rows.gpu]]
    rows["tdp"], rows["peak"] = sheet.tdp_w.to_numpy(), sheet.bf16_tflops.to_numpy() * 1e12
    rows["bandwidth"] = sheet.memory_bw_gbs.to_numpy() * 1e9
    rows["link"] = sheet.interconnect_gbs.to_numpy() / 2 * 1e9
    rows["blackwell"] = rows.gpu.isin(BLACKWELL)
    return rows


def known_shapes(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The shape of each row's own model."""
    return known.loc[rows.id, SHAPE].reset_index(drop=True)


def law(x: pd.Series, y: pd.Series) -> tuple[float, float, float, float]:
    """Factor and exponent of a power law and their standard errors, by least squares on the logarithms."""
    x, y = np.log(x.to_numpy(float)), np.log(y.to_numpy(float))
    n, away = len(x), x - x.mean()
    slope = (away * y).sum() / (away**2).sum()
    level = y.mean() - slope * x.mean()
    spread = np.sqrt(((y - level - slope * x) ** 2).sum() / (n - 2))
    slope_error = spread / np.sqrt((away**2).sum())
    level_error = spread * np.sqrt(1 / n + x.mean() ** 2 / (away**2).sum())
    return np.exp(level), slope, np.exp(level) * level_error, slope_error


def fit_laws(known: pd.DataFrame) -> dict[str, tuple[str, str, str, str, str, str]]:
    """Laws over the transformer shapes: symbol to value, sigma, unit, quality, source, meaning."""
    every = known[~known.unet]
    shapes = every.drop_duplicates(["denoiser_params", "n_layers", "width", "token_params"])
    billions = shapes.denoiser_params / 1e9
    fitted = {
        "tok": (shapes.token_params / 1e9, "1e9 parameters", "weights per token at 1e9 parameters", 3),
        "ld": (shapes.n_layers * shapes.width, "", "blocks x width at 1e9 parameters", 3),
        "l": (shapes.n_layers, "", "blocks at 1e9 parameters", 3),
    }
    found = {}
    for name, (values, unit, meaning, digits) in fitted.items():
        factor, exponent, factor_error, exponent_error = law(billions, values)
        found[f"{name}_a"] = (
            significant(factor, digits), significant(factor_error, 2), unit, "derived", LAWS_ON,
            f"transformer: {meaning}",
        )  # fmt: skip
        found[f"{name}_b"] = (
            significant(exponent, 3), significant(exponent_error, 2), "", "derived", LAWS_ON, f"exponent of {name}_a",
        )  # fmt: skip
    pixels = np.exp(np.log(shapes[shapes.kind.eq("image")].pixels_per_token).mean())
    passes = np.exp(np.log(every.passes_per_step).mean())
    mean = "geometric mean over the transformers of diffusion.csv"
    found["px_image"] = (
        significant(pixels, 3), "", "px", "derived", mean, "pixels per token along a side of an image transformer",
    )  # fmt: skip
    found["passes"] = (significant(passes, 3), "", "", "derived", mean, "passes per step of a transformer")
    for symbol, (value, unit, meaning) in LAWS_BY_HAND.items():
        found[symbol] = (significant(value, 6), "", unit, "assumed", JUDGEMENT, meaning)
    return found


def law_shapes(rows: pd.DataFrame, laws: dict[str, float]) -> pd.DataFrame:
    """The shape of each row from its parameter count; 16-bit floats of the old kind mean a U-Net."""
    billions, video = rows.denoiser_params_b, rows.video
    widths, layers = laws["ld_a"] * billions ** laws["ld_b"], laws["l_a"] * billions ** laws["l_b"]
    weights = 1e9 * laws["tok_a"] * billions ** laws["tok_b"]
    transformer = pd.DataFrame(
        {
            "n_layers": layers,
            "width": widths / layers,
            "pixels_per_token": np.where(video, laws["px_video"], laws["px_image"]),
            "frames_per_latent": np.where(video, laws["tc_video"], 1.0),
            "temporal_patch": 1.0,
            "token_params": weights,
            "text_token_params": weights,
            "text_tokens": laws["text"],
            "attn_width_sum": widths,
            "attn_scope": "joint",
            "elem_accesses": laws["acc"] * widths,
            "passes_default": laws["passes"],
            "text_encoder_params": laws["te"],
            "unet": False,
        }
    )
    temporal = np.where(video, laws["un_video"], 1.0)
    unet = pd.DataFrame(
        {
            "n_layers": laws["un_l_a"] * billions ** laws["un_l_b"],
            "width": laws["un_width"],
            "pixels_per_token": laws["un_px"],
            "frames_per_latent": 1.0,
            "temporal_patch": 1.0,
            "token_params": 1e9 * temporal * laws["un_tok_a"] * billions ** laws["un_tok_b"],
            "text_token_params": 0.0,
            "text_tokens": laws["un_text"],
            "attn_width_sum": laws["un_att"],
            "attn_scope": "spatial",
            "elem_accesses": temporal * laws["un_elem_a"] * billions ** laws["un_elem_b"],
            "passes_default": laws["un_passes"],
            "text_encoder_params": laws["un_te"],
            "unet": True,
        }
    )
    old = rows.weight_precision.eq("float16")
    return transformer.where(~old, unet)[SHAPE]


def sibling_shapes(rows: pd.DataFrame, known: pd.DataFrame, laws: dict[str, float]) -> pd.DataFrame:
    """The shape of each row from another size of its family, scaled by the parameter count."""
    siblings = [SIBLINGS.get(name, name) for name in rows.id]
    shapes = known.loc[siblings, SHAPE].reset_index(drop=True)
    ratio = rows.denoiser_params_b * 1e9 / known.denoiser_params.loc[siblings].to_numpy()
    widths, layers = ratio ** laws["ld_b"], ratio ** laws["l_b"]
    scaled = {
        "n_layers": layers, "width": widths / layers, "token_params": ratio, "text_token_params": ratio,
        "attn_width_sum": widths, "elem_accesses": widths,
    }  # fmt: skip
    return shapes.assign(**{column: shapes[column] * factor for column, factor in scaled.items()})


def features(rows: pd.DataFrame, shape: pd.DataFrame) -> pd.DataFrame:
    """What a row's formula needs besides the parameters."""
    names = {"batch_size": "b", "n_gpus": "n", "ulysses_degree": "u", "ring_degree": "r", "denoising_steps": "steps"}
    f = rows[list(names)].astype(float).rename(columns=names)
    f = f.join(rows[["tdp", "peak", "bandwidth", "link", "blackwell"]])
    text = shape.text_tokens.astype(float)
    compressed = np.ceil((np.floor((rows.num_frames - 1) / shape.frames_per_latent) + 1) / shape.temporal_patch)
    frames = np.where(shape.frames_per_latent > 1, compressed, rows.num_frames)
    frame = rows.height * rows.width / shape.pixels_per_token**2
    tokens = frame * frames
    in_sequence = shape.text_token_params.ge(IN_SEQUENCE * shape.token_params) & shape.text_token_params.gt(0)
    joint = shape.attn_scope.eq("joint") & in_sequence
    sequence = tokens + np.where(joint, text, 0)
    repeated = (text % f.n != 0) & ~shape.unet.astype(bool)
    copies = np.where(repeated, f.n, 1)
    f["lin"] = 2 * (shape.token_params * tokens + shape.text_token_params * text * copies)
    pairs = np.where(shape.attn_scope.eq("spatial"), tokens * frame, sequence**2)
    pairs = np.where(shape.attn_scope.eq("none"), 0, pairs)
    cross = np.where(joint | shape.unet.astype(bool), 0, 4 * shape.n_layers * shape.width * tokens * text)
    f["att"] = 4 * shape.attn_width_sum * pairs + cross
    touched = sequence + np.where(joint, (copies - 1) * text, 0)
    f["byt"] = 2 * SET_BY_HAND["c_el"][0] * shape.elem_accesses * touched
    f["com"] = 8 * shape.n_layers * shape.width * sequence * ((f.u - 1) / f.u + (f.r - 1) / 2) / f.n
    f["layers"], f["passes"] = shape.n_layers, shape.passes_default
    f["te"] = 2 * shape.text_encoder_params * text * shape.passes_default
    f["mpx"] = rows.height * rows.width * rows.num_frames / 1e6
    return f.astype({name: float for name in f if name != "blackwell"})


def predict(p: dict[str, float], f: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Joules of one output and seconds of a batch."""
    q_t, q_e = np.where(f.blackwell, p["q_t"], 1.0), np.where(f.blackwell, p["q_e"], 1.0)
    work = f.b * f.passes
    linear_rate = f.peak * p["eta_l"]
    device = q_t * work / f.n * (f.lin / linear_rate + f.att / (f.peak * p["eta_a"]) + f.byt / f.bandwidth)
    links = work * f.com / (f.link * p["eta_k"])
    launches = np.where(f.n > 1, p["t_n"] * (1 + SET_BY_HAND["ring"][0] * (f.r - 1)), 0.0)
    host = f.layers * (p["t_b"] + launches)
    t = f.steps * np.maximum(device + links, host) + f.b * (p["t_px"] * f.mpx + q_t * f.te / linear_rate)
    step = (p["k_f"] * f.lin + p["k_a"] * f.att) / f.peak + p["k_b"] * f.byt / f.bandwidth
    dynamic = q_e * f.tdp * (f.steps * work * step + f.b * f.n * p["k_f"] * f.te / f.peak)
    rated = f.n * f.tdp
    t = np.maximum(t, dynamic / (rated * (1 - p["phi0"])))
    return ((p["phi0"] * rated * t + dynamic) / f.b).to_numpy(), t.to_numpy()


def weights(rows: pd.DataFrame) -> np.ndarray:
    """Every model on every accelerator counts the same."""
    w = 1 / rows.groupby(["id", "gpu"]).row_id.transform("size").to_numpy()
    return w / w.mean()


def fit(rows: pd.DataFrame, f: pd.DataFrame, start: dict[str, float] | None = None) -> dict[str, float]:
    """Soft-L1 on the logarithm of energy and, at half weight, of batch latency."""
    low, high = (np.log([FITTED[name][i] for name in FITTED]) for i in (1, 2))
    begin = np.log([(start or {}).get(name, FITTED[name][0]) for name in FITTED])
    w = np.sqrt(weights(rows))
    energy, time = np.log(rows.energy_per_generation_j.to_numpy()), np.log(rows.batch_latency_s.to_numpy())

    def residuals(x: np.ndarray) -> np.ndarray:
        e, t = predict(dict(zip(FITTED, np.exp(x), strict=True)), f)
        return np.concatenate([w * (np.log(e) - energy), 0.5 * w * (np.log(t) - time)]) / 0.15

    tight = dict.fromkeys(("ftol", "xtol", "gtol"), 1e-10)
    inside = np.clip(begin, low + 1e-6, high - 1e-6)
    solved = least_squares(residuals, inside, bounds=(low, high), loss="soft_l1", max_nfev=300, **tight)
    return {name: float(value) for name, value in zip(FITTED, np.exp(solved.x), strict=True)}


def leave_out(rows: pd.DataFrame, f: pd.DataFrame, groups: np.ndarray, start: dict[str, float]):
    """Fits without each group, by group."""
    return {group: fit(rows[groups != group], f[groups != group], start) for group in np.unique(groups)}


def held_out(fits, f: pd.DataFrame, groups: np.ndarray) -> np.ndarray:
    """Energy of each row by the fit that has not seen its group."""
    energy = np.full(len(f), np.nan)
    for group, p in fits.items():
        energy[groups == group] = predict(p, f[groups == group])[0]
    return energy


def errors(predicted: np.ndarray, rows: pd.DataFrame) -> dict[str, float]:
    """Errors of a slice; `w_` with every model on every accelerator counting the same."""
    log = np.log(predicted / rows.energy_per_generation_j.to_numpy())
    ape = np.abs(np.expm1(log))
    w, order = weights(rows), np.argsort(ape)
    share = np.cumsum(w[order]) / w.sum()
    return {
        "n": len(rows),
        "median_ape": np.median(ape),
        "p90_ape": np.quantile(ape, 0.9),
        "w_median": ape[order][share.searchsorted(0.5)],
        "w_p90": ape[order][share.searchsorted(0.9)],
        "bias": np.median(np.expm1(log)),
        "mean_log": log.mean(),
        "geometric_error": np.expm1(np.abs(log).mean()),
    }


def show(title: str, predicted: np.ndarray, rows: pd.DataFrame, by: list[str]) -> None:
    lines = {"all": errors(predicted, rows)}
    for column in by:
        for value in sorted(rows[column].unique()):
            chosen = (rows[column] == value).to_numpy()
            lines[f"{column}={value}"] = errors(predicted[chosen], rows[chosen])
    print(f"\n{title}\n{pd.DataFrame(lines).T.round(3).to_string()}")


def unseen_accelerators(rows: pd.DataFrame, f: pd.DataFrame, p: dict[str, float]) -> np.ndarray:
    """Energy of each row by a fit that has seen neither its accelerator nor its family."""
    print("\naccelerators left out of the fit, their models too")
    families = rows.family.to_numpy()
    energy = np.full(len(rows), np.nan)
    for gpu in GPUS:
        there = (rows.gpu == gpu).to_numpy()
        for family in np.unique(families[there]):
            trained, tested = ~there & (families != family), there & (families == family)
            q = fit(rows[trained], f[trained], p)
            if gpu in BLACKWELL:
                q |= dict.fromkeys(("q_t", "q_e"), SET_BY_HAND["q_other"][0])
            energy[tested] = predict(q, f[tested])[0]
        print(" ", gpu, {name: round(float(v), 3) for name, v in errors(energy[there], rows[there]).items()})
    return energy


def half_widths(cases: dict[str, tuple[np.ndarray, np.ndarray]], rows: pd.DataFrame) -> None:
    print("\n90th percentile of |ln(predicted / measured)|, every model on every accelerator counting the same")
    for name, (energy, chosen) in cases.items():
        off = np.abs(np.log(energy / rows.energy_per_generation_j.to_numpy()))
        found = {}
        for n in [None, *np.unique(rows.n_gpus)]:
            here = chosen if n is None else chosen & (rows.n_gpus == n).to_numpy()
            w, order = weights(rows[here]), np.argsort(off[here])
            share = np.cumsum(w[order]) / w.sum()
            found["all" if n is None else int(n)] = round(float(off[here][order][share.searchsorted(0.9)]), 3)
        print(f"  {name}: {found}")
    energy, _ = next(iter(cases.values()))
    width = HALF_WIDTHS["h_known"][0] + HALF_WIDTHS["h_log2n"][0] * np.log2(rows.n_gpus.to_numpy())
    inside = np.abs(np.log(energy / rows.energy_per_generation_j.to_numpy())) <= width
    print(f"  coverage of the interval, shape known: {inside.mean():.3f} of rows")


def parameter_file(p: dict[str, float], fits, laws: dict[str, tuple[str, str, str, str, str, str]]) -> str:
    """The parameter set as CSV; sigma of a fitted value is its jackknife error over model families."""
    rows: list[list[str]] = []

    def add(symbol, value, unit, sigma, low, high, meaning, source, quality):
        about = [meaning, source, RETRIEVED, "facts", quality, ""]
        rows.append([f"{SET}/{symbol}", SET, symbol, value, unit, sigma, low, high, *about])

    for symbol, (_, low, high, unit, meaning) in FITTED.items():
        logs = np.log([fitted[symbol] for fitted in fits.values()])
        jackknife = np.sqrt((len(logs) - 1) / len(logs) * ((logs - logs.mean()) ** 2).sum())
        bounds = significant(low, 6), significant(high, 6)
        value, sigma = significant(p[symbol], 3), significant(p[symbol] * jackknife, 2)
        add(symbol, value, unit, sigma, *bounds, meaning, FITTED_ON, "derived")
    for symbol, (value, unit, meaning) in SET_BY_HAND.items():
        add(symbol, significant(value, 6), unit, "", "", "", meaning, JUDGEMENT, "assumed")
    for symbol, (value, sigma, unit, quality, source, meaning) in laws.items():
        add(symbol, value, unit, sigma, "", "", meaning, source, quality)
    for symbol, (value, quality, meaning) in HALF_WIDTHS.items():
        source = CROSS_VALIDATED if quality == "derived" else JUDGEMENT
        add(symbol, significant(value, 6), "", "", "", "", f"half-width: {meaning}", source, quality)
    text = io.StringIO()
    head = "id,set,symbol,value,unit,sigma,low,high,meaning,source,retrieved,licence,quality,assumed_cells"
    csv.writer(text, lineterminator="\n").writerows([head.split(","), *rows])
    return text.getvalue()


def parameters() -> str:
    """The parameter set that the measurements and the catalog give, as it is shipped."""
    known = models()
    rows = measurements(known)
    f = features(rows, known_shapes(rows, known))
    p = fit(rows, f)
    return parameter_file(p, leave_out(rows, f, rows.family.to_numpy(), p), fit_laws(known))


def main(*, fast: bool, keep: bool) -> None:
    pd.set_option("display.width", 200)
    known = models()
    rows = measurements(known)
    laws = fit_laws(known)
    numbers = {symbol: float(value) for symbol, (value, *_) in laws.items()}
    f = features(rows, known_shapes(rows, known))
    p = fit(rows, f)
    families = rows.family.to_numpy()
    fits = leave_out(rows, f, families, p)
    print("fitted", {name: significant(value, 5) for name, value in p.items()})
    show("seen in the fit", predict(p, f)[0], rows, [])
    slices = ["video", "serving_stack", "gpu", "n_gpus", "id"]
    energy = held_out(fits, f, families)
    show("family left out, shape known", energy, rows, slices)
    by_law = held_out(fits, features(rows, law_shapes(rows, numbers)), families)
    show("family left out, parameter count alone", by_law, rows, slices)
    related = rows.id.isin(SIBLINGS).to_numpy()
    by_sibling = held_out(fits, features(rows, sibling_shapes(rows, known, numbers)), families)
    show("family left out, shape scaled from a sibling", by_sibling[related], rows[related], ["id"])
    every, transformer = np.ones(len(rows), dtype=bool), ~known.unet.loc[rows.id].to_numpy()
    cases = {
        "shape known": (energy, every),
        "sibling": (by_sibling, related),
        "parameter count": (by_law, every),
        "parameter count, transformers": (by_law, transformer),
    }
    if not fast:
        cases["accelerator and model unseen"] = (unseen_accelerators(rows, f, p), every)
    half_widths(cases, rows)
    if not keep:
        PARAMETERS.write_text(parameter_file(p, fits, laws), encoding="utf-8")
        print(f"\nwrote {PARAMETERS.relative_to(ROOT)}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--fast", action="store_true", help="leave out the fits without each accelerator")
    options.add_argument("--keep", action="store_true", help="write nothing")
    main(**vars(options.parse_args()))
