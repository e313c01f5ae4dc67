"""Estimates beside measurements."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict, cast

from wattledger import _engine

if TYPE_CHECKING:
    from os import PathLike


class Errors(TypedDict):
    """Errors of some rows, as fractions: 0.1 is 10 %. ``None`` where no row has both an estimate and a measurement.

    Attributes:
        rows: Rows.
        n: Rows with an estimate and a measurement; the errors are theirs.
        median_ape: Median of ``|predicted / measured - 1|``.
        p90_ape: Its 90th percentile.
        bias: Median of ``predicted / measured - 1``.
        mean_bias: Mean of the same.
        geometric_error: e to the mean of ``|ln(predicted / measured)|``, less 1.
        coverage: Share of measurements inside the 90 % interval of their estimate.
        interval_ratio: Geometric mean of ``high / low``.

    """

    rows: int
    n: int
    median_ape: float | None
    p90_ape: float | None
    bias: float | None
    mean_bias: float | None
    geometric_error: float | None
    coverage: float | None
    interval_ratio: float | None


class ValidatedRow(TypedDict):
    """One measured quantity beside its estimate; the numbers are in ``unit``.

    Attributes:
        row_id: Key of the row, or its line.
        model: The model as the file names it.
        quantity: What was measured.
        unit: Unit of the four numbers that follow.
        measured: The measurement; ``None`` where the cell is empty.
        predicted: The estimate, the median of its interval; ``None`` with a ``reason``.
        low: Low end of the 90 % interval.
        high: High end of the 90 % interval.
        ratio: Estimate over measurement.
        reason: Why there is no estimate.
        assumed: What the row does not say and was filled, and what the fit has not seen.
        slices: Labels by which rows are grouped, such as ``{"gpu": "H100"}``.

    """

    row_id: str
    model: str
    quantity: str
    unit: str
    measured: float | None
    predicted: float | None
    low: float | None
    high: float | None
    ratio: float | None
    reason: str | None
    assumed: list[str]
    slices: dict[str, str]


class Validation(TypedDict):
    """The report on a file of measurements.

    Attributes:
        kind: What the file is about.
        parameter_set: The parameters behind the estimates, as the catalog names their set.
        summary: Errors of all rows.
        groups: Errors by slice, such as ``gpu=H100``, the largest median error first.
        rows: Every row of the file, in its order.

    """

    kind: str
    parameter_set: str
    summary: Errors
    groups: dict[str, Errors]
    rows: list[ValidatedRow]


def validate(kind: str, path: str | PathLike[str]) -> Validation:
    """Estimate every row of a file of measurements and show how far off the estimates are.

    Args:
        kind: What the file is about: ``inference`` or ``image-video``.
        path: A CSV with the columns of the bundled file of its kind (``data/measurements``), any rows. Further columns
            are ignored; a row that cannot be estimated stays, with its reason.

    Raises:
        InputError: With line, column and value, for a file that cannot be understood or a kind that does not exist.
        InputNotFoundError: If there is no such file.

    >>> import wattledger as wl
    >>> report = wl.validate("image-video", "data/measurements/image-video.csv")
    >>> report["summary"]["n"], report["rows"][0]["unit"]
    (1138, 'J')

    """
    return cast("Validation", json.loads(_engine.validate(kind, path)))
