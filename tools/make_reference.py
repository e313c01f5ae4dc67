"""Write the pages that come from the code and the data: fleet keys, columns, catalog counts, methods, validation.

python tools/make_reference.py
"""

import csv
import json
import re
from collections import Counter
from pathlib import Path

from wattledger import _engine

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs" / "reference"
METHODS = ROOT / "docs" / "method"
MEASURED = ROOT / "data" / "measurements"

# Methods whose page is the header of the file that computes them.
HEADERS = ["cache", "disaggregated", "encoder", "experts", "latency", "network", "parallel", "precision", "speculative",
           "spread"]  # fmt: skip


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
    pages = {path.stem for path in METHODS.glob("*.md")} | set(HEADERS)

    def link(found: re.Match[str]) -> str:
        target = found[1].rpartition("::")[2]
        return f"[{target}]({target}.md)" if target in pages else f"`src/physics/{target}.rs`"

    body = re.sub(r"\[`(super::[a-z_:]+)`\]", link, "\n".join(lines[1:]))
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
    text = "# Validation\n\nPredictions beside measurements. Errors are of predicted over measured energy less 1:\n"
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
    return text


def pages() -> dict[Path, str]:
    """Every page and its text."""
    return {
        DOCS / "fleet.md": fleet(),
        DOCS / "columns.md": columns(),
        DOCS / "catalog.md": catalog(),
        DOCS / "parameters.md": parameters(),
        ROOT / "docs" / "validation.md": validation(),
        **{METHODS / f"{name}.md": method(name) for name in HEADERS},
    }


if __name__ == "__main__":
    DOCS.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.name)
