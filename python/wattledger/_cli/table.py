"""The estimate as a table to look at."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from rich import box
from rich.console import Console, Group
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wattledger._cli.talk import reject_lines, ways_out
from wattledger._cli.words import digits, figure, safe, scale

#: Rows shown before the rest is summed into one line.
MOST_ROWS = 60
#: Names without an estimate that are shown; all of them are in the JSON.
MOST_ROUTES = 5


class Shown(NamedTuple):
    """A column of the table: its field, heading, unit, and how soon it gives way on a narrow terminal."""

    field: str
    heading: str
    unit: str
    rank: int


COLUMNS = (
    Shown("requests", "requests", "", 0),
    Shown("input_tokens", "input", "tokens", 4),
    Shown("output_tokens", "output", "tokens", 3),
    Shown("concurrency", "at once", "", 7),
    Shown("utilisation", "busy", "%", 6),
    Shown("it_kwh", "IT", "kWh", 2),
    Shown("facility_kwh", "facility", "kWh", 0),
    Shown("water_onsite_l", "water site", "L", 5),
    Shown("water_offsite_with_hydro_l", "water grid", "L", 8),
    Shown("co2e_location_g", "CO₂e", "g", 1),
    Shown("co2e_embodied_g", "embodied", "g", 9),
    Shown("co2e_upstream_g", "upstream", "g", 10),
)

PARTS = (
    ("prefill_kwh", "prefill", "cyan"),
    ("decode_kwh", "decode", "blue"),
    ("training_kwh", "training", "bright_blue"),
    ("idle_kwh", "idle", "yellow"),
    ("host_kwh", "host", "magenta"),
    ("cooling_kwh", "cooling", "green"),
    ("power_delivery_kwh", "power delivery", "white"),
)


def show(text: str, keys: list[str], console: Console | None = None) -> None:
    """Print an estimate, given as the JSON of the contract, to stdout."""
    document = json.loads(text)
    console = console or Console(highlight=False)
    console.print(grid(document, keys, [column for column in COLUMNS if _any(document, column.field)], console))
    for part in (split(document["totals"], console.width), _notes(document)):
        console.print(Padding(part, (0, 1)))


def grid(document: dict[str, Any], keys: list[str], columns: list[Shown], console: Console) -> Table:
    """Return the rows as a table that fits the terminal: columns give way by their rank, down to two."""
    while True:
        table = _table(document, keys, columns)
        if _width(console, table) <= console.width or len(columns) <= 2:  # noqa: PLR2004 - a count and energy
            return table
        columns.remove(max(columns, key=lambda column: column.rank))


def _width(console: Console, table: Table) -> int:
    """Return the width the table would like."""
    return Measurement.get(console, console.options.update(width=1000), table).maximum


def _any(document: dict[str, Any], field: str) -> bool:
    return document["totals"][field] is not None


def _table(document: dict[str, Any], keys: list[str], columns: list[Shown]) -> Table:
    rows, totals = document["rows"], document["totals"]
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False, padding=(0, 1))
    for key in keys or ["all"]:
        table.add_column(
            Text(key),
            min_width=6,
            max_width=40,
            no_wrap=True,
            footer=Text("total" if key == (keys or ["all"])[0] else "", style="bold"),
        )
    scales = {column: _scale(column, rows, totals) for column in columns}
    partial = {unknown["column"] for unknown in document["unknown"]}
    for column in columns:
        unit, factor, decimals = scales[column]
        mark = "≥ " if _partial(column, totals, partial) else ""
        heading = Text.assemble(column.heading, (f"\n{unit}" if unit else "\n", "dim"))
        total = Text(mark + _cell(column, totals[column.field], factor, decimals), style="bold")
        table.add_column(heading, justify="right", footer=total, no_wrap=True)
    for row in rows[:MOST_ROWS]:
        names = [_name(row, key) for key in keys] or [Text("all")]
        if row["unallocated"]:
            names[-1].append(" (unallocated)", style="dim")
        cells = [
            Text(("≥ " if _partial(column, row, set()) else "") + _cell(column, row[column.field], *scales[column][1:]))
            for column in columns
        ]
        table.add_row(*names, *cells, style="dim" if row["unallocated"] else None)
    if len(rows) > MOST_ROWS:
        table.add_row(Text(f"… {len(rows) - MOST_ROWS:,} more rows; -o writes all", style="dim"))
    return table


def _partial(column: Shown, row: dict[str, Any], unknown: set[str]) -> bool:
    """Tell whether a figure leaves requests out that it should hold."""
    estimated = column.field.endswith(("_kwh", "_l", "_g"))
    return estimated and row[column.field] is not None and (column.field in unknown or row["unestimated_requests"] > 0)


def _name(row: dict[str, Any], key: str) -> Text:
    value = row[key]
    if value is None:
        return Text("—", style="dim")
    if key == "hour":
        value = value.replace("T", " ").removesuffix(":00Z")
    return Text(safe(value), overflow="ellipsis")


def _scale(column: Shown, rows: list[dict[str, Any]], totals: dict[str, Any]) -> tuple[str, float, int]:
    """Return unit, factor and decimals of a column, by its largest row."""
    largest = max((abs(_number(row[column.field])) for row in rows), default=abs(_number(totals[column.field])))
    unit, factor = ("%", 100.0) if column.unit == "%" else scale(column.unit, largest)
    whole = column.unit == "tokens" and factor == 1
    return unit, factor, 0 if whole else digits(largest * factor)


def _number(value: float | str | None) -> float:
    return 0.0 if value is None else float(value)


def _cell(column: Shown, value: float | str | None, factor: float, decimals: int) -> str:
    if value is None:
        return "—"
    if column.field == "requests":
        return f"{int(value):,}"
    return figure(float(value) * factor, decimals)


def split(totals: dict[str, Any], width: int) -> Group:
    """Draw one bar of where the energy goes."""
    whole = _number(totals["facility_kwh"])
    if not whole:
        return Group()
    shares = [(_number(totals[field]) / whole, name, style) for field, name, style in PARTS]
    bar, legend = Text(), Text()
    cells = max(min(width - 4, 80), 10)
    for share, name, style in shares:
        bar.append("█" * round(share * cells), style=style)
        if share >= 0.0005:  # noqa: PLR2004 - what rounds to 0.0 % is left out
            legend.append("■ ", style=style).append(f"{name} {share:.1%}   ")
    return Group(bar, legend, Text())


def _notes(document: dict[str, Any]) -> Table:
    notes = Table.grid(padding=(0, 2, 0, 0))
    notes.add_column(style="bold", no_wrap=True)
    notes.add_column(overflow="fold")
    coverage, provenance = document["coverage"], document["provenance"]
    names = [f"{source['name']} ({source['format']})" for source in provenance["inputs"]]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004
    lines = f"{coverage['counted']:,} of {coverage['events_in']:,} requests in {safe(shown)}"
    notes.add_row("counted", Text(lines))
    for problem in coverage["incomplete"]:
        notes.add_row(Text("incomplete", style="bold red"), Text(safe(problem), style="red"))
    for line in reject_lines(coverage):
        notes.add_row("rejected" if not line.startswith(" ") else "", Text(line, style="yellow"))
    for line in ways_out(coverage):
        notes.add_row("hint", Text(line, style="dim"))
    for site in document["sites"]:
        notes.add_row("site", Text.assemble(safe(site["site"]), (f"  {safe(_site(site))}", "dim")))
    for line in _meters(document["reconciliation"]):
        notes.add_row("meter", Text(safe(line)))
    for line in made(document["embodied"]):
        notes.add_row("made of", Text(safe(line)))
    for line in everyday(document.get("equivalents", [])):
        notes.add_row("as much as", Text(safe(line)))
    for place, values in by_place(document["assumptions"]).items():
        notes.add_row("assumed", Text.assemble(safe(place), (f"  {safe(values)}", "dim")))
    for columns, reason in _unknown(document["unknown"]):
        notes.add_row("unknown", Text.assemble(columns, (f"  {safe(reason)}", "dim")))
    method = f"edition {provenance['method_edition']}, parameter set {provenance['parameter_set']}"
    notes.add_row("method", Text.assemble(method, ("  every reason and source is in --json", "dim")))
    return notes


def _site(site: dict[str, Any]) -> str:
    """Say what a site did over the period."""
    said = []
    for name, key, unit in (("PUE", "pue", ""), ("TUE", "tue", ""), ("water", "wue_l_per_kwh", " L/kWh of IT")):
        if site[key] is not None:
            said.append(f"{name} {figure(site[key])}{unit}")
    low, high = site["pue_range"] or (None, None)
    if low is not None and high is not None and high - low > 1e-9:  # noqa: PLR2004 - rounding
        said[0] += f" ({low:.3f} to {high:.3f})"
    if peak := site["peak_hour"]:
        unit, factor = scale("kW", peak["facility_kw"])
        hour = peak["hour_utc"].replace("T", " ").removesuffix("Z")
        said.append(f"peak {figure(peak['facility_kw'] * factor)} {unit} at {hour}")
    for name, key in (("contracts", "contracted_share"), ("carbon-free by the hour", "carbon_free_score")):
        if site[key] is not None:
            said.append(f"{name} {site[key]:.0%}")
    factor, hours = max(site["levels"]["carbon_direct"].items(), key=lambda item: item[1])
    said.append(f"carbon by {factor}, {hours:,} h")
    return ", ".join(said)


def made(machines: list[dict[str, Any]]) -> list[str]:
    """Say what machines took to make, which groups share it, and what is booked when they are bought."""
    lines = []
    for one in machines:
        kg, groups = one["kgco2e"], ", ".join(f"{group['group']} {group['share']:.0%}" for group in one["groups"])
        unit, factor = scale("g", kg["value"] * 1e3)
        value, low, high = (figure(kg[end] * 1e3 * factor) for end in ("value", "low", "high"))
        said = f"{one['of']}: {one['accelerators']:g} x {one['hardware']}, "
        said += f"{value} {unit} CO₂e ({low} to {high}) in all: {groups}"
        if one["booked_kgco2e"]:
            kg = one["booked_kgco2e"]["value"]
            unit, factor = scale("g", kg * 1e3)
            booked = figure(kg * 1e3 * factor)
            said += f"; booked in {one['purchase_year']:.0f}: {booked} {unit}, without the facility"
        lines.append(said)
    return lines


def everyday(equivalents: list[dict[str, Any]]) -> list[str]:
    """Say what totals are in everyday things."""
    return [f"{figure(one['count'])} {one['name']} ({one['column']}; {one['source']})" for one in equivalents]


def _meters(steps: list[dict[str, Any]]) -> list[str]:
    """Sum up each meter: what it read, what was estimated of it, what became of the difference."""
    lines = []
    for name in dict.fromkeys(step["meter"] for step in steps):
        mine = [step for step in steps if step["meter"] == name]
        done = [step for step in mine if step["applied"]]
        metered, estimated = (sum(step[key] for step in done or mine) for key in ("metered_kwh", "estimated_kwh"))
        rule = f"residual {mine[0]['rule']}" if done else "nothing changed"
        said = [rule, *dict.fromkeys(step["note"] for step in mine if step["note"])]
        of = f"{len(done):,} of {len(mine):,} steps applied"
        lines.append(
            f"{name}: {figure(metered)} kWh metered, {figure(estimated)} kWh estimated, {of}, {'; '.join(said)}"
        )
    return lines


def by_place(assumptions: list[dict[str, str]]) -> dict[str, str]:
    """Gather what is assumed of one deployment or site on one line."""
    places: dict[str, list[str]] = {}
    for note in assumptions:
        places.setdefault(note["place"], []).append(f"{note['what']} {note['value']}")
    return {place: ", ".join(values) for place, values in places.items()}


def _unknown(unknown: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Gather columns by reason: routes without an estimate, the most requests first, then columns without an input."""
    routes = sorted((item for item in unknown if item["column"] == "it_kwh"), key=lambda item: -int(item["requests"]))
    lines = [("every estimate", f"{item['reason']} ({_requests(item)})") for item in routes[:MOST_ROUTES]]
    if len(routes) > MOST_ROUTES:
        left = sum(int(item["requests"]) for item in routes[MOST_ROUTES:])
        lines.append(("every estimate", f"… and {len(routes) - MOST_ROUTES:,} more names ({left:,} requests)"))
    reasons: dict[str, list[str]] = {}
    for item in unknown:
        if item["column"] != "it_kwh":
            reason = f"{item['reason']} ({_requests(item)})" if ":" in item["reason"] else "nothing is given for them"
            columns = reasons.setdefault(reason, [])
            columns += [item["column"]] if item["column"] not in columns else []
    return lines + [(", ".join(columns), reason) for reason, columns in reasons.items()]


def _requests(item: dict[str, Any]) -> str:
    count = int(item["requests"])
    return "1 request" if count == 1 else f"{count:,} requests"
