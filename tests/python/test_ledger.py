"""Published traces to exact ledgers, whatever they are stored as."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import wattledger as wl

#: Requests, input and output tokens of the Azure 2023 traces.
SUMS = {
    "conv": (19_366, 22_361_870, 4_088_665),
    "code": (8_819, 18_059_974, 245_896),
}
NO_MODEL = {"model": None}


def source(azure: Path, name: str) -> Path:
    return azure / f"AzureLLMInferenceTrace_{name}.csv"


def records(azure: Path, name: str) -> list[dict[str, str | int]]:
    with source(azure, name).open(newline="") as file:
        return [
            {
                "timestamp": row["TIMESTAMP"].replace(" ", "T") + "Z",
                "input_tokens": int(row["ContextTokens"]),
                "output_tokens": int(row["GeneratedTokens"]),
            }
            for row in csv.DictReader(file)
        ]


def jsonl(rows: list[dict[str, str | int]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def table(rows: list[dict[str, str | int]]) -> pa.Table:
    """Rows with times in microseconds: the seventh digit of the trace is below what a ledger keeps."""
    micros = [str(row["timestamp"])[:26] for row in rows]
    return pa.table(
        {
            "timestamp": pa.array(np.array(micros, "M8[us]"), pa.timestamp("us", "UTC")),
            "input_tokens": [row["input_tokens"] for row in rows],
            "output_tokens": [row["output_tokens"] for row in rows],
        }
    )


@pytest.mark.parametrize("name", SUMS)
def test_azure_traces_add_up_exactly_without_any_setting(azure: Path, name: str) -> None:
    ledger = wl.scan(source(azure, name))
    described = ledger.describe()
    assert (described["requests"], described["input_tokens"], described["output_tokens"]) == SUMS[name]
    coverage = ledger.coverage
    assert coverage["events_in"] == coverage["counted"] == SUMS[name][0]
    assert coverage["rejected"] == 0
    assert described["cached_tokens"] == described["requests_with_latency"] == described["requests_without_time"] == 0


@pytest.mark.parametrize("name", SUMS)
def test_the_moments_of_azure_traces_are_those_that_integers_give(azure: Path, name: str) -> None:
    rows = records(azure, name)
    moments = [row for row in pa.table(wl.scan(source(azure, name))).to_pylist() if row["family"] == "moments"]
    pairs = [(int(row["input_tokens"]), int(row["output_tokens"])) for row in rows]
    expected = {
        "input_tokens_squared": sum(i * i for i, _ in pairs),
        "input_tokens_x_output_tokens": sum(i * o for i, o in pairs),
        "output_tokens_squared": sum(o * o for _, o in pairs),
    }
    assert {column: sum(int(row[column]) for row in moments) for column in expected} == expected


@pytest.mark.parametrize("name", SUMS)
def test_azure_traces_give_the_same_ledger_in_every_encoding(azure: Path, tmp_path: Path, name: str) -> None:
    rows = records(azure, name)
    arrow = table(rows)
    text = jsonl(rows)
    (tmp_path / "log.jsonl").write_bytes(text)
    (tmp_path / "log.jsonl.gz").write_bytes(gzip.compress(text))
    (tmp_path / "log.jsonl.zst").write_bytes(pa.compress(text, codec="zstd", asbytes=True))
    pq.write_table(arrow, tmp_path / "log.parquet", row_group_size=3000)
    columns = {name: arrow[name].to_numpy() for name in ("input_tokens", "output_tokens")}
    ledger = wl.scan(source(azure, name))
    others = {
        "jsonl": wl.scan(tmp_path / "log.jsonl", map=NO_MODEL),
        "gzip": wl.scan(tmp_path / "log.jsonl.gz", map=NO_MODEL),
        "zstd": wl.scan(tmp_path / "log.jsonl.zst", map=NO_MODEL),
        "parquet": wl.scan(tmp_path / "log.parquet", map=NO_MODEL),
        "arrow": wl.scan(arrow, map=NO_MODEL),
        "polars": wl.scan(pl.from_arrow(arrow), map=NO_MODEL),
        "numpy epochs": wl.scan({"timestamp": arrow["timestamp"].cast("i8").to_numpy(), **columns}, map=NO_MODEL),
        "numpy times": wl.scan(
            {"timestamp": arrow["timestamp"].to_numpy().astype("M8[us]"), **columns},
            map=NO_MODEL,
            input_timezone="UTC",
        ),
    }
    assert {kind: other == ledger for kind, other in others.items()} == dict.fromkeys(others, True)


def test_a_ledger_of_both_traces_is_the_sum_of_theirs(azure: Path, tmp_path: Path) -> None:
    both = wl.scan([source(azure, "conv"), source(azure, "code")])
    parts = [wl.scan(source(azure, name)) for name in SUMS]
    assert wl.merge(parts) == both == wl.merge(parts[::-1])
    both.write(tmp_path / "both.parquet")
    assert wl.Ledger.read(tmp_path / "both.parquet") == both == wl.scan(tmp_path / "both.parquet")
    assert both.describe()["input_tokens"] == sum(tokens for _, tokens, _ in SUMS.values())


def test_the_bundled_requests_are_those_of_both_traces() -> None:
    made = pa.table(wl.scan(Path(__file__).parent.parent.parent / "demo" / "requests.jsonl.gz"))
    moments = made.filter(pa.compute.equal(made["family"], "moments")).to_pylist()
    models = ("meta-llama/Llama-3.1-70B-Instruct", "Qwen/Qwen2.5-Coder-32B-Instruct")
    for model, sums in zip(models, SUMS.values(), strict=True):
        rows = [row for row in moments if row["model"] == model]
        assert tuple(sum(row[name] for row in rows) for name in ("requests", "input_tokens", "output_tokens")) == sums


def test_a_ledger_without_occupancy_says_so_and_does_not_mix() -> None:
    log = {
        "timestamp": [1_767_225_600, 1_767_229_300],
        "model": ["llama-3.1-8b"] * 2,
        "input_tokens": [100, 200],
        "output_tokens": [20, 30],
    }
    whole, bare = wl.scan(log), wl.scan(log, occupancy=False)
    assert bare.describe()["occupancy_rows"] == 0
    assert bare.describe()["occupancy_bin_seconds"] is None
    assert bare.describe()["input_tokens"] == whole.describe()["input_tokens"] == 300
    with pytest.raises(wl.WattledgerError, match="occupancy is kept here and not kept there"):
        wl.merge([whole, bare], allow_overlap=True)
    assert bare.estimate(wl.Fleet.default()).totals == whole.estimate(wl.Fleet.default()).totals
    dedicated = '[[deployment]]\nname = "d"\nmodel = "llama-3.1-8b"\nhardware = "h100"\nreplicas = 1\n'
    with pytest.raises(wl.WattledgerError, match="keeps no occupancy"):
        bare.estimate(wl.Fleet.parse(dedicated))


def test_a_ledger_file_remembers_that_it_has_no_occupancy(tmp_path: Path) -> None:
    log = {"timestamp": [1_767_225_600], "model": ["m"], "input_tokens": [1], "output_tokens": [1]}
    wl.scan(log, occupancy=False).write(tmp_path / "bare.parquet")
    assert wl.Ledger.read(tmp_path / "bare.parquet").describe()["occupancy_bin_seconds"] is None
