"""Training runs."""

from __future__ import annotations

import json
from datetime import date, datetime
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from wattledger import _engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wattledger._engine import TrainingEstimate

#: Keys of a whole run; the others are those of its one phase.
RUN_ONLY = ("reserved_accelerators", "lifetime_years", "purchase_year", "embodied", "lifetime_output_tokens")


def train(run: str | PathLike[str] | Mapping[str, Any] | None = None, **phase: Any) -> TrainingEstimate:
    """Estimate a training run: from metered energy, from accelerator-hours and power, or from FLOP.

    Args:
        run: A TOML file with ``[run]``, ``[[phase]]`` and tables of a fleet; or the same as a dict. Where it is left
            out, the keyword arguments are a run of one phase.
        phase: Keys of ``[[phase]]`` and of ``[run]`` (``docs/reference/training.md``), and ``site`` as a name of the
            catalog or a dict with the keys of ``[site.NAME]``.

    Returns:
        The run in the columns of an estimate, in kWh, g, L, MJ and kg: ``totals``, ``by("phase", "month")``,
        ``range(column)``, ``factors``, ``beside(estimate)``, ``equivalents()``.

    Raises:
        FleetError: With the place, for keys that are not known, values out of range, and settings that contradict
            each other.
        UnknownNameError: For hardware, models and sites that no catalog row carries.
        InputNotFoundError: If there is no such file.
        ValueError: For numbers that are not finite.

    >>> import wattledger as wl
    >>> site = {"pue": 1.1, "carbon_direct_g_per_kwh": 385}
    >>> power = {"power_w": 400, "power_boundary": "it"}
    >>> llama = wl.train(hardware="a100-sxm4-80gb", accelerator_hours=82_432, site=site, **power)
    >>> round(llama.totals["facility_kwh"]), round(llama.totals["co2e_location_g"] / 1e6, 2)
    (36270, 13.96)

    """
    if run is not None and phase:
        msg = f"a run of its own and arguments of a phase: {', '.join(phase)}"
        raise TypeError(msg)
    if isinstance(run, str | PathLike):
        return _engine.train_file(fspath(run))
    tables = dict(run) if run is not None else _tables(phase)
    try:
        text = json.dumps(tables, default=_date, allow_nan=False)
    except ValueError as error:
        msg = "a number of the run is infinite or not a number"
        raise ValueError(msg) from error
    return _engine.train_tables(text)


def _tables(phase: dict[str, Any]) -> dict[str, Any]:
    """Return the tables of a run of one phase."""
    site = phase.pop("site", None)
    tables: dict[str, Any] = {"run": {key: phase.pop(key) for key in RUN_ONLY if key in phase}}
    if isinstance(site, dict):
        tables["site"] = {"site": site}
        site = "site"
    if site is not None:
        phase["site"] = site
    return {**tables, "phase": [phase]}


def _date(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    msg = f"{value!r} is no value of a run"
    raise TypeError(msg)
