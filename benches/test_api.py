"""The Python doors, each checking its answer: `make bench`."""

from pathlib import Path

import numpy as np
import pytest
import wattledger as wl

DEMO = Path(__file__).parent.parent / "demo"
ROWS = 1_000_000


@pytest.fixture(scope="module")
def fleet() -> wl.Fleet:
    return wl.Fleet.load(DEMO / "fleet.toml")


@pytest.fixture(scope="module")
def columns():
    random = np.random.default_rng(7)
    start = np.datetime64("2026-01-01T00:00:00", "us")
    return {
        "timestamp": start + np.sort(random.integers(0, 30 * 86_400 * 10**6, ROWS)).astype("m8[us]"),
        "model": (random.integers(0, 20, ROWS).astype("u2"), ["llama-3.1-8b", "llama-3.1-70b"] * 10),
        "input_tokens": random.integers(1, 5000, ROWS).astype("u4"),
        "output_tokens": random.integers(1, 900, ROWS).astype("u4"),
    }


def test_scan_numpy_one_million_rows(benchmark, columns) -> None:
    ledger = benchmark(wl.scan, columns, input_timezone="UTC", threads=1)
    assert ledger.describe()["input_tokens"] == int(columns["input_tokens"].sum(dtype="u8"))


def test_scan_the_demos_jsonl_gz(benchmark) -> None:
    ledger = benchmark(wl.scan, DEMO / "requests.jsonl.gz")
    assert ledger.describe()["output_tokens"] == 4_088_665 + 245_896


def test_estimate_the_demo(benchmark, fleet) -> None:
    ledger = wl.scan(DEMO / "requests.jsonl.gz", fleet=fleet)
    estimate = benchmark(ledger.estimate, fleet)
    assert estimate.totals["requests"] == 28_185


def test_annotate_one_million_rows(benchmark, columns) -> None:
    fleet = wl.Fleet.default()
    points = wl.scan(columns, input_timezone="UTC")
    kept = {"columns": ["facility_kwh"], "operating_points": points, "input_timezone": "UTC"}
    rows = benchmark.pedantic(wl.annotate, (columns, fleet), kept, rounds=3)
    whole = points.estimate(fleet).totals["facility_kwh"]
    assert abs(rows["facility_kwh"].sum() / whole - 1) < 1e-9


def test_annotate_one_million_rows_again_into_own_columns(benchmark, columns) -> None:
    fleet = wl.Fleet.default()
    points = wl.scan(columns, input_timezone="UTC")
    annotator = wl.Annotator(fleet, points, columns=["facility_kwh"], input_timezone="UTC", threads=1)
    out = annotator(columns)
    rows = benchmark(annotator, columns, out=out)
    whole = points.estimate(fleet).totals["facility_kwh"]
    assert abs(rows["facility_kwh"].sum() / whole - 1) < 1e-9


def test_one_request_of_a_kind_that_was_asked_for(benchmark) -> None:
    one = benchmark(wl.request, model="llama-3.1-8b", output_tokens=500)
    assert one["facility_kwh"] > 0


def test_one_request_of_a_new_kind(benchmark) -> None:
    one = benchmark(lambda: wl.Fleet.default().request(model="llama-3.1-8b", output_tokens=500))
    assert one["facility_kwh"] > 0


def test_one_request_with_its_chain(benchmark) -> None:
    one = benchmark(lambda: wl.request(model="llama-3.1-8b", output_tokens=500).to_json())
    assert "facility_kwh" in one


def test_the_demos_ledger_at_a_second_site(benchmark, fleet) -> None:
    """Fleet file to estimate: another place, another cooling system, the same ledger."""
    ledger = wl.scan(DEMO / "requests.jsonl.gz", fleet=fleet)
    text = (DEMO / "fleet.toml").read_text(encoding="utf-8")
    moved = text.replace("aws/us-east-1", "gcp/asia-southeast1").replace(
        "airside-economiser-evaporative", "water-chiller"
    )
    estimate = benchmark(lambda: ledger.estimate(wl.Fleet.parse(moved)))
    assert estimate.sites[0]["pue"] > ledger.estimate(fleet).sites[0]["pue"]


def test_annotate_one_million_rows_with_hourly_factors(benchmark, columns) -> None:
    site = '[site.here]\ncatalog = "gcp/asia-southeast1"\ncooling = "water-chiller"\n'
    one = '[[deployment]]\nname = "{0}"\nmodel = "{0}"\nhardware = "h100"\nsite = "here"\n'
    fleet = wl.Fleet.parse(one.format("llama-3.1-8b") + one.format("llama-3.1-70b") + site)
    points = wl.scan(columns, input_timezone="UTC")
    kept = {"columns": ["facility_kwh"], "operating_points": points, "input_timezone": "UTC"}
    rows = benchmark.pedantic(wl.annotate, (columns, fleet), kept, rounds=3)
    whole = points.estimate(fleet).totals["facility_kwh"]
    assert abs(rows["facility_kwh"].sum() / whole - 1) < 1e-9


def test_a_site_through_a_year(benchmark) -> None:
    hours = benchmark(wl.site_hours, "gcp/us-south1", year=2022, cooling="water-chiller-economiser")
    assert len(hours) == 8760
