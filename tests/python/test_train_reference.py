"""Training runs beside a naive reference: every column of every activity of random runs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import wattledger as wl
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import catalog, training

D = Decimal
CHIPS = ("h100-sxm5-80gb", "a100-sxm4-40gb", "l4", "b200-sxm", "tpu-v4", "v100-pcie-16gb", "mi300x")
CONTEXT_OVER_RATED = D(46) / 700


def chip(name: str) -> training.Chip:
    row = next(row for row in catalog.rows("hardware") if row["id"] == name)
    rated = D(row["tdp_w"])
    if "idle_context_w" in row:
        waiting = D(row["idle_context_w"])
    else:
        waiting = rated / 5 if "idle_w" not in row else D(row["idle_w"]) + rated * CONTEXT_OVER_RATED
    return training.Chip(row, rated, D(row["bf16_tflops"]) * 10**12, min(waiting, rated))


@st.composite
def runs(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, float], dict[str, float]]:
    """Draw an accelerator, a phase, overheads and a site."""
    number = st.floats(0.01, 1, allow_nan=False)
    phase: dict[str, Any] = {"power_w": draw(st.integers(30, 140))}
    way = draw(st.sampled_from(["hours", "flop", "meter", "meter and hours"]))
    if draw(st.booleans()):
        phase["power_boundary"] = draw(st.sampled_from(["accelerators", "it"]))
    if "hours" in way:
        phase["accelerator_hours"] = draw(st.integers(1, 10**7))
    if "meter" in way:
        phase["energy_mwh"] = round(draw(st.floats(0.01, 1e5)), 3)
        if "hours" in way:
            # Energy and hours of one run: 50 to 150 W an accelerator.
            phase["energy_mwh"] = round(phase["accelerator_hours"] * draw(st.integers(50, 150)) / 1e6, 9)
        phase["energy_boundary"] = draw(st.sampled_from(["accelerators", "it", "facility"]))
    if way == "flop":
        phase |= {"active_params": draw(st.integers(10**7, 10**12)), "tokens": draw(st.integers(10**9, 10**13))}
        if draw(st.booleans()):
            phase["mfu"] = round(draw(st.floats(0.05, 0.9)), 3)
        else:
            phase["hfu"] = round(draw(st.floats(0.05, 0.9)), 3)
            phase["recomputation"] = draw(st.sampled_from(["none", "selective", "full"]))
        if draw(st.booleans()):
            phase["trains"] = "adapters"
        if draw(st.booleans()):
            phase["frozen_params"] = draw(st.integers(10**6, 10**12))
    names = ("checkpointing", "restarts", "failed", "exploratory")
    overheads = {name: round(draw(number), 3) for name in names if draw(st.booleans())}
    site = {
        "pue": round(draw(st.floats(1, 2.5)), 3),
        "wue_l_per_kwh": round(draw(number), 3),
        "carbon_direct_g_per_kwh": draw(st.integers(1, 1200)),
    }
    return draw(st.sampled_from(CHIPS)), phase, overheads, site


@settings(max_examples=300, deadline=None)
@given(runs(), st.booleans())
def test_every_column_is_what_the_reference_says(
    drawn: tuple[str, dict[str, Any], dict[str, float], dict[str, float]], dated: bool
) -> None:
    name, phase, overheads, site = drawn
    dates: dict[str, Any] = {"start": "2024-02-27", "days": 3} if dated else {}
    stated_keys: dict[str, Any] = {**phase, **overheads, **dates}
    made = wl.train(hardware=name, site=site, **stated_keys)
    exact = {key: D(repr(value)) for key, value in site.items()}
    stated = {key: D(repr(value)) if isinstance(value, float) else value for key, value in phase.items()}
    shares = {key: D(repr(value)) for key, value in overheads.items()}
    expected = training.run(training.Phase(stated, shares), chip(name), exact)
    document = json.loads(made.to_json(by=["activity"]))
    found = {row["activity"]: row for row in document["rows"]}
    assert found.keys() == expected.keys()
    for activity, columns in expected.items():
        for column, value in columns.items():
            got = found[activity][column]
            assert abs(got - float(value)) <= 1e-9 * max(abs(got), abs(float(value))), (activity, column, got, value)
    for column, total in document["totals"].items():
        if total is not None and column.endswith(("_kwh", "_g", "_l", "_mj", "_kg", "_sb")) and "per" not in column:
            rows = sum(row[column] for row in found.values())
            assert abs(rows - total) <= 1e-9 * abs(total), column
