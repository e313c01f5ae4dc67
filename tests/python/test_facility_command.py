"""Sites by the hour through the command and the library: files, pictures, published figures, series in Parquet."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pandas as pd
import pytest
import wattledger as wl
from test_cli import run

ROOT = Path(__file__).parent.parent.parent
PUBLISHED = ROOT / "data" / "measurements" / "facility.csv"


def test_the_command_gives_json_a_table_and_hours(tmp_path: Path) -> None:
    path = tmp_path / "hours.csv"
    words = ["facility", "us-east-1", "gcp/us-south1", "--year", "2022", "-o", str(path)]
    sites = json.loads(run(*words).stdout)["sites"]
    assert [site["site"] for site in sites] == ["us-east-1", "gcp/us-south1"]
    assert sites[1]["carbon_levels"] == {"zone-hour": 8760}
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert len(rows) == 2 * 8760
    mine = [float(row["cue_g_per_kwh"]) for row in rows if row["site"] == "gcp/us-south1"]
    assert sum(mine) / len(mine) == pytest.approx(sites[1]["cue_g_per_kwh"])
    assert "plausible systems" in run(*words, "--table").stdout
    told = {note["what"] for note in sites[0]["assumptions"]}
    assert {"weather", "weather and grid"} <= told, "a typical year beside hours of a grid is said"


def test_what_the_command_cannot_do_it_says(tmp_path: Path) -> None:
    for words, code, said in (
        (["us-eest-1"], 2, "eu-west-1"),
        (["us-east-1", "--cooling", "water-chiler"], 2, "water-chiller"),
        (["us-east-1", "--year", "1066"], 2, "1950 to 2150"),
        (["us-east-1", "-o", str(tmp_path / "hours.txt")], 2, ".csv"),
    ):
        done = run("facility", *words)
        assert said in done.stderr, (words, done.stderr)
        assert done.returncode == code, words
    assert not list(tmp_path.iterdir())


def test_a_picture_is_drawn_where_the_extra_is_there(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert", reason="pictures need the extra: pip install 'wattledger[plot]'")
    path = tmp_path / "hours.svg"
    assert run("facility", "gcp/us-south1", "--year", "2022", "-o", str(path)).returncode == 0
    drawn = path.read_text(encoding="utf-8")
    assert drawn.startswith("<svg") and "PUE" in drawn  # noqa: PT018 - one picture


def test_published_figures_lie_where_the_pages_say(tmp_path: Path) -> None:
    def group(path: Path, name: str) -> dict[str, float]:
        found: dict[str, float] = json.loads(run("validate", "facility", str(path)).stdout)["groups"][name]
        return found

    pue, water = (group(PUBLISHED, f"quantity={quantity}") for quantity in ("pue", "wue"))
    assert pue["n"] > 50
    assert pue["mean_absolute_error"] <= 0.035
    assert water["mean_absolute_error"] <= 0.15
    rows = list(csv.DictReader(io.StringIO(PUBLISHED.read_text(encoding="utf-8"))))
    withheld = tmp_path / "withheld.csv"
    pd.DataFrame(rows).assign(cooling_system="").to_csv(withheld, index=False)
    unknown = group(withheld, "quantity=pue")
    assert unknown["coverage"] >= 0.8
    assert unknown["interval_width"] < 0.25


def test_rows_that_cannot_be_estimated_stay_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "year,pue,wue_l_per_kwh,cooling_system,lat,lon,weather_site\n"
        "2023,1.3,,D,1.35,103.8,\n2023,1.3,,K,1.35,103.8,\n2023,1.3,,d,,,singapore-sg\n2023,1.3,,,0,-160,\n"
        "2023,0.5,,D,1.35,103.8,\n,1.3,,D,1.35,103.8,\n",
        encoding="utf-8",
    )
    rows = wl.validate("facility", path)["rows"]
    reasons = [row["reason"] for row in rows]
    assert reasons[0] is None
    assert reasons[1] == "`cooling_system` is `K`, no system"
    assert reasons[2] is None
    assert reasons[3] == "no weather station within 500 km"
    assert reasons[4] is not None
    assert "expected a number from 1 to 5" in reasons[4]
    assert reasons[5] == "`year` is empty, or no whole number"
    assert rows[0]["predicted"] == rows[2]["predicted"]


def site_of(folder: Path, name: str) -> str:
    path = folder / "fleet.toml"
    path.write_text(f'[site.x]\nseries = "{name}"\npue = 1.0\nwue_l_per_kwh = 0\n', encoding="utf-8")
    return str(path)


def test_a_series_in_parquet_says_what_it_says_in_csv(tmp_path: Path) -> None:
    hours = pd.date_range("2024-03-01", periods=48, freq="h", tz="UTC")
    table = pd.DataFrame({"hour_utc": hours, "carbon_direct_g_per_kwh": [200.0 + i for i in range(48)]})
    table.to_parquet(tmp_path / "grid.parquet", index=False)
    table.to_csv(tmp_path / "grid.csv", index=False)
    found = []
    for name in ("grid.parquet", "grid.csv"):
        fleet = wl.Fleet.load(site_of(tmp_path, name))
        one = fleet.request(model="llama-3.1-8b", site="x", output_tokens=500, at="2024-03-02T05:30Z")
        carbon, energy = one["co2e_location_g"], one["facility_kwh"]
        assert carbon is not None
        assert energy is not None
        found.append(carbon / energy)
    assert found == pytest.approx([229.0, 229.0])
    moment = dt.datetime(2024, 3, 2, 5, 30, tzinfo=dt.UTC)
    again = fleet.request(model="llama-3.1-8b", site="x", output_tokens=500, at=moment)
    assert again["co2e_location_g"] == one["co2e_location_g"]


def test_a_damaged_parquet_series_is_an_error_and_no_panic(tmp_path: Path) -> None:
    hours = pd.date_range("2024-03-01", periods=480, freq="h", tz="UTC")
    pd.DataFrame({"hour_utc": hours, "pue": 1.2}).to_parquet(tmp_path / "s.parquet", index=False)
    whole = (tmp_path / "s.parquet").read_bytes()
    for at in range(4, len(whole), 211):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        (tmp_path / "s.parquet").write_bytes(bytes(damaged))
        try:
            wl.Fleet.load(site_of(tmp_path, "s.parquet"))
        except wl.FleetError as error:
            assert "s.parquet" in str(error)  # noqa: PT017 - some bytes may be damaged without harm
