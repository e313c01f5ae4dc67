"""Annotating: one row per request with its estimate."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from wattledger import _engine
from wattledger._scan import options, paths_of, scan

if TYPE_CHECKING:
    from wattledger._engine import AnnotatedBatches, AnnotatedRows, Fleet, Ledger


class Annotator:
    """An estimate made ready for single requests; make it once and call it as often as there are requests.

    Args:
        fleet: The fleet.
        operating_points: A ledger of the deployments' whole load: how busy each of them was, bin by bin.
        columns: Estimated columns to keep; all of them if none are named.
        dtype: Width of the results, ``"f8"`` or ``"f4"``. Everything is worked out in 64 bits and rounded once.
        **settings: As for :func:`scan`; ``threads``, 0 for all cores.

    A call is as :func:`annotate` for tables in memory. What it works out for a deployment and an hour is kept for the
    next call, within 64 MiB for each thread.

    >>> import wattledger as wl
    >>> log = {"timestamp": [1_767_225_600], "model": ["llama-3.1-8b"], "input_tokens": [900], "output_tokens": [200]}
    >>> annotator = wl.Annotator(wl.Fleet.default(), wl.scan(log), columns=["it_kwh"])
    >>> rows = annotator(log)
    >>> again = annotator(log, out=rows)
    >>> again["it_kwh"] is rows["it_kwh"]
    True

    """

    def __init__(
        self,
        fleet: Fleet,
        operating_points: Ledger,
        *,
        columns: Iterable[str] = (),
        dtype: Literal["f8", "f4"] = "f8",
        **settings: Any,
    ) -> None:
        if dtype not in ("f8", "f4"):
            raise ValueError(f"dtype '{dtype}' is none, expected 'f8' or 'f4'")
        if settings.keys() & {"since_s", "until_s"}:
            raise TypeError("annotate takes every row; give the period to scan, for the operating points")
        self._dtype = dtype
        chosen = options(fleet=fleet, **settings)
        self._engine = _engine.Annotator(fleet, operating_points, list(columns), dtype == "f4", chosen)

    @property
    def columns(self) -> list[str]:
        """Names of the columns that are kept."""
        return self._engine.columns

    def __call__(self, data: object, *, out: Mapping[str, Any] | None = None) -> Any:
        """Return the estimated columns row for row, see :func:`annotate`.

        Args:
            data: An Arrow table or a dict of columns.
            out: A writable NumPy array for each column that is kept, all float64 or all float32, as long as the data;
                they are filled and returned. Nobody else may use them meanwhile.

        """
        if isinstance(data, Mapping):
            from wattledger._columns import prepare

            prepared = prepare(data)
            if out is None:
                out = self._arrays(prepared)
            self._engine.columns_into(prepared, self._targets(out))
            return out
        if isinstance(data, str | os.PathLike | list):
            raise TypeError("logs are annotated by annotate(..., output=...) or batches(...)")
        if out is not None:
            self._engine.stream_into(data, self._targets(out))
            return out
        return _same_kind(data, self._engine.stream(data))

    def batches(self, data: object) -> AnnotatedBatches:
        """Iterate over annotated rows without holding them all.

        Args:
            data: As for :func:`scan`. Of log files every batch also has time, labels, tokens, latency and the
                dimensions asked for with ``by``; lines that are rejected have no row.

        Returns:
            An iterator of :class:`AnnotatedRows` of at most half a million rows, from logs of some thousand. Memory of
            a batch that is not held any more is used for the next. After the last batch of log files ``coverage`` is
            the account of every line. Logs begin to be read at once, a little ahead of who takes the batches.

        """
        paths = paths_of(data)
        if paths is not None:
            return self._engine.batches_of_files(paths)
        if isinstance(data, Mapping):
            from wattledger._columns import prepare

            return self._engine.batches_of_columns(prepare(data))
        return self._engine.batches_of_stream(data)

    def _arrays(self, prepared: list[Any]) -> dict[str, Any]:
        import numpy as np

        rows = len(prepared[0][1][0]) if prepared else 0
        return {name: np.empty(rows, self._dtype) for name in self.columns}

    def _targets(self, out: Mapping[str, Any]) -> list[tuple[str, Any]]:
        if out.keys() != set(self.columns):
            raise ValueError(f"out has columns {sorted(out)}, expected {sorted(self.columns)}")
        return [(name, out[name]) for name in self.columns]


def annotate(
    data: object,
    fleet: Fleet | None = None,
    *,
    operating_points: Ledger | None = None,
    columns: Iterable[str] = (),
    dtype: Literal["f8", "f4"] = "f8",
    out: Mapping[str, Any] | None = None,
    output: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Any:
    """Estimate every request by itself, at the operating points of the whole.

    Args:
        data: As for :func:`scan`.
        fleet: The fleet; the default one if not given.
        operating_points: A ledger of the deployments' whole load; made from ``data`` if not given.
        columns: Estimated columns to keep; all of them if none are named.
        dtype: Width of the results, ``"f8"`` or ``"f4"``. Everything is worked out in 64 bits and rounded once.
        out: For tables: a writable NumPy array for each column that is kept; they are filled and returned.
        output: For files: the Parquet file to write. Needed there, refused elsewhere.
        **settings: As for :func:`scan`.

    Returns:
        For files the account of every line. Else the estimated columns row for row, nulls where a row is no request, or
        one of a deployment and hour that the operating points do not know:
        ``out``, or a dict of arrays for a dict, a table of the same library for pyarrow, Polars and pandas, or
        :class:`AnnotatedRows`, which any Arrow library takes.

    The values of all rows and what the estimate leaves unallocated add up to the estimate. An :class:`Annotator` does
    the same again and again, and batch by batch.

    >>> import wattledger as wl
    >>> rows = wl.annotate({
    ...     "timestamp": [1_767_225_600], "model": ["llama-3.1-8b"], "input_tokens": [1000], "output_tokens": [200],
    ... }, columns=["it_kwh", "facility_kwh"])
    >>> list(rows)
    ['it_kwh', 'facility_kwh']

    """
    fleet = _engine.Fleet.default() if fleet is None else fleet
    paths = paths_of(data)
    if paths is not None and output is None:
        raise TypeError("annotate needs output= for files")
    if paths is None and output is not None:
        raise TypeError("output= is for files; tables are returned")
    if paths is not None and out is not None:
        raise TypeError("out= is for tables; files go to output=")
    kind = data
    if operating_points is None:
        if paths is not None:
            _engine.check_twice_readable(paths)
        elif not isinstance(data, Mapping):
            # A stream may only be there once.
            data = _engine.hold(data)
        operating_points = scan(data, fleet=fleet, **settings)
    annotator = Annotator(fleet, operating_points, columns=columns, dtype=dtype, **settings)
    if paths is not None and output is not None:
        return annotator._engine.files(paths, output)  # noqa: SLF001 - of this module
    rows = annotator(data, out=out)
    return _same_kind(kind, rows) if isinstance(rows, _engine.AnnotatedRows) else rows


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
            frame = pd.DataFrame.from_arrow(rows)
            # Pandas puts columns together by index, not by place.
            frame.index = data.index  # type: ignore[attr-defined]
            return frame
    return rows
