"""The script that measures a GPU, as far as it needs none: shapes, derivation from synthetic rows, files."""

import importlib.util
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TOOL = Path(__file__).parent.parent.parent / "tools" / "measure_gpu.py"
TRUTH = {"phi0": 0.25, "k_b": 0.65, "k_kv": 0.7, "k_f": 1.1}
REACHED = {"gemv": 0.8, "decode_attention": 0.85, "prefill_gemm": 0.65, "decode_gemm": 0.5}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("measure_gpu", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["measure_gpu"] = module
    spec.loader.exec_module(module)
    return module


def synthetic(tool: ModuleType, sheet: Any) -> list[Any]:
    """Rows of a device that is exactly as the method says."""
    rows = [
        tool.Row(kind, kind, seconds=10.0, power_w=watts)
        for kind, watts in (("idle_bare", 70.0), ("idle_context", 120.0))
    ]
    for shape in tool.shapes():
        row = tool.Row(shape.name, **asdict(shape))
        bound = max((shape.weight_bytes + shape.kv_bytes) / sheet.bandwidth, shape.flop / sheet.peak)
        if shape.kind.endswith("gemm"):
            bound = shape.flop / sheet.peak
        row.launches = 1000
        row.busy_seconds = row.launches * bound / REACHED[shape.kind]
        row.seconds = row.busy_seconds / shape.duty
        loads = dict(zip(("k_b", "k_kv", "k_f"), tool.loads(row, sheet), strict=True))
        row.power_w = sheet.tdp * (TRUTH["phi0"] + sum(TRUTH[name] * load for name, load in loads.items()))
        row.energy_j, row.power_limit_w = row.power_w * row.seconds, sheet.tdp
        rows.append(row)
    return rows


def test_the_parameters_of_a_synthetic_device_come_back(tool: ModuleType) -> None:
    sheet = tool.Datasheet(700.0, 3.35e12, 989.4e12)
    found = tool.derive(synthetic(tool, sheet), sheet)
    for name, value in TRUTH.items():
        assert found[name] == pytest.approx(value, rel=1e-6)
    assert found["eta_w"] == pytest.approx(0.8)
    assert found["eta_kv"] == pytest.approx(0.85)
    assert found["eta_p"] == pytest.approx(0.65)
    assert found["eta_c"] == pytest.approx(0.5)
    assert found["idle_context_w"] == 120.0
    assert found["residual_p90"] < 1e-9
    assert "phi0" in tool.summary(found)


def test_shapes_are_a_transformers(tool: ModuleType) -> None:
    shapes = tool.shapes()
    assert {shape.kind for shape in shapes} == set(REACHED)
    assert len({shape.name for shape in shapes}) == len(shapes)
    gemv = tool.Shape("gemv", 1, 8192, 4096)
    assert (gemv.flop, gemv.weight_bytes, gemv.kv_bytes) == (2 * 8192 * 4096, 2 * 8192 * 4096, 0)
    attention = tool.Shape("decode_attention", batch=2, context=1024, heads=32, kv_heads=8)
    assert attention.flop == 4 * 2 * 1024 * 32 * 128
    assert attention.kv_bytes == 2 * 2 * 1024 * 8 * 128 * 2
    # What fits an accelerator of 40 GB, copies beyond the cache included.
    for shape in shapes:
        copies = max(2, min(64, -(-tool.BEYOND_CACHE // (shape.weight_bytes + shape.kv_bytes))))
        assert copies * (shape.weight_bytes + shape.kv_bytes) < 30e9


def test_files_keep_rows_with_their_provenance(tool: ModuleType, tmp_path: Path) -> None:
    rows = synthetic(tool, tool.Datasheet(700.0, 3.35e12, 989.4e12))
    path = tmp_path / "gpu.csv"
    tool.write(path, rows)
    assert tool.read(path) == rows
    header, first = path.read_text(encoding="utf-8").splitlines()[:2]
    assert header.endswith("source,retrieved,licence,quality")
    assert first.endswith("facts,measured")


def test_readings_between_ticks_make_a_row(tool: ModuleType) -> None:
    states = [(1980, 2619, 50, 0), (1800, 2619, 60, 4)]
    row = tool.filled(tool.Row("x", "gemv"), states, (100.0, 5.0), (2200.0, 8.0), {"gpu": "H100"})
    assert (row.power_w, row.sm_clock_mhz, row.temperature_c, row.throttled, row.gpu) == (
        700.0,
        1890,
        55,
        "0x4",
        "H100",
    )


def test_the_command_needs_no_gpu_to_list_and_to_summarise(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(["--list"]) == 0
    assert "prefill_gemm-m8192" in capsys.readouterr().out
    path = tmp_path / "gpu.csv"
    tool.write(path, synthetic(tool, tool.Datasheet.of("h100-sxm5-80gb")))
    assert tool.main(["--summarise", str(path), "--hardware", "h100-sxm5-80gb"]) == 0
    assert "k_kv                   0.7" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        tool.main(["-o", str(path), "--seconds", "1"])


def test_the_docstring_says_that_no_hardware_has_seen_it(tool: ModuleType) -> None:
    assert "NOT RUN ON HARDWARE YET" in (tool.__doc__ or "")
