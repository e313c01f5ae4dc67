"""Annotating: one row per request with its estimate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wattledger import _engine
from wattledger._scan import options, paths_of

if TYPE_CHECKING:
    import os

    from wattledger._engine import AnnotatedRows, Fleet, Ledger


def annotate(
    data: object,
    fleet: Fleet | None = None,
    *,
    operating_points: Ledger | None = None,
    columns: Iterable[str] = (),
    output: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Any:
    """Estimate every request by itself, at the operating points of the whole.

    Args:
        data: As for :func:`scan`.
        fleet: The fleet; the default one if not given.
        operating_points: A ledger of the deployments' whole load; made from ``data`` if not given.
        columns: Estimated columns to keep; all of them if none are named.
        output: For files: the Parquet file to write. Needed there, refused elsewhere.
        **settings: As for :func:`scan`.

    Returns:
        For files the account of every line. Else the estimated columns row for row, nulls where a row is no request:
        a dict of arrays for a dict, a table of the same library for pyarrow, Polars and pandas, or
        :class:`AnnotatedRows`, which any Arrow library takes.

    The values of all rows and what the estimate leaves unallocated add up to the estimate.

    >>> import wattledger as wl
    >>> rows = wl.annotate({
    ...     "timestamp": [1_767_225_600], "model": ["llama-3.1-8b"], "input_tokens": [1000], "output_tokens": [200],
    ... }, columns=["it_kwh", "facility_kwh"])
    >>> list(rows)
    ['it_kwh', 'facility_kwh']

    """
    fleet = _engine.Fleet.default() if fleet is None else fleet
    keep = list(columns)
    chosen = options(fleet=fleet, **settings)
    paths = paths_of(data)
    if paths is not None:
        if output is None:
            raise TypeError("annotate needs output= for files")
        return _engine.annotate_files(paths, fleet, operating_points, keep, output, chosen)
    if output is not None:
        raise TypeError("output= is for files; tables are returned")
    if isinstance(data, Mapping):
        from wattledger._columns import prepare

        return _arrays(_engine.annotate_columns(prepare(data), fleet, operating_points, keep, chosen))
    return _same_kind(data, _engine.annotate_stream(data, fleet, operating_points, keep, chosen))


def _arrays(rows: AnnotatedRows) -> dict[str, Any]:
    import numpy as np

    return {name: np.frombuffer(rows.column_bytes(name), dtype="f8") for name in rows.columns}


def _same_kind(data: object, rows: AnnotatedRows) -> Any:
    library = type(data).__module__.partition(".")[0]
    if library == "pyarrow":
        import pyarrow as pa

        return pa.table(rows)
    if library == "polars":
        import polars as pl

        return pl.DataFrame(rows)
    if library == "pandas":
        import pandas as pd

        if hasattr(pd.DataFrame, "from_arrow"):
            return pd.DataFrame.from_arrow(rows)
    return rows
