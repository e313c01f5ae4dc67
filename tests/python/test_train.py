"""Training runs through the library and the command."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import wattledger as wl
from test_cli import run

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "demo" / "train.toml"
SITE = {"pue": 1.2, "carbon_direct_g_per_kwh": 400}


def test_a_run_of_one_phase_is_a_call() -> None:
    one = wl.train(hardware="h100", accelerator_hours=1000, power_w=600, site=SITE, purchase_year=2024)
    assert one.totals["training_kwh"] == pytest.approx(600)
    assert one.totals["it_kwh"] == pytest.approx(810)
    assert one.totals["facility_kwh"] == pytest.approx(972)
    assert one.totals["co2e_location_g"] == pytest.approx(972 * 400)
    ends = one.range("facility_kwh")
    assert ends is not None
    low, high = ends
    assert low < one.totals["facility_kwh"] < high
    document = one.to_dict()
    assert [row["activity"] for row in document["rows"]] == ["training"]
    assert document["embodied"][0]["purchase_year"] == 2024
    assert "equivalents" not in document
    assert {one["id"] for one in one.equivalents()} >= {"car-km", "household-day", "phone-charge"}
    assert repr(one) == "<wattledger.TrainingEstimate: run, 0.972 MWh at the facility>"


def test_tables_files_and_arguments_are_the_same_run(tmp_path: Path) -> None:
    phase: dict[str, Any] = {
        "accelerator_hours": 1000,
        "power_w": 600,
        "start": date(2024, 1, 1),
        "days": 3,
        "accelerators": 14,
    }
    tables = {"run": {"hardware": "h100", "site": "lab"}, "phase": [phase], "site": {"lab": SITE}}
    text = "[run]\nhardware = 'h100'\nsite = 'lab'\n[[phase]]\naccelerator_hours = 1000\npower_w = 600\n"
    text += "start = 2024-01-01\ndays = 3\naccelerators = 14\n[site.lab]\npue = 1.2\ncarbon_direct_g_per_kwh = 400\n"
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    totals = [wl.train(tables).totals, wl.train(path).totals, wl.train(hardware="h100", site=SITE, **phase).totals]
    assert totals[0] == totals[1] == totals[2]
    assert len(wl.train(path).by("hour")) == 72


def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(wl.FleetError, match="nothing says how much was done"):
        wl.train(hardware="h100")
    with pytest.raises(wl.FleetError, match="accelerator_hour"):
        wl.train(hardware="h100", accelerator_hour=5)
    with pytest.raises(wl.UnknownNameError):
        wl.train(hardware="h1000", accelerator_hours=5)
    with pytest.raises(wl.InputNotFoundError):
        wl.train(tmp_path / "none.toml")
    with pytest.raises(TypeError, match="a run of its own"):
        wl.train(DEMO, hardware="h100")
    with pytest.raises(wl.UnknownNameError, match="key to group"):
        wl.train(DEMO).by("week")


def test_training_stands_beside_inference() -> None:
    fleet = wl.Fleet.load(ROOT / "demo" / "fleet.toml")
    served = wl.scan(str(ROOT / "demo" / "requests.jsonl.gz"), fleet=fleet).estimate(fleet)
    one = wl.train(DEMO)
    rows = {row["column"]: row for row in one.beside(served)}
    energy = rows["facility_kwh"]
    assert energy["training"] == pytest.approx(one.totals["facility_kwh"])
    assert energy["inference"] == pytest.approx(served.totals["facility_kwh"])
    times = energy["training"] / energy["inference"]
    assert energy["break_even_output_tokens"] == pytest.approx(times * served.totals["output_tokens"])
    assert energy["training_share"] == pytest.approx(energy["training"] / (energy["training"] + energy["inference"]))
    assert one.totals["requests"] == 0, "nothing of inference is in it"
    assert served.totals["training_kwh"] == 0, "nor of training in inference"


def test_the_command(tmp_path: Path) -> None:
    done = run("train", str(DEMO))
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert {
        "run",
        "totals",
        "ranges",
        "rows",
        "phases",
        "factors",
        "tree",
        "assumptions",
        "provenance",
    } <= document.keys()
    assert "equivalents" not in document
    assert json.loads(run("train", str(DEMO), "--equivalents").stdout)["equivalents"]
    shown = run("train", str(DEMO), "--table", "--explain", "--equivalents", COLUMNS="100", NO_COLOR="1").stdout
    assert max(map(len, shown.splitlines())) <= 100
    for word in (
        "pretraining",
        "exploratory",
        "what it hangs on",
        "efficiency",
        "place",
        "as much as",
        "made of",
        "range",
    ):
        assert word in shown
    files = [tmp_path / f"run.{ending}" for ending in ("json", "csv", "parquet")]
    outputs = [part for path in files for part in ("-o", str(path))]
    assert run("train", str(DEMO), "--by", "phase,month", *outputs).returncode == 0
    assert [path.exists() for path in files] == [True] * 3
    csv = files[1].read_text(encoding="utf-8").splitlines()
    assert csv[0].startswith("phase,month,unallocated,requests")
    assert run("train", str(tmp_path / "none.toml")).returncode == 1
    assert run("train", str(DEMO), "--by", "week").returncode == 2


def test_estimates_say_what_their_machines_took_to_make() -> None:
    fleet = wl.Fleet.load(ROOT / "demo" / "fleet.toml")
    served = wl.scan(str(ROOT / "demo" / "requests.jsonl.gz"), fleet=fleet).estimate(fleet)
    made = served.embodied
    assert [one["of"] for one in made] == fleet.deployments
    for one in made:
        groups = sum(group["kgco2e"]["value"] for group in one["groups"])
        parts = sum(part["kgco2e"]["value"] for part in one["parts"])
        assert groups == pytest.approx(one["kgco2e"]["value"]) == pytest.approx(parts)
        assert sum(group["share"] for group in one["groups"]) == pytest.approx(1)
    assert sum(one["amortised_kgco2e"] for one in made) == pytest.approx(served.totals["co2e_embodied_g"] / 1000)


def test_published_runs_are_where_the_table_says() -> None:
    report = wl.validate("training", ROOT / "data" / "measurements" / "training-runs.csv")
    groups = report["groups"]
    rows = [row for row in report["rows"] if row["ratio"] is not None]
    off = {
        test: [abs((row["ratio"] or 0) - 1) for row in rows if row["slices"]["test"] == test]
        for test in ("accounting, watts given", "metered, watts given", "metered, watts predicted")
    }
    assert len(off["accounting, watts given"]) >= 12
    assert max(off["accounting, watts given"]) < 0.02
    assert len(off["metered, watts given"]) >= 25
    assert max(off["metered, watts given"]) < 0.05
    median = groups["test=metered, watts predicted"]["median_ape"]
    assert median is not None
    assert median < 0.25
    traps = {(row["row_id"], row["quantity"]) for row in report["rows"] if (row["reason"] or "").startswith("trap:")}
    assert traps >= {
        ("llama33-70b", "tco2e"),
        ("li-gpt3-water-us", "water_m3"),
        ("li-gpt3-water-virginia", "water_m3"),
        ("olmo-7b-lumi", "tco2e"),
        ("olmo-7b-lumi", "water_m3"),
    }
    trapped = [row for row in report["rows"] if (row["reason"] or "").startswith("trap:")]
    assert all(row["predicted"] is None for row in trapped), "told, not reproduced"
