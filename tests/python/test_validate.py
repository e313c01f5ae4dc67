"""`validate`: the report in Python, on the command line, and the fit behind its parameters."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import wattledger as wl
from test_cli import run, tool_named

ROOT = Path(__file__).parent.parent.parent
BUNDLED = ROOT / "data" / "measurements" / "image-video.csv"
HEAD = "model,gpu,height,width,denoising_steps,energy_per_generation_j\n"


def measured(folder: Path, lines: str) -> str:
    path = folder / "measured.csv"
    path.write_text(HEAD + lines, encoding="utf-8")
    return str(path)


def test_the_report_has_the_parts_of_the_contract() -> None:
    report = wl.validate("image-video", BUNDLED)
    assert set(report) == {"kind", "parameter_set", "summary", "ecologits", "groups", "rows"}
    assert len(report["rows"]) == report["summary"]["n"] == 1138
    assert report["summary"]["median_ape"] == pytest.approx(0.0718, abs=5e-4)
    assert report["groups"]["gpu=H100"]["n"] == 547
    medians = [group["median_ape"] or 0 for group in report["groups"].values()]
    assert medians == sorted(medians, reverse=True)
    row = report["rows"][0]
    assert (row["row_id"], row["quantity"], row["unit"]) == ("g0000", "energy_per_generation", "J")
    assert row["measured"] is not None
    assert row["predicted"] is not None
    assert row["low"] is not None
    assert row["high"] is not None
    assert row["low"] < row["predicted"] < row["high"]
    assert row["ratio"] == pytest.approx(row["predicted"] / row["measured"])


def test_a_row_without_an_estimate_stays_with_its_reason(tmp_path: Path) -> None:
    path = measured(tmp_path, "sdxl-turbo,H100,512,512,25,300\nsdxl-turbo,Abacus,512,512,25,300\n")
    report = wl.validate("image-video", path)
    assert [row["predicted"] is None for row in report["rows"]] == [False, True]
    assert report["rows"][1]["reason"] == "unknown hardware: `Abacus`"
    assert (report["summary"]["rows"], report["summary"]["n"]) == (2, 1)


def test_a_file_that_cannot_be_understood_says_where(tmp_path: Path) -> None:
    report = wl.validate("image-video", measured(tmp_path, "sdxl-turbo,H100,tall,512,25,300\n"))
    assert report["rows"][0]["reason"] == "line 2: `height` is `tall`, expected a number from 1 to 1000000"
    with pytest.raises(wl.InputNotFoundError):
        wl.validate("image-video", tmp_path / "none.csv")
    with pytest.raises(wl.InputError, match="expected inference or image-video"):
        wl.validate("cooking", BUNDLED)


def test_the_command_gives_json_and_a_table(tmp_path: Path) -> None:
    path = measured(tmp_path, "sdxl-turbo,H100,512,512,25,300\n" * 2 + "sdxl-turbo,Abacus,512,512,25,300\n")
    done = run("validate", "image-video", path)
    assert done.returncode == 0
    assert json.loads(done.stdout) == wl.validate("image-video", path)
    table = run("validate", "image-video", path, "--table", COLUMNS="100", NO_COLOR="1").stdout
    assert max(map(len, table.splitlines())) <= 100
    for word in ("all", "gpu=H100", "median", "sdxl-turbo", "estimate", "no estimate", "Abacus", "diffusion-2026.11"):
        assert word in table
    whole = run("validate", "image-video", str(BUNDLED), "--table", COLUMNS="80", NO_COLOR="1")
    assert whole.returncode == 0
    assert max(map(len, whole.stdout.splitlines())) <= 80
    assert "1,078 more" in whole.stdout
    summary = next(line.split() for line in whole.stdout.splitlines() if line.strip().startswith("all "))
    assert summary[1:4] == ["1,138", "7.2%", "19.0%"]


def test_the_command_ends_with_the_code_of_the_contract(tmp_path: Path) -> None:
    assert run("validate", "cooking", str(BUNDLED)).returncode == 2
    assert run("validate", "image-video").returncode == 2
    assert run("validate", "image-video", str(tmp_path / "none.csv")).returncode == 1
    assert run("validate", "image-video", measured(tmp_path, "sdxl-turbo,H100,tall,512,25,300\n")).returncode == 0
    shown = run("validate", "--help").stdout
    assert "image-video" in shown
    assert "training" in shown


def test_the_shipped_parameters_are_what_the_fit_gives() -> None:
    pytest.importorskip("scipy", reason="the fit needs scipy: pip install -r requirements/fit.txt")
    tool = tool_named("fit_diffusion")
    given, shipped = (
        list(csv.DictReader(text.splitlines()))
        for text in (tool.parameters(), tool.PARAMETERS.read_text(encoding="utf-8"))
    )
    for mine, theirs in zip(given, shipped, strict=True):
        if theirs["low"]:  # fitted: the last digit may differ between machines
            assert float(mine.pop("value")) == pytest.approx(float(theirs.pop("value")), rel=0.01)
            assert float(mine.pop("sigma")) == pytest.approx(float(theirs.pop("sigma")), rel=0.2)
        assert mine == theirs


def test_the_shipped_set_is_what_the_fit_of_inference_gives() -> None:
    pytest.importorskip("scipy", reason="the fit needs scipy: pip install -r requirements/fit.txt")
    tool = tool_named("fit_inference")
    data = tool.Data(str(ROOT / "data" / "measurements" / "inference.csv"))
    fresh = data.fresh()
    shipped = {key: value for key, value, *_ in fresh.parameters}
    tool.at_priors(fresh)
    found = tool.fit(fresh, tool.free_parameters(fresh), data.steady, tool.Options())
    assert len(found) > 20
    # From its priors the fit comes back to what is shipped, on any machine.
    for key, value in found.items():
        assert value == pytest.approx(shipped[key], rel=0.02), key


def test_pages_quote_the_cross_validation() -> None:
    with (ROOT / "data" / "measurements" / "inference-cross-validation.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["rows"]: row for row in csv.DictReader(file)}

    def said(name: str, *columns: str) -> list[str]:
        return [f"{100 * abs(float(rows[name][column])):.1f}" for column in columns]

    pages = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/method/inference.md")}
    everything = said("cross-validated by model group, energy", "median_ape", "p90_ape", "bias")
    text = said("text only", "median_ape", "p90_ape")
    for figure in (everything[0], text[0]):
        assert f"{figure} %" in pages["README.md"]
    for figure in (*everything, *text, *said("H100 fitted, B200 never seen", "median_ape")):
        assert figure in pages["docs/method/inference.md"], figure
    for name in ("B200 fitted, H100 never seen", "metered at the middle load, the rest"):
        assert f"{said(name, 'median_ape')[0]} %" in pages["docs/method/inference.md"], name
