"""The command: exit codes, JSON, tables and files, as a shell sees them."""

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
DEMO = [str(ROOT / "demo" / "requests.jsonl.gz"), "--fleet", str(ROOT / "demo" / "fleet.toml")]
GOOD = {"timestamp": "2026-03-01T00:00:00Z", "model": "llama-3.1-8b", "input_tokens": 100, "output_tokens": 50}


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from wattledger._cli import main; main()", *words]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def tool_named(name: str) -> Any:
    """Load a script of `tools/` as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def log(folder: Path, *rows: dict[str, object] | str, name: str = "log.jsonl") -> str:
    path = folder / name
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return str(path)


def test_json_has_the_parts_of_the_contract() -> None:
    done = run("estimate", *DEMO, "--by", "deployment,hour")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert {"totals", "rows", "coverage", "assumptions", "provenance", "unknown"} <= set(document)
    assert document["totals"]["requests"] == 28_185
    assert document["coverage"]["counted"] == 28_185
    assert {row["deployment"] for row in document["rows"]} == {"chat-virginia", "code-stockholm"}
    parts = sum(document["totals"][f"{part}_kwh"] for part in ("prefill", "decode", "idle", "host"))
    assert parts == pytest.approx(document["totals"]["it_kwh"], rel=1e-12)


@pytest.mark.parametrize("columns", ["60", "80", "120", "200"])
def test_a_table_fits_its_terminal(columns: str) -> None:
    done = run("estimate", *DEMO, "--by", "deployment,hour", "--table", COLUMNS=columns, NO_COLOR="1")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= int(columns)
    for word in ("total", "28,185", "facility", "kWh", "assumed", "unknown", "counted"):
        assert word in done.stdout


def test_colours_come_when_they_are_forced() -> None:
    assert "\x1b[" in run("estimate", *DEMO, "--table", FORCE_COLOR="1").stdout


def test_files_are_written_in_each_format(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    names = [tmp_path / f"out.{ending}" for ending in ("json", "csv", "parquet")]
    done = run("estimate", *DEMO, "--by", "site", *(word for name in names for word in ("-o", str(name))))
    assert done.returncode == 0
    assert not done.stdout
    total = json.loads(names[0].read_text())["totals"]["facility_kwh"]
    table = pq.read_table(names[2])
    assert sum(table["facility_kwh"].to_pylist()) == pytest.approx(total)
    assert names[1].read_text().splitlines()[0].startswith("site,unallocated,requests")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "out.json", "out.parquet"]


def test_an_ending_that_is_not_written_is_usage(tmp_path: Path) -> None:
    done = run("estimate", *DEMO, "-o", str(tmp_path / "out.xlsx"))
    assert done.returncode == 2
    assert "expected .json, .csv or .parquet" in done.stderr


def test_logs_and_ledgers_give_the_same_estimate(tmp_path: Path) -> None:
    ledger = str(tmp_path / "l.parquet")
    assert run("ledger", *DEMO, "-o", ledger).returncode == 0
    from_ledger = json.loads(run("estimate", ledger, *DEMO[1:]).stdout)
    from_log = json.loads(run("estimate", *DEMO).stdout)
    assert from_ledger["rows"] == from_log["rows"]
    assert from_ledger["coverage"] == from_log["coverage"]


def test_the_same_input_is_not_added_twice(tmp_path: Path) -> None:
    one = str(tmp_path / "one.parquet")
    run("ledger", *DEMO, "-o", one)
    twice = str(tmp_path / "two.parquet")
    refused = run("merge", one, one, "-o", twice)
    assert refused.returncode == 1
    assert "same input" in refused.stderr
    assert not Path(twice).exists()
    assert run("merge", one, one, "-o", twice, "--force").returncode == 0
    assert json.loads(run("describe", twice).stdout)["requests"] == 2 * 28_185


def test_too_many_rejects_end_with_three_and_the_result_stands(tmp_path: Path) -> None:
    path = log(tmp_path, GOOD, {**GOOD, "input_tokens": -1}, "{")
    done = run("estimate", path)
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert document["coverage"]["by_reason"] == {"malformed": 1, "negative_count": 1}
    assert [reject["line"] for reject in document["coverage"]["rejects"]] == [2, 3]
    assert "log.jsonl:2" in done.stderr
    assert run("estimate", path, "--max-bad", "0.9").returncode == 0


def test_a_truncated_file_ends_with_four(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl.gz"
    lines = "".join(json.dumps({**GOOD, "input_tokens": i}) + "\n" for i in range(5000))
    path.write_bytes(gzip.compress(lines.encode())[:-200])
    done = run("estimate", str(path))
    assert done.returncode == 4
    assert "incomplete" in done.stderr
    assert json.loads(done.stdout)["coverage"]["incomplete"]


def test_a_missing_file_fails_and_a_misspelt_key_is_usage(tmp_path: Path) -> None:
    assert run("estimate", str(tmp_path / "none.jsonl")).returncode == 1
    fleet = tmp_path / "fleet.toml"
    fleet.write_text("[site.here]\npeu = 1.2\n")
    done = run("estimate", DEMO[0], "--fleet", str(fleet))
    assert done.returncode == 2
    assert "did you mean `pue`" in done.stderr
    assert run("estimate", DEMO[0], "--by", "modle").returncode == 2
    assert run("estimate").returncode == 2


def test_dimensions_of_ones_own_are_keys(tmp_path: Path) -> None:
    path = log(tmp_path, {**GOOD, "tenant": "a"}, {**GOOD, "tenant": "b"}, GOOD)
    rows = json.loads(run("estimate", path, "--by", "tenant").stdout)["rows"]
    assert [row["tenant"] for row in rows] == [None, "a", "b"]


def test_periods_zones_and_filters() -> None:
    hours = json.loads(run("estimate", *DEMO, "--by", "hour", "--group-timezone", "Europe/Berlin").stdout)["rows"]
    assert hours[0]["hour"] == "2023-11-16T19:00:00+01:00"
    late = json.loads(run("estimate", *DEMO, "--since", "2023-11-16T19:00:00Z").stdout)
    assert late["totals"]["requests"] == 3_760 + 1_102
    chat = json.loads(run("estimate", *DEMO, "--where", "deployment=chat*").stdout)
    assert chat["totals"]["requests"] == 19_366
    assert run("estimate", *DEMO, "--since", "2023-11-16T19:00").returncode == 2
    assert run("estimate", *DEMO, "--since", "2023-11-16T19:07:00Z").returncode == 2


def test_hostile_names_do_not_act(tmp_path: Path) -> None:
    names = ["=HYPERLINK(1)", "\x1b[31mred", "[bold]markup[/bold]", "a\u202eb"]
    path = log(tmp_path, *({**GOOD, "model": name} for name in names))
    table = run("estimate", path, "--by", "logged_model", "--table", NO_COLOR="1", COLUMNS="120").stdout
    assert "\x1b" not in table
    assert "\u202e" not in table
    assert "[bold]markup[/bold]" in table
    guarded, raw = str(tmp_path / "g.csv"), str(tmp_path / "r.csv")
    run("estimate", path, "--by", "logged_model", "-o", guarded)
    run("estimate", path, "--by", "logged_model", "-o", raw, "--format", "csv-raw")
    assert "'=HYPERLINK(1)" in Path(guarded).read_text()
    assert "'=" not in Path(raw).read_text()


def test_unknown_models_stay_unknown_and_are_counted(tmp_path: Path) -> None:
    document = json.loads(
        run("estimate", log(tmp_path, GOOD, {**GOOD, "model": "acme-secret-9"}), "--by", "model").stdout
    )
    unknown = next(row for row in document["rows"] if row["model"] == "acme-secret-9")
    assert unknown["requests"] == 1
    assert unknown["it_kwh"] is None
    assert any("acme-secret-9" in item["reason"] and item["requests"] == 1 for item in document["unknown"])


def test_standard_input_is_a_log() -> None:
    command = [sys.executable, "-c", "from wattledger._cli import main; main()", "estimate", "-"]
    done = subprocess.run(command, input=json.dumps(GOOD).encode(), capture_output=True, check=True)
    assert json.loads(done.stdout)["totals"]["requests"] == 1


def test_annotate_writes_a_row_for_each_request(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    out = tmp_path / "rows.parquet"
    assert run("annotate", *DEMO, "-o", str(out)).returncode == 0
    rows = pq.read_table(out)
    assert rows.num_rows == 28_185
    totals = json.loads(run("estimate", *DEMO).stdout)["totals"]
    assert sum(rows["facility_kwh"].to_pylist()) == pytest.approx(totals["facility_kwh"], rel=1e-9)


def test_explain_and_catalog_tell_sources() -> None:
    asked = [
        "--model",
        "llama-3.1-8b",
        "--hardware",
        "h100",
        "--concurrency",
        "64",
        "--input",
        "1000",
        "--output",
        "500",
    ]
    one = json.loads(run("explain", *asked).stdout)
    steps = {step["what"]: step["value"] for step in one["chain"]}
    assert steps["prefill"] + steps["decode"] == pytest.approx(71.15, rel=5e-3)
    assert all(fact["source"] for fact in one["facts"])
    item = json.loads(run("catalog", "hardware", "h100").stdout)
    assert item["tdp_w"]["value"] == "700"
    assert item["tdp_w"]["source"]
    assert len(json.loads(run("catalog", "models").stdout)) > 700
    assert run("catalog", "hardware", "h10o").returncode == 2
