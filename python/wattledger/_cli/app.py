"""The commands and their options."""

from __future__ import annotations

import io
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import wattledger as wl
from wattledger import _engine
from wattledger._cli import exits, talk
from wattledger._cli.times import bound
from wattledger._scan import MAX_GROUPS, MAX_LINE_BYTES

app = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Request logs of AI inference in; energy, cooling, water and emissions out.",
)

Logs = Annotated[list[str], typer.Argument(help="Logs or ledgers: paths, globs, folders; - is standard input.")]
FleetFile = Annotated[Path | None, typer.Option("--fleet", help="Deployments, sites and routes, in TOML.")]
Output = Annotated[list[Path], typer.Option("-o", "--output", help="File to write: .json, .csv or .parquet.")]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout, as when piped.")]
AsTable = Annotated[bool, typer.Option("--table", help="A table on stdout, even when piped.")]
By = Annotated[str, typer.Option(help="Keys to group by, with commas: deployment,model,site,hour,day,month,…")]
Format = Annotated[str, typer.Option(help="Log format; auto tells it by its columns. csv-raw: unguarded CSV output.")]
Map = Annotated[list[str], typer.Option("--map", help="FIELD=COLUMN, FIELD= for none, or a TOML file.")]
Dimension = Annotated[list[str], typer.Option("--dimension", help="A column to keep as a key of your own.")]
MaxGroups = Annotated[
    int, typer.Option("--max-groups", min=1, help="Values of a dimension that stand apart; the others are (other).")
]
InputZone = Annotated[str | None, typer.Option("--input-timezone", help="Zone of times without an offset.")]
GroupZone = Annotated[str | None, typer.Option("--group-timezone", help="Zone of hours, days and months; UTC if none.")]
Since = Annotated[str | None, typer.Option(help="Start of the period, on a bin edge: 2026-01-01 or RFC 3339.")]
Until = Annotated[str | None, typer.Option(help="End of the period, exclusive.")]
Where = Annotated[list[str], typer.Option("--where", help="KEY=PATTERN: keep rows like model=llama*.")]
Bin = Annotated[int, typer.Option("--bin", help="Width of the ledger's bins in seconds: 300, 900 or 3600.")]
MaxBad = Annotated[float, typer.Option("--max-bad", help="Share of rejected lines beyond which the exit code is 3.")]
Threads = Annotated[int, typer.Option(help="Threads; 0 is one for each core.")]
MaxLine = Annotated[int, typer.Option("--max-line-bytes", help="Longest line that is read.")]
Occupancy = Annotated[bool, typer.Option(help="Occupancy by five minutes, which dedicated deployments need.")]
Everyday = Annotated[bool, typer.Option("--equivalents", help="Totals in everyday things as well, with sources.")]
Force = Annotated[bool, typer.Option("--force", help="Add ledgers that hold the same input.")]

MAX_BAD = 0.001
MAX_LINE = MAX_LINE_BYTES


def _fleet(path: Path | None) -> wl.Fleet:
    if path is not None and not path.exists():
        raise typer.BadParameter(f"no such file: {path}", param_hint="--fleet")
    return wl.Fleet.default() if path is None else wl.Fleet.load(path)


def _settings(
    *,
    fleet: wl.Fleet,
    dimension: list[str],
    format: str,
    map: list[str],
    input_timezone: str | None,
    bin: int,
    threads: int,
    max_line_bytes: int,
    max_groups: int = MAX_GROUPS,
    force: bool = False,
) -> dict[str, Any]:
    return {
        "by": dimension,
        "max_groups": max_groups,
        "fleet": fleet,
        "bin_seconds": bin,
        "format": None if format in ("auto", "csv-raw") else format,
        "map": _column_map(map),
        "input_timezone": input_timezone,
        "threads": threads,
        "max_line_bytes": max_line_bytes,
        "allow_overlap": force,
    }


def _column_map(options: list[str]) -> dict[str, str | None] | str | None:
    files = [option for option in options if "=" not in option]
    if files and len(options) > 1:
        raise typer.BadParameter("either one TOML file or FIELD=COLUMN pairs", param_hint="--map")
    if files:
        try:
            return Path(files[0]).read_text(encoding="utf-8")
        except OSError as error:
            raise typer.BadParameter(f"{error.strerror}: {files[0]}", param_hint="--map") from error
    pairs = (option.partition("=") for option in options)
    return {field.strip(): column.strip() or None for field, _, column in pairs} or None


def _scan(logs: list[str], since: str | None, until: str | None, settings: dict[str, Any]) -> wl.Ledger:
    return wl.scan(logs, since_s=bound("--since", since), until_s=bound("--until", until), **settings)


@app.command()
def estimate(
    logs: Logs,
    fleet: FleetFile = None,
    by: By = "deployment",
    output: Output = [],
    as_json: Json = False,
    as_table: AsTable = False,
    equivalents: Everyday = False,
    where: Where = [],
    since: Since = None,
    until: Until = None,
    group_timezone: GroupZone = None,
    input_timezone: InputZone = None,
    format: Format = "auto",
    map: Map = [],
    dimension: Dimension = [],
    max_groups: MaxGroups = MAX_GROUPS,
    bin: Bin = 3600,
    max_bad: MaxBad = MAX_BAD,
    threads: Threads = 0,
    max_line_bytes: MaxLine = MAX_LINE,
    force: Force = False,
) -> int:
    """Estimate logs or ledgers in one go."""
    from wattledger._cli.table import show

    chosen = _fleet(fleet)
    keys = [key.strip() for key in by.split(",") if key.strip()]
    known = {"deployment", "model", "hardware", "site", "hour", "day", "month", "bin", "provider", "region", "host"}
    own = [key for key in keys if key not in known and not key.startswith("logged_") and key not in dimension]
    settings = _settings(
        fleet=chosen,
        dimension=[*dimension, *own],
        max_groups=max_groups,
        format=format,
        map=map,
        input_timezone=input_timezone,
        bin=bin,
        threads=threads,
        max_line_bytes=max_line_bytes,
        force=force,
    )
    ledger = _scan(logs, since, until, settings)
    talk.bounded(ledger)
    estimated = ledger.estimate(chosen)
    _check_own([*dimension, *own], estimated)
    grouping: dict[str, Any] = {"timezone": group_timezone, "where": where}
    text = estimated.to_json(by=keys, **grouping)
    if equivalents:
        text = _with_equivalents(text, estimated.equivalents())
    for path in output:
        _write_grouped(path, estimated.by(*keys, **grouping), text, raw=format == "csv-raw")
    table = as_table or (sys.stdout.isatty() and not as_json)
    if not estimated.by(*keys, **grouping):
        talk.say("no rows: nothing in the log is in this period and like these patterns")
    if table:
        show(text, keys)
    elif as_json or not output:
        typer.echo(text)
    coverage = estimated.coverage
    talk.account(coverage, max_bad, shown=table)
    return exits.of_coverage(coverage, max_bad)


def _with_equivalents(text: str, equivalents: list[dict[str, Any]]) -> str:
    """Add everyday equivalents, which are for people, to a document."""
    import json

    return json.dumps({**json.loads(text), "equivalents": equivalents})


def _check_own(own: list[str], estimated: wl.Estimate) -> None:
    """Refuse a key that no line carries: a misspelt name would be a column of nothing."""
    for key in own:
        rows = estimated.to_dict(by=[key])["rows"]
        if rows and all(row[key] is None for row in rows):
            known = "deployment, model, hardware, site, hour, day, month, provider, region, host"
            raise typer.BadParameter(f"'{key}' is neither a key ({known}) nor a column of the log", param_hint="--by")


def _write_grouped(path: Path, table: wl.EstimateTable, text: str, *, raw: bool) -> None:
    match path.suffix:
        case ".json":
            _write_text(path, text + "\n")
        case ".csv":
            _write_text(path, table.to_csv(raw=raw))
        case ".parquet":
            table.write_parquet(path, metadata=text)
        case other:
            raise typer.BadParameter(
                f"cannot write '{other or path.name}', expected .json, .csv or .parquet", param_hint="-o"
            )
    talk.say(f"wrote {path}")


def _parquet(path: Path) -> None:
    """Refuse an ending that says something else than what is written."""
    if path.suffix != ".parquet":
        raise typer.BadParameter(f"'{path.name}' does not end in .parquet, which is what is written", param_hint="-o")


def _write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    from wattledger._engine import write_whole

    write_whole(path, text.encode())


@app.command()
def ledger(
    logs: Logs,
    output: Annotated[Path, typer.Option("-o", "--output", help="The ledger to write, .parquet.")],
    fleet: FleetFile = None,
    input_timezone: InputZone = None,
    since: Since = None,
    until: Until = None,
    format: Format = "auto",
    map: Map = [],
    dimension: Dimension = [],
    max_groups: MaxGroups = MAX_GROUPS,
    bin: Bin = 3600,
    occupancy: Occupancy = True,
    max_bad: MaxBad = MAX_BAD,
    threads: Threads = 0,
    max_line_bytes: MaxLine = MAX_LINE,
    force: Force = False,
) -> int:
    """Turn logs into a ledger. --fleet names the attention windows to keep."""
    settings = _settings(
        fleet=_fleet(fleet),
        dimension=dimension,
        max_groups=max_groups,
        format=format,
        map=map,
        input_timezone=input_timezone,
        bin=bin,
        threads=threads,
        max_line_bytes=max_line_bytes,
        force=force,
    )
    _parquet(output)
    _engine.check_not_read(output, logs)
    made = _scan(logs, since, until, {**settings, "occupancy": occupancy})
    made.write(output)
    talk.say(f"wrote {output}")
    talk.bounded(made)
    talk.account(made.coverage, max_bad)
    return exits.of_coverage(made.coverage, max_bad)


@app.command()
def merge(
    ledgers: Annotated[list[Path], typer.Argument(help="Ledgers to add.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The ledger to write, .parquet.")],
    force: Force = False,
) -> int:
    """Add ledgers: GROUP BY keys, SUM."""
    _parquet(output)
    merged = wl.merge([wl.Ledger.read(path) for path in ledgers], allow_overlap=force)
    merged.write(output)
    talk.say(f"wrote {output}")
    talk.bounded(merged)
    return exits.GOOD


@app.command()
def describe(path: Annotated[Path, typer.Argument(metavar="LEDGER")], as_json: Json = False) -> int:
    """Tell what a ledger holds: keys, period, coverage, moments, inputs."""
    from wattledger._cli.pages import describe as page

    described = wl.Ledger.read(path).describe()
    page(described, as_json=as_json or not sys.stdout.isatty())
    return exits.GOOD


@app.command()
def annotate(
    logs: Logs,
    output: Annotated[Path, typer.Option("-o", "--output", help="The table to write, .parquet.")],
    fleet: FleetFile = None,
    operating_points: Annotated[Path | None, typer.Option(help="Ledger of the deployments' whole load.")] = None,
    column: Annotated[list[str], typer.Option(help="Estimated column to keep; all if none.")] = [],
    narrow: Annotated[bool, typer.Option("--f4", help="Estimated columns of 32 bits instead of 64.")] = False,
    input_timezone: InputZone = None,
    format: Format = "auto",
    map: Map = [],
    dimension: Dimension = [],
    bin: Bin = 3600,
    max_bad: MaxBad = MAX_BAD,
    threads: Threads = 0,
    max_line_bytes: MaxLine = MAX_LINE,
) -> int:
    """Write one row per request with its estimate."""
    _parquet(output)
    chosen = _fleet(fleet)
    settings = _settings(
        fleet=chosen,
        dimension=dimension,
        format=format,
        map=map,
        input_timezone=input_timezone,
        bin=bin,
        threads=threads,
        max_line_bytes=max_line_bytes,
    )
    settings.pop("fleet")
    points = None if operating_points is None else wl.Ledger.read(operating_points)
    dtype: Literal["f4", "f8"] = "f4" if narrow else "f8"
    coverage = wl.annotate(
        logs, chosen, operating_points=points, columns=column, dtype=dtype, output=output, **settings
    )
    talk.say(f"wrote {output}")
    talk.account(coverage, max_bad)
    return exits.of_coverage(coverage, max_bad)


def _pixels(size: str) -> tuple[int, int]:
    """Return width and height of ``1024x768``."""
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"'{size}' is no size, expected 1024x768", param_hint="--image")
    return int(width), int(height)


@app.command()
def explain(
    model: Annotated[str | None, typer.Option(help="Catalog name of the model.")] = None,
    output_tokens: Annotated[
        int | None, typer.Option("--output", min=0, help="Generated tokens; 500, or none of an embedding model.")
    ] = None,
    input_tokens: Annotated[int, typer.Option("--input", min=0, help="Input tokens, cached ones included.")] = 0,
    cached_tokens: Annotated[int, typer.Option("--cached", min=0, help="Input tokens read from a cache.")] = 0,
    hardware: Annotated[str | None, typer.Option(help="Catalog name of the accelerator.")] = None,
    site: Annotated[str | None, typer.Option(help="Site of the fleet or the catalog.")] = None,
    deployment: Annotated[str | None, typer.Option(help="Deployment of the fleet.")] = None,
    devices: Annotated[float | None, typer.Option(help="Accelerators of a replica.")] = None,
    precision: Annotated[str | None, typer.Option(help="Precision of the weights: bf16, fp8, int4, …")] = None,
    concurrency: Annotated[float | None, typer.Option(help="Requests a replica runs at once.")] = None,
    image: Annotated[
        str | None, typer.Option(metavar="WxH", help="Of a diffusion model: size of the image or video in pixels.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames of a video.")] = 1,
    steps: Annotated[int | None, typer.Option(min=1, help="Denoising steps; as its makers suggest.")] = None,
    at: Annotated[
        str | None, typer.Option(help="When: weather and grid of that hour; a year's mean if not given.")
    ] = None,
    fleet: FleetFile = None,
    as_json: Json = False,
) -> int:
    """Show the whole chain of one request, image or video, every coefficient with its source."""
    from wattledger._cli.pages import explain as page

    seconds = bound("--at", at)
    moment = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    if image is not None or frames > 1 or steps is not None:
        tokens = {"--input": input_tokens, "--cached": cached_tokens, "--output": output_tokens}
        if given := [name for name, count in tokens.items() if count]:
            raise typer.BadParameter("an image or video has pixels and steps, not tokens", param_hint=given[0])
        if model is None or image is None:
            lacking = "--model" if model is None else "--image"
            raise typer.BadParameter("an image or video needs its model and its size in pixels", param_hint=lacking)
        width, height = _pixels(image)
        made = _fleet(fleet).picture(
            model=model,
            width_px=width,
            height_px=height,
            frames=frames,
            steps=steps,
            batch=concurrency or 1,
            hardware=hardware,
            site=site,
            devices=devices,
            precision=precision,
            at=moment,
        )
        page(made, as_json=as_json or not sys.stdout.isatty())
        return exits.GOOD
    one = _fleet(fleet).request(
        model=model,
        input_tokens=input_tokens,
        cached_tokens=cached_tokens,
        output_tokens=output_tokens,
        hardware=hardware,
        site=site,
        deployment=deployment,
        devices=devices,
        precision=precision,
        concurrency=concurrency,
        at=moment,
    )
    page(one, as_json=as_json or not sys.stdout.isatty())
    return exits.GOOD


@app.command()
def catalog(
    kind: Annotated[str, typer.Argument(help=f"One of: {', '.join(_engine.catalog_kinds())}.")],
    name: Annotated[
        str | None, typer.Argument(help="One item, under any of its names; or a word to search for.")
    ] = None,
    from_config: Annotated[
        Path | None,
        typer.Option(help="Of models: a config.json of Hugging Face; prints the [[model]] row for a fleet file."),
    ] = None,
    fleet: FleetFile = None,
    as_json: Json = False,
) -> int:
    """Show what is known and from where: a kind, what a word finds in it, or one item with the source of each cell."""
    from wattledger._cli import pages

    machine = as_json or not sys.stdout.isatty()
    if from_config is not None:
        if kind != "models":
            raise typer.BadParameter("a config.json describes a model: catalog models --from-config …")
        return pages.from_config(from_config, name)
    own = _fleet(fleet) if fleet is not None else None
    if name is None:
        pages.catalog_table(kind, None, own, as_json=machine)
    else:
        pages.catalog_name(kind, name, own, as_json=machine)
    return exits.GOOD


@app.command()
def calibrate(
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="[LOG|LEDGER…|MEASUREMENTS.csv]", help="What was metered or measured.")
    ] = None,
    fleet: FleetFile = None,
    deployment: Annotated[
        str | None, typer.Option(help="Deployment that was metered; not needed in a fleet of one.")
    ] = None,
    gpu_power_w: Annotated[
        float | None, typer.Option("--gpu-power-w", "--power-w", help="Power of all accelerators of one replica, in W.")
    ] = None,
    tokens_per_s: Annotated[float | None, typer.Option(help="Output tokens per second of that replica.")] = None,
    gpu_kwh: Annotated[
        float | None, typer.Option("--gpu-kwh", "--kwh", help="Energy of all accelerators of the deployment, in kWh.")
    ] = None,
    total_output_tokens: Annotated[
        float | None, typer.Option(help="Output tokens of the whole deployment in the same time.")
    ] = None,
    hours: Annotated[float | None, typer.Option(help="Length of that time, if waiting was metered too.")] = None,
    concurrency: Annotated[float | None, typer.Option(help="Requests that a replica ran at once.")] = None,
    input_tokens: Annotated[
        int | None, typer.Option(min=0, help="Input tokens of a mean request, cached ones included.")
    ] = None,
    cached_tokens: Annotated[int | None, typer.Option(min=0, help="Cached input tokens of a mean request.")] = None,
    output_tokens: Annotated[int | None, typer.Option(min=1, help="Output tokens of a mean request.")] = None,
    power: Annotated[
        list[Path] | None, typer.Option("--power", help="Power series: CSV, nvidia-smi CSV, Prometheus response.")
    ] = None,
    power_timezone: Annotated[str | None, typer.Option(help="Zone of its times without an offset.")] = None,
    unit: Annotated[str | None, typer.Option(help="Its unit where it does not say: power_w, energy_kwh, …")] = None,
    lag: Annotated[float | None, typer.Option(help="Seconds that the series is late.")] = None,
    max_gap: Annotated[float | None, typer.Option(help="Longest time between readings that is bridged, in s.")] = None,
    engine: Annotated[
        str | None, typer.Option(help="Engine to fit a profile of: its serving_stack in the file.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Fleet file to write: the one given with what was found.")
    ] = None,
    as_json: Json = False,
    since: Since = None,
    until: Until = None,
    input_timezone: InputZone = None,
    format: Format = "auto",
    map: Map = [],
    bin: Bin = 300,
    max_bad: MaxBad = MAX_BAD,
    threads: Threads = 0,
    max_line_bytes: MaxLine = MAX_LINE,
    force: Force = False,
) -> int:
    """Work out scales from a meter: one point, or a power series and its log; or a profile from measurements."""
    from wattledger._cli import calibration

    reading = {
        "gpu_power_w": gpu_power_w,
        "tokens_per_s": tokens_per_s,
        "gpu_kwh": gpu_kwh,
        "total_output_tokens": total_output_tokens,
        "hours": hours,
    }
    point = any(value is not None for value in reading.values())
    match calibration.form(inputs or [], power=bool(power), point=point, engine=engine):
        case "engine":
            found = wl.calibrate_engine((inputs or [""])[0], engine or "")
        case "point":
            load = {
                "concurrency": concurrency,
                "input_tokens": input_tokens,
                "cached_tokens": cached_tokens,
                "output_tokens": output_tokens,
            }
            found = wl.calibrate_point(_fleet(fleet), deployment=deployment, **reading, **load)
        case _:
            chosen = _fleet(fleet)
            settings = _settings(
                fleet=chosen,
                dimension=[],
                format=format,
                map=map,
                input_timezone=input_timezone,
                bin=bin,
                threads=threads,
                max_line_bytes=max_line_bytes,
                force=force,
            )
            ledger = _scan(inputs or [], since, until, settings)
            found = wl.calibrate_series(
                ledger,
                chosen,
                power=[str(path) for path in power or []],
                deployment=deployment,
                power_timezone=power_timezone or input_timezone,
                unit=unit,
                max_gap_s=max_gap,
                lag_s=lag,
            )
            calibration.show(found, as_json=as_json, output=output, fleet=fleet)
            talk.account(ledger.coverage, max_bad)
            return exits.of_coverage(ledger.coverage, max_bad)
    calibration.show(found, as_json=as_json, output=output, fleet=fleet)
    return exits.GOOD


@app.command()
def check(
    logs: Logs,
    as_json: Json = False,
    input_timezone: InputZone = None,
    format: Format = "auto",
    map: Map = [],
    max_bad: MaxBad = MAX_BAD,
    threads: Threads = 0,
    max_line_bytes: MaxLine = MAX_LINE,
) -> int:
    """Only validate input: what was read, what was rejected and why."""
    import json

    settings = _settings(
        fleet=wl.Fleet.default(),
        dimension=[],
        format=format,
        map=map,
        input_timezone=input_timezone,
        bin=3600,
        threads=threads,
        max_line_bytes=max_line_bytes,
    )
    described = wl.scan(logs, **settings).describe()
    coverage = described["coverage"]
    if as_json or not sys.stdout.isatty():
        typer.echo(json.dumps({"coverage": coverage, "inputs": described["inputs"]}))
    else:
        for source in described["inputs"]:
            talk.say(f"{source['name']}: read as {source['format']}, {source['bytes']:,} bytes")
        talk.account(coverage, max_bad)
    return exits.of_coverage(coverage, max_bad)


@app.command()
def validate(
    kind: Annotated[str, typer.Argument(help=f"What was measured: {', '.join(_engine.validation_kinds())}.")],
    path: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Measurements; data/measurements has the columns.")],
    as_json: Json = False,
    as_table: AsTable = False,
) -> int:
    """Set estimates beside measurements: errors, worst slices first, and every row."""
    import json

    from wattledger._cli.validation import show

    report = wl.validate(kind, path)
    if as_table or (sys.stdout.isatty() and not as_json):
        show(report)
    else:
        typer.echo(json.dumps(report))
    return exits.GOOD


@app.command()
def facility(
    sites: Annotated[list[str], typer.Argument(metavar="SITE…", help="Sites of the fleet or of the catalog.")],
    fleet: FleetFile = None,
    year: Annotated[int, typer.Option(help="The calendar year, UTC; 2022 has hourly grids in the US.")] = 2022,
    cooling: Annotated[str | None, typer.Option(help="Another cooling system: `wattledger catalog cooling`.")] = None,
    output: Annotated[
        list[Path], typer.Option("-o", "--output", help="Hours: .csv, .svg, .png; .parquet of one site.")
    ] = [],
    as_json: Json = False,
    as_table: AsTable = False,
) -> int:
    """Show sites hour by hour: PUE, water, grid; their year, their peaks."""
    import json

    from wattledger._cli.facility import show, write

    chosen = _fleet(fleet)
    years = [chosen.site_hours(site, year=year, cooling=cooling) for site in sites]
    for path in output:
        write(years, path)
    if as_table or (sys.stdout.isatty() and not as_json):
        show(years)
    else:
        typer.echo(json.dumps({"sites": [one.summary for one in years]}))
    return exits.GOOD


@app.command()
def train(
    path: Annotated[Path, typer.Argument(metavar="RUN.toml", help="The run: [run], [[phase]], tables of a fleet.")],
    by: Annotated[str, typer.Option(help="Keys to group by: phase,activity,kind,hardware,site,hour,day,month.")] = (
        "phase,activity"
    ),
    explain: Annotated[bool, typer.Option("--explain", help="Critical factors and the whole chain.")] = False,
    beside: Annotated[
        list[str], typer.Option("--beside", help="Logs or ledgers of inference to hold the run against.")
    ] = [],
    fleet: FleetFile = None,
    output: Output = [],
    equivalents: Everyday = False,
    as_json: Json = False,
    as_table: AsTable = False,
) -> int:
    """Estimate a training run: from a meter, from accelerator-hours and power, or from FLOP."""
    from wattledger._cli.training import show

    run = wl.train(path)
    keys = [key.strip() for key in by.split(",") if key.strip()]
    chosen = _fleet(fleet)
    served = wl.scan(beside, fleet=chosen).estimate(chosen) if beside else None
    text = run.to_json(by=keys, beside=served)
    if equivalents:
        text = _with_equivalents(text, run.equivalents())
    for target in output:
        _write_grouped(target, run.by(*keys), text, raw=False)
    if as_table or (sys.stdout.isatty() and not as_json):
        show(text, keys, explain=explain)
    elif as_json or not output:
        typer.echo(text)
    return exits.GOOD


def _version(value: bool) -> None:
    if value:
        typer.echo(f"wattledger {wl.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Request logs of AI inference in; energy, cooling, water and emissions out."""


def run(arguments: list[str]) -> int:  # noqa: PLR0911 - one for each way a command can end
    """Run the command with these arguments and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows its number.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(arguments, standalone_mode=False)
    except wl.WattledgerError as error:
        talk.error(str(error.args[0]), error.hint)
        return exits.of_error(error)
    except KeyboardInterrupt:
        talk.error("interrupted; no file was left half-written", None)
        return exits.INTERRUPTED
    except BrokenPipeError:
        # The reader of stdout is gone, as after `| head`: nothing is left to say, not even at shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.FAILED
    except OSError as error:
        talk.error(f"cannot write: {error.strerror}", None)
        return exits.FAILED
    except typer.Abort:
        return exits.INTERRUPTED
    except Exception as error:  # usage errors of the option parser carry their own code
        if not hasattr(error, "exit_code"):
            raise
        error.show()  # type: ignore[attr-defined]
        return exits.USAGE
    return code if isinstance(code, int) else exits.GOOD
