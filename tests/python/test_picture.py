"""Images and videos through the public door: the same numbers as `validate`, laws, and refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import wattledger as wl
from hypothesis import given
from hypothesis import strategies as st
from test_cli import run

BUNDLED = Path(__file__).parents[2] / "data" / "measurements" / "image-video.csv"


def joules(one: wl.RequestEstimate) -> float:
    return (one["decode_kwh"] or 0.0) * 3.6e6


def test_a_picture_costs_what_validate_says_of_the_same_configuration() -> None:
    with BUNDLED.open(newline="", encoding="utf-8") as file:
        cells = {row["row_id"]: row for row in csv.DictReader(file)}
    fleet, compared = wl.Fleet.default(), 0
    for row in wl.validate("image-video", BUNDLED)["rows"]:
        cell = cells[row["row_id"]]
        # Rows whose shape is scaled, or whose devices form a ring, ask for more than a picture says.
        if row["slices"]["shape"] != "catalog" or float(cell["ring_degree"] or 1) > 1 or row["predicted"] is None:
            continue
        devices = float(cell["n_gpus"])
        if devices > 1 and float(cell["ulysses_degree"] or devices) != devices:
            continue
        gpu = "a100-sxm4-40gb" if cell["gpu"] == "A100" and "leaderboard-v2" in cell["source"] else cell["gpu"]
        one = fleet.picture(
            model=cell["model"],
            hardware=gpu,
            devices=devices,
            width_px=float(cell["width"]),
            height_px=float(cell["height"]),
            frames=float(cell["num_frames"] or 1),
            steps=float(cell["denoising_steps"]),
            batch=float(cell["batch_size"]),
            precision=cell["weight_precision"],
        )
        assert joules(one) == pytest.approx(row["predicted"], rel=1e-12), row["row_id"]
        low, high = (end * 3.6e6 for end in one.range("decode_kwh") or (0, 0))
        assert [low, high] == pytest.approx([row["low"], row["high"]], rel=1e-12)
        compared += 1
    assert compared > 300


@given(
    side=st.integers(32, 256),
    frames=st.integers(1, 120),
    steps=st.integers(1, 80),
    more=st.integers(1, 16),
    model=st.sampled_from(["flux.1-dev", "sdxl-turbo", "wan2.1-t2v-14b"]),
)
def test_more_pixels_steps_and_frames_never_cost_less(
    side: int, frames: int, steps: int, more: int, model: str
) -> None:
    def cost(side: int, frames: int, steps: int) -> float:
        return joules(wl.picture(model=model, width_px=8 * side, height_px=8 * side, frames=frames, steps=steps))

    base = cost(side, frames, steps)
    assert cost(side + more, frames, steps) >= base
    assert cost(side, frames + more, steps) >= base
    assert cost(side, frames, steps + more) > base


def test_the_command_shows_the_chain_of_a_picture() -> None:
    asked = ["explain", "--model", "flux.1-dev", "--hardware", "h100", "--site", "us-east-1", "--image", "1024x768"]
    one = json.loads(run(*asked, "--steps", "20", "--json").stdout)
    assert one["provenance"]["parameter_set"] == "diffusion-2026.11"
    assert one["values"]["facility_kwh"]["low"] < one["values"]["facility_kwh"]["value"]
    stages = {step["what"]: step["value"] for step in one["chain"]}
    assert stages["passes"] == 20
    assert {fact["what"] for fact in one["facts"]} >= {"denoiser_params", "eta_l", "tdp_w"}
    default = json.loads(run(*asked, "--json").stdout)
    assert any(note["what"] == "steps" for note in default["assumptions"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "llama-3.1-8b", "--image", "512x512"], "diffusion model"),
        (["--model", "flux.1-dev", "--image", "wide"], "expected 1024x768"),
        (["--model", "flux.1-dev", "--image", "1x1"], "width_px"),
        (["--model", "fluxx.1-dev", "--image", "512x512"], "fluxx.1-dev"),
    ],
)
def test_what_makes_no_picture_is_refused_with_the_way_out(words: list[str], said: str) -> None:
    done = run("explain", *words)
    assert done.returncode == 2
    assert said in done.stderr
