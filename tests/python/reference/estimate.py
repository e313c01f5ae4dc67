"""Ledger and fleet to energy, water and emissions: operating points, cap, idle and host, the site, allocation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from reference.catalog import ONE, ZERO, Hardware, Network, Parameters
from reference.ledger import OCCUPANCY_BIN_S, ROUTE, Bin
from reference.method import (
    CACHED,
    INPUT,
    PREFILL,
    Coefficients,
    Features,
    Method,
    Precision,
    Serving,
    features,
    weighted,
)

if TYPE_CHECKING:
    from reference.ledger import Labels, Ledger

D = Decimal
HOST_PER_EIGHT_W = D(1200)
HOST_IDLE_SHARE = D("0.7")
CONTEXT_OVER_RATED = D(46) / 700
IDLE_OVER_RATED = D("0.2")
POWER_DELIVERY_SHARE = D("0.3")
JOULES_PER_KWH = D(3_600_000)
DEFAULT_MAX_CONCURRENCY = D(256)


@dataclass(frozen=True)
class Site:
    """What the fleet states of a place; what it leaves out stays unknown."""

    pue: D
    wue: D
    direct: D | None
    lifecycle: D | None
    water: D | None
    water_with_hydro: D | None
    #: Share of generation lost on the way.
    losses: D
    residual: D | None
    contracted: D | None
    contract: D
    marginal: D | None
    stress: D | None


@dataclass(frozen=True)
class Deployment:
    """A network on accelerators at a site. `dedicated`: the log shows its whole load."""

    name: str
    hardware: Hardware
    network: Network
    serving: Serving
    parameters: Parameters
    replicas: int
    dedicated: bool
    declared: D | None
    max_concurrency: D
    energy_scale: D
    time_scale: D
    site: Site
    #: Joules to load a byte of the cache, and to keep one.
    tier: tuple[D, D] = (ZERO, ZERO)
    #: Accelerators that only prefill, beside those that decode, and the joules of a byte on its way between them.
    prefill_devices: int = 0
    carried: D = ZERO
    #: What a second of a replica bears of making it, in the order of `EMBODIED`.
    embodied: tuple[D, ...] = (ZERO,) * 5

    @property
    def devices(self) -> int:
        return self.serving.devices + self.prefill_devices

    def limit(self, mean_context: D) -> D:
        """Most requests a replica runs at once: engine or memory, whichever binds first."""
        return max(ONE, min(self.max_concurrency, self.memory_limit(mean_context)))

    def memory_limit(self, mean_context: D) -> D:
        net, serving, form = self.network, self.serving, self.serving.precision
        context = max(mean_context, ONE)
        weights = weight_bytes(net, form, serving.data, serving.draft_parameters)
        room = D("0.9") * serving.devices * self.hardware.memory_gb * D(10) ** 9 - weights
        # The cache of window layers ends at the window; recurrent state and what a cache keeps whatever the context do
        # not grow at all.
        per_token = net.stored.full * form.cache_bytes + net.index_bytes
        in_window = net.stored.window * form.cache_bytes * min(D(net.window), context) if net.window else ZERO
        kept = per_token * context + in_window + net.stored.fixed * form.cache_bytes
        cache = kept * serving.copies(net.cache_shards)
        return max(room, ZERO) / max(cache + net.state_elements * form.state_bytes, ONE)

    def fallback(self, mean_context: D) -> D:
        """Concurrency where the log says nothing: declared, else half of what memory holds, 1 to 64."""
        if self.declared is not None:
            return self.declared
        half = min(max(self.memory_limit(mean_context) / 2, ONE), D(64))
        return min(half, self.max_concurrency)

    def idle_w(self) -> D:
        hw = self.hardware
        if hw.idle_context_w is not None:
            power = hw.idle_context_w
        else:
            power = hw.tdp_w * IDLE_OVER_RATED if hw.idle_w is None else hw.idle_w + hw.tdp_w * CONTEXT_OVER_RATED
        return self.devices * min(power, hw.tdp_w)

    def host_w(self) -> D:
        return HOST_PER_EIGHT_W * self.devices / 8

    @cached_property
    def method(self) -> Method:
        return Method(self.hardware, self.network, self.serving, self.parameters)

    def at(self, concurrency: D) -> Coefficients:
        """Of both pools, with the cache's tier and the scales from a meter."""
        at = self.method.at(concurrency)
        net, form = self.network, self.serving.precision
        kept = (net.stored.full + net.stored.window) * form.cache_bytes + net.index_bytes
        load, write = (kept * joules for joules in self.tier)
        seconds, joules = list(at.seconds_per), list(at.joules_per)
        if self.prefill_devices:
            pool = replace(self.serving, devices=self.prefill_devices, data=1, pipeline=1)
            first = Method(self.hardware, net, pool, self.parameters).at(concurrency)
            shares = [D(n) / self.devices for n in (self.prefill_devices, self.serving.devices)]
            seconds = [s * shares[0] for s in first.seconds_per[:PREFILL]] + [s * shares[1] for s in seconds[PREFILL:]]
            joules = [*first.joules_per[:PREFILL], *joules[PREFILL:]]
            joules[INPUT] += kept * self.carried
        joules[CACHED] += load
        joules[INPUT] += write
        return Coefficients(tuple(seconds), tuple(joules)).scaled(self.time_scale, self.energy_scale)


def weight_bytes(net: Network, form: Precision, groups: int = 1, draft: D = ZERO) -> D:
    """What all weights take up: every data-parallel group holds its own dense ones, and a draft has some too."""
    dense = (net.resident - net.experts) * groups + draft
    return (dense * form.weight_bytes + net.experts * form.expert_bytes) * form.kept


def fewest_devices(weights: D, memory_gb: D) -> int:
    """Return the fewest devices, in powers of two, that hold the weights and 30 % more for cache."""
    devices = 1
    while D("0.9") * devices * memory_gb * D(10) ** 9 < D("1.3") * weights and devices < 65_536:
        devices *= 2
    return devices


@dataclass(frozen=True)
class Point:
    """Busy share u and concurrency while busy B of one five-minute bin, with the output tokens in it."""

    busy: D
    concurrency: D
    output: D
    seconds: D


@dataclass(frozen=True)
class Load:
    """What a deployment was asked for in one moments bin."""

    requests: int
    features: Features


@dataclass(frozen=True)
class Known:
    """What the whole ledger says about a deployment."""

    width: int
    period: tuple[int, int]
    occupancy: dict[int, list[int]]
    mean_context: D
    latency_share: D


def point_of_load(load: D, limit: D) -> tuple[D, D]:
    """u = 1 - e^(-rho), B = rho/u; where B would pass the limit it is the limit, and u = rho/limit."""
    if load <= 0:
        return ZERO, ONE
    busy = ONE - (-load).exp()
    concurrency = load / busy
    return (min(load / limit, ONE), limit) if concurrency > limit else (busy, max(concurrency, ONE))


def load_of_concurrency(concurrency: D) -> D:
    """Solve B = rho/(1 - e^(-rho)) for rho, by bisection: B rises with rho, and rho <= B."""
    low, high = ZERO, concurrency
    for _ in range(110):
        middle = (low + high) / 2
        if middle > 0 and middle / (ONE - (-middle).exp()) < concurrency:
            low = middle
        else:
            high = middle
    return high


def point_of_arrivals(deployment: Deployment, arrivals: D, mean: Features, limit: D) -> tuple[D, D]:
    """1 - e^(-rho) = arrivals·S(B(rho)) per replica; where B would pass the limit it is, and u = arrivals·S(limit)."""

    def asked(concurrency: D) -> D:
        return arrivals * deployment.at(concurrency).seconds(mean)

    if asked(ONE) == 0:
        return ZERO, ONE  # requests without tokens
    low, high = ZERO, load_of_concurrency(limit)
    if asked(limit) >= ONE - (-high).exp():
        return min(asked(limit), ONE), limit
    for _ in range(110):
        middle = (low + high) / 2
        busy = ONE - (-middle).exp()
        if asked(middle / busy) > busy:
            low = middle
        else:
            high = middle
    busy = ONE - (-high).exp()
    return busy, max(ONE, high / busy)


def operating_points(deployment: Deployment, start: Bin, load: Load, known: Known) -> list[Point]:
    """One point per five-minute bin inside the moments bin and the provisioned period."""
    limit, fallback = deployment.limit(known.mean_context), deployment.fallback(known.mean_context)
    if start is None or not deployment.dedicated:
        return [Point(ONE, fallback, ONE, ZERO)]
    points = []
    for k in range(max(start, known.period[0]), min(start + known.width, known.period[1]), OCCUPANCY_BIN_S):
        overlap_us, _, requests, output = known.occupancy.get(k, [0, 0, 0, 0])
        if known.latency_share > 0:
            # Requests without a logged latency are taken to overlap as the others do.
            overlap_s = D(overlap_us) / 10**6 / known.latency_share
            busy, concurrency = point_of_load(overlap_s / (OCCUPANCY_BIN_S * deployment.replicas), limit)
        elif requests == 0:
            busy, concurrency = ZERO, ONE
        else:
            # A mean request of this bin: prefill as in the moments bin, decode by its own output tokens.
            f = load.features
            part = D(output) / f.output / requests if f.output > 0 else ZERO
            mean = Features(*(x / load.requests for x in f[:PREFILL]), *(x * part for x in f[PREFILL:]))
            arrivals = D(requests) / (OCCUPANCY_BIN_S * deployment.replicas)
            if deployment.declared is None:
                busy, concurrency = point_of_arrivals(deployment, arrivals, mean, limit)
            else:
                busy = min(arrivals * deployment.at(deployment.declared).seconds(mean), ONE)
        if deployment.declared is not None:
            # How many share a step is declared; how long a replica is busy still shows in the log.
            concurrency = deployment.declared
        points.append(Point(busy, concurrency, D(output), D(OCCUPANCY_BIN_S)))
    return points


def mean_coefficients(deployment: Deployment, points: list[Point], f: Features) -> Coefficients:
    """Mean over the points by output tokens, then one factor on energy so that power stays at or below rated power.

    Where nothing is generated in the bin, points count by the time that they are busy.
    """
    weights = [p.output for p in points]
    if not any(weights):
        weights = [p.busy * max(p.seconds, ONE) for p in points]
    whole = sum(weights, ZERO)
    at = deployment.at(ONE)
    if whole > 0:
        parts = [(p, w / whole) for p, w in zip(points, weights, strict=True) if w > 0]
        at = weighted([(deployment.at(p.concurrency), share) for p, share in parts])
    energy = sum(at.joules(f), ZERO)
    most = deployment.devices * deployment.hardware.tdp_w * at.seconds(f)
    return at.scaled(ONE, most / energy if energy > most else ONE)


@dataclass
class Row:
    """One row of an estimate grouped by deployment, hour and further labels; `None` is unknown."""

    counts: list[int]
    sums: dict[str, D | None]
    weighted_concurrency: D = ZERO
    busy_s: D = ZERO
    provisioned_s: D = ZERO
    #: The columns as they were if its replicas were never busy: what a comparison of idle energy is relative to.
    never_busy: dict[str, D | None] = field(default_factory=dict)

    def add(self, other: Row) -> None:
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        for sums, more in ((self.sums, other.sums), (self.never_busy, other.never_busy)):
            for name, value in more.items():
                mine = sums.get(name)
                sums[name] = mine if value is None else value + (mine or ZERO)
        self.weighted_concurrency += other.weighted_concurrency
        self.busy_s += other.busy_s
        self.provisioned_s += other.provisioned_s

    def columns(self) -> dict[str, D | None]:
        replica_s = self.sums["replica_seconds"]
        names = ("requests", "input_tokens", "cached_tokens", "output_tokens")
        return {
            **{name: D(n) for name, n in zip(names, self.counts, strict=True)},
            **self.sums,
            "concurrency": self.weighted_concurrency / replica_s if replica_s else None,
            "utilisation": self.busy_s / self.provisioned_s if self.provisioned_s else None,
            "pue": self.over_it("facility_kwh"),
            "wue_l_per_kwh": self.over_it("water_onsite_l"),
            "wue_consumed_l_per_kwh": self.over_it("water_onsite_consumed_l"),
            "cue_g_per_kwh": self.over_it("co2e_location_g"),
            # No cooling system is stated, and with it what fans and supplies take inside the IT.
            "tue": None,
        }

    def over_it(self, name: str) -> D | None:
        value, it = self.sums[name], self.sums["it_kwh"]
        return value / it if value is not None and it else None


#: Columns of manufacture, in the order of what a second bears.
EMBODIED = ("co2e_embodied_g", "adpe_embodied_kg_sb", "primary_energy_embodied_mj", "water_embodied_l", "ewaste_kg")
#: No grid is named, and with it no depletion and no primary energy of generation.
OF_GRID = ("adpe_kg_sb", "primary_energy_mj")
#: No request trains.
NEVER = ("training_kwh",)


def at_site(
    site: Site | None, joules: tuple[D, D, D, D], replica_s: D, made: tuple[D, ...] = (ZERO,) * 5, standing_s: D = ZERO
) -> dict[str, D | None]:
    """Every column of a load: prefill, decode, idle, host in joules, then what the place adds and making took."""
    prefill, decode, idle, host = (j / JOULES_PER_KWH for j in joules)
    it = prefill + decode + idle + host
    pue, wue = (site.pue, site.wue) if site else (ONE, ZERO)
    overhead, facility = it * (pue - 1), it * pue

    def by(energy: D, factor: D | None) -> D | None:
        return None if factor is None else energy * factor

    # Two factors that contradict each other say nothing about the chain between them.
    chain = None
    if site and site.direct is not None and site.lifecycle is not None and site.lifecycle >= site.direct:
        chain = site.lifecycle - site.direct + site.lifecycle * site.losses / (1 - site.losses)
    # What no residual mix is known of stands at the location's own factor.
    residual = None if site is None else site.direct if site.residual is None else site.residual
    market = residual
    if site and site.contracted is not None:
        rest = None if residual is None else (1 - site.contracted) * residual
        covered = site.contracted * site.contract
        market = covered if site.contracted == 1 else None if rest is None else covered + rest
    # Only where no water is taken in does a measured intensity say what of it does not come back.
    consumed = ZERO if wue == 0 else None
    columns: dict[str, D | None] = {
        "replica_seconds": replica_s,
        "prefill_kwh": prefill,
        "decode_kwh": decode,
        "idle_kwh": idle,
        "host_kwh": host,
        "it_kwh": it,
        "cooling_kwh": overhead * (1 - POWER_DELIVERY_SHARE),
        "power_delivery_kwh": overhead * POWER_DELIVERY_SHARE,
        "facility_kwh": facility,
        "water_onsite_l": it * wue,
        "water_offsite_l": by(facility, site.water if site else None),
        "water_offsite_with_hydro_l": by(facility, site.water_with_hydro if site else None),
        "co2e_location_g": by(facility, site.direct if site else None),
        "co2e_upstream_g": by(facility, chain),
        "co2e_market_g": by(facility, market),
        "co2e_marginal_g": by(facility, site.marginal if site else None),
        "water_onsite_consumed_l": consumed,
        "water_stress_weighted_l": None if site is None or site.stress is None else consumed,
    }
    columns.update({name: rate * standing_s for name, rate in zip(EMBODIED, made, strict=True)})
    columns.update(dict.fromkeys(OF_GRID))
    columns.update(dict.fromkeys(NEVER, ZERO))
    return dict.fromkeys(columns) if site is None else columns


#: Deployment, hour (seconds since 1970 UTC), user dimensions (none if unallocated), and whether it is unallocated.
Key = tuple[str | None, Bin, tuple[str | None, ...], bool]


def estimate(ledger: Ledger, deployments: dict[str, Deployment]) -> dict[Key, Row]:
    """Rows by deployment, hour and every user dimension. A route belongs to the deployment its label names."""
    place = ROUTE.index("deployment")
    bins = [b for _, b in ledger.occupancy if b is not None]
    # Provisioned from the first to the last five-minute bin in which anything in the log happened.
    period = (min(bins), max(bins) + OCCUPANCY_BIN_S) if bins else (0, 0)
    rows: dict[Key, Row] = {}
    for name, deployment in deployments.items():
        moments = [(k, v) for k, v in ledger.moments.items() if k[0][place] == name]
        one_deployment(ledger, deployment, moments, period, rows)
    for (series, start), sums in ledger.moments.items():
        if series[place] not in deployments:
            unknown = Row(sums[:4], at_site(None, (ZERO, ZERO, ZERO, ZERO), ZERO))
            put(rows, (None, hour(start), series[len(ROUTE) :], False), unknown)
    return rows


#: Sums of one series and bin, and their window areas if the ledger holds them.
Sums = tuple[list[int], "list[int] | None"]


def one_deployment(
    ledger: Ledger,
    deployment: Deployment,
    moments: list[tuple[tuple[Labels, Bin], list[int]]],
    period: tuple[int, int],
    rows: dict[Key, Row],
) -> None:
    width = ledger.bin_seconds
    known = knowledge(ledger, deployment, [sums for _, sums in moments], period)
    starts: set[Bin] = {start for (_, start), _ in moments}
    if deployment.dedicated:
        starts |= set(range(period[0] // width * width, period[1], width))
    for start in starts:
        here = {
            series: (sums, window_areas(ledger, deployment, series, start))
            for (series, s), sums in moments
            if s == start
        }
        for key, row in one_bin(deployment, start, here, known):
            put(rows, key, row)


def knowledge(ledger: Ledger, deployment: Deployment, moments: list[list[int]], period: tuple[int, int]) -> Known:
    place = ROUTE.index("deployment")
    occupancy: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (route, start), values in ledger.occupancy.items():
        if route[place] == deployment.name and start is not None:
            occupancy[start] = [a + b for a, b in zip(occupancy[start], values, strict=True)]
    timed, with_latency = sum(o[2] for o in occupancy.values()), sum(o[1] for o in occupancy.values())
    requests = sum(m[0] for m in moments)
    context = D(sum(m[1] for m in moments)) + D(sum(m[3] for m in moments)) / 2
    share = D(with_latency) / timed if timed else ZERO
    return Known(ledger.bin_seconds, period, dict(occupancy), context / max(requests, 1), share)


def window_areas(ledger: Ledger, deployment: Deployment, series: Labels, start: Bin) -> list[int] | None:
    window = deployment.network.window
    if window is None:
        return [0, 0]
    return ledger.areas[window, series, start] if window in ledger.windows else None


def one_bin(deployment: Deployment, start: Bin, here: dict[Labels, Sums], known: Known) -> list[tuple[Key, Row]]:
    """Everything of one deployment and bin, allocated to its series by replica seconds."""
    total = [sum(column) for column in zip(*(sums for sums, _ in here.values()), strict=True)] or [0] * 8
    missing = any(areas is None for _, areas in here.values())
    areas = None if missing else [sum(a[i] for _, a in here.values() if a) for i in (0, 1)]
    whole = features(total, areas)
    points = operating_points(deployment, start, Load(total[0], whole), known)
    at = mean_coefficients(deployment, points, whole)
    provisioned_s = busy_s = ZERO
    if deployment.dedicated:
        provisioned_s = sum((p.seconds for p in points), ZERO) * deployment.replicas
        busy_s = sum((p.seconds * p.busy for p in points), ZERO) * deployment.replicas
    idle_w, host_idle_w = deployment.idle_w(), deployment.host_w() * HOST_IDLE_SHARE
    idle_j, host_idle_j = idle_w * (provisioned_s - busy_s), host_idle_w * (provisioned_s - busy_s)
    replica_s = at.seconds(whole)
    weight = sum((p.output for p in points), ZERO)
    concurrency = sum((p.concurrency * p.output for p in points), ZERO) / weight if weight else ONE
    rows: list[tuple[Key, Row]] = []
    for series, (sums, own_areas) in here.items():
        f = features(sums, own_areas)
        mine = at.seconds(f)
        share = mine / replica_s if replica_s else ZERO
        joules = (*at.joules(f), idle_j * share, deployment.host_w() * mine + host_idle_j * share)
        # A machine ages while it stands there for somebody; where nothing is provisioned, while it works.
        standing_s = provisioned_s * share if provisioned_s * share > 0 else mine
        columns = at_site(deployment.site, joules, mine, deployment.embodied, standing_s)
        row = Row(sums[:4], columns, concurrency * mine)
        row.busy_s, row.provisioned_s = busy_s * share, provisioned_s * share
        idle = (ZERO, ZERO, idle_w * provisioned_s * share, host_idle_w * provisioned_s * share)
        row.never_busy = at_site(deployment.site, idle, ZERO, deployment.embodied, standing_s)
        rows.append(((deployment.name, hour(start), series[len(ROUTE) :], False), row))
    if replica_s == 0 and provisioned_s > 0:
        # Nobody used the replicas: what they drew is nobody's.
        idle = (ZERO, ZERO, idle_j, host_idle_j)
        row = Row([0] * 4, at_site(deployment.site, idle, ZERO, deployment.embodied, provisioned_s))
        row.busy_s, row.provisioned_s = busy_s, provisioned_s
        rows.append(((deployment.name, hour(start), (), True), row))
    return rows


def hour(start: Bin) -> Bin:
    return None if start is None else start // 3600 * 3600


def put(rows: dict[Key, Row], key: Key, row: Row) -> None:
    if key in rows:
        rows[key].add(row)
    else:
        rows[key] = row
