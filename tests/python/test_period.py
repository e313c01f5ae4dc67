"""A period: the same ledger whether what lies outside was read and dropped, or never read."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import wattledger as wl
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_cli import run

START = 1_767_225_600
HOURS = 30


def log(seed: int, latency: str | None, shuffled: bool, unit: str = "us") -> pa.Table:
    rng, rows = np.random.default_rng(seed), 4000
    time = rng.integers(START, START + HOURS * 3600, rows)
    if not shuffled:
        time = np.sort(time)
    columns: dict[str, Any] = {
        "timestamp": pa.array(time.astype("M8[s]"), pa.timestamp("s")).cast(pa.timestamp(unit, "UTC")),
        "model": pa.array(rng.choice(["a", "b"], rows)),
        "input_tokens": rng.integers(0, 900, rows),
        "output_tokens": rng.integers(0, 900, rows),
    }
    if latency:
        ms = rng.integers(0, 3 * 3600 * 1000, rows)
        kind = ["i4", "i8", "u4", "u8"][seed % 4]
        columns[latency] = ms.astype(kind) if latency == "latency_ms" else ms / 1000
        if latency == "latency_ms" and seed % 3 == 0:
            # What no request takes: the row is rejected, its neighbours are not.
            columns[latency][::97] = np.iinfo(kind).max
    return pa.table(columns)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1000),
    latency=st.sampled_from([None, "latency_ms", "latency_s"]),
    shuffled=st.booleans(),
    unit=st.sampled_from(["s", "ms", "us", "ns"]),
    since=st.none() | st.integers(-2, HOURS + 2),
    until=st.none() | st.integers(-2, HOURS + 2),
    statistics=st.booleans(),
)
def test_a_period_changes_what_is_read_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    latency: str | None,
    shuffled: bool,
    unit: str,
    since: int | None,
    until: int | None,
    statistics: bool,
) -> None:
    place = tmp_path_factory.mktemp("log") / "log.parquet"
    table = log(seed, latency, shuffled, unit)
    pq.write_table(table, place, row_group_size=random.Random(seed).choice([100, 400]), write_statistics=statistics)  # noqa: S311 - any size
    assume(since is None or until is None or since < until)
    ends = [None if end is None else START + end * 3600 for end in (since, until)]
    whole = wl.scan(place)
    expected = whole.between(*ends)
    found = wl.scan(place, since_s=ends[0], until_s=ends[1])
    assert pa.table(found).equals(pa.table(expected))
    account = found.coverage
    assert account["lines_in"] + account["outside_period"] == 4000
    assert account["counted"] + account["rejected"] == account["lines_in"]
    assert wl.scan(table, since_s=ends[0], until_s=ends[1]).describe()["requests"] == found.describe()["requests"]
    if not statistics or ends == [None, None]:
        assert account["outside_period"] == 0


def test_row_groups_outside_are_not_read(tmp_path: Path) -> None:
    for latency, most in ((None, 4000 - 200), ("latency_ms", 4000 - 600)):
        pq.write_table(log(1, latency, shuffled=False), tmp_path / "log.parquet", row_group_size=100)
        noon = START + 12 * 3600
        account = wl.scan(tmp_path / "log.parquet", since_s=noon, until_s=noon + 3600).coverage
        assert most - 200 <= account["outside_period"] <= most
    whole = ["ledger", str(tmp_path / "log.parquet"), "-o", str(tmp_path / "ledger.parquet")]
    period = ["--since", "2026-01-01T12:00Z", "--until", "2026-01-01T13:00Z"]
    done = run(*whole, *period)
    assert done.returncode == 0
    assert f"{account['outside_period']:,}" in done.stderr


def test_a_period_that_cuts_a_bin_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    pq.write_table(log(1, None, shuffled=False), tmp_path / "log.parquet")
    with pytest.raises(wl.WattledgerError, match="edge of this ledger's bins"):
        wl.scan(tmp_path / "log.parquet", since_s=START + 1)
    wl.scan(tmp_path / "log.parquet", bin_seconds=300).write(tmp_path / "ledger.parquet")
    assert wl.scan(tmp_path / "ledger.parquet", since_s=START + 300).describe()["requests"] > 0
    for since, until in ((START + 3600, START), (START, START)):
        with pytest.raises(wl.WattledgerError, match="an end after its beginning"):
            wl.scan(tmp_path / "log.parquet", since_s=since, until_s=until)
    with pytest.raises(TypeError, match="every row"):
        wl.annotate(log(1, None, shuffled=False), since_s=START)


def test_a_ledger_without_occupancy_by_the_command(tmp_path: Path) -> None:
    pq.write_table(log(1, None, shuffled=False), tmp_path / "log.parquet")
    command = ["ledger", str(tmp_path / "log.parquet"), "-o", str(tmp_path / "ledger.parquet")]
    assert run(*command).returncode == 0
    assert wl.Ledger.read(tmp_path / "ledger.parquet").describe()["occupancy_bin_seconds"] == 300
    assert run(*command, "--no-occupancy").returncode == 0
    assert wl.Ledger.read(tmp_path / "ledger.parquet").describe()["occupancy_bin_seconds"] is None
