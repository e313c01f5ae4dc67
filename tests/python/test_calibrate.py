"""Calibration from Python and the shell, on small files of every kind."""

import csv
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import wattledger as wl
from test_cli import run as command

ROOT = Path(__file__).parent.parent.parent
START = 1_767_225_600
FLEET = """
[[deployment]]
name = "chat"
model = "llama-3.1-8b-instruct"
hardware = "h100-sxm5-80gb"
devices = 1
replicas = 1
"""
POINT = ["--gpu-power-w", "540", "--tokens-per-s", "3000", "--concurrency", "64"]
REQUEST = ["--input-tokens", "1000", "--output-tokens", "500"]


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return command(*words, NO_COLOR="1", COLUMNS="200", **environment)


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET, encoding="utf-8")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return an hour of requests, one every other second."""
    path = tmp_path / "log.csv"
    rows = [f"{START + 2 * i},llama-3.1-8b-instruct,1000,500,4\n" for i in range(1798)]
    path.write_text("timestamp,model,input_tokens,output_tokens,latency_s\n" + "".join(rows), encoding="utf-8")
    return path


def series(folder: Path, text: str, name: str = "power.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def watts(value: float, step: int = 30) -> str:
    return "timestamp,power_w\n" + "".join(f"{START + s},{value}\n" for s in range(0, 3601, step))


def test_a_point_prints_toml_that_the_fleet_file_takes(fleet: Path) -> None:
    done = run("calibrate", "--fleet", str(fleet), "--deployment", "chat", *POINT, *REQUEST)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('# into the [[deployment]] with name = "chat"\n')
    assert "metered 0.18 J an output token" in done.stderr
    assert "nine in ten after, within a factor 2 of this load: -13 % to +15 %" in done.stderr
    found = run("calibrate", "--fleet", str(fleet), *POINT, *REQUEST, "--json")
    document = json.loads(found.stdout)
    assert f"energy_scale = {document['energy_scale']:.6g}" in done.stdout
    fleet.write_text(FLEET + done.stdout, encoding="utf-8")
    again = json.loads(run("calibrate", "--fleet", str(fleet), *POINT, *REQUEST, "--json").stdout)
    assert again["energy_scale"] == document["energy_scale"]
    one = wl.Fleet.load(fleet).request(deployment="chat", input_tokens=1000, output_tokens=500, concurrency=64)
    assert (one["prefill_kwh"] + one["decode_kwh"]) * 3.6e6 / 500 == pytest.approx(0.18, rel=1e-5)  # type: ignore[operator]
    assert one.to_dict()["values"]["replica_seconds"]["value"] == pytest.approx(500 / 3000, rel=1e-5)


def test_what_is_not_stated_is_said(fleet: Path) -> None:
    done = run("calibrate", "--fleet", str(fleet), "--kwh", "2", "--total-output-tokens", "1e7", "--hours", "12")
    assert done.returncode == 0, done.stderr
    assert "assumed: concurrency" in done.stderr
    assert "assumed: input tokens 1000" in done.stderr
    assert "waiting accelerators were taken off" in done.stderr
    assert "time_scale" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give one of"),
        (["--gpu-power-w", "540"], "incomplete"),
        (["--gpu-power-w", "540", "--engine", "x"], "give one of"),
        (["--gpu-power-w", "5400", "--tokens-per-s", "3000"], "rated for"),
        (["--gpu-power-w", "540", "--tokens-per-s", "1"], "metered over estimated"),
        (["log.csv", *POINT], "needs no file"),
        (["--power", "power.csv"], "log or ledger"),
        (["--engine", "x"], "one file of measurements"),
    ],
)
def test_usage_is_explained(fleet: Path, words: list[str], said: str) -> None:
    done = run("calibrate", "--fleet", str(fleet), *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout


def smi(value: float) -> str:
    times = (datetime.fromtimestamp(START + s, UTC) for s in range(0, 3601, 5))
    lines = [f"{time:%Y/%m/%d %H:%M:%S}.000, 0, {value:.2f} W\n" for time in times]
    return "timestamp, index, power.draw [W]\n" + "".join(lines)


def response(metric: str, value: float, slope: float = 0.0) -> str:
    values = [[START + s, f"{value + slope * s}"] for s in range(0, 3601, 15)]
    stream = {"metric": {"__name__": metric, "gpu": "0", "Hostname": "n1"}, "values": values}
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [stream]}})


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (watts(450), []),
        (smi(450), ["--power-timezone", "UTC"]),
        (response("DCGM_FI_DEV_POWER_USAGE", 450), []),
        (response("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 9e11, 450_000), []),
    ],
)
def test_every_source_of_power_gives_the_same_scale(
    fleet: Path, log: Path, tmp_path: Path, text: str, options: list[str]
) -> None:
    path = series(tmp_path, text)
    done = run("calibrate", str(log), "--fleet", str(fleet), "--power", path, "--json", *options)
    assert done.returncode == 0, done.stderr
    one = json.loads(done.stdout)["deployments"][0]
    assert one["bins_used"] == 12
    assert one["metered_kwh"] == pytest.approx(0.45, rel=1e-9)
    plain = wl.calibrate_series(str(log), wl.Fleet.load(fleet), power=series(tmp_path, watts(450), "plain.csv"))
    assert one["energy_scale"] == pytest.approx(plain["deployments"][0]["energy_scale"], rel=1e-9)


def test_the_estimate_with_the_scale_is_what_was_metered(fleet: Path, log: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "log.parquet"
    assert run("ledger", str(log), "--fleet", str(fleet), "--bin", "300", "-o", str(ledger)).returncode == 0
    scales = tmp_path / "scales.toml"
    words = [str(ledger), "--fleet", str(fleet), "--power", series(tmp_path, watts(450)), "-o", str(scales)]
    done = run("calibrate", *words)
    assert done.returncode == 0, done.stderr
    assert not done.stdout
    # What is written is the whole fleet file.
    fleet.write_text(scales.read_text(encoding="utf-8"), encoding="utf-8")
    totals = wl.Ledger.read(ledger).estimate(wl.Fleet.load(fleet)).totals
    assert sum(totals[f"{part}_kwh"] for part in ("prefill", "decode", "idle")) == pytest.approx(0.45, rel=1e-5)


def test_a_series_split_into_files_is_the_series(fleet: Path, log: Path, tmp_path: Path) -> None:
    lines = watts(450).splitlines(keepends=True)
    parts = [series(tmp_path, lines[0] + "".join(lines[1 + i :: 3]), f"{i}.csv") for i in range(3)]
    ledger = wl.scan(log, bin_seconds=300)
    split = wl.calibrate_series(ledger, wl.Fleet.load(fleet), power=parts)
    whole = wl.calibrate_series(ledger, wl.Fleet.load(fleet), power=series(tmp_path, "".join(lines)))
    assert split["deployments"] == whole["deployments"]


def test_a_bad_series_is_refused_with_its_place(fleet: Path, log: Path, tmp_path: Path) -> None:
    path = series(tmp_path, watts(450) + "1767229500,-3\n")
    done = run("calibrate", str(log), "--fleet", str(fleet), "--power", path)
    assert done.returncode == 1
    assert "line 123, power_w: -3 is below zero" in done.stderr
    assert "hint:" in done.stderr
    node = series(tmp_path, watts(2100), "node.csv")
    done = run("calibrate", str(log), "--fleet", str(fleet), "--power", node)
    assert done.returncode == 2
    assert "whole servers" in done.stderr


def measurements(folder: Path, engine: str, change: float = 1.0) -> str:
    """Rows of the base engine on H100 under another name, their energy and time changed by a factor."""
    with (ROOT / "data" / "measurements" / "inference.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["serving_stack"] == "vllm-0.11.1" and row["gpu"] == "H100"]
    rows = [row for row in rows if row["architecture"] == "dense" and row["weight_precision"] == "bfloat16"][:12]
    path = folder / "measured.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        for row in rows:
            energy = float(row["energy_per_output_token_j"]) * change
            rate = float(row["output_tokens_per_s"]) / change
            changed = {"energy_per_output_token_j": str(energy), "output_tokens_per_s": str(rate)}
            out.writerow({**row, "serving_stack": engine, **changed})
    return str(path)


def fitted(path: str, engine: str) -> dict[str, Any]:
    pytest.importorskip("scipy")
    return wl.calibrate_engine(path, engine)


def test_a_profile_is_fitted_and_taken_by_a_fleet_file(tmp_path: Path) -> None:
    found = fitted(measurements(tmp_path, "mine-1.2", change=1.4), "mine-1.2")
    assert found["rows"] == 12
    errors = {key: value["energy"]["median_ape"] for key, value in found["errors"].items()}
    assert errors["after"] < errors["left_out"] < errors["before"]
    assert all(key.startswith("V12/stack/mine-1.2/hopper/") for key in found["values"])
    text = FLEET + 'engine = "mine-1.2"\n' + found["toml"]
    mine = wl.Fleet.parse(text).request(deployment="chat", output_tokens=500, concurrency=16)
    base = wl.Fleet.parse(FLEET).request(deployment="chat", output_tokens=500, concurrency=16)
    assert mine["decode_kwh"] > base["decode_kwh"]  # type: ignore[operator]
    facts = {fact["what"]: fact for fact in mine.to_dict()["facts"] if "mine-1.2" in fact["place"]}
    assert facts["q"]["quality"] == "measured"
    assert facts["eta_w"]["quality"] != "measured"


def test_the_command_writes_the_profile(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    output = tmp_path / "profile.toml"
    done = run("calibrate", measurements(tmp_path, "mine-1.2"), "--engine", "mine-1.2", "-o", str(output))
    assert done.returncode == 0, done.stderr
    assert "median error left out: energy" in done.stderr
    text = output.read_text(encoding="utf-8")
    assert 1 <= text.count("[[parameter]]") < 9
    assert "t_moe" not in text  # dense models say nothing about experts


def test_profiles_that_cannot_be_fitted_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    path = Path(measurements(tmp_path, "mine-1.2"))
    with pytest.raises(wl.InputError, match="serving_stack"):
        wl.calibrate_engine(path, "other")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:3]), encoding="utf-8")
    with pytest.raises(wl.InputError, match=r"2 rows of `mine-1\.2` can be used"):
        wl.calibrate_engine(path, "mine-1.2")


def test_without_scipy_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(wl.MissingExtraError, match=r"wattledger\[fit\]"):
        wl.calibrate_engine(tmp_path / "none.csv", "mine-1.2")
