"""Pages for one thing: a ledger, a request, a catalog item."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

import wattledger as wl
from wattledger import _engine
from wattledger._cli import exits, talk
from wattledger._cli.words import bounded, figure, safe

if TYPE_CHECKING:
    from pathlib import Path

#: Columns of the catalog's overview, as far as a kind has them; on a narrow terminal the last give way.
OVERVIEW = (
    "id", "name", "tdp_w", "memory_gb", "memory_bw_gbs", "bf16_tflops", "accelerator_id", "accelerators",
    "host_typical_w", "architecture", "total_params", "active_params", "n_layers", "engine", "version", "t_step_us",
    "t_seq_us", "country", "pue", "wue_l_per_kwh", "weather", "grid_direct", "grid_hours", "direct_g_per_kwh",
    "lifecycle_g_per_kwh", "level", "content", "years",
    "start_utc", "hours", "water_l_per_kwh", "pue_typical",
    "wue_typical_l_per_kwh", "archetype", "redundancy", "ups_fixed", "ups_linear", "ups_square", "kgco2e", "unit",
    "quality",
)  # fmt: skip
#: What the columns end in that say where joined cells come from; the cells themselves say it.
ABOUT_JOINED = ("_source", "_retrieved", "_licence", "_quality")


def _occupancy(seconds: int | None) -> str:
    return "no occupancy" if seconds is None else f"{seconds} s occupancy"


def describe(described: dict[str, Any], *, as_json: bool) -> None:
    """Print what a ledger holds."""
    if as_json:
        typer.echo(json.dumps(described))
        return
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    fields = {
        "period": f"{described['first_bin']} to {described['end']}",
        "bins": f"{described['bin_seconds']} s moments, {_occupancy(described['occupancy_bin_seconds'])}",
        "rows": f"{described['moments_rows']:,} moments, {described['occupancy_rows']:,} occupancy",
        "keys": f"{described['series']:,} series, {described['routes']:,} routes",
        "dimensions": ", ".join(described["dimensions"]) or "none",
        "told apart": "; ".join(map(bounded, described["bounded"])) or "all values",
        "windows": ", ".join(map(str, described["windows"])) or "none",
        "requests": f"{int(described['requests']):,}",
        "input tokens": f"{int(described['input_tokens']):,} ({int(described['cached_tokens']):,} cached)",
        "output tokens": f"{int(described['output_tokens']):,}",
        "with latency": f"{int(described['requests_with_latency']):,}",
        "rejected": f"{described['coverage']['rejected']:,} of {described['coverage']['events_in']:,}",
    }
    for name, value in fields.items():
        table.add_row(Text(name, style="bold"), Text(safe(value)))
    for source in described["inputs"]:
        table.add_row(
            Text("input", style="bold"), Text(safe(f"{source['name']} ({source['format']}, {source['bytes']:,} bytes)"))
        )
    for top in described["top_series"][:5]:
        labels = " ".join(f"{name}={value}" for name, value in top["labels"].items()) or "without labels"
        table.add_row(Text("busiest", style="bold"), Text(safe(f"{int(top['requests']):,}  {labels}")))
    console.print(table)


def explain(one: wl.RequestEstimate, *, as_json: bool) -> None:
    """Print the chain of one request as a tree."""
    if as_json:
        typer.echo(one.to_json())
        return
    document = one.to_dict()
    console = Console(highlight=False)
    title = f"{document['model']} on {document['devices']:g} × {document['hardware']} at {document['site']}"
    tree = Tree(Text(safe(title), style="bold"), guide_style="dim")
    chain = Tree(Text("chain", style="bold cyan"), guide_style="dim")
    for part in document["tree"]["parts"]:
        grow(chain, part)
    waits = Tree(Text("latency", style="bold cyan"), guide_style="dim")
    for step in document["chain"]:
        if step["stage"] == "latency":
            line = Text.assemble(f"{step['what']} = ", (figure(step["value"]), "bold"), f" {step['unit']}")
            waits.add(line.append(f"   {step['formula']}", style="dim"))
    result = Tree(Text("result and range", style="bold cyan"), guide_style="dim")
    for name, value in document["values"].items():
        if value is not None:
            low, high = figure(value["low"]), figure(value["high"])
            result.add(Text.assemble(f"{name} = ", (figure(value["value"]), "bold"), (f"   {low} to {high}", "dim")))
    assumed = Tree(Text("assumed", style="bold cyan"), guide_style="dim")
    for note in document["assumptions"]:
        assumed.add(
            Text.assemble(safe(f"{note['place']}: {note['what']} {note['value']}"), (f"   {safe(note['why'])}", "dim"))
        )
    for branch in (chain, waits, result, assumed):
        tree.add(branch)
    console.print(tree)


def grow(branch: Tree, part: dict[str, Any]) -> None:
    """Hang a value, how it follows and what it is made of on a branch."""
    line = Text.assemble(safe(f"{part['what']} = "), (figure(part["value"]), "bold"), safe(f" {part['unit']}".rstrip()))
    if origin := part.get("source"):
        line.append(safe(f"   {part['quality']}: {origin}"), style="dim")
    elif formula := part.get("formula"):
        line.append(safe(f"   {formula}"), style="dim")
    twig = branch.add(line)
    for smaller in part.get("parts", ()):
        grow(twig, smaller)


def catalog_table(kind: str, text: str | None, fleet: wl.Fleet | None, *, as_json: bool) -> None:
    """Print the rows of a kind, or those that a text is found in."""
    columns, rows = _engine.catalog_table(kind, fleet) if text is None else _engine.catalog_search(kind, text, fleet)
    names = [name for name, _, _ in columns]
    if text is not None:
        # Ids that begin with what was asked for come first, then those that hold it, then rows that mention it.
        asked = text.lower()
        rows = sorted(rows, key=lambda row: (not row[0].lower().startswith(asked), asked not in row[0].lower()))
    if as_json:
        typer.echo(json.dumps([{name: cell or None for name, cell in zip(names, row, strict=True)} for row in rows]))
        return
    # A model's name is its id in other letters.
    places = [names.index(name) for name in OVERVIEW if name in names and (kind, name) != ("models", "name")]
    console = Console(highlight=False)
    while True:
        table = _overview(columns, rows, places)
        width = Measurement.get(console, console.options.update(width=1000), table).maximum
        if width <= console.width or len(places) <= 2:  # noqa: PLR2004 - the id and one more
            break
        places.pop()
    console.print(table)
    found = f"{kind}: {len(rows)} rows" + ("" if text is None else f" with `{safe(text)}`")
    Console(stderr=True, highlight=False).print(Text(f"{found}; add a name for one of them", style="dim"))


def _overview(columns: list[tuple[str, str, str]], rows: list[list[str]], places: list[int]) -> Table:
    """Return the rows under the columns at these places."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at in places:
        name, unit, _ = columns[at]
        heading = f"{name} {unit}".strip().replace("_params parameters", " 10⁹").replace("_", "\n", 1)
        key = name == "id"
        table.add_column(
            Text(heading),
            justify="right" if unit else "left",
            overflow="ellipsis",
            no_wrap=True,
            max_width=None if key or unit else 24,
            min_width=min(max(map(len, (row[at] for row in rows)), default=0), 44) if key else None,
        )
    for row in rows:
        table.add_row(*(Text(_short(columns[at][1], row[at])) for at in places))
    return table


def _short(unit: str, cell: str) -> str:
    """Return a cell for a table: parameters in billions."""
    if unit != "parameters" or not cell:
        return safe(cell)
    return figure(float(cell) / 1e9)


def catalog_name(kind: str, name: str, fleet: wl.Fleet | None, *, as_json: bool) -> None:
    """Print the item that a name means; else the rows that the name is found in, if it is in any."""
    try:
        resolution = _engine.catalog_resolution(kind, name, fleet)
    except wl.UnknownNameError:
        _, rows = _engine.catalog_search(kind, name, fleet)
        if not rows:
            raise
        catalog_table(kind, name, fleet, as_json=as_json)
        return
    catalog_item(kind, name, resolution, fleet, as_json=as_json)


def catalog_item(kind: str, name: str, resolution: dict[str, Any], fleet: wl.Fleet | None, *, as_json: bool) -> None:
    """Print one row of a kind: how the name led there, and every cell with its source."""
    cells = _engine.catalog_item(kind, name, fleet)
    fields = ("unit", "value", "quality", "source", "retrieved", "licence")
    if as_json:
        item: dict[str, Any] = {
            column: dict(zip(fields, (unit, value or None, *origin), strict=True))
            for column, unit, value, *origin in cells
        }
        typer.echo(json.dumps(item | {"resolution": resolution}))
        return
    console = Console(highlight=False)
    console.print(Text.assemble((safe(resolution["id"]), "bold"), f"   {_how(name, resolution)}"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("column", "value", "unit", "quality", "source"):
        table.add_column(Text(heading), overflow="fold", justify="right" if heading == "value" else "left")
    closing = {"source", "retrieved", "licence", "quality", "assumed_cells", "cell_sources"}
    sources: list[str] = []
    for column, unit, value, quality, source, _, _ in cells:
        if value and column not in closing and not column.endswith(ABOUT_JOINED):
            if source not in sources:
                sources.append(source)
            mark = f"[{sources.index(source) + 1}]"
            table.add_row(*(Text(safe(cell)) for cell in (column, value, unit, quality, mark)))
    console.print(table)
    dates = {source: (retrieved, licence) for *_, source, retrieved, licence in cells}
    for at, source in enumerate(sources, 1):
        retrieved, licence = dates[source]
        console.print(Text.assemble((f"[{at}] ", "dim"), safe(source), (f"   {retrieved}, {licence}", "dim")))


def _how(name: str, found: dict[str, Any]) -> str:
    """Say in words how a name led to its row."""
    rules = {
        "id": "its id",
        "alias": "a listed name",
        "glob": "a pattern",
        "regex": "a regular expression",
        "spelling": "another spelling of the id",
        "part": f"the name without its {', '.join(found['taken'])}",
    }
    parts = [f"`{safe(name)}` is {rules[found['rule']]}"]
    if found["alias"] and found["alias"] != name.lower():
        parts.append(f"listed as `{safe(found['alias'])}`")
    if found["seen"]:
        parts.append(f"seen in {safe(found['seen'])}")
    if found["moving"]:
        parts.append("a pointer whose target changes")
    if found["precision_hint"]:
        parts.append(f"says {safe(found['precision_hint'])}")
    if found["note"]:
        parts.append(safe(found["note"]))
    return "; ".join(parts)


def from_config(path: Path, name: str | None) -> int:
    """Print the `[[model]]` row of a released configuration."""
    row = _engine.catalog_from_config(path, name or path.resolve().parent.name.lower())
    typer.echo(row, nl=False)
    talk.say("put this into the fleet file; the deployment then names the model by its id")
    return exits.GOOD
