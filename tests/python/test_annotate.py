"""`annotate`: caller-owned columns, narrow results, batches; the values themselves are held in `test_properties`."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import wattledger as wl
from test_cli import run

DEMO = Path(__file__).parent.parent.parent / "demo"
COLUMNS = ["it_kwh", "co2e_location_g", "prefill_kwh", "adpe_kg_sb"]
UTC: dict[str, Any] = {"input_timezone": "UTC"}


Columns = dict[str, Any]


def log(rows: int = 200_000, seed: int = 1) -> Columns:
    rng = np.random.default_rng(seed)
    cached = rng.integers(0, 900, rows, dtype="u4")
    return {
        "timestamp": np.sort(rng.integers(1_767_225_600, 1_767_225_600 + 9 * 3600, rows)).astype("M8[s]"),
        "model": (rng.integers(0, 3, rows), ["llama-3.1-8b", "llama-3.1-70b", "gemma-3-27b-it"]),
        "input_tokens": cached + rng.integers(0, 3000, rows, dtype="u4"),
        "cached_tokens": cached,
        "output_tokens": rng.integers(0, 900, rows, dtype="u2"),
    }


@pytest.fixture(scope="module")
def data() -> Columns:
    return log()


@pytest.fixture(scope="module")
def points(data: Columns) -> wl.Ledger:
    return wl.scan(data, fleet=wl.Fleet.default(), **UTC)


def annotator(points: wl.Ledger, **more: Any) -> wl.Annotator:
    return wl.Annotator(wl.Fleet.default(), points, **{"columns": COLUMNS, **UTC, **more})


def same(rows: Columns, other: Columns) -> None:
    assert list(rows) == list(other)
    for name in rows:
        np.testing.assert_array_equal(rows[name], other[name], err_msg=name)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_columns_of_the_caller_are_filled_and_nothing_beside_them(
    data: Columns, points: wl.Ledger, threads: int
) -> None:
    expected = wl.annotate(data, operating_points=points, columns=COLUMNS, threads=1, **UTC)
    whole = {name: np.full(200_002, 7.0) for name in COLUMNS}
    out = {name: array[1:-1] for name, array in whole.items()}
    one = annotator(points, threads=threads)
    for _ in range(2):
        assert one(data, out=out) is out
        same(out, expected)
    assert all(array[0] == array[-1] == 7 for array in whole.values())


def test_narrow_results_are_the_wide_ones_rounded_once(data: Columns, points: wl.Ledger) -> None:
    wide = annotator(points)(data)
    narrow = annotator(points, dtype="f4")(data)
    same(narrow, {name: array.astype("f4") for name, array in wide.items()})
    out = {name: np.empty(len(array), "f4") for name, array in wide.items()}
    # The arrays say how wide the results are.
    same(annotator(points)(data, out=out), narrow)
    table = pa.table({name: array for name, array in log(1000).items() if name not in ("model", "timestamp")})
    table = table.append_column("model", pa.array(["llama-3.1-8b"] * 1000))
    assert wl.annotate(table, columns=COLUMNS, dtype="f4", map={"timestamp": None}).schema.types == [pa.float32()] * 4


def test_what_cannot_be_written_to_is_refused_with_its_name(data: Columns, points: wl.Ledger) -> None:
    one = annotator(points)
    out = {name: np.zeros(200_000) for name in COLUMNS}
    read_only = np.zeros(200_000)
    read_only.flags.writeable = False
    wrong = [
        ({"it_kwh": out["it_kwh"]}, "expected"),
        ({**out, "it_kwh": np.zeros(3)}, r"'it_kwh'.* has 3 rows, the data have 200000"),
        ({**out, "prefill_kwh": np.zeros(200_000, "f4")}, "'prefill_kwh'"),
        ({**out, "prefill_kwh": np.zeros(200_000, "i8")}, "'prefill_kwh'"),
        ({**out, "prefill_kwh": np.zeros(400_000)[::2]}, "'prefill_kwh'"),
        ({**out, "prefill_kwh": read_only}, "'prefill_kwh'"),
        ({**out, "prefill_kwh": out["it_kwh"]}, "'prefill_kwh'.* shares memory"),
    ]
    for other, problem in wrong:
        with pytest.raises(ValueError, match=problem):
            one(data, out=other)
    with pytest.raises(ValueError, match="order of another machine"):
        one(data, out={**out, "it_kwh": np.zeros(200_000, ">f8")})
    times = np.arange(200_000, dtype="f8")
    with pytest.raises(ValueError, match="shares memory"):
        one({**data, "timestamp": times}, out={**out, "it_kwh": times})
    with pytest.raises(ValueError, match="dtype 'f2'"):
        annotator(points, dtype="f2")
    with pytest.raises(wl.UnknownNameError, match="it_kwh"):
        annotator(points, columns=["it_kw"])
    with pytest.raises(wl.InputError, match="it_kwh"):
        annotator(points, columns=["it_kwh", "it_kwh"])


def test_rows_of_pandas_keep_their_index(data: Columns) -> None:
    frame = pd.DataFrame(
        {"input_tokens": data["input_tokens"], "output_tokens": data["output_tokens"], "model": "gpt-4o"}
    )
    frame = frame[frame["input_tokens"] > 900].sample(frac=1, random_state=1)
    settings: Columns = {"columns": ["it_kwh"], "map": {"timestamp": None}}
    frame["kwh"] = wl.annotate(frame, **settings)["it_kwh"]
    plain = wl.annotate({name: frame[name].to_numpy() for name in ("input_tokens", "output_tokens")}
                        | {"model": (np.zeros(len(frame), "u1"), ["gpt-4o"])}, **settings)  # fmt: skip
    np.testing.assert_array_equal(frame["kwh"].to_numpy(), plain["it_kwh"])


def test_times_of_other_units_and_orders_are_the_same_times(data: Columns, points: wl.Ledger) -> None:
    expected = annotator(points)(data)
    for dtype in (">M8[s]", "M8[10us]", "M8[m]"):
        times = data["timestamp"].astype(dtype)
        rows = annotator(points)({**data, "timestamp": times})
        assert not np.isnan(rows["it_kwh"]).any()
        if dtype != "M8[m]":
            same(rows, expected)


def test_a_log_is_never_written_over(tmp_path: Path) -> None:
    table = pa.table({"model": ["a"], "input_tokens": [1], "output_tokens": [1], "secret": ["kept"]})
    pq.write_table(table, tmp_path / "log.parquet")
    settings: Columns = {"map": {"timestamp": None}, "output": tmp_path / "log.parquet"}
    with pytest.raises(wl.InputError, match="not read as well"):
        wl.annotate(tmp_path, **settings)
    place = str(tmp_path / "log.parquet")
    assert run("ledger", place, "--map", "timestamp=", "-o", place).returncode == 2
    assert pq.read_table(place).equals(table)


def test_batches_are_the_rows_of_the_whole(data: Columns, points: wl.Ledger) -> None:
    whole = annotator(points)(data)
    batches = [batch.to_numpy() for batch in annotator(points).batches(data)]
    assert [len(batch["it_kwh"]) for batch in batches] == [200_000]
    long = {name: (np.tile(a[0], 3), a[1]) if isinstance(a, tuple) else np.tile(a, 3) for name, a in data.items()}
    assert [len(batch) for batch in annotator(points).batches(long)] == [1 << 19, 600_000 - (1 << 19)]
    same({name: np.concatenate([batch[name] for batch in batches]) for name in COLUMNS}, whole)


def test_a_batch_that_is_held_is_not_written_over(data: Columns) -> None:
    frame = pl.DataFrame({"input_tokens": data["input_tokens"], "output_tokens": data["output_tokens"]})
    frame = frame.with_columns(model=pl.lit("llama-3.1-8b"))
    batches = frame.to_arrow().to_batches(max_chunksize=50_000)
    stream = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    ledger = wl.scan(frame, map={"timestamp": None})
    one = wl.Annotator(wl.Fleet.default(), ledger, columns=["it_kwh"], map={"timestamp": None})
    held = [pl.DataFrame(batch) for batch in one.batches(stream)]
    assert [len(batch) for batch in held] == [50_000] * 4
    assert pl.concat(held).equals(pl.DataFrame(one(frame)))


def test_rows_that_are_no_requests_stand_alone(data: Columns, points: wl.Ledger) -> None:
    """Of a tile with rejected rows the good ones keep their values and their places."""
    whole = annotator(points)(data)
    bad = [0, 1023, 1024, 77_777, 199_999]
    spoiled = {**data, "output_tokens": data["output_tokens"].astype("i8")}
    spoiled["output_tokens"][bad] = -1
    rows = annotator(points)(spoiled)
    for name in COLUMNS:
        assert np.isnan(rows[name][bad]).all()
        good = np.delete(np.arange(200_000), bad)
        np.testing.assert_array_equal(rows[name][good], whole[name][good])


def test_logs_come_in_batches_as_they_go_into_a_file(tmp_path: Path) -> None:
    places, fleet = str(DEMO / "requests.jsonl.gz"), wl.Fleet.load(DEMO / "fleet.toml")
    points = wl.scan(places, fleet=fleet)
    one = wl.Annotator(fleet, points, columns=["it_kwh", "facility_kwh"])
    batches = one.batches(places)
    table = pa.concat_tables([pa.table(batch) for batch in batches]).combine_chunks()
    account = wl.annotate(places, fleet, columns=["it_kwh", "facility_kwh"], output=tmp_path / "rows.parquet")
    assert batches.coverage == account
    written = pq.read_table(tmp_path / "rows.parquet")
    assert written.num_rows == table.num_rows == account["counted"] == 28_185
    assert written.column_names == table.column_names
    for name in ("it_kwh", "facility_kwh", "input_tokens", "timestamp"):
        assert written[name].to_pylist() == table[name].to_pylist()
    total = points.estimate(fleet).totals["it_kwh"]
    assert sum(value for value in table["it_kwh"].to_pylist() if value is not None) <= total * (1 + 1e-9)


def test_iteration_that_is_given_up_ends_its_reader() -> None:
    fleet = wl.Fleet.load(DEMO / "fleet.toml")
    points = wl.scan(str(DEMO / "requests.jsonl.gz"), fleet=fleet)
    one, tasks = wl.Annotator(fleet, points), Path("/proc/self/task")
    if not tasks.is_dir():
        pytest.skip("threads are counted where /proc tells them")
    before = len(list(tasks.iterdir()))
    batches = one.batches(str(DEMO / "requests.jsonl.gz"))
    next(batches)
    assert batches.coverage is None
    assert len(list(tasks.iterdir())) > before, "the reader waits for who takes more"
    del batches
    for _ in range(100):
        if len(list(tasks.iterdir())) <= before:
            return
        time.sleep(0.05)
    raise AssertionError("the reader is still there")


def test_a_log_that_is_read_once_needs_operating_points(tmp_path: Path) -> None:
    with pytest.raises(wl.InputError, match="read twice"):
        wl.annotate("-", output=tmp_path / "rows.parquet")
    line = '{"model": "llama-3.1-8b", "timestamp": "2026-01-01T00:00:00Z", "input_tokens": 9, "output_tokens": 9}\n'
    (tmp_path / "log.jsonl").write_text(line)
    wl.scan(tmp_path / "log.jsonl").write(tmp_path / "points.parquet")
    code = (
        "import wattledger as wl; points = wl.Ledger.read('points.parquet');"
        "print(wl.annotate('-', operating_points=points, output='rows.parquet')['counted'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, input=line * 3, capture_output=True, text=True, check=True
    )
    assert done.stdout == "3\n"
    assert pq.read_table(tmp_path / "rows.parquet").num_rows == 3


def test_a_log_without_a_request_still_has_columns(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("{}\n")
    with pytest.warns(RuntimeWarning, match="rejected"):
        wl.annotate(tmp_path / "log.jsonl", columns=["it_kwh"], output=tmp_path / "rows.parquet")
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.num_rows == 0
    assert {"timestamp", "model", "it_kwh"} <= set(table.column_names)
    nothing: Columns = {"model": (np.zeros(0, "u1"), ["m"])}
    nothing |= {name: np.zeros(0, "u4") for name in ("input_tokens", "output_tokens")}
    assert len(wl.annotate(nothing, columns=["it_kwh"], map={"timestamp": None})["it_kwh"]) == 0
