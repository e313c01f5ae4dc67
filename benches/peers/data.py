"""Requests that look like those of a service: drawn from a seed, with the sums that every contestant has to find."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

#: 2026-01-01T00:00:00Z in seconds.
START_S = 1_767_225_600
HOUR_NS = 3_600_000_000_000
#: What is summed for each deployment and hour.
SUMS = ("n", "input", "cached", "input2", "output", "input_output", "output2")


class Shape(NamedTuple):
    """How many requests of how many deployments over how many hours, in which order, and how many of them as text."""

    rows: int
    deployments: int = 200
    hours: int = 744
    order: str = "near"
    lines: int = 0


class Data(NamedTuple):
    """Columns of requests."""

    shape: Shape
    time_ns: np.ndarray
    deployment: np.ndarray
    input: np.ndarray
    cached: np.ndarray
    output: np.ndarray

    @property
    def names(self) -> list[str]:
        """The deployments by number."""
        return [f"model-{i % 23:02}/h100/site-{i % 24:02}/{i:05}" for i in range(self.shape.deployments)]

    @property
    def groups(self) -> int:
        """Deployments × hours."""
        return self.shape.deployments * self.shape.hours


def draw(shape: Shape, seed: int = 7) -> Data:
    """Draw requests: busy and quiet deployments, short and long prompts, nearly in the order of time or in none."""
    rng, rows = np.random.default_rng(seed), shape.rows
    span = shape.hours * HOUR_NS
    time = np.sort(rng.integers(0, span, rows))
    if shape.order == "shuffled":
        rng.shuffle(time)
    else:
        # As several writers leave it: seconds out of order.
        time = np.clip(time + rng.integers(-5, 6, rows) * 1_000_000_000, 0, span - 1)
    weight = 1 / np.arange(1, shape.deployments + 1) ** 0.8
    deployment = rng.choice(shape.deployments, rows, p=weight / weight.sum()).astype("u4")
    length = np.exp(rng.normal(6.5, 1.2, rows)).clip(1, 120_000).astype("u4")
    cached = np.where(rng.random(rows) < 0.4, length * rng.random(rows), 0).astype("u4")
    output = np.exp(rng.normal(5.3, 0.9, rows)).clip(1, 16_000).astype("u4")
    return Data(shape, START_S * 1_000_000_000 + time, deployment, length, cached, output)


def sums(data: Data, seconds: bool = False) -> np.ndarray:
    """The sums of each group, exactly: what the others are held against."""
    time = data.time_ns // 1_000_000_000 * 1_000_000_000 if seconds else data.time_ns
    key = data.deployment.astype("i8") * data.shape.hours + (time - START_S * 1_000_000_000) // HOUR_NS
    i, c, o = (column.astype("f8") for column in (data.input, data.cached, data.output))
    columns = [np.ones_like(i), i, c, i * i, o, i * o, o * o]
    # No group's sum passes 2^53, so that floating point counts exactly.
    return np.stack([np.bincount(key, column, data.groups) for column in columns]).astype("i8")


def make(folder: Path, shape: Shape) -> None:
    """Write columns and their sums; where lines are asked for, Parquet as well, and the first of them as JSONL."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "shape.json").exists() and json.loads((folder / "shape.json").read_text()) == list(shape):
        return
    data = draw(shape)
    for name in ("time_ns", "deployment", "input", "cached", "output"):
        np.save(folder / f"{name}.npy", getattr(data, name))
    np.save(folder / "sums.npy", sums(data))
    if shape.lines:
        beginning = Data(shape, *(column[: shape.lines] for column in data[1:]))
        np.save(folder / "sums_of_lines.npy", sums(beginning, seconds=True))
        texts(folder, beginning)
        parquet(folder, data)
    (folder / "shape.json").write_text(json.dumps(list(shape)))


def load(folder: Path) -> Data:
    """Read the columns of a folder."""
    shape = Shape(*json.loads((folder / "shape.json").read_text()))
    names = ("time_ns", "deployment", "input", "cached", "output")
    return Data(shape, *(np.load(folder / f"{name}.npy") for name in names))


def texts(folder: Path, data: Data) -> None:
    """Write JSONL like that of a gateway; the same packed; and with the keys of every line in another order."""
    import zstandard

    rng, names = np.random.default_rng(3), data.names
    with (folder / "log.jsonl").open("w") as log, (folder / "mixed.jsonl").open("w") as mixed:
        for row in zip(*(column.tolist() for column in data[1:]), strict=True):
            line = record(names, *row, number=int(rng.integers(1 << 60)))
            log.write(json.dumps(line, separators=(",", ":")) + "\n")
            keys = rng.permutation(list(line))
            mixed.write(json.dumps({key: line[key] for key in keys}, separators=(",", ":")) + "\n")
    with (folder / "log.jsonl").open("rb") as log, (folder / "log.jsonl.zst").open("wb") as packed:
        zstandard.ZstdCompressor().copy_stream(log, packed)


def record(names: list[str], time: int, deployment: int, i: int, c: int, o: int, number: int) -> dict[str, Any]:
    """One line of a log."""
    usage = {
        "prompt_tokens": i,
        "completion_tokens": o,
        "total_tokens": i + o,
        "prompt_tokens_details": {"cached_tokens": c, "audio_tokens": 0},
    }
    name = names[deployment]
    return {
        "id": f"chatcmpl-{number:016x}",
        "object": "chat.completion",
        "created": time // 1_000_000_000,
        "model": name.partition("/")[0],
        "deployment": name,
        "usage": usage,
    }


def parquet(folder: Path, data: Data) -> None:
    """Write Parquet as most writers do: zstd, a million rows a row group; and the same without compression."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "timestamp": pa.array(data.time_ns, pa.timestamp("ns", "UTC")),
            "deployment": pa.DictionaryArray.from_arrays(data.deployment.astype("i4"), data.names),
            "input_tokens": data.input,
            "cached_tokens": data.cached,
            "output_tokens": data.output,
        }
    )
    for name, packing in (("log.parquet", "zstd"), ("plain.parquet", "none")):
        pq.write_table(table, folder / name, compression=packing, row_group_size=1_000_000)
