"""Events to exact sums: moments by series and bin, window areas beside them, occupancy by route and five-minute bin."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TypeVar

ROUTE = ("provider", "model", "region", "deployment", "host", "hardware")
OCCUPANCY_BIN_S = 300
MICROS = 1_000_000

K = TypeVar("K")

#: Labels of a route, or of a route and then the user dimensions.
Labels = tuple[str | None, ...]
#: Start of a bin in seconds since 1970 UTC; `None` for events without a time.
Bin = int | None


@dataclass(frozen=True)
class Event:
    """One request."""

    time_us: int | None
    labels: dict[str, str | None]
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    latency_us: int | None = None

    def route(self) -> Labels:
        return tuple(self.labels.get(name) for name in ROUTE)

    def series(self, dimensions: tuple[str, ...]) -> Labels:
        return self.route() + tuple(self.labels.get(name) for name in dimensions)


def doubled_area(x: int, window: int) -> int:
    """2·A_W(x): A_W(x) = x²/2 up to the window, W·x - W²/2 beyond."""
    return x * x if x <= window else 2 * window * x - window * window


def moments_of(event: Event) -> tuple[int, ...]:
    """Return requests, Σin, Σcached, Σout, Σin², Σcached², Σin·out, Σout² of one event; `in` includes `cached`."""
    i, c, o = event.input_tokens, event.cached_tokens, event.output_tokens
    return (1, i, c, o, i * i, c * c, i * o, o * o)


def window_areas_of(event: Event, window: int) -> tuple[int, int]:
    """2·[A_W(in) - A_W(cached)] and 2·[A_W(in + out) - A_W(in)] of one event."""
    i, c, o = event.input_tokens, event.cached_tokens, event.output_tokens
    return (
        doubled_area(i, window) - doubled_area(c, window),
        doubled_area(i + o, window) - doubled_area(i, window),
    )


def bin_of(time_us: int | None, width_s: int) -> Bin:
    return None if time_us is None else time_us // (width_s * MICROS) * width_s


def split_latency(start_us: int, latency_us: int) -> dict[int, int]:
    """Microseconds of a request in each five-minute bin; the parts add up to the whole."""
    parts: dict[int, int] = defaultdict(int)
    at, end = start_us, start_us + latency_us
    while at < end:
        begin = at // (OCCUPANCY_BIN_S * MICROS) * OCCUPANCY_BIN_S
        until = min(end, (begin + OCCUPANCY_BIN_S) * MICROS)
        parts[begin] += until - at
        at = until
    return dict(parts)


@dataclass
class Ledger:
    """Sums by key."""

    bin_seconds: int
    dimensions: tuple[str, ...]
    windows: tuple[int, ...]
    moments: dict[tuple[Labels, Bin], list[int]] = field(default_factory=dict)
    areas: dict[tuple[int, Labels, Bin], list[int]] = field(default_factory=dict)
    #: latency overlap in microseconds, requests with latency, requests, output tokens
    occupancy: dict[tuple[Labels, Bin], list[int]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        series, route = event.series(self.dimensions), event.route()
        bin_start = bin_of(event.time_us, self.bin_seconds)
        accumulate(self.moments, (series, bin_start), moments_of(event))
        for window in self.windows:
            accumulate(self.areas, (window, series, bin_start), window_areas_of(event, window))
        # Latency of an event without a time can be put into no bin and is not counted as one.
        timed = event.latency_us is not None and event.time_us is not None
        began = bin_of(event.time_us, OCCUPANCY_BIN_S)
        accumulate(self.occupancy, (route, began), (0, int(timed), 1, event.output_tokens))
        if event.time_us is not None and event.latency_us is not None:
            for begin, overlap in split_latency(event.time_us, event.latency_us).items():
                accumulate(self.occupancy, (route, begin), (overlap, 0, 0, 0))


def accumulate(sums: dict[K, list[int]], key: K, values: tuple[int, ...]) -> None:
    kept = sums.setdefault(key, [0] * len(values))
    for i, value in enumerate(values):
        kept[i] += value


def scan(events: list[Event], bin_seconds: int, dimensions: tuple[str, ...], windows: tuple[int, ...]) -> Ledger:
    ledger = Ledger(bin_seconds, dimensions, windows)
    for event in events:
        ledger.add(event)
    return ledger
