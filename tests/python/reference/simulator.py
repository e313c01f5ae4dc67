"""A step simulator of a batched engine, to check operating points against: B and u are not given, they happen.

Continuous batching on R replicas. A request goes to the replica that holds the fewest, or to any at random. Each engine
step takes up to 8192 prompt tokens of admitted requests and one token of every decoding one; its time and energy are
the step form of the method: weights streamed and multiplied by how many decode, work per context token, per prompt
token and per pair of prompt tokens. Energy of a step is capped at rated power. Stretches of steps in which nobody comes
or goes are summed in closed form, exactly.

    cd tests/python
    python -m reference.simulator TRACE_FOLDER [fewest|random]
    python -m reference.simulator bursts

print the tables of docs/method/operating-point.md.
"""

from __future__ import annotations

import csv
import heapq
import math
import random
import sys
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import wattledger as wl

from reference.catalog import Row, hardware, network, parameters
from reference.method import INPUT, OUTPUT, Basis, Method, Serving, precision

MOST_RUNNING = 256
CHUNK_TOKENS = 8192
BIN_S = 300
#: Features in their order.
PAIRS, CONTEXT = 3, 6
IDLE_W = 110
D = Decimal
H100 = {
    "id": "simulated",
    "name": "simulated",
    "vendor": "NVIDIA",
    "category": "datacenter-gpu",
    "generation": "hopper",
    "release_year": "2022",
    "tdp_w": "700",
    "idle_context_w": str(IDLE_W),
    "memory_gb": "80",
    "memory_bw_gbs": "3350",
    "bf16_tflops": "989.4",
    "interconnect_gbs": "900",
    "source": "test",
    "quality": "assumed",
}


def llama(total: str, layers: int, hidden: int, heads: int) -> Row:
    shape = {"n_layers": layers, "hidden_size": hidden, "n_heads": heads, "n_kv_heads": 8, "head_dim": 128}
    return {"total_params": total, "active_params": total} | {column: str(size) for column, size in shape.items()}


SIZES = {
    "8B on 1 H100": (1, llama("8030000000", 32, 4096, 32)),
    "70B on 4 H100": (4, llama("70550000000", 80, 8192, 64)),
}
TRACES = {"conv": "AzureLLMInferenceTrace_conv.csv", "code": "AzureLLMInferenceTrace_code.csv"}
REPLICAS = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Step:
    """Seconds or joules of a step: by how many decode in it, and per context token, prompt token and pair of those."""

    decoding: list[float]
    context: float
    prompt: float
    pair: float


@dataclass(frozen=True)
class Replica:
    """What one replica is and costs."""

    devices: int
    method: Method
    time: Step
    energy: Step
    cache_tokens: float

    @property
    def rated_w(self) -> float:
        return self.devices * 700.0

    def joules(self, prompt: float, pairs: float, context: float) -> float:
        """Energy of a load but for what its output tokens cost each."""
        e = self.energy
        return e.prompt * prompt + e.pair * pairs + e.context * context

    def joules_per_output(self, concurrency: float) -> float:
        return float(self.method.at(D(concurrency)).joules_per[OUTPUT])


def replica(size: str) -> tuple[Replica, str]:
    """Cost a size of the table, and write the fleet of so many replicas of it, with `REPLICAS` to fill in."""
    devices, model = SIZES[size]
    net, chip = network(model), hardware(H100)
    costs = Method(chip, net, Serving(devices, precision("bf16")), parameters(None, None, chip.generation))
    at = [costs.at(D(n)) for n in range(1, MOST_RUNNING + 1)]

    def step(alone: D, bases: list[Basis]) -> Step:
        """A step in which nobody decodes streams the weights all the same."""
        shared = [alone, *(n * basis[OUTPUT] for n, basis in enumerate(bases, start=1))]
        return Step([float(x) for x in shared], *(float(bases[0][feature]) for feature in (CONTEXT, INPUT, PAIRS)))

    alone_s, alone_j = costs.step(D(0))
    room = 0.9 * devices * 80e9 - 2 * float(net.resident)
    made = Replica(
        devices,
        costs,
        step(alone_s, [c.seconds_per for c in at]),
        step(alone_j, [c.joules_per for c in at]),
        room / float(net.stored.full * 2),
    )
    toml = f"""
        [[deployment]]
        name = "d"
        hardware = "simulated"
        devices = {devices}
        replicas = REPLICAS
        precision = "bf16"
        match = {{}}
        model = {{ {", ".join(f"{column} = {cell}.0" for column, cell in model.items())} }}
        [[hardware]]
    """
    toml += "\n".join(f'{column} = "{cell}"' for column, cell in H100.items())
    return made, toml


@dataclass
class Request:
    """A request and when it was served."""

    arrival: float
    prompt: int
    output: int
    done: int = 0
    began: float = -1.0
    ended: float = -1.0


@dataclass
class Engine:
    """One replica at work; `now` is the end of its last step."""

    replica: Replica
    now: float = 0.0
    busy_s: float = 0.0
    energy_j: float = 0.0
    steps: int = 0
    context: int = 0
    reserved: int = 0
    waiting: deque[Request] = field(default_factory=deque)
    prefilling: deque[Request] = field(default_factory=deque)
    #: decoding requests by the number of the step after which they are done
    decoding: list[tuple[int, int, Request]] = field(default_factory=list)

    def held(self) -> int:
        return len(self.waiting) + len(self.prefilling) + len(self.decoding)

    def take(self, request: Request) -> None:
        if not self.held():
            self.now = max(self.now, request.arrival)
        self.waiting.append(request)

    def advance(self, until: float) -> None:
        """Make every step that begins before `until`."""
        while self.now < until and self.held():
            self.admit()
            if self.prefilling:
                self.prefill_step()
            else:
                self.decode_steps(until)

    def admit(self) -> None:
        while self.waiting and len(self.prefilling) + len(self.decoding) < MOST_RUNNING:
            needs = self.waiting[0].prompt + self.waiting[0].output
            if self.reserved and self.reserved + needs > self.replica.cache_tokens:
                break
            request = self.waiting.popleft()
            request.began = self.now
            self.reserved += needs
            self.prefilling.append(request)

    def prefill_step(self) -> None:
        room, prompt, pairs, finished = CHUNK_TOKENS, 0, 0.0, []
        while self.prefilling and room > 0:
            request = self.prefilling[0]
            chunk = min(room, request.prompt - request.done)
            pairs += (request.done + chunk / 2) * chunk
            prompt, room, request.done = prompt + chunk, room - chunk, request.done + chunk
            if request.done < request.prompt:
                break
            finished.append(self.prefilling.popleft())
        self.spend(1, prompt, pairs)
        for request in finished:
            heapq.heappush(self.decoding, (self.steps + request.output, id(request), request))
            self.context += request.prompt
        self.retire()

    def decode_steps(self, until: float) -> None:
        """Steps up to the first that ends a request, or that the next arrival could join."""
        to_end = self.decoding[0][0] - self.steps
        n, t = len(self.decoding), self.replica.time
        each, growth = t.decoding[n] + t.context * self.context, t.context * n / 2
        wait = until - self.now
        if math.isfinite(wait):
            # each·k + growth·k² >= wait
            k = 2 * wait / (each + math.sqrt(each * each + 4 * growth * wait))
            to_end = min(to_end, math.ceil(k))
        self.spend(max(1, to_end), 0, 0.0)
        self.retire()

    def spend(self, steps: int, prompt: int, pairs: float) -> None:
        n = len(self.decoding)
        context = steps * self.context + n * steps * steps / 2

        def of(cost: Step) -> float:
            return steps * cost.decoding[n] + cost.context * context + cost.prompt * prompt + cost.pair * pairs

        seconds = of(self.replica.time)
        self.now += seconds
        self.busy_s += seconds
        self.energy_j += min(of(self.replica.energy), self.replica.rated_w * seconds)
        self.context += n * steps
        self.steps += steps

    def retire(self) -> None:
        while self.decoding and self.decoding[0][0] <= self.steps:
            request = heapq.heappop(self.decoding)[2]
            request.ended = self.now
            self.context -= request.prompt + request.output
            self.reserved -= request.prompt + request.output


@dataclass(frozen=True)
class Truth:
    """What happened: every request with its times, the energy of all steps, busy time, and the period in whole bins."""

    requests: list[Request]
    energy_j: float
    busy_s: float
    provisioned_s: float
    idle_j: float
    queued_share: float


def simulate(kind: Replica, replicas: int, load: list[tuple[float, int, int]], dispatch: str = "fewest") -> Truth:
    """Serve a load of (arrival in s, prompt tokens, output tokens), in order of arrival."""
    rng = random.Random(1)  # noqa: S311 - a repeatable dispatch, no secret
    engines = [Engine(kind) for _ in range(replicas)]
    requests = [Request(*one) for one in sorted(load)]
    for request in requests:
        for engine in engines:
            engine.advance(request.arrival)
        (min(engines, key=Engine.held) if dispatch == "fewest" else rng.choice(engines)).take(request)
    for engine in engines:
        engine.advance(math.inf)
    first, last = min(r.began for r in requests), max(r.ended for r in requests)
    bins = math.floor(last / BIN_S) + 1 - math.floor(first / BIN_S)
    busy, provisioned = sum(e.busy_s for e in engines), float(bins * BIN_S * replicas)
    idle = kind.devices * IDLE_W * (provisioned - busy)
    late = sum(r.began - r.arrival > 1.0 for r in requests) / len(requests)
    return Truth(requests, sum(e.energy_j for e in engines), busy, provisioned, idle, late)


@dataclass(frozen=True)
class Comparison:
    """Ratios to the truth: accelerator energy of prefill and decode; idle as a share of all accelerator energy."""

    with_latency: float
    arrivals: float
    idle_error: float
    idle_error_arrivals: float
    one: float
    mean_concurrency: float
    hourly: float
    pooled: float
    latency_times_power: float
    busy_share: float
    queued_share: float


def compare(kind: Replica, toml: str, replicas: int, truth: Truth, start_us: int = 1_767_225_600_000_000) -> Comparison:
    """Put the simulated log through the engine, and through the ways people take instead."""
    fleet = wl.Fleet.parse(toml.replace("REPLICAS", str(replicas)))
    began = np.array([r.began for r in truth.requests])
    latency = np.array([r.ended - r.began for r in truth.requests])
    log: dict[str, Any] = {
        # A log of service: time in the queue is neither in the start nor in the latency.
        "timestamp": pa.array(np.round(began * 1e6).astype("i8") + start_us, pa.timestamp("us", "UTC")),
        "input_tokens": pa.array([r.prompt for r in truth.requests], pa.int64()),
        "output_tokens": pa.array([r.output for r in truth.requests], pa.int64()),
    }
    timed = pa.table({**log, "latency_ms": pa.array(latency * 1e3)})
    known, blind = (wl.scan(t, map={"model": None}).estimate(fleet).totals for t in (timed, pa.table(log)))

    def ratio(totals: dict[str, float]) -> float:
        return (totals["prefill_kwh"] + totals["decode_kwh"]) * 3.6e6 / truth.energy_j

    def idle_error(totals: dict[str, float]) -> float:
        return (totals["idle_kwh"] * 3.6e6 - truth.idle_j) / (truth.energy_j + truth.idle_j)

    def at(rule: str, width: int = BIN_S) -> float:
        return energy_by_rule(kind, truth, replicas, rule, width) / truth.energy_j

    return Comparison(
        ratio(known),
        ratio(blind),
        idle_error(known),
        idle_error(blind),
        at("one"),
        at("mean"),
        at("independent", 3600),
        at("pooled"),
        float(latency.sum()) * kind.rated_w / truth.energy_j,
        truth.busy_s / truth.provisioned_s,
        truth.queued_share,
    )


def concurrency(rule: str, load: float, replicas: int) -> float:
    """Return B of an offered load per replica, by the rule of the engine or by another one."""
    if rule == "one" or load == 0:
        return 1.0
    if rule == "mean":
        return max(1.0, load)
    if rule == "independent":
        return load / -math.expm1(-load)
    # Pooled: all requests spread evenly, so of N in all, min(N, R) replicas are busy; N is Poisson.
    mean, chance, busy = load * replicas, math.exp(-load * replicas), float(replicas)
    for n in range(replicas):
        busy -= (replicas - n) * chance
        chance *= mean / (n + 1)
    return load * replicas / busy


def energy_by_rule(kind: Replica, truth: Truth, replicas: int, rule: str, width: int) -> float:
    """Energy with B of each bin by a rule."""
    prompt = sum(r.prompt for r in truth.requests)
    pairs = sum(r.prompt**2 / 2 for r in truth.requests)
    context = sum(r.prompt * r.output + r.output**2 / 2 for r in truth.requests)
    total = kind.joules(prompt, pairs, context)
    overlap: dict[int, float] = {}
    output: dict[int, int] = {}
    for r in truth.requests:
        first = math.floor(r.began / width)
        output[first] = output.get(first, 0) + r.output
        for k in range(first, math.floor(r.ended / width) + 1):
            overlap[k] = overlap.get(k, 0.0) + min(r.ended, (k + 1) * width) - max(r.began, k * width)
    for k, tokens in output.items():
        b = concurrency(rule, overlap.get(k, 0.0) / (width * replicas), replicas)
        total += kind.joules_per_output(min(b, MOST_RUNNING)) * tokens
    return total


def trace(path: Path) -> list[tuple[float, int, int]]:
    """Read an Azure 2023 trace as arrivals in seconds from a whole hour, prompt and output tokens."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = [datetime.fromisoformat(row["TIMESTAMP"][:26]).replace(tzinfo=UTC).timestamp() for row in rows]
    hour = min(times) // 3600 * 3600
    return [
        (t - hour, int(row["ContextTokens"]), max(1, int(row["GeneratedTokens"])))
        for t, row in zip(times, rows, strict=True)
    ]


HEADER = (
    "| trace | model | replicas | busy | queued > 1 s | **with latency** | **arrivals only** | idle error, with latency"
    " | idle error, arrivals only | B = 1 | B = mean concurrency | hourly bins | B pooled | latency x rated power |"
)


def bursty(seconds: float, rate: float, on: float, period: float) -> list[tuple[float, int, int]]:
    """Draw independent arrivals of a mean rate that all come in the first `on` seconds of each period."""
    rng = random.Random(3)  # noqa: S311 - a repeatable load, no secret
    load, at = [], 0.0
    while at < seconds:
        at += rng.expovariate(rate * period / on)
        into = at % period
        # What falls into the quiet part falls after it: arrivals have no memory.
        at += period - into if into >= on else 0.0
        load.append((at, rng.randint(50, 3000), rng.randint(1, 500)))
    return load


def measure(folder: Path, dispatch: str) -> dict[tuple[str, str, int], Comparison]:
    """Run every case of the table: trace, model, replicas."""
    measured = {}
    for name, file in TRACES.items():
        load = trace(folder / file)
        for size in SIZES:
            kind, toml = replica(size)
            for replicas in REPLICAS:
                truth = simulate(kind, replicas, load, dispatch)
                measured[name, size, replicas] = compare(kind, toml, replicas, truth)
    return measured


#: Seconds of arrivals in each period of the synthetic loads.
BURSTS = ((120, 120), (2400, 9600), (600, 2400), (150, 600), (75, 300), (30, 120), (5, 20))


def measure_bursts() -> list[str]:
    """Return the rows of the synthetic table: 8B on 1 H100, 2 replicas, random dispatch, 2 requests per second."""
    kind, toml = replica("8B on 1 H100")
    rows = ["| arrivals | busy | with latency | arrivals only | idle error, with latency | B = 1 |", "|---" * 6 + "|"]
    for on, period in BURSTS:
        c = compare(kind, toml, 2, simulate(kind, 2, bursty(9600, 2.0, on, period), "random"))
        shape = "steady" if on == period else f"{on} s of every {period} s"
        rows.append(
            f"| {shape} | {c.busy_share:.2f} | {c.with_latency:.3f} | {c.arrivals:.3f} | {c.idle_error:+.1%}"
            f" | {c.one:.2f} |"
        )
    return rows


def table(measured: dict[tuple[str, str, int], Comparison]) -> list[str]:
    """Return the rows of the page, worst first."""

    def cells(case: tuple[str, str, int], c: Comparison) -> str:
        name, size, replicas = case
        return (
            f"| {name} | {size} | {replicas} | {c.busy_share:.2f} | {c.queued_share:.0%} | {c.with_latency:.3f}"
            f" | {c.arrivals:.3f} | {c.idle_error:+.1%} | {c.idle_error_arrivals:+.1%} | {c.one:.2f}"
            f" | {c.mean_concurrency:.2f} | {c.hourly:.3f} | {c.pooled:.3f} | {c.latency_times_power:.1f} |"
        )

    order = sorted(measured.items(), key=lambda item: -abs(math.log(item[1].with_latency)))
    return [HEADER, "|---" * 14 + "|", *(cells(case, c) for case, c in order)]


if __name__ == "__main__":
    what = sys.argv[1:]
    rows = measure_bursts() if what == ["bursts"] else table(measure(Path(what[0]), *what[1:2] or ["fewest"]))
    sys.stdout.write("\n".join(rows) + "\n")
