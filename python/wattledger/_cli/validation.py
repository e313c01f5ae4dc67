"""The report on a file of measurements as a table to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wattledger._cli.words import figure, safe

if TYPE_CHECKING:
    from wattledger._validate import Errors, ValidatedRow, Validation

#: Slices and rows shown before the rest is left to the JSON.
MOST_SLICES = 40
MOST_ROWS = 60
MOST_NOTES = 12


def show(report: Validation, console: Console | None = None) -> None:
    """Print summary, slices with the worst first, and rows to stdout."""
    console = console or Console(highlight=False)
    console.print(_slices(report, console.width))
    console.print(_rows(report["rows"], console.width))
    for part in _notes(report):
        console.print(Padding(part, (0, 1)))


def _table(names: list[str], numbers: list[str], lines: list[list[str]], width: int) -> Table:
    """Lines of names and numbers; names give way where the terminal is narrow."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    count = len(names)
    longest = [max(map(len, column)) for column in zip(names + numbers, *lines, strict=True)]
    room = width - sum(longest[count:]) - 3 * len(longest) - sum(longest[: count - 1])
    for at, name in enumerate(names):
        last = at == count - 1
        table.add_column(Text(name), no_wrap=True, overflow="ellipsis", max_width=max(room, 8) if last else None)
    for number in numbers:
        table.add_column(Text(number), justify="right", no_wrap=True)
    for at, line in enumerate(lines):
        table.add_row(*(Text(safe(cell)) for cell in line), end_section=at == 0 and count == 1)
    return table


def _slices(report: Validation, width: int) -> Table:
    # One row says nothing of a slice that the row itself does not say.
    groups = [(name, errors) for name, errors in report["groups"].items() if errors["n"] > 1]
    lines = [["all", *_errors(report["summary"])]]
    lines += [[_short(name), *_errors(errors)] for name, errors in groups[:MOST_SLICES]]
    if len(groups) > MOST_SLICES:
        lines.append([f"… {len(groups) - MOST_SLICES:,} better ones in --json", *[""] * 6])
    return _table(["slice"], ["n", "median", "p90", "bias", "inside", "high/low"], lines, width)


def _short(name: str) -> str:
    """Return a slice without the owner of its repository."""
    slice_, _, label = name.partition("=")
    return f"{slice_}={label.rpartition('/')[2]}"


def _errors(errors: Errors) -> list[str]:
    ratio = errors["interval_ratio"]
    shares = [_percent(errors["median_ape"]), _percent(errors["p90_ape"]), _percent(errors["bias"], signed=True)]
    return [f"{errors['n']:,}", *shares, _percent(errors["coverage"]), "—" if ratio is None else f"{ratio:.2f}"]


def _percent(share: float | None, *, signed: bool = False) -> str:
    if share is None:
        return "—"
    return f"{share:+.1%}" if signed else f"{share:.1%}"


def _rows(rows: list[ValidatedRow], width: int) -> Table:
    lines = []
    # Where rows are of several units, the quantity says which.
    several = len({row["unit"] for row in rows}) > 1
    # Rows with an estimate come first; why the others have none stands below.
    rows = sorted(rows, key=lambda row: row["predicted"] is None)
    for row in rows[:MOST_ROWS]:
        numbers = [row["measured"], row["predicted"], row["low"], row["high"]]
        cells = ["—" if number is None else figure(number) for number in numbers]
        ratio = "—" if row["ratio"] is None else f"{row['ratio']:.2f}"
        name = row["model"].rpartition("/")[2]
        if several:
            name = f"{row['quantity']}, {row['slices'].get('efficiency', '')}"
        lines.append([row["row_id"][:34], name, *cells, ratio])
    if len(rows) > MOST_ROWS:
        lines.append(["…", f"{len(rows) - MOST_ROWS:,} more in --json", *[""] * 5])
    unit = f" {rows[0]['unit']}" if rows and not several else ""
    names = ["row", "quantity" if several else "model"]
    return _table(names, [f"measured{unit}", f"estimate{unit}", "low", "high", "ratio"], lines, width)


def _counted(label: str, style: str, found: dict[str, int]) -> list[Text]:
    """Return what was found, the most frequent first."""
    lines = sorted(found.items(), key=lambda item: -item[1])
    notes = [Text.assemble((label, style), f"{count:,} × {safe(what)}") for what, count in lines[:MOST_NOTES]]
    if len(lines) > MOST_NOTES:
        notes.append(Text.assemble((label, style), f"… {len(lines) - MOST_NOTES:,} more kinds in --json"))
    return notes


def _notes(report: Validation) -> list[Text]:
    reasons: dict[str, int] = {}
    for row in report["rows"]:
        if row["reason"] is not None:
            reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
    filled: dict[str, int] = {}
    for row in report["rows"]:
        for what in row["assumed"]:
            filled[what] = filled.get(what, 0) + 1
    notes = _counted("no estimate  ", "bold yellow", reasons) + _counted("assumed  ", "bold", filled)
    errors = "median and p90 of |estimate / measurement - 1|, bias its signed median; inside the 90 % interval"
    return [*notes, Text.assemble(("method  ", "bold"), report["parameter_set"], (f"  {errors}", "dim"))]
