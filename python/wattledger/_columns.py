"""Columns of NumPy and plain Python as the engine takes them, without copying numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A pair the engine understands: codes and texts, or numbers and their unit of time.
Prepared = tuple[Any, "list[str | None]"] | tuple[Any, str]


def prepare(columns: Mapping[str, Any]) -> list[tuple[str, Prepared]]:
    """Prepare each column; numbers keep their memory, texts become codes.

    A ``datetime64`` has no zone, so its column needs ``input_timezone`` as any time without an offset does.
    """
    return [(name, _column(name, values)) for name, values in columns.items()]


def _column(name: str, values: Any) -> Prepared:
    import numpy as np

    if isinstance(values, tuple) and len(values) == 2:  # noqa: PLR2004 - codes and categories
        codes, texts = values
        return np.ascontiguousarray(codes), [None if text is None else str(text) for text in texts]
    array = np.asarray(values)
    if array.ndim != 1:
        raise TypeError(f"'{name}' is a {array.ndim}-d array, only 1-d arrays are supported")
    if array.dtype.kind == "M":
        unit, count = np.datetime_data(array.dtype)
        if unit not in ("s", "ms", "us", "ns") or count != 1:
            array, unit = array.astype("datetime64[us]"), "us"
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        times = np.ascontiguousarray(array).view("i8")
        return times, f"naive {unit}"
    if array.dtype.kind in "iuf":
        return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False)), ""
    if array.dtype.kind in "OUST":
        return _texts(name, array.tolist())
    raise TypeError(f"'{name}' has dtype {array.dtype}, expected numbers, datetime64 or text")


def _texts(name: str, values: Sequence[object]) -> Prepared:
    import numpy as np

    places: dict[object, int] = {}
    for value in values:
        if value is not None and not isinstance(value, str):
            raise TypeError(f"'{name}' holds {type(value).__name__}, expected text or None")
        places.setdefault(value, len(places))
    codes = np.fromiter((places[value] for value in values), dtype="u4", count=len(values))
    return codes, [value if isinstance(value, str) else None for value in places]
