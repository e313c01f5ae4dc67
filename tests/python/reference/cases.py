"""Random fleets and logs, stated in full: the same numbers go to the engine as TOML and to the reference directly."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import wattledger as wl

from reference import estimate as spec
from reference import ledger as sums
from reference import method

D = Decimal
#: 2026-01-01T00:00:00Z.
START_US = 1_767_225_600_000_000
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
    start = START_US + rng.randint(0, 86_400) * 10**6
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
