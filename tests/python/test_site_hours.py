"""A site through some hours, beside the naive reference: weather, load, grid, contracts and a meter by the hour."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wattledger as wl
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import catalog as tables
from reference import facility as spec

HOURS = 4
START = np.datetime64("2026-03-01T00:00:00", "us")
SYSTEMS = [row["id"] for row in tables.rows("cooling") if "archetype" in row]

finite: dict[str, Any] = {"allow_nan": False, "allow_infinity": False}
weather = st.tuples(st.floats(-20, 44, **finite), st.floats(5, 100, **finite), st.floats(78, 104, **finite))
hour = st.fixed_dictionaries(
    {
        "weather": weather,
        "carbon": st.floats(5, 1000, **finite),
        "contracted": st.floats(0, 20, **finite),
        "metered": st.floats(0.5, 5, **finite),
        "requests": st.integers(1, 200),
    }
)


def ledger(hours: list[dict[str, Any]]) -> wl.Ledger:
    """Requests over whole hours: one at each end of every five minutes, and as many more as drawn."""
    minutes = [np.arange(0, 3600, 300), np.arange(290, 3600, 300)]
    ends = np.concatenate(minutes)
    seconds = np.concatenate(
        [
            3600 * at + np.sort(np.concatenate([ends, np.linspace(0, 3599, one["requests"]).astype(int)]))
            for at, one in enumerate(hours)
        ]
    )
    columns = {
        "timestamp": START + seconds.astype("m8[s]"),
        "model": (np.zeros(len(seconds), "u2"), ["llama-3.1-8b"]),
        "input_tokens": np.full(len(seconds), 800, "u4"),
        "output_tokens": np.full(len(seconds), 200, "u4"),
    }
    return wl.scan(columns, input_timezone="UTC")


def fleet(hours: list[dict[str, Any]], system: str, site: str, more: str) -> wl.Fleet:
    head = "hour_utc,dry_bulb_c,rel_humidity_pct,pressure_kpa,carbon_direct_g_per_kwh,contracted_kwh\n"
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            ",".join(map(repr, (*one["weather"], one["carbon"], one["contracted"])))
            for one in hours
        ]  # fmt: skip
        stamps = [f"2026-03-01T{at:02}:00Z" for at in range(len(hours))]
        text = head + "".join(f"{stamp},{row}\n" for stamp, row in zip(stamps, rows, strict=True))
        Path(folder, "site.csv").write_text(text, encoding="utf-8")
        text = "".join(f"{stamp},{one['metered']!r}\n" for stamp, one in zip(stamps, hours, strict=True))
        Path(folder, "meter.csv").write_text("hour_utc,facility_kwh\n" + text, encoding="utf-8")
        path = Path(folder, "fleet.toml")
        path.write_text(
            f'{more}\n[[deployment]]\nname = "chat"\nmodel = "llama-3.1-8b"\nhardware = "h100"\nreplicas = 2\n'
            'site = "x"\n'
            f'[site.x]\ncooling = "{system}"\nseries = "site.csv"\nmatching = "hourly"\n'
            f"residual_direct_g_per_kwh = 500\n{site}\n",
            encoding="utf-8",
        )
        return wl.Fleet.load(path)


def close(found: float, expected: float) -> None:
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    hours=st.lists(hour, min_size=HOURS, max_size=HOURS),
    system=st.sampled_from(SYSTEMS),
    load=st.none() | st.floats(0.06, 1, **finite),
    capacity=st.none() | st.floats(3, 60, **finite),
    metered=st.booleans(),
)
def test_every_hour_is_what_the_reference_says(
    hours: list[dict[str, Any]], system: str, load: float | None, capacity: float | None, metered: bool
) -> None:
    row = tables.row("cooling", system)
    site = f"it_capacity_kw = {capacity!r}" if capacity else f"it_load_fraction = {load!r}" if load else ""
    meter = '[[meter]]\nfile = "meter.csv"\nsite = "x"' if metered else ""
    kept = ledger(hours)
    estimate = kept.estimate(fleet(hours, system, site, meter))
    unmetered = kept.estimate(fleet(hours, system, site, ""))
    by_hour = estimate.to_dict(by=["hour"])["rows"]
    before = unmetered.to_dict(by=["hour"])["rows"]
    assert len(by_hour) == HOURS
    free = 0.0
    for found, plain, one in zip(by_hour, before, hours, strict=True):
        it = plain["it_kwh"]
        share = min(it / capacity, 1) if capacity else load or float(row["load_fraction"])
        expected = spec.site_hour(system, *one["weather"], load=share)
        facility = it * expected["pue"]
        close(plain["facility_kwh"], facility)
        # A meter scales the whole hour, and nothing but its reading counts after it.
        scale = one["metered"] / facility if metered else 1.0
        facility *= scale
        close(found["facility_kwh"], facility)
        close(found["cooling_kwh"], it * scale * expected["cooling"])
        close(found["water_onsite_l"], it * scale * expected["water_input_l"])
        close(found["water_onsite_consumed_l"], it * scale * expected["water_consumed_l"])
        close(found["co2e_location_g"], facility * one["carbon"])
        matched = min(1.0, one["contracted"] / facility)
        close(found["co2e_market_g"], facility * (1 - matched) * 500)
        free += matched * facility
    close(estimate.sites[0]["contracted_share"], free / sum(found["facility_kwh"] for found in by_hour))
