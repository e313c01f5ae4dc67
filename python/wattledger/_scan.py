"""Scanning: logs, ledgers, Arrow tables or NumPy columns to a ledger."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wattledger import _engine

if TYPE_CHECKING:
    from wattledger._engine import Fleet, Ledger

#: Longest line that is read, in bytes.
MAX_LINE_BYTES = 8 << 20
#: Values of a dimension that a ledger tells apart.
MAX_GROUPS = 100_000


def options(
    *,
    by: Iterable[str] = (),
    max_groups: int | None = MAX_GROUPS,
    fleet: Fleet | None = None,
    bin_seconds: int = 3600,
    occupancy: bool = True,
    since_s: int | None = None,
    until_s: int | None = None,
    format: str | None = None,  # noqa: A002 - the command's own word
    map: Mapping[str, str | None] | str | None = None,  # noqa: A002 - the command's own word
    input_timezone: str | None = None,
    threads: int = 0,
    max_line_bytes: int = MAX_LINE_BYTES,
    allow_overlap: bool = False,
) -> dict[str, Any]:
    """Collect the options of a scan as the engine takes them."""
    pairs = [(field, column or "") for field, column in map.items()] if isinstance(map, Mapping) else []
    return {
        "format": format,
        "map": pairs,
        "map_toml": map if isinstance(map, str) else None,
        "dimensions": list(by),
        "max_groups": max_groups,
        "input_timezone": input_timezone,
        "max_line_bytes": max_line_bytes,
        "threads": threads,
        "period": (since_s, until_s),
        "bin_seconds": bin_seconds,
        "occupancy": occupancy,
        "windows": fleet.windows if fleet is not None else [],
        "allow_overlap": allow_overlap,
    }


def paths_of(data: object) -> list[str] | None:
    """Return the paths that data names, or ``None`` if it is no path and no list of paths."""
    if isinstance(data, str | os.PathLike):
        return [os.fspath(data)]
    if isinstance(data, list | tuple) and data and all(isinstance(item, str | os.PathLike) for item in data):
        return [os.fspath(item) for item in data]
    return None


def scan(data: object, **settings: Any) -> Ledger:
    """Read requests into a ledger: exact sums by route, bin and your own dimensions.

    Args:
        data: A path, glob or folder, or a list of them (logs and ledger files mix; ``"-"`` is standard input); any
            object with ``__arrow_c_stream__`` (pyarrow, Polars, pandas, DuckDB); or a dict of columns. A column is a
            NumPy array, a list of texts, or a pair of codes and texts. Do not write to the arrays meanwhile.
        **settings: ``by``, the user dimensions to keep; ``max_groups``, how many values of each stand apart
            (100,000; which ones depends on the values alone, and the others are summed as ``(other)``; ``None``
            for all); ``fleet``, which names the attention windows to keep;
            ``bin_seconds`` 300, 900 or 3600; ``since_s`` and ``until_s``, the period in seconds since 1970 UTC, on
            edges of bins; ``occupancy``, False where no deployment is dedicated; ``format``, a log format by name;
            ``map``, columns by field
            (``{"input_tokens": "ContextTokens", "model": None}``, ``None`` for a field the log does not have) or a TOML
            text; ``input_timezone``, the zone of times without an offset; ``threads``, 0 for all cores;
            ``max_line_bytes``; ``allow_overlap``, to add ledgers that hold the same input.

    Returns:
        The ledger. Lines that could not be read are in ``ledger.coverage``, each with its reason.

    Raises:
        WattledgerError: As a ``FileNotFoundError``, ``ValueError`` or ``LookupError``, with a hint.

    >>> import wattledger as wl
    >>> ledger = wl.scan({
    ...     "timestamp": [1_767_225_600, 1_767_225_700],
    ...     "model": ["llama-3.1-70b", "llama-3.1-70b"],
    ...     "input_tokens": [1000, 3000],
    ...     "output_tokens": [200, 100],
    ... })
    >>> ledger.describe()["input_tokens"]
    4000

    """
    paths = paths_of(data)
    chosen = options(**settings)
    if paths is not None:
        ledger = _engine.scan_paths(paths, chosen)
    elif isinstance(data, Mapping):
        from wattledger._columns import prepare

        ledger = _engine.scan_columns(prepare(data), chosen)
    else:
        ledger = _engine.scan_stream(data, chosen)
    if ledger.rejected_share == 1:
        _warn(ledger.coverage)
    return ledger


def _warn(coverage: dict[str, Any]) -> None:
    """Say that nothing could be read, and what to do about it."""
    import warnings

    ways = _engine.ways_out()
    reasons = "; ".join(f"{count:,} {reason} ({ways[reason]})" for reason, count in coverage["by_reason"].items())
    warnings.warn(f"all {coverage['rejected']:,} rows were rejected: {reasons}", RuntimeWarning, stacklevel=3)
