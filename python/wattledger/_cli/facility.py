"""Sites by the hour: a table of their years, a file of their hours, a picture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import wattledger as wl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.table import Table

#: Curves of the picture: column, title, whether it starts at zero.
CURVES = (
    ("pue", "PUE", False),
    ("wue_l_per_kwh", "water taken in, L per kWh of IT", True),
    ("cue_g_per_kwh", "Scope 2, g CO2e per kWh of IT", True),
)
PICTURES = (".svg", ".png")
#: Width of the names of rows, and of a site beside them.
NAMES, COLUMN = 32, 26


def show(years: list[wl.SiteHours]) -> None:
    """Print the years of sites side by side, then what was assumed."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from wattledger._cli.words import safe

    console = Console(highlight=False)
    summaries = [year.summary for year in years]
    beside = max((console.width - NAMES) // COLUMN, 1)
    for start in range(0, len(summaries), beside):
        console.print(_table(summaries[start : start + beside]))
    for summary in summaries:
        notes = ", ".join(f"{note['what']} {note['value']}" for note in summary["assumptions"])
        line = Text.assemble((f"{safe(summary['site'])}  ", "bold"), (f"assumed  {safe(notes)}", "dim"))
        console.print(Padding(line, (0, 1)))
    told = "at a constant load; why each is assumed and every source: --json, every hour: -o hours.csv"
    console.print(Padding(Text(told, style="dim"), (0, 1)))


def _table(summaries: list[dict[str, Any]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from wattledger._cli.words import figure, safe

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("")
    for summary in summaries:
        table.add_column(Text(safe(summary["site"])), justify="right")

    def span(range_: list[float] | None) -> str:
        low, high = range_ or (None, None)
        return "—" if low is None or high is None or low == high else f"{low:.3f} to {high:.3f}"

    def peak(at: dict[str, Any] | None, key: str, value: str) -> str:
        return "—" if at is None else f"{figure(at[value])} on {at[key].replace('T', ' ').removesuffix('Z')}"

    def number(summary: dict[str, Any], key: str) -> str:
        return "—" if summary[key] is None else figure(summary[key])

    rows: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("PUE", lambda s: number(s, "pue")),
        ("  it may be", lambda s: span(s["pue_range"])),
        ("  highest hour", lambda s: peak(s["peak_pue"] if _varies(s) else None, "hour_utc", "value")),
        ("water taken in, L/kWh of IT", lambda s: number(s, "wue_l_per_kwh")),
        ("  consumed", lambda s: number(s, "wue_consumed_l_per_kwh")),
        ("  highest day", lambda s: peak(s["peak_day"] if _drinks(s) else None, "day_utc", "wue_l_per_kwh")),
        ("water of the grid, L/kWh", lambda s: number(s, "water_offsite_l_per_kwh")),
        ("TUE", lambda s: number(s, "tue")),
        ("CUE, g/kWh of IT", lambda s: number(s, "cue_g_per_kwh")),
        ("grid, direct, g/kWh", lambda s: number(s, "carbon_direct_g_per_kwh")),
        ("  marginal", lambda s: number(s, "carbon_marginal_g_per_kwh")),
        ("  renewable", lambda s: "—" if s["renewable_share"] is None else f"{s['renewable_share']:.0%}"),
        ("  hours by level", lambda s: ", ".join(f"{n:,} {level}" for level, n in s["carbon_levels"].items())),
        ("weather", _weather),
        ("cooling", _cooling),
    ]
    for name, cell in rows:
        table.add_row(name, *(Text(safe(cell(summary))) for summary in summaries))
    return table


def _weather(summary: dict[str, Any]) -> str:
    if summary["weather"] is None:
        return "none known"
    said = [note["value"] for note in summary["assumptions"] if note["what"] == "weather"]
    return ", ".join([summary["weather"], *said])


def _varies(summary: dict[str, Any]) -> bool:
    """Tell whether PUE changes by the hour."""
    return summary["peak_pue"] is not None and summary["peak_pue"]["value"] - summary["pue"] > 1e-9  # noqa: PLR2004


def _drinks(summary: dict[str, Any]) -> bool:
    """Tell whether water changes by the day."""
    return summary["peak_day"] is not None and summary["peak_day"]["wue_l_per_kwh"] - summary["wue_l_per_kwh"] > 1e-9  # noqa: PLR2004


def _cooling(summary: dict[str, Any]) -> str:
    systems = summary["cooling"]
    if not systems:
        return "—"
    which = systems[0] if len(systems) == 1 else f"{len(systems)} plausible systems"
    return which if _varies(summary) else f"{which}, for water"


def write(years: list[wl.SiteHours], path: Path) -> None:
    """Write the hours, in the format of the file's ending."""
    from wattledger import _engine

    ending = path.suffix.lower()
    if ending in PICTURES:
        picture(years, path)
    elif ending == ".csv":
        first, *others = [year.to_csv() for year in years]
        text = first + "".join(other.partition("\n")[2] for other in others)
        _engine.write_whole(path, text.encode())
    elif ending == ".parquet" and len(years) == 1:
        years[0].write_parquet(path)
    else:
        import typer

        told = ".csv, .svg or .png, or .parquet for one site"
        raise typer.BadParameter(f"{path}: expected {told}", param_hint="--output")


def picture(years: list[wl.SiteHours], path: Path) -> None:
    """Draw hourly PUE, water and carbon of sites through a year.

    Raises:
        MissingExtraError: Where the packages that draw are not installed.

    """
    from wattledger import _engine

    try:
        import altair as alt
        import vl_convert as vlc
    except ImportError as error:
        told = "drawing needs altair and vl-convert-python"
        raise wl.MissingExtraError(told, hint="pip install 'wattledger[plot]'") from error
    panels = []
    for column, title, zero in CURVES:
        rows = [row for year in years for row in _days(year, column)]
        axis = alt.Axis(format="%b", title=None, grid=False)
        base = alt.Chart(alt.InlineData(rows)).encode(
            x=alt.X("day:T", axis=axis), color=alt.Color("site:N", title=None)
        )
        scale = alt.Scale(zero=zero)
        band = base.mark_area(opacity=0.25).encode(y=alt.Y("low:Q", scale=scale, title=title), y2="high:Q")
        line = base.mark_line(strokeWidth=1.2).encode(y=alt.Y("mean:Q", scale=scale))
        panels.append((band + line).properties(width=820, height=190))
    heading = alt.TitleParams("Line: mean of the day. Band: from its lowest to its highest hour.", fontSize=12)
    chart = alt.vconcat(*panels).properties(title=heading).configure_view(stroke=None)
    chart = chart.configure_legend(orient="top", symbolType="circle", symbolOpacity=1, labelFontSize=12)
    spec = chart.to_dict()
    if path.suffix.lower() == ".svg":
        _engine.write_whole(path, vlc.vegalite_to_svg(spec).encode())
    else:
        _engine.write_whole(path, vlc.vegalite_to_png(spec, scale=1.5))


def _days(year: wl.SiteHours, column: str) -> list[dict[str, Any]]:
    """Return lowest, mean and highest hour of every day of a column that is known."""
    import csv

    days: dict[str, list[float]] = {}
    for row in csv.DictReader(io.StringIO(year.to_csv())):
        if row[column]:
            days.setdefault(row["hour_utc"][:10], []).append(float(row[column]))
    return [
        {"site": year.site, "day": day, "low": min(hours), "mean": sum(hours) / len(hours), "high": max(hours)}
        for day, hours in days.items()
    ]
