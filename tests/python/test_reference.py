"""The engine against the naive reference: random fleets and logs, every column of every row."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import wattledger as wl
from reference import estimate as spec
from reference import ledger as sums
from reference import method

D = Decimal
#: 2026-01-01T00:00:00Z.
MONDAY_US = 1_767_225_600_000_000
BATCHES, CASES_PER_BATCH = 25, 44
TOLERANCE = 1e-12
#: A load that is solved from arrivals comes out of sixty halvings of some hundreds: its absolute error, and that
#: of the busy share, is some 1e-16, whatever the load.
SOLVED_ABSOLUTE = 1e-15
PRECISIONS = {"bf16": (D(2), False), "fp8": (D(1), True), "int8": (D(1), False), "int4": (D("0.5"), False)}


@dataclass(frozen=True)
class Case:
    """A fleet and a log, and what both sides need to read them."""

    toml: str
    deployments: dict[str, spec.Deployment]
    events: list[sums.Event]
    bin_seconds: int
    keep_windows: bool


def number(value: D | int) -> str:
    text = f"{value:f}"
    return text if "." in text else f"{text}.0"


def table(values: dict[str, Any]) -> str:
    def cell(value: Any) -> str:
        return f'"{value}"' if isinstance(value, str) else number(value)

    return "\n".join(f"{key} = {cell(value)}" for key, value in values.items() if value is not None)


def decimal_between(rng: random.Random, low: float, high: float) -> D:
    """Draw a number of few digits, so that its decimal text is exact on both sides; uniform in the logarithm."""
    return D(f"{math.exp(rng.uniform(math.log(low), math.log(high))):.4g}")


def random_hardware(rng: random.Random, name: str) -> tuple[method.Hardware, str]:
    maturity = rng.choice(["mature", "mature", "blackwell", "unknown"])
    tdp = decimal_between(rng, 75, 1200)
    hardware = method.Hardware(
        tdp_w=tdp,
        memory_bw_gbs=decimal_between(rng, 300, 8000),
        bf16_tflops=decimal_between(rng, 60, 2500),
        fp8_tflops=rng.choice([None, decimal_between(rng, 120, 5000)]),
        interconnect_gbs=decimal_between(rng, 32, 1800),
        memory_gb=decimal_between(rng, 24, 288),
        maturity=maturity,
        idle_w=rng.choice([None, (tdp * D("0.1")).quantize(D("0.01")), (tdp * D("0.97")).quantize(D("0.01"))]),
        idle_context_w=rng.choice([None, (tdp * D("0.18")).quantize(D("0.01"))]),
    )
    row = {
        "id": f"b200-{name}" if maturity == "blackwell" else name,
        "name": name,
        "vendor": "Elsewhere" if maturity == "unknown" else "NVIDIA",
        "category": "datacenter-gpu",
        "release_year": 2022,
        "tdp_w": hardware.tdp_w,
        "idle_w": hardware.idle_w,
        "idle_context_w": hardware.idle_context_w,
        "memory_gb": hardware.memory_gb,
        "memory_bw_gbs": hardware.memory_bw_gbs,
        "bf16_tflops": hardware.bf16_tflops,
        "fp8_tflops": hardware.fp8_tflops,
        "interconnect_gbs": hardware.interconnect_gbs,
        "source": "test",
        "quality": "assumed",
    }
    return hardware, f"[[hardware]]\n{table(row)}\n"


def random_model(rng: random.Random) -> tuple[method.Model, str]:
    kind = rng.choice(["dense", "dense", "moe", "window", "hybrid", "moe window hybrid"])
    layers = rng.randint(4, 96)
    total = decimal_between(rng, 5e8, 6e11)
    experts = used = None
    active = total
    if "moe" in kind:
        experts = rng.choice([8, 16, 64, 128, 160])
        used = rng.randint(1, min(8, experts - 1))
        # At least the experts in use are active: what is no expert is not negative.
        least = total * used / experts
        active = (least + (total - least) * D(f"{rng.uniform(0.02, 0.6):.3f}")).quantize(D(1))
    window_layers = rng.randint(1, layers - 2) if "window" in kind else 0
    linear = rng.randint(1, layers - window_layers - 1) if "hybrid" in kind else 0
    model = method.Model(
        total=total,
        active=active,
        layers=layers,
        hidden=64 * rng.randint(8, 256),
        heads=rng.choice([8, 32, 64]),
        head_dim=rng.choice([64, 80, 128]),
        kv_heads=rng.choice([1, 4, 8]),
        window_layers=window_layers,
        window=rng.choice([128, 1024, 4096]) if window_layers else None,
        linear_layers=linear,
        state_elements=rng.randint(1, 10**8) if linear else 0,
        experts=experts,
        experts_per_token=used,
    )
    row = {
        "architecture": "moe" if experts else "dense",
        "total_params": model.total,
        "active_params": model.active,
        "n_layers": model.layers,
        "hidden_size": model.hidden,
        "n_heads": model.heads,
        "n_kv_heads": model.kv_heads,
        "head_dim": model.head_dim,
        "n_window_layers": model.window_layers,
        "attn_window": model.window,
        "n_linear_layers": model.linear_layers,
        "state_elements": model.state_elements,
        "n_experts": model.experts,
        "experts_per_token": model.experts_per_token,
    }
    cells = ", ".join(table(row).splitlines())
    return model, f"model = {{ {cells} }}"


def random_site(rng: random.Random, name: str) -> tuple[spec.Site, str]:
    def some(low: float, high: float) -> D | None:
        return None if rng.random() < 0.2 else decimal_between(rng, low, high)

    site = spec.Site(
        pue=rng.choice([D(1), 1 + decimal_between(rng, 0.01, 1.5)]),
        wue=rng.choice([D(0), decimal_between(rng, 0.01, 4)]),
        direct=some(10, 900),
        lifecycle=some(10, 1100),
        water=some(0.1, 10),
        water_with_hydro=some(0.1, 30),
    )
    row = {
        "pue": site.pue,
        "wue_l_per_kwh": site.wue,
        "carbon_direct_g_per_kwh": site.direct,
        "carbon_lifecycle_g_per_kwh": site.lifecycle,
        "water_offsite_l_per_kwh": site.water,
        "water_offsite_with_hydro_l_per_kwh": site.water_with_hydro,
    }
    return site, f"[site.{name}]\n{table(row)}\n"


def random_deployment(rng: random.Random, name: str) -> tuple[spec.Deployment, str]:
    hardware, hardware_toml = random_hardware(rng, f"chip-{name}")
    model, model_toml = random_model(rng)
    site, site_toml = random_site(rng, f"site-{name}")
    precision, devices = rng.choice(list(PRECISIONS)), rng.randint(1, 8)
    engine = rng.choice([None, "vllm-0.5.4", "vllm-0.11.1"])
    replicas = rng.choice([1, 1, 2, 7, 40])
    tenancy = rng.choice(["dedicated", "dedicated", "shared", None])
    states_replicas = tenancy == "dedicated" or (tenancy is None and rng.random() < 0.5)
    log_fraction = rng.choice([None, None, None, D("0.25")])
    dedicated = log_fraction is None and (tenancy == "dedicated" or (tenancy is None and states_replicas))
    declared = rng.choice([None, None, D(1), decimal_between(rng, 1, 2000)])
    most = rng.choice([None, None, D(1), decimal_between(rng, 1, 500)])
    weight_bytes, fp8 = PRECISIONS[precision]
    deployment = spec.Deployment(
        name=name,
        hardware=hardware,
        model=model,
        serving=method.Serving(
            devices, weight_bytes, fp8, method.ENGINES["vllm-0.5.4" if engine == "vllm-0.5.4" else "vllm-0.11"]
        ),
        replicas=replicas if states_replicas else 1,
        dedicated=dedicated,
        declared=declared,
        max_concurrency=spec.DEFAULT_MAX_CONCURRENCY if most is None else most,
        site=site,
    )
    row = {
        "name": name,
        "hardware": f"b200-chip-{name}" if hardware.maturity == "blackwell" else f"chip-{name}",
        "devices": devices,
        "replicas": replicas if states_replicas else None,
        "tenancy": tenancy,
        "log_fraction": log_fraction,
        "precision": precision,
        "engine": engine,
        "concurrency": declared,
        "max_concurrency": most,
        "site": f"site-{name}",
    }
    return deployment, f"[[deployment]]\n{table(row)}\n{model_toml}\n{hardware_toml}{site_toml}"


def random_events(rng: random.Random, names: list[str]) -> list[sums.Event]:
    size = rng.choice([100, 3_000, 200_000])
    span_us = rng.choice([10**6, 600 * 10**6, 3 * 3600 * 10**6, 9 * 3600 * 10**6])
    start = MONDAY_US + rng.randint(0, 86_400) * 10**6
    latency = rng.choice(["all", "none", "some"])
    timeless = rng.random() < 0.05
    longest = rng.choice([10**6, 10**8, 3 * 10**9])
    events = []
    for i in range(rng.randint(1, 30)):
        tokens = rng.choice([0, rng.randint(0, size), rng.randint(0, size)])
        logs_latency = latency == "all" or (latency == "some" and rng.random() < 0.7)
        labels = {
            "deployment": rng.choice([*names, *names, *names, "nobody's"]),
            "region": rng.choice([None, "eu", "us"]),
            # A dimension that no event at all carries is refused as misspelt.
            "tenant": rng.choice(["a", "b", "ü"] if i == 0 else [None, "a", "b", "ü"]),
        }
        events.append(
            sums.Event(
                time_us=None if timeless else start + rng.randint(0, span_us),
                labels=labels,
                input_tokens=tokens,
                cached_tokens=rng.choice([0, 0, rng.randint(0, tokens), tokens]),
                output_tokens=rng.choice([0, rng.randint(0, size), rng.randint(0, size)]),
                latency_us=rng.randint(0, longest) if logs_latency else None,
            )
        )
    return events


def random_case(seed: int) -> Case:
    rng = random.Random(seed)  # noqa: S311 - a repeatable case, no secret
    names = [f"d{i}" for i in range(rng.choice([1, 1, 2]))]
    made = [random_deployment(rng, name) for name in names]
    events = random_events(rng, names)
    return Case(
        toml="\n".join(toml for _, toml in made),
        deployments={deployment.name: deployment for deployment, _ in made},
        events=events,
        bin_seconds=rng.choice([300, 900, 3600, 3600]),
        keep_windows=rng.random() < 0.8,
    )


def arrow(events: list[sums.Event]) -> pa.Table:
    def labels(name: str) -> pa.Array:
        return pa.array([event.labels.get(name) for event in events], pa.string())

    columns = {
        "input_tokens": pa.array([e.input_tokens for e in events], pa.int64()),
        "cached_tokens": pa.array([e.cached_tokens for e in events], pa.int64()),
        "output_tokens": pa.array([e.output_tokens for e in events], pa.int64()),
        "latency_ms": pa.array([None if e.latency_us is None else e.latency_us / 1000 for e in events], pa.float64()),
        **{name: labels(name) for name in ("deployment", "region", "tenant")},
    }
    if any(event.time_us is not None for event in events):
        columns["timestamp"] = pa.array([event.time_us for event in events], pa.timestamp("us", "UTC"))
    return pa.table(columns)


def scanned(case: Case, fleet: wl.Fleet) -> wl.Ledger:
    data = arrow(case.events)
    absent: dict[str, str | None] = {"model": None}
    if "timestamp" not in data.column_names:
        absent["timestamp"] = None
    return wl.scan(
        data, by=["tenant"], bin_seconds=case.bin_seconds, map=absent, fleet=fleet if case.keep_windows else None
    )


def ledger_rows(ledger: wl.Ledger) -> dict[tuple[Any, ...], dict[str, int]]:
    """Rows as the engine gives them: family, route labels, dimensions and bin to exact sums."""
    rows = {}
    for row in pa.table(ledger).to_pylist():
        labels = tuple(row[name] for name in sums.ROUTE)
        if row["family"] == "moments":
            labels += (row["tenant"],)
        start = None if row["bin_start"] is None else int(row["bin_start"].timestamp())
        exact = {name: int(value) for name, value in row.items() if isinstance(value, D)}
        assert (row["family"], labels, start) not in rows
        rows[row["family"], labels, start] = exact
    return rows


def expected_ledger_rows(ledger: sums.Ledger) -> dict[tuple[Any, ...], dict[str, int]]:
    names = (
        "requests",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "input_tokens_squared",
        "cached_tokens_squared",
        "input_tokens_x_output_tokens",
        "output_tokens_squared",
    )
    occupancy = ("latency_overlap_us", "requests_with_latency", "requests", "output_tokens")
    rows: dict[tuple[Any, ...], dict[str, int]] = {}
    for (series, start), values in ledger.moments.items():
        row = dict(zip(names, values, strict=True))
        for window in ledger.windows:
            prefill, decode = ledger.areas[window, series, start]
            row[f"window_{window}_prefill_x2"], row[f"window_{window}_decode_x2"] = prefill, decode
        rows["moments", series, start] = row
    for (route, start), values in ledger.occupancy.items():
        rows["occupancy", route, start] = dict(zip(occupancy, values, strict=True))
    return rows


def hour_text(start: int | None) -> str | None:
    return None if start is None else datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def differences(mine: dict[str, D | None], theirs: dict[str, Any], columns: dict[str, float]) -> list[str]:
    """Columns that differ by more than their tolerance."""
    wrong = []
    for name, value in mine.items():
        other = theirs[name]
        if value is None or other is None:
            if value is not other:
                wrong.append(f"{name}: {other} for {value}")
            continue
        if abs(D(other) - value) > D(columns[name]):
            wrong.append(f"{name}: {other!r} for {float(value)!r}")
    return wrong


def tolerances(mine: dict[str, D | None], never_busy: dict[str, D | None]) -> dict[str, float]:
    """Allowed absolute difference by column: relative to the value, and for idle to what it would be at u = 0.

    The engine takes the idle share as the difference 1 - u of two doubles, which has no relative accuracy left where a
    replica is all but always busy.
    """
    scale = {name: max(abs(float(value or 0)), float(never_busy.get(name) or 0)) for name, value in mine.items()}
    return {name: TOLERANCE * size + (SOLVED_ABSOLUTE if name == "utilisation" else 0) for name, size in scale.items()}


def check(case: Case) -> int:
    fleet = wl.Fleet.parse(case.toml)
    windows = tuple(sorted({d.model.window for d in case.deployments.values() if d.model.window}))
    ledger = sums.scan(case.events, case.bin_seconds, ("tenant",), windows if case.keep_windows else ())
    made = scanned(case, fleet)
    assert ledger_rows(made) == expected_ledger_rows(ledger)

    expected = spec.estimate(ledger, case.deployments)
    rows = made.estimate(fleet).to_dict(by=["deployment", "hour", "tenant"])["rows"]
    found = {(r["deployment"], r["hour"], r["tenant"], r["unallocated"]): r for r in rows}
    assert len(found) == len(rows)
    named = {(k[0], hour_text(k[1]), (*k[2], None)[0], k[3]): row for k, row in expected.items()}
    assert found.keys() == named.keys()
    for key, row in named.items():
        mine = row.columns()
        wrong = differences(mine, found[key], tolerances(mine, row.never_busy))
        assert not wrong, (key, wrong)
    return len(rows)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_column_of_random_fleets_and_logs_is_what_the_reference_says(batch: int) -> None:
    for seed in range(batch * CASES_PER_BATCH, (batch + 1) * CASES_PER_BATCH):
        try:
            check(random_case(seed))
        except AssertionError as error:
            raise AssertionError(f"case {seed}: {error}") from error


def test_the_golden_values_of_the_method_page_hold_in_the_reference() -> None:
    h100 = method.Hardware(D(700), D(3350), D("989.4"), None, D(900), D(80), "mature", None, None)

    def joules(size: tuple[str, int, int, int], devices: int, concurrency: int, cached: int) -> float:
        total, layers, hidden, heads = size
        model = method.Model(D(total), D(total), layers, hidden, heads, 128, 8, 0, None, 0, 0, None, None)
        serving = method.Serving(devices, D(2), fp8=False, engine=method.ENGINES["vllm-0.11"])
        event = sums.Event(0, {}, 1000, cached, 500)
        features = method.features(list(sums.moments_of(event)), [0, 0])
        return float(sum(method.coefficients(h100, model, serving, D(concurrency)).joules(features)))

    small, large = ("8.03e9", 32, 4096, 32), ("70.55e9", 80, 8192, 64)
    assert joules(small, 1, 64, 0) == pytest.approx(73.207, rel=1e-5)
    assert joules(small, 1, 64, 800) == pytest.approx(58.906, rel=1e-5)
    assert joules(large, 4, 64, 0) == pytest.approx(590.97, rel=1e-5)
    assert joules(large, 4, 256, 0) == pytest.approx(416.73, rel=1e-5)
    assert joules(large, 4, 256, 800) == pytest.approx(268.57, rel=1e-5)


LIMIT_TOKENS = 10**9
LIMIT_LATENCY_US = 30 * 86_400 * 10**6


def case_of(events: list[sums.Event], bin_seconds: int = 3600) -> Case:
    rng = random.Random(7)  # noqa: S311 - a repeatable fleet, no secret
    while True:
        deployment, toml = random_deployment(rng, "d0")
        if deployment.dedicated and deployment.model.window:
            return Case(toml, {"d0": deployment}, events, bin_seconds, keep_windows=True)


def labelled(tenant: str = "a") -> dict[str, str | None]:
    return {"deployment": "d0", "tenant": tenant}


def test_the_largest_counts_add_up_without_a_wrap() -> None:
    largest = sums.Event(MONDAY_US, labelled(), LIMIT_TOKENS, LIMIT_TOKENS, LIMIT_TOKENS, 10**6)
    uncached = sums.Event(MONDAY_US, labelled(), LIMIT_TOKENS, 0, LIMIT_TOKENS, 10**6)
    events = [largest, uncached] * 40
    case = case_of(events)
    check(case)
    rows = ledger_rows(scanned(case, wl.Fleet.parse(case.toml)))
    (moments,) = [row for key, row in rows.items() if key[0] == "moments"]
    assert moments["input_tokens_squared"] == 80 * 10**18 > 2**64


def test_a_request_of_thirty_days_is_split_over_all_its_bins() -> None:
    event = sums.Event(MONDAY_US + 1, labelled(), 10, 0, 10**6, LIMIT_LATENCY_US)
    case = case_of([event])
    check(case)
    rows = ledger_rows(scanned(case, wl.Fleet.parse(case.toml)))
    overlaps = [row["latency_overlap_us"] for key, row in rows.items() if key[0] == "occupancy"]
    assert sum(overlaps) == LIMIT_LATENCY_US
    assert len(overlaps) == 30 * 288 + 1


@pytest.mark.parametrize("microseconds", [LIMIT_LATENCY_US + 1, 2**63, 2**64, 10**30])
def test_a_latency_beyond_thirty_days_is_rejected(microseconds: int) -> None:
    data = arrow([sums.Event(MONDAY_US, labelled(), 1, 0, 1, microseconds)])
    ledger = wl.scan(data, by=[], map={"model": None})
    assert ledger.coverage["by_reason"] == {"bad_latency": 1}
    assert pa.table(ledger).num_rows == 0


@pytest.mark.parametrize("unit", ["latency_ms", "latency_s"])
def test_a_whole_latency_of_more_microseconds_than_an_integer_holds_is_rejected(unit: str) -> None:
    data = arrow([sums.Event(MONDAY_US, labelled(), 1, 0, 1)]).drop_columns(["latency_ms"])
    for count in (2**63 - 1, 2**62, LIMIT_LATENCY_US):
        ledger = wl.scan(data.append_column(unit, pa.array([count], pa.int64())), map={"model": None})
        assert ledger.coverage["by_reason"] == {"bad_latency": 1}


@pytest.mark.parametrize("field", ["input_tokens", "cached_tokens", "output_tokens"])
@pytest.mark.parametrize("count", [LIMIT_TOKENS + 1, 2**31, 2**32, 2**32 + 5, 2**63, 2**64 - 1])
def test_a_count_above_the_limit_is_rejected(field: str, count: int) -> None:
    good = arrow([sums.Event(MONDAY_US, labelled(), LIMIT_TOKENS, 0, 1)])
    place = good.column_names.index(field)
    data = good.set_column(place, field, pa.array([count], pa.uint64()))
    ledger = wl.scan(data, map={"model": None})
    assert ledger.coverage["by_reason"] == {"implausible_count": 1}
    assert pa.table(ledger).num_rows == 0
