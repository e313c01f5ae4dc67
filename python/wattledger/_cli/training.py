"""A training run as a table to look at."""

from __future__ import annotations

import json
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from wattledger._cli.table import Shown, by_place, everyday, grid, made, split
from wattledger._cli.words import figure, safe, scale

COLUMNS = (
    Shown("replica_seconds", "accelerators", "s", 5),
    Shown("it_kwh", "IT", "kWh", 2),
    Shown("facility_kwh", "facility", "kWh", 0),
    Shown("water_onsite_l", "water site", "L", 4),
    Shown("water_offsite_with_hydro_l", "water grid", "L", 6),
    Shown("co2e_location_g", "CO₂e", "g", 1),
    Shown("co2e_embodied_g", "embodied", "g", 3),
    Shown("co2e_upstream_g", "upstream", "g", 7),
)
#: Columns that stand beside inference, and how they are called.
BESIDE = {
    "facility_kwh": ("energy", "kWh"),
    "co2e_location_g": ("CO₂e", "g"),
    "co2e_embodied_g": ("embodied", "g"),
    "water_onsite_l": ("water site", "L"),
    "water_offsite_with_hydro_l": ("water grid", "L"),
}
#: From here on a number is told by its power of ten.
LARGE = 1e12


def show(text: str, keys: list[str], *, explain: bool = False, console: Console | None = None) -> None:
    """Print a run, given as JSON, to stdout."""
    document = json.loads(text)
    console = console or Console(highlight=False)
    console.print(grid(document, keys, [c for c in COLUMNS if document["totals"][c.field] is not None], console))
    console.print(Padding(split(document["totals"], console.width), (0, 1)))
    if explain:
        console.print(_factors(document["factors"]))
        console.print(Padding(_tree(document["tree"]), (0, 1)))
    if document["beside"] is not None:
        console.print(_beside(document["beside"]))
    if document["shared"] is not None:
        console.print(Padding(_shared(document["shared"]), (0, 1)))
    console.print(Padding(_notes(document), (0, 1)))


def _ranged(known: dict[str, Any], unit: str) -> str:
    """Return a value with its ends, unless it has none."""
    value, low, high = (figure(known[end]) for end in ("value", "low", "high"))
    ends = "" if low == high else f" ({low} to {high})"
    return f"{value} {unit}{ends}, {known['how']}"


def _phase(phase: dict[str, Any]) -> str:
    """Say what a phase comes from, how long it took, at which power."""
    said = [f"from {phase['basis']}", _ranged(phase["accelerator_hours"], f"h of {phase['hardware']}")]
    said.append(_ranged(phase["power_w"], f"W of {figure(phase['rated_w'])} rated"))
    if phase["mfu"]:
        said.append(_ranged({**phase["mfu"], "how": f"{phase['mfu']['how']} MFU"}, "").replace(" ,", ","))
    if phase["start_utc"]:
        said.append(f"{phase['start_utc'][:10]} to {phase['end_utc'][:10]}")
    return ", ".join(said)


def _notes(document: dict[str, Any]) -> Table:
    notes = Table.grid(padding=(0, 2, 0, 0))
    notes.add_column(style="bold", no_wrap=True)
    notes.add_column(overflow="fold")
    for phase in document["phases"]:
        notes.add_row("phase", Text.assemble(safe(phase["phase"]), (f"  {safe(_phase(phase))}", "dim")))
    for field in ("facility_kwh", "co2e_location_g", "co2e_embodied_g"):
        ends, value = document["ranges"][field], document["totals"][field]
        if ends and value:
            unit, factor = scale("kWh" if field == "facility_kwh" else "g", value)
            low, high = (figure(end * factor) for end in ends)
            notes.add_row("range", f"{field}  {figure(value * factor)} {unit}, {low} to {high}")
    for line in made(document["embodied"]):
        notes.add_row("made of", Text(safe(line)))
    for line in everyday(document.get("equivalents", [])):
        notes.add_row("as much as", Text(safe(line)))
    for place, values in by_place(document["assumptions"]).items():
        notes.add_row("assumed", Text.assemble(safe(place), (f"  {safe(values)}", "dim")))
    reasons: dict[str, list[str]] = {}
    for item in document["unknown"]:
        reasons.setdefault(item["reason"], []).append(item["column"])
    for reason, columns in reasons.items():
        notes.add_row("unknown", Text.assemble(", ".join(columns), (f"  {safe(reason)}", "dim")))
    edition = f"edition {document['provenance']['method_edition']}"
    hint = "  the grid's factors have no range yet; every reason and source is in --json, what it hangs on in --explain"
    notes.add_row("method", Text.assemble(edition, (hint, "dim")))
    return notes


def _factors(factors: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("phase", "what it hangs on", "value"):
        table.add_column(name, justify="right" if name == "value" else "left", no_wrap=name != "value")
    for name in ("unit", "how", "low", "high", "the ends are"):
        table.add_column(name, justify="right" if name in ("low", "high") else "left")
    # Phase by phase, what it hangs on most first.
    phases = list(dict.fromkeys(one["of"] for one in factors))
    for one in sorted(factors, key=lambda one: phases.index(one["of"])):
        cells = [safe(one["of"]), one["factor"], _number(one["value"]), one["unit"], one["how"]]
        table.add_row(*cells, f"×{one['low']:.2f}", f"×{one['high']:.2f}", one["ends"])
    return table


def _number(value: float) -> str:
    return f"{value:.4g}" if value >= LARGE else figure(value)


def _tree(node: dict[str, Any], tree: Tree | None = None) -> Tree:
    label = Text.assemble((safe(node["what"]), "bold"), f"  {_number(node['value'])} {safe(node['unit'])}")
    told = node.get("formula") or node.get("source") or ""
    label.append(f"  {safe(told)}", style="dim")
    branch = Tree(label) if tree is None else tree.add(label)
    for part in node.get("parts", []):
        _tree(part, branch)
    return branch


def _beside(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("beside inference")
    for name in ("training", "inference", "training share", "even after output tokens", "requests", "days"):
        table.add_column(name, justify="right")

    def count(value: float | None) -> str:
        return "—" if value is None else f"{value:,.3g}" if value < 1e4 else f"{value:.3g}"  # noqa: PLR2004

    for row in rows:
        if row["column"] not in BESIDE:
            continue
        heading, unit = BESIDE[row["column"]]
        cells = []
        for value in (row["training"], row["inference"]):
            name, factor = scale(unit, value)
            cells.append(f"{figure(value * factor)} {name}")
        even = (row["break_even_output_tokens"], row["break_even_requests"], row["break_even_days"])
        table.add_row(heading, *cells, _share(row["training_share"]), *map(count, even))
    return table


def _share(share: float) -> str:
    """Return a share that is never rounded to all or to nothing."""
    return "over 99.99%" if 1 > share > 0.9999 else "under 0.01%" if 0 < share < 1e-4 else f"{share:.2%}"  # noqa: PLR2004


def _shared(shared: dict[str, Any]) -> Table:
    notes = Table.grid(padding=(0, 2, 0, 0))
    tokens = shared["lifetime_output_tokens"]
    for row in shared["columns"]:
        if row["column"] in BESIDE:
            heading, unit = BESIDE[row["column"]]
            name, factor = scale(unit, row["per_million_output_tokens"])
            value = figure(row["per_million_output_tokens"] * factor)
            notes.add_row("share", f"{heading}  {value} {name} per million generated tokens, of {tokens:.3g} in all")
    return notes
