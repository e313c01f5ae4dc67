"""A bound on the values of a dimension: who stays depends on the values alone, and every sum is exact."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import wattledger as wl
from test_cli import run

ROWS = 20_000
USERS = 3000


def log(order: int) -> pa.Table:
    rng = np.random.default_rng(5)
    table = pa.table(
        {
            "timestamp": 1_767_225_600 + rng.integers(0, 86_400, ROWS),
            "model": rng.choice(["llama-3.1-8b", "llama-3.1-70b"], ROWS),
            "user": [f"user-{n}" for n in rng.integers(0, USERS, ROWS)],
            "input_tokens": rng.integers(0, 2000, ROWS),
            "output_tokens": rng.integers(1, 900, ROWS),
        }
    )
    return table.take(np.random.default_rng(order).permutation(ROWS))


def by_user(ledger: wl.Ledger) -> Counter[str]:
    rows = pa.table(ledger).to_pylist()
    tokens: Counter[str] = Counter()
    for row in rows:
        if row["family"] == "moments":
            tokens[row["user"]] += int(row["input_tokens"])
    return tokens


def naive(table: pa.Table) -> Counter[str]:
    tokens: Counter[str] = Counter()
    for user, count in zip(table["user"].to_pylist(), table["input_tokens"].to_pylist(), strict=True):
        tokens[user] += count
    return tokens


def test_who_stays_is_exact_and_the_others_are_the_rest() -> None:
    all_of_them = naive(log(0))
    kept = by_user(wl.scan(log(0), by=["user"], max_groups=500))
    assert len(kept) == 501
    other = kept.pop("(other)")
    assert all(all_of_them[user] == tokens for user, tokens in kept.items())
    assert other == sum(tokens for user, tokens in all_of_them.items() if user not in kept)
    assert by_user(wl.scan(log(0), by=["user"])) == all_of_them, "fewer than 100,000 all stay"
    assert by_user(wl.scan(log(0), by=["user"], max_groups=None)) == all_of_them
    with pytest.raises(wl.WattledgerError, match="max_groups"):
        wl.scan(log(0), by=["user"], max_groups=0)


def test_order_files_threads_and_merging_do_not_show(tmp_path: Path) -> None:
    whole = wl.scan(log(1), by=["user"], max_groups=100)
    assert wl.scan(log(2), by=["user"], max_groups=100) == whole
    for part in range(3):
        pq.write_table(log(3).slice(part * 7000, 7000), tmp_path / f"{part}.parquet")
        wl.scan(tmp_path / f"{part}.parquet", by=["user"], max_groups=100 + part).write(tmp_path / f"l{part}.parquet")
    for threads in (1, 2, 3):
        files = [tmp_path / f"{part}.parquet" for part in (2, 0, 1)]
        assert wl.scan(files, by=["user"], max_groups=100, threads=threads) == whole
    ledgers = [wl.Ledger.read(tmp_path / f"l{part}.parquet") for part in (1, 2, 0)]
    assert wl.merge(ledgers) == whole
    # What a ledger tells apart stays apart when it is read again.
    again = wl.scan(tmp_path / "l2.parquet", by=["user"], max_groups=5)
    assert again.describe()["bounded"][0]["kept"] == 102


def test_the_command_says_so(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(log(0), path)
    out = tmp_path / "ledger.parquet"
    made = run("ledger", str(path), "--dimension", "user", "--max-groups", "200", "-o", str(out))
    assert made.returncode == 0
    assert all(words in made.stderr for words in ("200 of about", "(other)", "--max-groups"))
    described = json.loads(run("describe", str(out), "--json").stdout)
    [bounded] = described["bounded"]
    assert bounded["kept"] == 200
    assert abs(bounded["about"] / USERS - 1) < 0.3
    estimated = json.loads(run("estimate", str(path), "--by", "user", "--max-groups", "1", "--json").stdout)
    assert min(row["user"] for row in estimated["rows"]) == "(other)"
    assert len(estimated["rows"]) == 2
    parts = [str(out), str(tmp_path / "more.parquet"), str(tmp_path / "both.parquet")]
    pq.write_table(log(0).slice(0, 9000), tmp_path / "less.parquet")
    assert run("ledger", str(tmp_path / "less.parquet"), "--dimension", "user", "-o", parts[1]).returncode == 0
    assert "200 of about" in run("merge", parts[0], parts[1], "-o", parts[2]).stderr
    assert any(note["place"] == "dimension `user`" for note in estimated["assumptions"])
    assert run("ledger", str(path), "--max-groups", "0", "-o", str(out)).returncode == 2


def test_a_dimension_named_like_a_column_of_estimates_is_refused_as_a_key() -> None:
    log = {"timestamp": [1_767_225_600], "model": ["llama-3.1-8b"], "output_tokens": [9], "input_tokens": [5]}
    for name in ("it_kwh", "unallocated"):
        ledger = wl.scan({**log, name: ["x"]}, by=[name])
        with pytest.raises(wl.WattledgerError, match="no column of estimates"):
            ledger.estimate(wl.Fleet.default()).by(name)
