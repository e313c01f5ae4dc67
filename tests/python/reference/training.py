"""A training run, naively: hours, power, energy and what stands around it, in plain numbers.

Everything of the place is stated and constant, so that hours do not matter; hours have tests of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reference import embodied

D = Decimal
YEAR_S = 365 * 86_400
HOST_OVER_RATED = D("0.3")
HOST_IDLE = D("0.7")
MOST_HOST = D("0.5")
AGAIN = {"none": D(0), "selective": D("0.1"), "full": D(1)}


@dataclass
class Chip:
    """An accelerator of the catalog: row, rated power, peak, power while it waits."""

    row: dict[str, str]
    rated_w: D
    peak: D
    waiting_w: D

    @property
    def host_w(self) -> D:
        return self.rated_w * HOST_OVER_RATED


@dataclass
class Phase:
    """A phase as the file states it."""

    stated: dict[str, Any]
    overheads: dict[str, D] = field(default_factory=dict)


def hours_of(phase: Phase, chip: Chip) -> D | None:
    """Accelerator-hours: stated, or FLOP over peak and utilisation."""
    said = phase.stated
    if "accelerator_hours" in said:
        return D(said["accelerator_hours"])
    if "tokens" not in said:
        return None
    passes = D(2) if said.get("trains") == "adapters" else D(3)
    frozen = D(said.get("frozen_params", 0))
    flop = D(said["tokens"]) * (passes * 2 * D(said["active_params"]) + 2 * frozen)
    utilisation = D(said["mfu"]) if "mfu" in said else D(said["hfu"]) / (1 + AGAIN[said["recomputation"]] / passes)
    return flop / (3600 * chip.peak * utilisation)


def run(phase: Phase, chip: Chip, site: dict[str, D]) -> dict[str, dict[str, D]]:
    """Columns by activity."""
    said = phase.stated
    watts, boundary = D(said["power_w"]), said.get("power_boundary", "accelerators")
    host_w = chip.host_w
    if boundary == "it":
        alone = watts - min(host_w, watts * MOST_HOST)
        host_w = watts - alone
    else:
        alone = watts
    hours = hours_of(phase, chip)
    metered = D(said["energy_mwh"]) * 1000 if "energy_mwh" in said else None
    of = said.get("energy_boundary")
    if hours is None:
        assert metered is not None
        # As many hours as the energy of the IT is at this power.
        of_it = metered / site["pue"] if of == "facility" else metered
        hours = of_it * 1000 / (alone + (D(0) if of == "accelerators" else chip.host_w))
    training, host = alone * hours / 1000, host_w * hours / 1000
    if metered is not None and of == "accelerators":
        training = metered
    elif metered is not None:
        # Of a facility: as much IT as its meter over its PUE.
        share = min(host, metered * MOST_HOST) / metered
        it = metered / site["pue"] if of == "facility" else metered
        training, host = it * (1 - share), it * share
    rates = embodied.per_second(chip.row, 1, chip.host_w, None)
    rows = {}
    shares = {"training": D(1), **{k: v for k, v in phase.overheads.items() if k != "checkpointing"}}
    for activity, share in shares.items():
        rows[activity] = columns(training * share, D(0), host * share, hours * share, site, rates)
    waits = phase.overheads.get("checkpointing", D(0)) * hours
    idle = chip.waiting_w * waits / 1000
    rows["checkpointing"] = columns(D(0), idle, chip.host_w * HOST_IDLE * waits / 1000, waits, site, rates)
    return {activity: row for activity, row in rows.items() if row["replica_seconds"] > 0}


def columns(training: D, idle: D, host: D, hours: D, site: dict[str, D], rates: tuple[D, ...]) -> dict[str, D]:
    it = training + idle + host
    facility = it * site["pue"]
    seconds = hours * 3600
    return {
        "replica_seconds": seconds,
        "training_kwh": training,
        "idle_kwh": idle,
        "host_kwh": host,
        "it_kwh": it,
        "facility_kwh": facility,
        "water_onsite_l": it * site["wue_l_per_kwh"],
        "co2e_location_g": facility * site["carbon_direct_g_per_kwh"],
        "co2e_embodied_g": rates[0] * seconds,
        "adpe_embodied_kg_sb": rates[1] * seconds,
        "primary_energy_embodied_mj": rates[2] * seconds,
        "water_embodied_l": rates[3] * seconds,
        "ewaste_kg": rates[4] * seconds,
    }
