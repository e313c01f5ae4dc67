"""Laws that hold for any log: order, splits, threads, encodings, closure, monotony, and an account of every line."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import wattledger as wl
from hypothesis import given
from hypothesis import strategies as st
from reference import cases
from reference.ledger import Event, split_latency
from reference.method import REQUEST

if TYPE_CHECKING:
    from pathlib import Path

    from reference.estimate import Deployment

START_US = cases.START_US
SUMS = [
    "replica_seconds",
    "prefill_kwh",
    "decode_kwh",
    "idle_kwh",
    "host_kwh",
    "it_kwh",
    "cooling_kwh",
    "power_delivery_kwh",
    "facility_kwh",
    "water_onsite_l",
    "water_offsite_l",
    "water_offsite_with_hydro_l",
    "co2e_location_g",
    "co2e_upstream_g",
]
KEYS = ["deployment", "model", "site", "hour", "day", "month", "bin", "region", "tenant"]
COUNTS = ("requests", "input_tokens", "cached_tokens", "output_tokens")


@st.composite
def events(draw: st.DrawFn) -> Event:
    tokens = st.one_of(st.integers(0, 5000), st.integers(0, 10**9))
    total = draw(tokens)
    return Event(
        time_us=START_US + draw(st.integers(0, 5 * 3600 * 10**6)),
        labels={
            "model": draw(st.sampled_from(["llama-3.1-8b", "llama-3.1-70b", "who?"])),
            "region": draw(st.sampled_from([None, "eu", "us"])),
            "tenant": draw(st.sampled_from(["a", "b", "", "naïve"])),
        },
        input_tokens=total,
        cached_tokens=draw(st.one_of(st.just(0), st.integers(0, total))),
        output_tokens=draw(tokens),
        latency_us=draw(st.one_of(st.none(), st.integers(0, 4 * 3600 * 10**6))),
    )


logs = st.lists(events(), min_size=1, max_size=25)


def table(log: list[Event]) -> pa.Table:
    return pa.table(
        {
            "timestamp": pa.array([e.time_us for e in log], pa.timestamp("us", "UTC")),
            "model": pa.array([e.labels["model"] for e in log], pa.string()),
            "region": pa.array([e.labels["region"] for e in log], pa.string()),
            "tenant": pa.array([e.labels["tenant"] for e in log], pa.string()),
            "input_tokens": pa.array([e.input_tokens for e in log], pa.int64()),
            "cached_tokens": pa.array([e.cached_tokens for e in log], pa.int64()),
            "output_tokens": pa.array([e.output_tokens for e in log], pa.int64()),
            "latency_ms": pa.array([None if e.latency_us is None else e.latency_us / 1000 for e in log], pa.float64()),
        }
    )


def scan(log: list[Event], **settings: Any) -> wl.Ledger:
    return wl.scan(table(log), by=["tenant"], **settings)


def exact(ledger: wl.Ledger) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.table(ledger).to_pylist()
    return rows


@given(log=logs, cut=st.lists(st.integers(0, 3), min_size=25, max_size=25), seed=st.integers(0, 99))
def test_any_split_and_any_merge_order_give_the_same_rows(log: list[Event], cut: list[int], seed: int) -> None:
    whole = scan(log)
    parts = [[e for e, part in zip(log, cut, strict=False) if part == k] for k in range(4)]
    ledgers = [scan(part) for part in parts if part]
    random.Random(seed).shuffle(ledgers)  # noqa: S311 - any order will do
    merged = wl.merge(ledgers)
    nested = wl.merge([wl.merge(ledgers[:1]), *(wl.merge([one]) for one in ledgers[1:])])
    assert merged == whole
    assert nested == whole
    assert exact(merged) == exact(whole)


@given(log=logs, seed=st.integers(0, 99))
def test_the_order_of_events_does_not_matter(log: list[Event], seed: int) -> None:
    shuffled = random.Random(seed).sample(log, len(log))  # noqa: S311 - any order will do
    assert exact(scan(shuffled)) == exact(scan(log))


@given(log=logs)
def test_a_ledger_differs_if_any_count_differs(log: list[Event]) -> None:
    first = log[0]
    more = Event(first.time_us, first.labels, first.input_tokens, first.cached_tokens, first.output_tokens ^ 1, 1)
    assert scan([more, *log[1:]]) != scan(log)


@given(log=logs)
def test_every_encoding_of_a_log_gives_the_same_ledger(
    tmp_path_factory: pytest.TempPathFactory, log: list[Event]
) -> None:
    arrow, folder = table(log), tmp_path_factory.mktemp("log")
    pq.write_table(arrow, folder / "log.parquet")
    text = arrow.set_column(0, "timestamp", arrow["timestamp"].cast("i8"))
    lines = [json.dumps({k: v for k, v in row.items() if v is not None}) for row in text.to_pylist()]
    (folder / "log.jsonl").write_text("\n".join(lines), encoding="utf-8")
    ledger = scan(log)

    def of(data: object) -> bool:
        return bool(wl.scan(data, by=["tenant"]) == ledger)

    assert of(folder / "log.jsonl")
    assert of(folder / "log.parquet")
    assert of(pl.from_arrow(arrow))
    assert of(arrow.combine_chunks().to_batches()[0])
    # A CSV cell and a NumPy number cannot be absent, and an empty CSV cell is not an empty text.
    log = [e for e in log if e.latency_us is not None and e.labels["tenant"] and e.labels["region"]]
    if log:
        arrow = table(log)
        text = arrow.set_column(0, "timestamp", arrow["timestamp"].cast("i8"))
        pa_csv.write_csv(text, folder / "log.csv")
        ledger = scan(log)
        numbers = ("timestamp", "input_tokens", "cached_tokens", "output_tokens", "latency_ms")
        columns: dict[str, Any] = {name: text[name].to_numpy() for name in numbers}
        columns |= {name: text[name].to_pylist() for name in ("model", "region", "tenant")}
        assert of(folder / "log.csv")
        assert of(columns)
        assert of({**columns, "tenant": (np.array([0] * len(log)), ["a"])}) == all(
            e.labels["tenant"] == "a" for e in log
        )


GOOD = {"timestamp": 1_767_225_600, "model": "m", "input_tokens": 10, "cached_tokens": 4, "output_tokens": 3}
#: Lines, and why they are refused; nothing for those that count.
LINES: list[tuple[str, str | None]] = [
    *[(json.dumps(GOOD), None)] * 4,
    (json.dumps(GOOD | {"input_tokens": 10.0, "latency_ms": 12.5}), None),
    (json.dumps(GOOD | {"timestamp": "2026-01-01T00:00:00+01:00"}), None),
    (json.dumps(GOOD | {"cached_tokens": None, "extra": {"a": [1]}}), None),
    ("{", "malformed"),
    ("not json", "malformed"),
    (json.dumps([GOOD]), "malformed"),
    (json.dumps(GOOD)[:-1] + ', "input_tokens": 10}', "duplicate_key"),
    (json.dumps({k: v for k, v in GOOD.items() if k != "model"}), "missing_field"),
    (json.dumps(GOOD | {"output_tokens": None}), "missing_field"),
    (json.dumps(GOOD | {"timestamp": "yesterday"}), "bad_timestamp"),
    (json.dumps(GOOD | {"timestamp": "2026-01-01T00:00:00"}), "naive_timestamp"),
    (json.dumps(GOOD | {"timestamp": 12}), "timestamp_out_of_range"),
    (json.dumps(GOOD | {"input_tokens": "10"}), "not_a_count"),
    (json.dumps(GOOD | {"input_tokens": True}), "not_a_count"),
    (json.dumps(GOOD | {"output_tokens": -1}), "negative_count"),
    (json.dumps(GOOD | {"output_tokens": 1.5}), "fractional_count"),
    (json.dumps(GOOD | {"output_tokens": 10**9 + 1}), "implausible_count"),
    (json.dumps(GOOD | {"output_tokens": 2**64}), "implausible_count"),
    (json.dumps(GOOD | {"cached_tokens": 11}), "cached_exceeds_input"),
    (json.dumps(GOOD | {"latency_ms": -1}), "bad_latency"),
    (json.dumps(GOOD | {"model": ["m"]}), "bad_label"),
]


@given(lines=st.lists(st.sampled_from([*LINES, ("", ""), ("  ", "")]), min_size=1, max_size=80))
def test_every_line_is_accounted_for_with_its_reason_and_place(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str | None]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_text("".join(f"{text}\n" for text, _ in lines))
    if not any(why != "" for _, why in lines):
        return
    ledger = wl.scan(path)
    coverage = ledger.coverage
    whys = [why for _, why in lines if why != ""]
    reasons = {why: whys.count(why) for why in whys if why}
    assert coverage["events_in"] == coverage["lines_in"] == len(whys)
    assert coverage["counted"] == whys.count(None) == ledger.describe()["requests"]
    assert coverage["rejected"] == sum(reasons.values())
    others = sum(coverage[name] for name in ("duplicates", "no_usage", "cached_locally"))
    assert coverage["events_in"] == coverage["counted"] + coverage["rejected"] + others
    assert coverage["by_reason"] == reasons
    places = [(n, why) for n, (_, why) in enumerate(lines, 1) if why]
    kept = [(n, why) for n, why in places if [w for m, w in places if m <= n].count(why) <= 10]
    assert sorted((r["line"], r["reason"]) for r in coverage["rejects"]) == kept


def test_any_number_of_threads_gives_the_same_ledger_and_account(tmp_path: Path) -> None:
    rng = random.Random(5)  # noqa: S311 - a repeatable log, no secret
    with (tmp_path / "log.jsonl").open("w") as file:
        for _ in range(60_000):
            row = GOOD | {
                "timestamp": 1_767_225_600 + rng.randint(0, 90_000),
                "input_tokens": rng.randint(4, 100_000),
                "latency_ms": rng.randint(0, 10**6),
                "region": rng.choice(["eu", "us", None]),
                "tenant": f"t{rng.randint(0, 40)}",
            }
            file.write((json.dumps(row) if rng.random() < 0.99 else rng.choice(LINES)[0]) + "\n")
    assert (tmp_path / "log.jsonl").stat().st_size > 6 << 20
    one, two, seven = (wl.scan(tmp_path, by=["tenant"], threads=n) for n in (1, 2, 7))
    assert one == two == seven
    assert one.coverage == two.coverage == seven.coverage
    assert one.coverage["lines_in"] == 60_000
    assert exact(one) == exact(seven)


@given(start=st.integers(0, 10**10), latency=st.integers(0, 30 * 86_400 * 10**6))
def test_a_request_across_bin_edges_splits_its_latency_exactly(start: int, latency: int) -> None:
    event = Event(START_US + start, {"model": "m", "region": None, "tenant": "a"}, 1, 0, 1, latency)
    rows = [row for row in exact(scan([event])) if row["family"] == "occupancy"]
    parts = {int(row["bin_start"].timestamp()): int(row["latency_overlap_us"]) for row in rows}
    assert sum(parts.values()) == latency
    assert {k: v for k, v in parts.items() if v} == split_latency(START_US + start, latency)
    assert all(part <= 300 * 10**6 for part in parts.values())
    assert sum(int(row["requests"]) for row in rows) == 1


@given(log=logs)
def test_a_ledger_survives_its_file(tmp_path_factory: pytest.TempPathFactory, log: list[Event]) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.parquet"
    ledger = scan(log, bin_seconds=900)
    ledger.write(path)
    again = wl.Ledger.read(path)
    assert again == ledger
    assert again.describe() == ledger.describe()
    assert exact(again) == exact(ledger)


def test_the_same_log_is_not_added_twice_unless_asked(tmp_path: Path) -> None:
    path, copy = tmp_path / "log.jsonl", tmp_path / "copy.jsonl"
    path.write_text((json.dumps(GOOD) + "\n") * 3)
    copy.write_bytes(path.read_bytes())
    ledger, same = wl.scan(path), wl.scan(copy)
    with pytest.raises(wl.LedgerError, match=r"(log|copy)\.jsonl"):
        wl.merge([ledger, same])
    twice = wl.merge([ledger, same], allow_overlap=True)
    single, double = exact(ledger), exact(twice)
    assert len(single) == len(double)
    for one, two in zip(single, double, strict=True):
        for name, value in one.items():
            counted = name not in {"family", "bin_start", "bin_seconds", "model"} and value is not None
            assert two[name] == (2 * value if counted else value)


def test_ledgers_of_other_bins_or_dimensions_do_not_add() -> None:
    event = Event(START_US, {"model": "m", "region": "eu", "tenant": "a"}, 1, 0, 1)
    for other in (scan([event], bin_seconds=300), wl.scan(table([event]))):
        with pytest.raises(wl.LedgerError):
            wl.merge([scan([event]), other])


seeds = st.integers(5_000, 6_000)


@given(seed=seeds)
def test_every_row_closes_its_sums(seed: int) -> None:
    case = cases.random_case(seed)
    fleet = wl.Fleet.parse(case.toml)
    for row in cases.scanned(case, fleet).estimate(fleet).to_dict(by=["deployment", "hour", "tenant"])["rows"]:
        if row["deployment"] is None:
            assert all(row[name] is None for name in SUMS)
            continue
        parts = [row[f"{name}_kwh"] for name in ("prefill", "decode", "idle", "host")]
        assert row["it_kwh"] == pytest.approx(sum(parts), rel=1e-12)
        overhead = row["cooling_kwh"] + row["power_delivery_kwh"]
        assert row["facility_kwh"] == pytest.approx(row["it_kwh"] + overhead, rel=1e-12)
        assert all(part >= 0 for part in [*parts, row["cooling_kwh"], row["power_delivery_kwh"]])
        if row["unallocated"]:
            assert row["requests"] == row["prefill_kwh"] == row["decode_kwh"] == row["replica_seconds"] == 0


@given(seed=seeds)
def test_annotated_rows_and_what_is_unallocated_add_up_to_the_estimate(seed: int) -> None:
    case = cases.random_case(seed)
    fleet = wl.Fleet.parse(case.toml)
    data = cases.arrow(case.events)
    absent = {name: None for name in ("model", "timestamp") if name not in data.column_names}
    # Single events always know their window.
    settings: dict[str, Any] = {"by": ["tenant"], "bin_seconds": case.bin_seconds, "map": absent}
    rows = wl.annotate(data, fleet, **settings)
    estimate = wl.scan(data, fleet=fleet, **settings).estimate(fleet)
    totals = estimate.totals
    unallocated = [row for row in estimate.to_dict(by=["deployment"])["rows"] if row["unallocated"]]
    assert rows.num_rows == len(case.events)
    for name in SUMS:
        known = [value for value in rows[name].to_pylist() if value is not None]
        known += [row[name] for row in unallocated if row[name] is not None]
        if totals[name] is None:
            assert not known
        else:
            assert sum(known) == pytest.approx(totals[name], rel=1e-9, abs=1e-300)


@given(
    seed=seeds,
    keys=st.lists(st.sampled_from(KEYS), unique=True),
)
def test_grouping_by_any_keys_gives_the_same_totals(seed: int, keys: list[str]) -> None:
    case = cases.random_case(seed)
    fleet = wl.Fleet.parse(case.toml)
    estimate = cases.scanned(case, fleet).estimate(fleet)
    grouped = estimate.to_dict(by=keys)
    assert grouped["totals"] == estimate.totals
    for name in COUNTS:
        assert sum(row[name] for row in grouped["rows"]) == estimate.totals[name]
    for name in SUMS:
        known = [row[name] for row in grouped["rows"] if row[name] is not None]
        if estimate.totals[name] is None:
            assert not known
        else:
            assert sum(known) == pytest.approx(estimate.totals[name], rel=1e-12)


def declared(seed: int, concurrency: float) -> tuple[Deployment, wl.Fleet]:
    """Draw a fleet that is shared at a declared concurrency, so that the operating point does not move."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable fleet, no secret
    deployment, toml = cases.random_deployment(rng, "d0", cases.Fitted(None))
    keep = [
        line for line in toml.splitlines() if line.split(" = ")[0] not in {"tenancy", "concurrency", "max_concurrency"}
    ]
    toml = "\n".join([keep[0], f'tenancy = "shared"\nconcurrency = {concurrency}', *keep[1:]])
    return deployment, wl.Fleet.parse(toml)


def energy_of(fleet: wl.Fleet, tokens: tuple[int, int, int]) -> dict[str, float]:
    event = Event(START_US, {"deployment": "d0", "tenant": "a"}, *tokens)
    totals: dict[str, float] = wl.scan(cases.arrow([event]), map={"model": None}, fleet=fleet).estimate(fleet).totals
    return totals


@given(
    seed=seeds,
    concurrency=st.sampled_from([1.0, 1.7, 64.0, 1024.0]),
    tokens=st.tuples(st.integers(0, 100_000), st.integers(0, 100_000), st.integers(0, 100_000)),
    more=st.integers(1, 50_000),
)
def test_at_a_declared_concurrency_more_tokens_never_cost_less_and_caching_never_costs_more(
    seed: int, concurrency: float, tokens: tuple[int, int, int], more: int
) -> None:
    cached, uncached, output = tokens
    _, fleet = declared(seed, concurrency)
    base = energy_of(fleet, (cached + uncached, cached, output))
    longer_prompt = energy_of(fleet, (cached + uncached + more, cached, output))
    longer_answer = energy_of(fleet, (cached + uncached, cached, output + more))
    longer_cached = energy_of(fleet, (cached + more + uncached, cached + more, output))
    all_cached = energy_of(fleet, (cached + uncached, cached + uncached, output))
    for name in ("replica_seconds", "it_kwh", "facility_kwh", "water_onsite_l"):
        assert base[name] <= longer_prompt[name] * (1 + 1e-12)
        assert base[name] <= longer_answer[name] * (1 + 1e-12)
        assert base[name] <= longer_cached[name] * (1 + 1e-12)
        assert all_cached[name] <= base[name] * (1 + 1e-12)


def costs_by_request(deployment: Deployment) -> bool:
    """Whether a request costs something whatever its tokens: a step of its own, or a prompt's state-space layers."""
    return deployment.at(Decimal(1)).joules_per[REQUEST] > 0


@given(seed=seeds, concurrency=st.sampled_from([1.0, 64.0]))
def test_requests_without_tokens_cost_no_energy_but_what_is_due_by_request(seed: int, concurrency: float) -> None:
    deployment, fleet = declared(seed, concurrency)
    totals = energy_of(fleet, (0, 0, 0))
    assert totals["requests"] == 1
    assert totals["decode_kwh"] == 0
    for name in ("prefill_kwh", "host_kwh", "facility_kwh"):
        assert (totals[name] > 0) == costs_by_request(deployment)


@given(seed=seeds, tokens=st.integers(1, 10**6))
def test_prompts_alone_decode_nothing_and_cached_prompts_prefill_nothing(seed: int, tokens: int) -> None:
    deployment, fleet = declared(seed, 8.0)
    prompt = energy_of(fleet, (tokens, 0, 0))
    assert prompt["decode_kwh"] == 0 < prompt["prefill_kwh"]
    cached = energy_of(fleet, (tokens, tokens, 1))
    assert (cached["prefill_kwh"] > 0) == (costs_by_request(deployment) or deployment.tier[0] > 0)
    assert cached["decode_kwh"] > 0
