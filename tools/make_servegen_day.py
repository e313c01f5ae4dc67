"""Write a synthetic day of requests at the published rates of a large inference service, as Parquet.

    python tools/make_servegen_day.py DATA_FOLDER OUTPUT.parquet [--service m-mid] [--requests 200000000] [--seed 1]

DATA_FOLDER holds ``client_rates.csv.gz`` (requests per second of each client in windows of ten minutes, with the spread
of the times between requests) and ``token_hist.csv.gz`` (histograms of input and output tokens in windows of six
hours), both derived from ServeGen (Xiang et al., arXiv 2505.09999, Apache-2.0). The busiest day of the service is taken
and its rates are scaled to about the number of requests asked for. Everything below the rates is drawn from a seeded
generator: the file is no measurement.

Times are in order within a window. Columns: ``timestamp`` (UTC, microseconds), ``model``, ``client``, ``input_tokens``,
``output_tokens``; one row group per window.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

WINDOW_S = 600
DAY_S = 86_400
#: Where the day is put: the trace counts seconds from its own start.
START_US = 1_767_225_600 * 10**6
SCHEMA = pa.schema(
    [
        ("timestamp", pa.timestamp("us", "UTC")),
        ("model", pa.dictionary(pa.int32(), pa.string())),
        ("client", pa.dictionary(pa.int32(), pa.string())),
        ("input_tokens", pa.uint32()),
        ("output_tokens", pa.uint32()),
    ]
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--service", default="m-mid")
    parser.add_argument("--requests", type=int, default=200_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    windows, first = busiest_day(rows(options.data / "client_rates.csv.gz", options.service))
    histograms = tokens(rows(options.data / "token_hist.csv.gz", options.service))
    scale = options.requests / (WINDOW_S * sum(rate for clients in windows.values() for _, rate, _ in clients))
    random = np.random.default_rng(options.seed)
    names = pa.array(sorted({client for clients in windows.values() for client, _, _ in clients}, key=int))
    place = {name: i for i, name in enumerate(names.to_pylist())}
    written = 0
    with pq.ParquetWriter(options.output, SCHEMA, compression="zstd") as writer:
        for start, clients in sorted(windows.items()):
            times, codes = arrivals(clients, place, scale, random)
            order = np.argsort(times)
            n = len(times)
            written += n
            columns = [
                pa.array(START_US + (start - first) * 10**6 + times[order]).cast(SCHEMA.field(0).type),
                pa.DictionaryArray.from_arrays(np.zeros(n, "i4"), pa.array([options.service])),
                pa.DictionaryArray.from_arrays(codes[order], names),
                pa.array(draw(histograms, "input_tokens", start, n, random)),
                pa.array(draw(histograms, "output_tokens", start, n, random)),
            ]
            writer.write_table(pa.table(columns, schema=SCHEMA), row_group_size=max(n, 1))
    print(f"{written:,} requests of {len(names)} clients, {options.output.stat().st_size / 1e9:.2f} GB")


def rows(path: Path, service: str) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["model"] == service]


Clients = list[tuple[str, float, float]]


def busiest_day(rates: list[dict[str, str]]) -> tuple[dict[int, Clients], int]:
    """Return the clients of each window of the day with the most requests, and when it begins."""
    days: dict[int, float] = defaultdict(float)
    for row in rates:
        days[int(row["t_s"]) // DAY_S] += float(row["rate_rps"])
    day = max(days, key=lambda day: days[day])
    windows: dict[int, Clients] = defaultdict(list)
    for row in rates:
        start = int(row["t_s"])
        if start // DAY_S == day:
            # The coefficient of variation of the times between requests; 1 is a Poisson process.
            windows[start].append((row["client_id"], float(row["rate_rps"]), float(row["iat_cv"] or 1) or 1))
    return windows, day * DAY_S


def arrivals(
    clients: Clients, place: dict[str, int], scale: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return microseconds after the start of the window, and the number of the client."""
    counts = random.poisson([rate * WINDOW_S * scale for _, rate, _ in clients])
    times, codes = [np.empty(0, "i8")], [np.empty(0, "i4")]
    for (client, _, cv), n in zip(clients, counts, strict=True):
        # Gamma-distributed times between requests with this coefficient of variation fill the window.
        gaps = random.gamma(1 / max(cv, 0.05) ** 2, size=n + 1)
        edges = np.cumsum(gaps)
        share = edges[:-1] / edges[-1] if edges[-1] > 0 else random.random(n)
        times.append((share * (WINDOW_S * 10**6 - 1)).astype("i8"))
        codes.append(np.full(n, place[client], "i4"))
    return np.concatenate(times), np.concatenate(codes)


Histogram = tuple[np.ndarray, np.ndarray, np.ndarray]


def tokens(rows: list[dict[str, str]]) -> dict[tuple[str, int], Histogram]:
    """Return lower ends, upper ends and cumulative weights by field and window."""
    bins: dict[tuple[str, int], list[tuple[int, int, float]]] = defaultdict(list)
    for row in rows:
        key = (row["field"], int(row["window_start_s"]))
        bins[key].append((int(row["bin_lo"]), int(row["bin_hi"]), float(row["weight_requests"])))
    histograms = {}
    for key, every in bins.items():
        low, high, weight = (np.array(values) for values in zip(*every, strict=True))
        histograms[key] = (low, high, np.cumsum(weight) / weight.sum())
    return histograms


def draw(
    histograms: dict[tuple[str, int], Histogram], field: str, start: int, n: int, random: np.random.Generator
) -> np.ndarray:
    """Draw counts from the histogram of the latest window that has one, evenly within a bin."""
    known = [at for name, at in histograms if name == field]
    at = max((at for at in known if at <= start), default=min(known))
    low, high, cumulative = histograms[field, at]
    chosen = np.searchsorted(cumulative, random.random(n)).clip(0, len(low) - 1)
    return random.integers(low[chosen], high[chosen] + 1).astype("u4")


if __name__ == "__main__":
    main()
