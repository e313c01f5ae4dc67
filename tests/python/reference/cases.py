"""Random fleets and logs, stated in full: the same numbers go to the engine as TOML and to the reference directly."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import wattledger as wl

from reference import catalog, embodied, method
from reference import estimate as spec
from reference import ledger as sums

D = Decimal
#: 2026-01-01T00:00:00Z.
START_US = 1_767_225_600_000_000
#: Engines that say something of host times, or are the ones that sets are fitted with.
ENGINES = ("vllm-0.5.4", "vllm-0.11.1", "vllm-0.11.1-v0", "vllm-0.22", "vllm-0.27.1", "sglang-0.4.5", "tgi")


@dataclass(frozen=True)
class Case:
    """A fleet and a log, and what both sides need to read them."""

    toml: str
    deployments: dict[str, spec.Deployment]
    events: list[sums.Event]
    bin_seconds: int
    keep_windows: bool


def row(values: dict[str, Any]) -> catalog.Row:
    """Write values as a table of the catalog has them; what is `None` is left out."""
    return {key: f"{v:f}" if isinstance(v, D) else str(v) for key, v in values.items() if v is not None}


def table(cells: catalog.Row) -> str:
    """Write cells as TOML, every number as one with a point."""

    def cell(text: str) -> str:
        if not text.replace(".", "", 1).isdigit():
            return f'"{text}"'
        return text if "." in text else f"{text}.0"

    return "\n".join(f"{key} = {cell(text)}" for key, text in cells.items())


def decimal_between(rng: random.Random, low: float, high: float) -> D:
    """Draw a number of few digits, so that its decimal text is exact on both sides; uniform in the logarithm."""
    return D(f"{math.exp(rng.uniform(math.log(low), math.log(high))):.4g}")


def some(rng: random.Random, value: Any, chance: float = 0.5) -> Any:
    """The value, or nothing."""
    return value if rng.random() < chance else None


def random_hardware(rng: random.Random, name: str) -> tuple[catalog.Row, str]:
    """Draw an accelerator, or one of the catalog, with its TOML."""
    if rng.random() < 0.2:
        needed = {"tdp_w", "memory_bw_gbs", "bf16_tflops", "memory_gb"}
        return rng.choice([one for one in catalog.rows("hardware") if needed <= one.keys()]), ""
    tdp = decimal_between(rng, 75, 1200)
    drawn = row(
        {
            "id": name,
            "name": name,
            "vendor": rng.choice(["NVIDIA", "Elsewhere"]),
            "category": rng.choice(["datacenter-gpu", "datacenter-gpu", "consumer-gpu", "superchip", "asic", "edge"]),
            "generation": rng.choice(["hopper", "ampere", "ada", "blackwell", "blackwell-ultra", "cdna3", None]),
            "release_year": rng.choice([2016, 2021, 2022, 2023, 2026, None]),
            "process_nm": rng.choice([None, 3, 4, 5, 6, 7, 12, 16, 28]),
            "die_area_mm2": some(rng, decimal_between(rng, 50, 3000)),
            "memory_type": rng.choice([None, "HBM3e", "GDDR6", "LPDDR5", "SRAM"]),
            "tdp_w": tdp,
            "idle_w": rng.choice([None, (tdp * D("0.1")).quantize(D("0.01")), (tdp * D("0.97")).quantize(D("0.01"))]),
            "idle_context_w": some(rng, (tdp * D("0.18")).quantize(D("0.01"))),
            "memory_gb": decimal_between(rng, 24, 288),
            "memory_bw_gbs": decimal_between(rng, 300, 8000),
            "bf16_tflops": decimal_between(rng, 60, 2500),
            "fp8_tflops": some(rng, decimal_between(rng, 120, 5000)),
            "fp4_tflops": some(rng, decimal_between(rng, 240, 10000)),
            "interconnect_gbs": some(rng, decimal_between(rng, 32, 1800), 0.9),
            "source": "test",
            "quality": "assumed",
        }
    )
    return drawn, f"[[hardware]]\n{table(drawn)}\n"


def random_model(rng: random.Random) -> tuple[catalog.Row, str]:
    """Draw a network, or one of the catalog, with its TOML."""
    if rng.random() < 0.25:
        shaped = {"n_layers", "hidden_size"}
        known = [one for one in catalog.rows("models") if shaped <= one.keys() and one["architecture"] != "diffusion"]
        selecting = [one for one in known if "index_bytes_per_token" in one or "kv_elements_fixed" in one]
        drawn = rng.choice(rng.choice([known, selecting]))
        return drawn, f'model = "{drawn["id"]}"'
    kind = rng.choice(["dense", "dense", "moe", "window", "hybrid", "moe window hybrid", "moe latent", "latent window"])
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
    window_layers = rng.randint(1, layers - 2) if "window" in kind else None
    linear = rng.randint(1, layers - (window_layers or 0) - 1) if "hybrid" in kind else None
    latent, kv_heads = "latent" in kind, rng.choice([1, 4, 8])
    cells = {
        "kind": rng.choice([None, "chat", "chat", "base", "embedding", "rerank", "vision-language"]),
        "architecture": "moe" if experts else some(rng, "dense"),
        "total_params": total,
        "active_params": active,
        "n_layers": layers,
        "hidden_size": 64 * rng.randint(8, 256),
        "n_heads": rng.choice([8, 32, 64]),
        "n_kv_heads": some(rng, kv_heads, 0.9),
        "head_dim": rng.choice([None, 64, 80, 128]),
        "n_window_layers": window_layers,
        "attn_window": some(rng, rng.choice([128, 1024, 4096]), 0.95) if window_layers else None,
        "n_linear_layers": linear,
        "state_elements": rng.randint(1, 10**8) if linear else None,
        "n_experts": experts,
        "experts_per_token": used,
        "vocab_size": some(rng, rng.randint(1000, 250_000)),
        "input_embedding_params": some(rng, rng.randint(10**6, 4 * 10**8), 0.2),
        "tied_embeddings": rng.choice([None, None, "yes", "no"]),
        "vision_params": some(rng, rng.randint(10**6, 10**8), 0.1),
        "lookup_params": some(rng, rng.randint(10**6, 10**8), 0.1),
        "kv_kind": "mla" if latent else some(rng, "gqa"),
    }
    if latent:
        cells |= {"kv_lora_rank": rng.choice([256, 512]), "qk_rope_head_dim": 64, "v_head_dim": some(rng, 128)}
        cells |= {"qk_nope_head_dim": some(rng, 128)}
    if rng.random() < 0.15:
        # What a row states of attention goes before what follows from heads.
        cells |= {
            "n_full_attn_layers": some(rng, rng.randint(1, layers)),
            "kv_elements_per_token_full": some(rng, rng.randint(1, 10**5)),
            "kv_elements_fixed": some(rng, rng.randint(1, 10**7)),
            "kv_stored_elements_per_token_full": some(rng, rng.randint(1, 10**4)),
            "index_bytes_per_token": some(rng, rng.randint(1, 10**4)),
            "kv_max_shards": some(rng, rng.randint(1, 16)),
            "attn_flop_decode_full": some(rng, rng.randint(1, 10**7)),
            "attn_flop_decode_fixed": some(rng, rng.randint(1, 10**9)),
            "attn_flop_prefill_full": some(rng, rng.randint(1, 10**7)),
            "attn_flop_prefill_fixed": some(rng, rng.randint(1, 10**9)),
        }
    drawn = row(cells)
    return drawn, f"model = {{ {', '.join(table(drawn).splitlines())} }}"


def random_site(rng: random.Random, name: str) -> tuple[spec.Site, str]:
    def between(low: float, high: float) -> D | None:
        return None if rng.random() < 0.2 else decimal_between(rng, low, high)

    site = spec.Site(
        pue=rng.choice([D(1), 1 + decimal_between(rng, 0.01, 1.5)]),
        wue=rng.choice([D(0), decimal_between(rng, 0.01, 4)]),
        direct=between(10, 900),
        lifecycle=between(10, 1100),
        water=between(0.1, 10),
        water_with_hydro=between(0.1, 30),
        losses=decimal_between(rng, 0.1, 20) / 100,
        residual=between(10, 900),
        contracted=rng.choice([None, D(0), D(1), decimal_between(rng, 0.01, 1)]),
        contract=rng.choice([D(0), decimal_between(rng, 10, 900)]),
        marginal=between(10, 900),
        stress=between(0.1, 50),
    )
    cells = {
        "pue": site.pue,
        "wue_l_per_kwh": site.wue,
        "carbon_direct_g_per_kwh": site.direct,
        "carbon_lifecycle_g_per_kwh": site.lifecycle,
        "water_offsite_l_per_kwh": site.water,
        "water_offsite_with_hydro_l_per_kwh": site.water_with_hydro,
        "grid_losses_pct": site.losses * 100,
        "residual_direct_g_per_kwh": site.residual,
        "contracted_share": site.contracted,
        "contract_direct_g_per_kwh": site.contract,
        "carbon_marginal_g_per_kwh": site.marginal,
        "water_stress_weight": site.stress,
    }
    return site, f"[site.{name}]\n{table(row(cells))}\n"


@dataclass(frozen=True)
class Fitted:
    """The parameter set of a fleet, where it names one, and its own rows of parameters."""

    name: str | None
    own: tuple[catalog.Row, ...] = ()

    def toml(self) -> str:
        rows = "".join(f"[[parameter]]\n{table(one)}\n" for one in self.own)
        return (f'parameter_set = "{self.name}"\n' if self.name else "") + rows


def random_fitted(rng: random.Random) -> Fitted:
    """Draw a set, now and then with values of one's own for an engine, a generation, or an engine on a generation."""
    name = rng.choice([None, None, "V0", "V11", "V12"])
    own = {}
    for _ in range(rng.choice([0, 0, 0, 1, 4])):
        symbol = rng.choice(["h", "q", "t_step", "t_seq", "t_layer", "q_4"])
        engine = some(rng, rng.choice(["vllm-0.5.4", "vllm-0.11.1", "tgi"]))
        generation = some(rng, rng.choice(["blackwell", "ampere", "other"]))
        stated = name or "V12"
        key = f"{stated}/stack/{engine or '*'}/{generation or '*'}/{symbol}"
        scale = 1e-4 if symbol.startswith("t_") else 1
        cells = {"id": key, "set": stated, "layer": "stack", "engine": engine, "generation": generation}
        more = {"symbol": symbol, "value": decimal_between(rng, scale * 0.5, scale * 20)}
        own[key] = row(cells | more | {"source": "test", "quality": "assumed"})
    return Fitted(name, tuple(own.values()))


def random_layout(rng: random.Random) -> tuple[int, int, int]:
    """Devices, data-parallel groups, pipeline stages."""
    if rng.random() < 0.7:
        return rng.randint(1, 8), 1, 1
    tensor, data, pipeline = (rng.choice([1, 2, 4]) for _ in range(3))
    return tensor * data * pipeline, data, pipeline


def random_deployment(rng: random.Random, name: str, fitted: Fitted) -> tuple[spec.Deployment, str]:
    hardware_row, hardware_toml = random_hardware(rng, f"chip-{name}")
    model_row, model_toml = random_model(rng)
    site, site_toml = random_site(rng, f"site-{name}")
    hardware, network = catalog.hardware(hardware_row), catalog.network(model_row)
    stated = some(rng, rng.choice([*method.FORMATS, "fp8", "fp8", "nvfp4"]), 0.9)
    kv_precision, sparsity = rng.choice([None, "bf16", "fp8"]), some(rng, rng.choice([D("0.25"), D("0.5")]), 0.2)
    precision = method.precision(
        stated or method.released(model_row), kv_precision, sparsity or D(0), experts_are=network.share is not None
    )
    media_share = some(rng, rng.choice([D(0), D("0.3"), D(1)]), 0.5) if network.encoder is not None else None
    if media_share:
        # Four patches are merged into a token.
        network = replace(network, encoder_flop=media_share * 2 * network.encoder * 4)
    tier, pool = some(rng, rng.choice(["memory", "host", "flash", "network"]), 0.3), some(rng, rng.randint(1, 8), 0.15)
    devices, data, pipeline = random_layout(rng)
    states_devices = data * pipeline > 1 or rng.random() < 0.9
    drafts = rng.random() < 0.25
    drafted = rng.randint(1, 5) if drafts else 0
    acceptance = rng.choice([D(0), D(1), D(f"{rng.random():.2f}")]) if drafts else D(0)
    draft = some(rng, decimal_between(rng, 1e7, 1e10)) if drafts else None
    weights = spec.weight_bytes(network, precision, data, draft or D(0))
    if not states_devices:
        devices = spec.fewest_devices(weights, hardware.memory_gb)
    while weights > devices * hardware.memory_gb * 10**9:
        # Weights that no memory holds are refused.
        devices *= 2
    engine = rng.choice([None, None, *ENGINES])
    replicas = rng.choice([1, 1, 2, 7, 40])
    tenancy = rng.choice(["dedicated", "dedicated", "shared", None])
    states_replicas = tenancy == "dedicated" or (tenancy is None and rng.random() < 0.5)
    log_fraction = rng.choice([None, None, None, D("0.25")])
    dedicated = log_fraction is None and (tenancy == "dedicated" or (tenancy is None and states_replicas))
    declared = rng.choice([None, None, D(1), decimal_between(rng, 1, 2000)])
    most = rng.choice([None, None, D(1), decimal_between(rng, 1, 500)])
    energy_scale, time_scale = (some(rng, decimal_between(rng, 0.2, 5), 0.2) for _ in range(2))
    deployment = spec.Deployment(
        name=name,
        hardware=hardware,
        network=network,
        serving=method.Serving(devices, precision, data, pipeline, drafted, acceptance, draft or D(0)),
        parameters=catalog.parameters(fitted.name, engine, hardware.generation, fitted.own),
        replicas=replicas if states_replicas else 1,
        dedicated=dedicated,
        declared=declared,
        max_concurrency=spec.DEFAULT_MAX_CONCURRENCY if most is None else most,
        energy_scale=energy_scale or D(1),
        time_scale=time_scale or D(1),
        site=site,
        tier=catalog.tier(tier or "memory"),
        prefill_devices=pool or 0,
        carried=catalog.tier("network")[0],
    )
    life = some(rng, decimal_between(rng, 1, 10), 0.3)
    made = embodied.per_second(hardware_row, deployment.devices, deployment.host_w(), life)
    deployment = replace(deployment, embodied=made)
    cells = {
        "name": name,
        "hardware": hardware_row["id"],
        "devices": devices if states_devices else None,
        "replicas": replicas if states_replicas else None,
        "tenancy": tenancy,
        "log_fraction": log_fraction,
        "precision": stated,
        "engine": engine,
        "concurrency": declared,
        "max_concurrency": most,
        "site": f"site-{name}",
        "lifetime_years": life,
        "kv_precision": kv_precision,
        "sparsity": sparsity,
        "data_parallel": data if data > 1 else some(rng, 1, 0.1),
        "pipeline_parallel": pipeline if pipeline > 1 else some(rng, 1, 0.1),
        "draft_tokens": drafted if drafts else some(rng, 0, 0.1),
        "draft_acceptance": acceptance if drafts else None,
        "draft_params": draft,
        "energy_scale": energy_scale,
        "time_scale": time_scale,
        "metered_concurrency": some(rng, decimal_between(rng, 1, 500), 0.5) if energy_scale else None,
        "media_share": media_share,
        "cache_tier": tier,
        "prefill_devices": pool,
    }
    return deployment, f"[[deployment]]\n{table(row(cells))}\n{model_toml}\n{hardware_toml}{site_toml}"


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
    fitted = random_fitted(rng)
    made = [random_deployment(rng, name, fitted) for name in names]
    events = random_events(rng, names)
    return Case(
        toml="\n".join([fitted.toml(), *(toml for _, toml in made)]),
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
