"""Calibration: a metered point, a power series or a file of measurements, to scales or a profile for the fleet file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wattledger import _engine
from wattledger._errors import InputError, MissingExtraError
from wattledger._scan import paths_of, scan

if TYPE_CHECKING:
    from os import PathLike

    from wattledger._engine import Fleet, InferenceMeasurements
    from wattledger._fit import Array, Mask

#: Fewest rows that a profile is fitted to.
FEWEST = 3
#: Most fits for the errors of left-out rows.
FOLDS = 20
#: Digits of fitted values.
DIGITS = 6


def calibrate_point(fleet: Fleet, **point: Any) -> dict[str, Any]:
    """Work out the scales of one deployment from one metered point.

    Args:
        fleet: The fleet with the deployment. Scales that it states already are left out of account and replaced.
        **point: Either ``gpu_power_w``, mean power of all accelerators of one replica at a steady load, with
            ``tokens_per_s``, its output tokens per second; or ``gpu_kwh`` and ``total_output_tokens`` of the whole
            deployment, with ``hours`` if its waiting was metered too. ``concurrency``, and ``input_tokens``,
            ``cached_tokens`` and ``output_tokens`` of a mean request, describe the load; what is left out is assumed,
            listed, and makes the scale worse. ``deployment`` is needed in a fleet of several.

    Returns:
        ``energy_scale`` and ``time_scale`` (``None`` from a window), what was metered and estimated for an output
        token, the interval before and after, warnings, assumptions, and ``toml``, lines for the fleet file.

    Raises:
        WattledgerError: For readings that cannot be, and scales outside 0.05 to 20.

    >>> import wattledger as wl
    >>> fleet = wl.Fleet.parse('''
    ... [[deployment]]
    ... name = "chat"
    ... model = "llama-3.1-8b"
    ... hardware = "h100"
    ... devices = 1
    ... ''')
    >>> found = wl.calibrate_point(
    ...     fleet, gpu_power_w=540, tokens_per_s=3000, concurrency=64, input_tokens=1000, output_tokens=500
    ... )
    >>> round(found["metered"]["joules_per_output_token"], 3)
    0.18
    >>> 0.9 < found["energy_scale"] < 1.6
    True

    """
    return _engine.calibrate_point(fleet, **point)


def calibrate_series(
    data: object,
    fleet: Fleet,
    *,
    power: str | PathLike[str] | list[str] | list[PathLike[str]],
    deployment: str | None = None,
    power_timezone: str | None = None,
    unit: str | None = None,
    max_gap_s: float | None = None,
    lag_s: float | None = None,
    **settings: Any,
) -> dict[str, Any]:
    r"""Work out the scales of deployments from a power series and the log of the same hours.

    Args:
        data: A ledger, or whatever ``scan`` takes; logs are scanned into bins of five minutes.
        fleet: The fleet; metered deployments are dedicated and their whole load is in the log.
        power: Files of readings: CSV with the unit in the header (``timestamp``, ``power_w`` or ``energy_j`` or
            ``energy_kwh``, and ``gpu``, ``hostname`` or ``deployment`` where there are several), what ``nvidia-smi
            --query-gpu=timestamp,index,power.draw --format=csv`` writes, or responses of Prometheus to a range query.
        deployment: The deployment of meters that do not name theirs; needed in a fleet of several.
        power_timezone: Zone of times without an offset in them, such as those of ``nvidia-smi``.
        unit: Unit of a series that does not say its own: ``power_w``, ``energy_j``, ``energy_kwh``, …
        max_gap_s: Longest time between readings that is bridged; 60 s or two and a half times the usual spacing.
        lag_s: How late the series is. If none is given, half a second for ``power.draw`` read each second or faster.
        **settings: Those of ``scan``.

    Returns:
        By deployment: ``energy_scale``, bins used and excluded with reasons, metered and estimated kWh, residuals by
        bin, idle power where bins have no requests, the lag that would fit better, intervals, warnings; and ``toml``.

    Raises:
        WattledgerError: For readings and fleets that do not fit, with place, value and a hint.

    >>> import tempfile, pathlib
    >>> import wattledger as wl
    >>> fleet = wl.Fleet.parse('''
    ... [[deployment]]
    ... name = "chat"
    ... model = "llama-3.1-8b"
    ... hardware = "h100"
    ... devices = 1
    ... replicas = 1
    ... ''')
    >>> start = 1_767_225_600
    >>> log = {"timestamp": [start + 2 * i for i in range(300)], "model": ["llama-3.1-8b"] * 300,
    ...        "input_tokens": [1000] * 300, "output_tokens": [500] * 300}
    >>> series = pathlib.Path(tempfile.mkdtemp()) / "power.csv"
    >>> rows = [f"{start + s},350" for s in range(0, 630, 30)]
    >>> _ = series.write_text("timestamp,power_w\n" + "\n".join(rows) + "\n")
    >>> chat = wl.calibrate_series(log, fleet, power=series)["deployments"][0]
    >>> chat["bins_used"], round(chat["metered_kwh"] * 1000, 1)
    (2, 58.3)

    """
    files = paths_of(power)
    if files is None:
        raise InputError("power is no path and no list of paths", hint="write the series to a CSV file")
    ledger = (
        data if isinstance(data, _engine.Ledger) else scan(data, **{"fleet": fleet, "bin_seconds": 300, **settings})
    )
    return _engine.calibrate_series(
        ledger,
        fleet,
        files,
        deployment=deployment,
        timezone=power_timezone,
        unit=unit,
        max_gap_s=max_gap_s,
        lag_s=lag_s,
    )


def calibrate_engine(path: str | PathLike[str], engine: str) -> dict[str, Any]:
    """Fit the stack layer of the parameter set to measurements of one engine; needs ``wattledger[fit]``.

    Each generation of accelerators among the rows gets a stack of its own. It begins at the values of the set's base
    engine, which are also what is expected of it, as widely as the set expects its own; the layers of silicon and
    method stay as they are.

    Args:
        path: A CSV file with the columns of ``data/measurements/inference.csv``.
        engine: The engine, as the column ``serving_stack`` of its rows has it.

    Returns:
        ``values`` before and after by parameter, ``errors`` of energy and time before, after and of left-out rows,
        ``skipped`` rows with the reason, and ``toml``: rows for the fleet file that make ``engine = "..."`` known.

    Raises:
        WattledgerError: Without SciPy, for an engine that the set has a fit of, and for too few rows.

    """
    try:
        import numpy as np
        import scipy.optimize  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingExtraError("fitting a profile needs SciPy", hint="pip install 'wattledger[fit]'") from error
    from wattledger._fit import errors, fit

    measurements = _engine.InferenceMeasurements(path)
    free = measurements.add_engine(engine)
    rows, skipped = _usable(measurements, engine)
    if rows.sum() < FEWEST:
        why = "; ".join(f"{row}: {reason}" for row, reason in list(skipped.items())[:3])
        raise InputError(f"{rows.sum()} rows of `{engine}` can be used, at least {FEWEST} are needed", hint=why or None)
    start = {key: value for key, value, _, _ in measurements.parameters if key in set(free)}
    before = errors(measurements)
    places = np.flatnonzero(rows)
    left_out = (np.full(rows.shape, np.nan), np.full(rows.shape, np.nan))
    for fold in np.array_split(places, min(len(places), FOLDS)):
        kept = rows.copy()
        kept[fold] = False
        fit(measurements, free, kept)
        for into, found in zip(left_out, errors(measurements), strict=True):
            into[fold] = found[fold]
    fitted = {key: float(f"{value:.{DIGITS}g}") for key, value in fit(measurements, free, rows).items()}
    measurements.set(list(fitted.items()))
    result = {
        "engine": engine,
        "rows": int(rows.sum()),
        "folds": min(len(places), FOLDS),
        "skipped": skipped,
        "values": {key: {"before": start[key], "after": fitted[key]} for key in free},
        "errors": {
            "before": _summaries(before, rows),
            "after": _summaries(errors(measurements), rows),
            "left_out": _summaries(left_out, rows),
        },
    }
    source = f"wattledger calibrate --engine {engine}, fit to {result['rows']} measured rows"
    return {**result, "toml": measurements.profile(engine, source, _note(result))}


def _usable(measurements: InferenceMeasurements, engine: str) -> tuple[Mask, dict[str, str]]:
    """Rows of the engine that can be predicted and have a measured energy and throughput, and why others cannot."""
    import numpy as np

    stacks, reasons = measurements.column("serving_stack"), measurements.reasons()
    measured = {name: measurements.column(name) for name in ("energy_per_output_token_j", "output_tokens_per_s")}
    rows, skipped = np.zeros(len(stacks), dtype=bool), {}
    for at, row in enumerate(measurements.row_ids):
        if stacks[at] != engine:
            continue
        lacking = [name for name, cells in measured.items() if not _positive(cells[at])]
        reason = reasons[at] or (f"no {lacking[0]} above 0" if lacking else "")
        rows[at] = not reason
        if reason:
            skipped[row] = reason
    return rows, skipped


def _positive(cell: str) -> bool:
    try:
        return 0.0 < float(cell) < float("inf")
    except ValueError:
        return False


def _summaries(found: tuple[Array, Array], rows: Mask) -> dict[str, dict[str, float]]:
    from wattledger._fit import summary

    return {name: summary(logs[rows]) for name, logs in zip(("energy", "time"), found, strict=True)}


def _note(result: dict[str, Any]) -> str:
    """Say in the profile itself how good it is and where it counts."""
    lines = [
        f'Profile of {result["engine"]}: rows for a fleet file, which then takes engine = "{result["engine"]}".',
        f"Fitted to {result['rows']} rows; the base engine counts for what they say nothing about.",
        "Median and 90th percentile of the error, and its bias, per cent:",
    ]
    names = {"before": "before", "after": "in the fit", "left_out": "left out"}
    for key, name in names.items():
        parts = []
        for what, found in result["errors"][key].items():
            median, p90, bias = (100 * found[k] for k in ("median_ape", "p90_ape", "bias"))
            parts.append(f"{what} {median:.1f} {p90:.1f} {bias:+.1f}")
        lines.append(f"  {name:10} {', '.join(parts)}")
    return "\n".join(lines)
