"""Write the pages that come from the code and the data: fleet keys, columns, catalog counts, methods, validation.

python tools/make_reference.py
"""

import csv
import json
import re
import statistics
import tempfile
from collections import Counter
from pathlib import Path

from wattledger import _engine

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs" / "reference"
METHODS = ROOT / "docs" / "method"
MEASURED = ROOT / "data" / "measurements"

# Methods whose page is the header of the file that computes them.
HEADERS = ["cache", "cooling/chillers", "cooling/evaporative", "cooling/liquid", "cooling/mod",
           "cooling/towers", "disaggregated", "embodied", "emissions", "encoder", "experts", "generation",
           "heat_rejection", "latency", "market", "network", "parallel", "power_chain", "precision",
           "psychrometrics", "semiconductor", "speculative", "spread", "training", "training_efficiency",
           "training_power"]  # fmt: skip


def stem(name: str) -> str:
    """The name of the page of a file of physics."""
    return name.removesuffix("/mod").replace("/", "-").replace("_", "-")


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def fleet() -> str:
    text = "# Fleet files\n\nTOML. Unknown keys are errors; every default that counts is listed with the estimate.\n"
    keys = _engine.fleet_keys()
    for name in dict.fromkeys(row[0] for row in keys):
        text += f"\n## {name or 'Tables'}\n\n"
        text += table(["key", "value", "default", "meaning"], [[f"`{k}`", *rest] for t, k, *rest in keys if t == name])
    return text + (
        "\nA route is served by the deployment whose `match` covers it; without `match`, by the deployment that has\n"
        "the name of its deployment label, or that serves its model at its region. Two that claim it are an error.\n"
        "A route nobody claims is estimated on assumed hardware if its model is known, and stays unknown if not.\n"
    )


def runs() -> str:
    text = "# Training runs\n\n"
    text += "TOML for `wattledger train` and `wl.train`: `[run]`, one `[[phase]]` or several, and the tables\n"
    text += "of a fleet file but `deployment`, `meter` and `allocation`: sites, series and catalog rows of one's own.\n"
    text += "Unknown keys are errors; every default that counts is listed with the estimate.\n\n"
    text += (
        "Energy comes from a meter, else from accelerator-hours and power, else from FLOP: the first that is stated.\n"
    )
    keys = _engine.run_keys()
    for name in dict.fromkeys(row[0] for row in keys):
        text += f"\n## {name or 'Tables'}\n\n"
        text += table(["key", "value", "default", "meaning"], [[f"`{k}`", *rest] for t, k, *rest in keys if t == name])
    return text + (
        "\nRows can be grouped by "
        + ", ".join(f"`{one}`" for one in _engine.run_groups())
        + ". Columns are those of an\n"
        "[estimate](columns.md); a replica is one accelerator. "
        "`checkpointing`, `restarts`, `failed` and `exploratory` are\n"
        "shares of the work that counts and stand in rows of their own.\n"
    )


def series() -> str:
    text = "# Series\n\nFiles of values by the hour, the month or the year, named in a fleet file: CSV or Parquet, "
    text += "below its folder.\n"
    text += (
        "One column tells the time: `hour_utc` (the start of an hour, UTC), `month` (`2024-07`) or `year` (`2024`).\n"
    )
    text += (
        "No step may be missing or stand twice. An empty cell is not known: the next best figure stands in, and the\n"
    )
    text += (
        "output says how often. Times under `hour_utc` without an offset are UTC, those with one are converted. Local\n"
    )
    text += "times are ambiguous in autumn: a column of another name is not read.\n"
    rows = _engine.series_columns()
    told = {
        "[site.NAME]": "Named by `series` of a site. Several files may share the columns.",
        "[[meter]]": "Named by `file` of a meter: one of the two.",
        "[[deployment]]": "Named by `replicas` of a deployment.",
    }
    for of, intro in told.items():
        text += f"\n## {of}\n\n{intro}\n\n"
        mine = [[f"`{c}`", u, m, "hour" if h else "hour, month or year"] for o, c, u, m, h in rows if o == of]
        text += table(["column", "unit", "what it is", "by"], mine)
    return text + (
        "\n```csv\nhour_utc,carbon_direct_g_per_kwh,contracted_kwh\n2026-01-01T00:00Z,412,80\n"
        "2026-01-01T01:00Z,405,75\n2026-01-01T02:00Z,,70\n```\n"
    )


def columns() -> str:
    text = "# Columns of an estimate\n\nNames end in their unit; counts and ratios have none. "
    text += "Unknown is null, with the reason under `unknown`.\n\n"
    return text + table(["column", "unit", "meaning"], [[f"`{n}`", u, m] for n, u, m in _engine.estimate_columns()])


def catalog() -> str:
    text = "# The catalog in numbers\n\nRows by quality; single cells may be *assumed* where their row is not.\n\n"
    qualities = ["measured", "vendor", "derived", "assumed"]
    rows = []
    for kind in _engine.catalog_kinds():
        heads, items = _engine.catalog_table(kind)
        names = [name for name, _, _ in heads]
        counts = Counter(item[names.index("quality")] for item in items)
        cells = sum(bool(item[names.index("assumed_cells")]) for item in items)
        rows.append([kind, str(len(items)), *(str(counts[q]) for q in qualities), str(cells)])
    return text + table(["kind", "rows", *qualities, "rows with assumed cells"], rows)


def method(name: str) -> str:
    """The header of a file of physics as a page."""
    source = (ROOT / "src" / "physics" / f"{name}.rs").read_text(encoding="utf-8")
    header = source.split("\n\n", 1)[0].splitlines()
    lines = [line[3:].removeprefix(" ") for line in header if line.startswith("//!")]
    pages = {stem(header): f"{stem(header)}.md" for header in HEADERS}

    def link(found: re.Match[str]) -> str:
        path = found[1].removeprefix("crate::physics::").removeprefix("super::").replace("::", "/")
        for page in (path, f"{name.rpartition('/')[0]}/{path}"):
            if stem(page) in pages:
                return f"[{path.replace('_', ' ')}]({pages[stem(page)]})"
        other = path.replace("_", "-") + ".md"
        return f"[{path.replace('_', ' ')}]({other})" if (METHODS / other).exists() else f"`src/physics/{path}.rs`"

    body = re.sub(r"\[`([a-z_:]+)`\]", link, "\n".join(lines[1:]))
    title = lines[0].rstrip(".")
    return f"# {title}\n{body}\n\nThis page is the header of `src/physics/{name}.rs`, which computes it.\n"


def parameters() -> str:
    heads, rows = _engine.catalog_table("parameters")
    at = {name: place for place, (name, _, _) in enumerate(heads)}
    text = "# Parameter sets\n\nValues of the inference method, by set and layer. A value is used with others of its\n"
    text += "set and never mixed. Fitted ones have the prior of the fit and its width (deviation of the logarithm).\n"
    text += "`wattledger catalog parameters` prints the same with every source. Times in seconds, all else ratios.\n"
    for name in ("V12", "V11", "V0"):
        text += f"\n## {name}\n\n"
        cells = ["layer", "engine", "generation", "symbol", "subject", "value", "prior", "prior_sigma", "quality"]
        mine = [[row[at[cell]] for cell in cells] for row in rows if row[at["set"]] == name]
        text += table(["layer", "engine", "generation", "symbol", "of", "value", "prior", "width", "quality"], mine)
    return text


CROSSED = ["median_ape", "p90_ape", "bias"]


def percent(value: str | float | None) -> str:
    return "" if value in (None, "") else f"{100 * float(value):.1f} %"


def errors(found: dict[str, float]) -> list[str]:
    return [str(int(found["n"])), percent(found["median_ape"]), percent(found["p90_ape"]), percent(found["bias"]),
            percent(found["coverage"]), f"×{found['interval_ratio']:.2f}"]  # fmt: skip


def validation() -> str:
    text = "# Validation\n\nPredictions beside measurements. Errors of energy are of predicted over measured "
    text += "energy less 1:\n"
    text += "the median and the 90th percentile of their size, and the median with its sign (bias). Worst first.\n"
    text += "\n## Inference: models that the fit never saw\n\n"
    text += (
        "Cross-validation over nine folds of whole model groups, five seeds (`tools/fit_inference.py`); parameters\n"
    )
    text += "are fitted anew without the group that is predicted. Rows count once per seed. These are the figures to\n"
    text += "go by. Rows of quality B and C (pipelines, a known anomaly) are not among them; unseen kinds of\n"
    text += "accelerator and metered points are of text rows.\n\n"
    with (MEASURED / "inference-cross-validation.csv").open(newline="", encoding="utf-8") as file:
        crossed = list(csv.DictReader(file))
    known = [row for row in crossed if row["n"]]
    head = ["rows", "n", "median", "90th percentile", "bias", "geometric factor"]
    slices = sorted((r for r in known if "=" in r["rows"]), key=lambda r: -float(r["median_ape"]))
    rest = [r for r in known if "=" not in r["rows"]]
    for intro, rows in (("", rest), ("\nBy slice:\n\n", slices)):
        cells = [[r["rows"], r["n"], *(percent(r[e]) for e in CROSSED), r["geometric_error"]] for r in rows]
        text += intro + table(head, cells)
    text += "\n" + "".join(f"- {row['rows']}\n" for row in crossed if not row["n"])
    for kind, title in (("inference", "Inference"), ("image-video", "Images and videos")):
        report = json.loads(_engine.validate(kind, str(MEASURED / f"{kind}.csv")))
        text += f"\n## {title}: `wattledger validate {kind} data/measurements/{kind}.csv`\n\n"
        text += f"Parameter set {report['parameter_set']}. The fit has seen these rows, so the figures flatter.\n\n"
        head = ["slice", "n", "median", "90th percentile", "bias", "inside the 90 % interval", "mean width"]
        everything = [["all rows", *errors(report["summary"])]]
        if report.get("ecologits"):
            everything.append(["EcoLogits' formula on the same rows", *errors(report["ecologits"])[:4], "", ""])
        groups = [[f"`{name}`", *errors(found)] for name, found in report["groups"].items() if found["n"]]
        text += table(head, everything + groups)
    return text + facility() + training()


def training() -> str:
    """Published training runs beside their own arithmetic and beside the method."""
    path = MEASURED / "training-runs.csv"
    report = json.loads(_engine.validate("training", str(path)))
    text = "\n## Training: `wattledger validate training data/measurements/training-runs.csv`\n\n"
    text += "Published runs. *Watts given*: hours, power, PUE and factors of the "
    text += "line multiplied out, which tests whether a\n"
    text += "report adds up and nothing else. *Watts predicted*: the hours of the "
    text += "line at the power of the method, the figure\n"
    text += "to go by; its classes of work were set with some of these runs in "
    text += "sight (docs/method/training-power.md). *Hours\n"
    text += (
        "predicted*: from weights and tokens at a usual utilisation; that was set with these runs in sight. *Energy\n"
    )
    text += "given*: the factors of the line on its own energy; the worst of them "
    text += "are printed with one digit. The two lines of\n"
    text += "accounting whose hours are predicted are small BLOOM models, which "
    text += "state four times the energy that their weights\n"
    text += "and tokens take elsewhere.\n\n"
    head = ["evidence and test", "n", "median", "90th percentile", "bias", "inside the range", "mean width"]
    tests = {name.removeprefix("test="): found for name, found in report["groups"].items() if name.startswith("test=")}
    text += table(head, [[name, *errors(found)] for name, found in tests.items() if found["n"]])
    text += "\nWatts predicted, metered runs, worst first:\n\n"
    rows = [
        r for r in report["rows"] if r["slices"].get("test") == "metered, watts predicted" and r["ratio"] is not None
    ]
    rows.sort(key=lambda row: -abs(row["ratio"] - 1))
    head = ["run", "measured, MWh", "predicted, MWh", "range", "off", "taken for"]
    text += table(head, [[r["row_id"], f"{r['measured']:.4g}", f"{r['predicted']:.4g}",
                          f"{r['low']:.4g} to {r['high']:.4g}", f"{100 * (r['ratio'] - 1):+.0f} %",
                          "; ".join(r["assumed"])] for r in rows])  # fmt: skip
    with path.open(newline="", encoding="utf-8") as file:
        rated = [row for row in csv.DictReader(file) if row["id"] in {r["row_id"] for r in rows}]
    stated = [row for row in rated if row["tdp_w"]]
    at_rated = [float(r["accel_hours"]) * float(r["tdp_w"]) / 1e6 * float(r["pue"] or 1) for r in stated]
    off = sorted(abs(mwh / float(r["energy_mwh"]) - 1) for mwh, r in zip(at_rated, stated, strict=True))
    text += (
        f"\nHours at rated power, without a host, are off by {percent(statistics.median(off))} in the median of the "
    )
    text += f"{len(off)} of these rows\nthat state it, and by {percent(off[-1])} at worst.\n"
    traps = [row for row in report["rows"] if (row["reason"] or "").startswith("trap:")]
    text += "\nFigures that contradict each other, found and not reproduced:\n\n"
    cells = [[r["row_id"], r["quantity"], f"{r['measured']:g}", r["reason"].removeprefix("trap: ")] for r in traps]
    text += table(["run", "quantity", "printed", "why"], cells)
    reasons = Counter(
        row["reason"] for row in report["rows"] if row["reason"] and not row["reason"].startswith("trap:")
    )
    plain = Counter()
    for reason, n in reasons.items():
        plain[re.sub(r": [\d.]+ kg/kWh is implied", "", reason)] += n
    return text + "\nNot estimated: " + "; ".join(f"{n} rows, {reason}" for reason, n in plain.most_common()) + ".\n"


def distance(found: dict[str, float | None]) -> list[str]:
    cells = [found["mean_absolute_error"], found["mean_error"], found["interval_width"]]
    told = ["" if cell is None else f"{cell:.3f}" for cell in cells]
    return [str(found["n"]), told[0], told[1] and f"{found['mean_error']:+.3f}", percent(found["coverage"]), told[2]]


def facility() -> str:
    """Published PUE and WUE beside the cooling model, with the system given and with it withheld."""
    path = MEASURED / "facility.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with tempfile.TemporaryDirectory() as folder:
        withheld = Path(folder) / "facility.csv"
        with withheld.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(row | {"cooling_system": ""} for row in rows)
        given, unknown = (json.loads(_engine.validate("facility", str(one))) for one in (path, withheld))
    text = "\n## Facilities: `wattledger validate facility data/measurements/facility.csv`\n\n"
    text += "Annual PUE and water input per IT energy that operators publish, beside the hourly cooling model at the\n"
    text += "nearest weather station. Parameters are those of usual practice, one set a system; no site was fitted.\n"
    text += "Within what practice allows they were chosen with these figures in sight: fans and dew-point limit of F,\n"
    text += "water temperatures of D and E. With the first choice of each the mean error of PUE is about 0.04.\n"
    text += (
        "Errors are absolute: of the PUE, and in L/kWh. The letters of the systems are assumptions, and two places\n"
    )
    text += "plainly have another: Frankfurt and Illinois, published 1.32 to 1.35, carry the letter of an airside\n"
    text += "economiser. They count. *Withheld*: the same rows with the system left out; the range spans what is\n"
    text += "plausible.\n\n"
    head = ["rows", "n", "mean absolute error", "mean error", "inside the range", "mean width of the range"]
    lines = []
    for quantity in ("pue", "wue"):
        named = quantity.upper()
        lines.append([f"{named}, system given", *distance(given["groups"][f"quantity={quantity}"])])
        kept = [row for row in given["rows"] if row["quantity"] == quantity and not row["row_id"].startswith(ODD)]
        lines.append([f"{named}, system given, without those two places", *absolute(kept)])
        lines.append([f"{named}, system withheld", *distance(unknown["groups"][f"quantity={quantity}"])])
    text += table(head, lines)
    text += "\nBy system, PUE then WUE, worst first:\n\n"
    lines = []
    for quantity in ("pue", "wue"):
        mine = [row for row in given["rows"] if row["quantity"] == quantity and row["predicted"] is not None]
        systems = sorted({row["slices"]["cooling_system"] for row in mine})
        found = [[f"{quantity.upper()}, {one}", *absolute([r for r in mine if r["slices"]["cooling_system"] == one])]
                 for one in systems]  # fmt: skip
        lines += sorted(found, key=lambda line: -float(line[2]))
    text += table(head, lines)
    reasons = Counter(row["reason"] for row in given["rows"] if row["reason"])
    return text + "\nNot estimated: " + "; ".join(f"{n} rows, {reason}" for reason, n in reasons.items()) + ".\n"


#: Places whose letter is not that of their figures.
ODD = ("aws:eu-central-1/", "azure:northcentralus/")


def absolute(rows: list[dict[str, float]]) -> list[str]:
    """Errors of rows of one quantity."""
    known = [row for row in rows if row["predicted"] is not None]
    off = [row["predicted"] - row["measured"] for row in known]
    inside = sum(row["low"] <= row["measured"] <= row["high"] for row in known) / len(known)
    width = sum(row["high"] - row["low"] for row in known) / len(known)
    mean, size = sum(off) / len(off), sum(map(abs, off)) / len(off)
    return [str(len(known)), f"{size:.3f}", f"{mean:+.3f}", percent(inside), f"{width:.3f}"]


def pages() -> dict[Path, str]:
    """Every page and its text."""
    return {
        DOCS / "fleet.md": fleet(),
        DOCS / "series.md": series(),
        DOCS / "training.md": runs(),
        DOCS / "columns.md": columns(),
        DOCS / "catalog.md": catalog(),
        DOCS / "parameters.md": parameters(),
        ROOT / "docs" / "validation.md": validation(),
        **{METHODS / f"{stem(name)}.md": method(name) for name in HEADERS},
    }


if __name__ == "__main__":
    DOCS.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.name)
