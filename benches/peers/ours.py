"""The jobs by wattledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import wattledger as wl

from peers.data import HOUR_NS, START_S, SUMS, Data, load

#: Columns of a ledger, in the order of the sums.
COLUMNS = (
    "requests",
    "input_tokens",
    "cached_tokens",
    "input_tokens_squared",
    "output_tokens",
    "input_tokens_x_output_tokens",
    "output_tokens_squared",
)
#: What is estimated of every request.
SIX = ["it_kwh", "cooling_kwh", "water_onsite_l", "water_offsite_l", "co2e_location_g", "co2e_embodied_g"]
JSON = {
    "timestamp": "created",
    "model": "model",
    "deployment": "deployment",
    "input_tokens": "usage.prompt_tokens",
    "cached_tokens": "usage.prompt_tokens_details.cached_tokens",
    "output_tokens": "usage.completion_tokens",
}
Job = Callable[[], Any]


def columns(data: Data) -> dict[str, Any]:
    """The requests as NumPy columns."""
    return {
        "timestamp": data.time_ns.view("M8[ns]"),
        "deployment": (data.deployment, data.names),
        "input_tokens": data.input,
        "cached_tokens": data.cached,
        "output_tokens": data.output,
    }


def settings(threads: int) -> dict[str, Any]:
    """How columns are read."""
    return {"map": {"model": None}, "input_timezone": "UTC", "threads": threads}


def memory(folder: Path, threads: int, occupancy: bool) -> Job:
    """From columns in memory to a ledger."""
    log = columns(load(folder))
    return lambda: wl.scan(log, occupancy=occupancy, **settings(threads))


def file(folder: Path, name: str, threads: int, occupancy: bool) -> Job:
    """From a file to a ledger."""
    mapped = {"map": {"model": None}} if name.endswith("parquet") else {"map": JSON}
    return lambda: wl.scan(folder / name, threads=threads, occupancy=occupancy, **mapped)


def sums(folder: Path, ledger: wl.Ledger) -> np.ndarray:
    """The sums of a ledger by group."""
    import pyarrow as pa
    import pyarrow.compute as pc

    data = load(folder)
    rows = pa.table(ledger)
    rows = rows.filter(pc.equal(rows["family"], "moments"))
    hour = (rows["bin_start"].cast("int64").to_numpy() // 1_000_000 - START_S) * 1_000_000_000 // HOUR_NS
    place = {name: i for i, name in enumerate(data.names)}
    key = np.array([place[name] for name in rows["deployment"].to_pylist()]) * data.shape.hours + hour
    found = np.zeros((len(SUMS), data.groups), "i8")
    for i, name in enumerate(COLUMNS):
        found[i, key] = rows[name].cast("int64").to_numpy()
    return found


def annotated(folder: Path, owned: bool, dtype: str = "f8") -> tuple[Job, Callable[[Any], float]]:
    """Six columns for every request, into columns of the caller or into new ones; the check is that they add up."""
    data = load(folder)
    sites = ["aws/us-east-1", "gcp/asia-southeast1", "gcp/us-central1"]
    one = '[[deployment]]\nname = "{}"\nmodel = "llama-3.1-{}"\nhardware = "h100"\nsite = "site-{}"\n'
    deployments = [one.format(name, ["8b", "70b"][i % 2], i % 24) for i, name in enumerate(data.names)]
    places = [f'[site.site-{i}]\ncatalog = "{sites[i % len(sites)]}"\n' for i in range(24)]
    fleet = wl.Fleet.parse("".join(deployments + places))
    log = columns(data)
    points = wl.scan(log, fleet=fleet, **settings(1))
    annotator = wl.Annotator(fleet, points, columns=SIX, dtype=dtype, **settings(1))  # type: ignore[arg-type]
    out = {name: np.ones(data.shape.rows, dtype) for name in SIX} if owned else None
    whole = points.estimate(fleet).totals
    # What some sites do not know is not asked of them.
    known = [name for name in SIX if whole[name] is not None]

    def error(rows: dict[str, np.ndarray]) -> float:
        return max(abs(float(np.nansum(rows[name], dtype="f8")) / whole[name] - 1) for name in known)

    return lambda: annotator(log, out=out), error
