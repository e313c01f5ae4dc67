"""Write the reference pages that come from the code: fleet keys, columns, catalog counts.

python tools/make_reference.py
"""

from collections import Counter
from pathlib import Path

from wattledger import _engine

DOCS = Path(__file__).parent.parent / "docs" / "reference"


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


def pages() -> dict[Path, str]:
    """Every page and its text."""
    return {DOCS / "fleet.md": fleet(), DOCS / "columns.md": columns(), DOCS / "catalog.md": catalog()}


if __name__ == "__main__":
    DOCS.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.name)
