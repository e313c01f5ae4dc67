"""Numbers and names for people."""

from __future__ import annotations

import unicodedata
from typing import Any


def safe(text: str) -> str:
    """Return text that cannot act on a terminal: control and direction characters as escapes."""
    return "".join(c if unicodedata.category(c) not in ("Cc", "Cf", "Cs") else f"\\u{{{ord(c):x}}}" for c in text)


def bounded(one: dict[str, Any]) -> str:
    """Tell of a dimension of which some values are summed as one."""
    # How many there are is an estimate: two digits of it are known.
    about = max(one["kept"] + 1, float(f"{one['about']:.1e}"))
    share = f"{one['kept']:,} of about {about:,.0f} values of `{one['dimension']}` stand apart"
    return f"{share}, the others are summed as (other)"


def digits(largest: float) -> int:
    """Return the decimals that show four significant digits of the largest number of a column."""
    return 0 if largest >= 1000 else 1 if largest >= 100 else 2 if largest >= 10 else 3  # noqa: PLR2004


def figure(value: float, decimals: int | None = None) -> str:
    """Return a number with thousands separators; about four significant digits where no decimals are given."""
    if decimals is None and 0 < abs(value) < 1e-3:  # noqa: PLR2004 - below, a fixed point would show no digit
        return f"{value:.2e}"
    if decimals is None and 0 < abs(value) < 1:
        # Four digits that say something, whatever zeros come before.
        return f"{value:.4g}"
    return f"{value:,.{digits(abs(value)) if decimals is None else decimals}f}"


#: Units by the size from which they are used, largest first.
SCALES = {
    "kWh": ((1e6, "GWh", 1e-6), (1e3, "MWh", 1e-3), (1.0, "kWh", 1.0), (0.0, "Wh", 1e3)),
    "kW": ((1e6, "GW", 1e-6), (1e3, "MW", 1e-3), (0.0, "kW", 1.0)),
    "g": ((1e6, "t", 1e-6), (1e3, "kg", 1e-3), (1.0, "g", 1.0), (0.0, "mg", 1e3)),
    "L": ((1e3, "m³", 1e-3), (1.0, "L", 1.0), (0.0, "mL", 1e3)),
    "s": ((3600.0, "h", 1 / 3600), (0.0, "s", 1.0)),
    "tokens": ((1e9, "G", 1e-9), (1e6, "M", 1e-6), (0.0, "", 1.0)),
}


def scale(unit: str, largest: float) -> tuple[str, float]:
    """Return the unit in which the largest value reads well, and the factor to it."""
    for size, name, factor in SCALES.get(unit, ()):
        if largest >= size:
            return name, factor
    return unit, 1.0
