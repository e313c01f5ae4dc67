"""Pages for one thing: a ledger, a request, a catalog item."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from wattledger import _engine
from wattledger._cli.words import figure, safe

if TYPE_CHECKING:
    import wattledger as wl

#: Columns of the catalog's overview, as far as a kind has them.
OVERVIEW = (
    "id", "name", "tdp_w", "memory_gb", "memory_bw_gbs", "bf16_tflops", "accelerator_id", "accelerators",
    "host_typical_w", "architecture", "total_params", "active_params", "n_layers", "engine", "version", "t_step_us",
    "t_seq_us", "country", "grid_zone", "grid_direct", "pue", "wue_l_per_kwh", "level", "year", "direct_g_per_kwh",
    "lifecycle_g_per_kwh", "pue_typical", "wue_typical_l_per_kwh", "kgco2e", "unit", "quality",
)  # fmt: skip


def describe(described: dict[str, Any], *, as_json: bool) -> None:
    """Print what a ledger holds."""
    if as_json:
        typer.echo(json.dumps(described))
        return
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    fields = {
        "period": f"{described['first_bin']} to {described['end']}",
        "bins": f"{described['bin_seconds']} s moments, {described['occupancy_bin_seconds']} s occupancy",
        "rows": f"{described['moments_rows']:,} moments, {described['occupancy_rows']:,} occupancy",
        "keys": f"{described['series']:,} series, {described['routes']:,} routes",
        "dimensions": ", ".join(described["dimensions"]) or "none",
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


def catalog_table(kind: str, *, as_json: bool) -> None:
    """Print all rows of a kind."""
    columns, rows = _engine.catalog_table(kind)
    names = [name for name, _, _ in columns]
    if as_json:
        typer.echo(json.dumps([{name: cell or None for name, cell in zip(names, row, strict=True)} for row in rows]))
        return
    places = [names.index(name) for name in OVERVIEW if name in names]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at in places:
        name, unit, _ = columns[at]
        table.add_column(Text(name), justify="right" if unit else "left", overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(safe(row[at])) for at in places))
    Console(highlight=False).print(table)
    Console(stderr=True, highlight=False).print(Text(f"{len(rows)} {kind}; add a name for one of them", style="dim"))


def catalog_item(kind: str, name: str, *, as_json: bool) -> None:
    """Print one row of a kind, every cell with its source."""
    cells = _engine.catalog_item(kind, name)
    if as_json:
        fields = ("unit", "value", "quality", "source")
        item = {
            column: dict(zip(fields, (unit, value or None, quality, source), strict=True))
            for column, unit, value, quality, source in cells
        }
        typer.echo(json.dumps(item))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("column", "value", "unit", "quality", "source"):
        table.add_column(Text(heading), overflow="fold", justify="right" if heading == "value" else "left")
    for column, unit, value, quality, source in cells:
        if value:
            table.add_row(*(Text(safe(cell)) for cell in (column, value, unit, quality, source)))
    Console(highlight=False).print(table)
