"""The same jobs by others, each in the form that suits it best: seven sums a group, or six columns by a polynomial.

Columns are brought into a peer's own form before the clock starts; files are read while it runs.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from peers.data import HOUR_NS, START_S, SUMS, Data, load

START_NS = START_S * 1_000_000_000
Job = Callable[[], Any]
Finish = Callable[[Any], np.ndarray]


def coefficients(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """A model of the size of ours: six coefficients a deployment, and six factors a deployment and hour."""
    rng = np.random.default_rng(11)
    return rng.random((data.shape.deployments, 6)), rng.random((data.shape.deployments, data.shape.hours, 6))


def expected_columns(data: Data, n: int) -> np.ndarray:
    """The six columns of the first rows, by NumPy."""
    model, factors = coefficients(data)
    i, c, o = (column[:n].astype("f8") for column in (data.input, data.cached, data.output))
    e = model[data.deployment[:n]].T
    it = e[0] + e[1] * (i - c) + e[2] * (i * i - c * c) + e[3] * o + e[4] * (i * o + o * o / 2)
    time = e[5] * o
    hour = (data.time_ns[:n] - START_NS) // HOUR_NS
    factor = factors[data.deployment[:n], hour].T
    return np.stack([it, it * factor[1], it * factor[2], it * factor[3], it * factor[4], time * factor[5]])


def numba_sums(folder: Path) -> tuple[Job, Finish]:
    """Numba: a compiled loop over dense sums."""
    import numba

    data = load(folder)

    @numba.njit
    def loop(time, deployment, i_, c_, o_, sums, hours):  # type: ignore[no-untyped-def]
        for k in range(len(time)):
            i, c, o = np.int64(i_[k]), np.int64(c_[k]), np.int64(o_[k])
            at = sums[np.int64(deployment[k]) * hours + (time[k] - START_NS) // HOUR_NS]
            at[0] += 1
            at[1] += i
            at[2] += c
            at[3] += i * i
            at[4] += o
            at[5] += i * o
            at[6] += o * o

    def job() -> np.ndarray:
        found = np.zeros((data.groups, 8), np.int64)
        loop(data.time_ns, data.deployment, data.input, data.cached, data.output, found, data.shape.hours)
        return found

    return job, lambda found: found.T[: len(SUMS)]


def numba_columns(folder: Path, owned: bool) -> tuple[Job, Callable[[Any], float]]:
    """Numba: six columns by a compiled loop."""
    import numba

    data = load(folder)
    model, factors = coefficients(data)

    @numba.njit(fastmath=True)
    def loop(time, deployment, i_, c_, o_, model, factors, a, b, d, e, f, g):  # type: ignore[no-untyped-def]
        for k in range(len(time)):
            i, c, o = np.float64(i_[k]), np.float64(c_[k]), np.float64(o_[k])
            m = model[deployment[k]]
            x = factors[deployment[k], (time[k] - START_NS) // HOUR_NS]
            it = m[0] + m[1] * (i - c) + m[2] * (i * i - c * c) + m[3] * o + m[4] * (i * o + o * o * 0.5)
            a[k] = it
            b[k] = it * x[1]
            d[k] = it * x[2]
            e[k] = it * x[3]
            f[k] = it * x[4]
            g[k] = m[5] * o * x[5]

    mine = [np.ones(data.shape.rows) for _ in range(6)] if owned else None

    def job() -> list[np.ndarray]:
        out = mine or [np.empty(data.shape.rows) for _ in range(6)]
        loop(data.time_ns, data.deployment, data.input, data.cached, data.output, model, factors, *out)
        return out

    def error(columns: list[np.ndarray]) -> float:
        expected = expected_columns(data, 1000)
        found = np.stack([column[:1000] for column in columns])
        return float(np.abs(found / expected - 1).max())

    return job, error


def polars_columns(folder: Path) -> tuple[Job, Callable[[Any], float]]:
    """Polars: six new columns, the model looked up by place."""
    import polars as pl

    data = load(folder)
    model, factors = coefficients(data)
    place = data.deployment.astype("i8") * data.shape.hours
    frame = frame_of(data).with_columns(place=place)
    lookup = [pl.Series(np.ascontiguousarray(column)) for column in model.T]
    of_hour = [pl.Series(np.ascontiguousarray(column)) for column in factors.reshape(-1, 6).T]

    def job() -> Any:
        m = [pl.lit(column).gather(pl.col("deployment")) for column in lookup]
        hour = pl.col("place") + (pl.col("time") - START_NS) // HOUR_NS
        x = [pl.lit(column).gather(hour) for column in of_hour]
        i, c, o = (pl.col(name).cast(pl.Float64) for name in ("i", "c", "o"))
        it = m[0] + m[1] * (i - c) + m[2] * (i * i - c * c) + m[3] * o + m[4] * (i * o + o * o / 2)
        with_it = frame.with_columns(it=it)
        named = {f"x{k}": pl.col("it") * x[k] for k in range(1, 5)}
        return with_it.select("it", **named, embodied=m[5] * o * x[5])

    def error(found: Any) -> float:
        return float(np.abs(found.head(1000).to_numpy().T / expected_columns(data, 1000) - 1).max())

    return job, error


def frame_of(data: Data) -> Any:
    import polars as pl

    named = {"time": data.time_ns, "deployment": data.deployment, "i": data.input, "c": data.cached, "o": data.output}
    return pl.DataFrame(named)


#: The sums in SQL; columns are brought to integers of 64 bits before they are multiplied.
SQL = (
    "SELECT {key} AS deployment, {hour} AS hour, count(*) AS n, sum(i) AS input, sum(c) AS cached, sum(i*i) AS input2,"
    " sum(o) AS output, sum(i*o) AS input_output, sum(o*o) AS output2 FROM {source} GROUP BY 1, 2"
)
DUCK_FILES = {
    "parquet": "(SELECT epoch_ns(timestamp) AS time, deployment, input_tokens::BIGINT AS i, cached_tokens::BIGINT AS c,"
    " output_tokens::BIGINT AS o FROM read_parquet('{path}'))",
    "jsonl": "(SELECT created * 1000000000 AS time, deployment, usage.prompt_tokens AS i,"
    " usage.prompt_tokens_details.cached_tokens AS c, usage.completion_tokens AS o FROM read_json('{path}',"
    " format='newline_delimited', columns={{created: 'BIGINT', deployment: 'VARCHAR', usage: 'STRUCT("
    "prompt_tokens BIGINT, completion_tokens BIGINT, prompt_tokens_details STRUCT(cached_tokens BIGINT))'}}))",
}


def scattered(data: Data, table: Any) -> np.ndarray:
    """Sums of a table of groups; deployments are numbers or names."""
    found = np.zeros((len(SUMS), data.groups), "i8")
    deployment = table["deployment"].to_numpy(zero_copy_only=False)
    if deployment.dtype.kind not in "iu":
        place = {name: i for i, name in enumerate(data.names)}
        deployment = np.array([place[name] for name in deployment])
    key = deployment.astype("i8") * data.shape.hours + table["hour"].to_numpy().astype("i8")
    for i, name in enumerate(SUMS):
        found[i, key] = table[name].to_numpy(zero_copy_only=False).astype("i8")
    return found


def duckdb_sums(folder: Path, name: str | None = None) -> tuple[Job, Finish]:
    """DuckDB: over a table of its own, or over a file."""
    import duckdb

    data = load(folder)
    connection = duckdb.connect(config={"threads": 1})
    if name is None:
        frame = frame_of(data).to_arrow()  # noqa: F841 - DuckDB finds it by its name
        select = "time, deployment, i::BIGINT AS i, c::BIGINT AS c, o::BIGINT AS o"
        connection.execute(f"CREATE TABLE requests AS SELECT {select} FROM frame")
        source = "requests"
    else:
        source = DUCK_FILES["parquet" if name.endswith("parquet") else "jsonl"].format(path=folder / name)
    query = SQL.format(key="deployment", hour=f"((time - {START_NS}) // {HOUR_NS})", source=source)
    return lambda: connection.execute(query).to_arrow_table(), lambda table: scattered(data, table)


def datafusion_sums(folder: Path, name: str | None = None) -> tuple[Job, Finish]:
    """DataFusion: over record batches in memory, or over a Parquet file."""
    import datafusion

    data = load(folder)
    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(1))
    if name is None:
        table = frame_of(data).to_arrow()
        context.register_record_batches("requests", [table.to_batches(max_chunksize=1 << 16)])
        time, fields = "time", ("deployment", "i", "c", "o")
    else:
        context.register_parquet("requests", str(folder / name))
        time, fields = (
            "arrow_cast(timestamp, 'Int64')",
            ("deployment", "input_tokens", "cached_tokens", "output_tokens"),
        )
    deployment, *tokens = fields
    named = ", ".join(f"CAST({field} AS BIGINT) AS {short}" for field, short in zip(tokens, "ico", strict=True))
    source = f"(SELECT {time} AS time, {deployment} AS deployment, {named} FROM requests)"
    query = SQL.format(key="deployment", hour=f"((time - {START_NS}) / {HOUR_NS})", source=source)

    def job() -> Any:
        import pyarrow as pa

        return pa.Table.from_batches(context.sql(query).collect())

    return job, lambda table: scattered(data, table)


def polars_sums(folder: Path, name: str | None = None) -> tuple[Job, Finish]:
    """Polars: its streaming engine, over a frame or a file."""
    import polars as pl

    data = load(folder)
    if name is None:
        lazy = frame_of(data).lazy()
    elif name.endswith("parquet"):
        lazy = pl.scan_parquet(folder / name).select(
            pl.col("timestamp").cast(pl.Int64).alias("time"),
            "deployment",
            i="input_tokens",
            c="cached_tokens",
            o="output_tokens",
        )
    else:
        usage = pl.Struct(
            {
                "prompt_tokens": pl.Int64,
                "completion_tokens": pl.Int64,
                "prompt_tokens_details": pl.Struct({"cached_tokens": pl.Int64}),
            }
        )
        schema = {"created": pl.Int64, "deployment": pl.String, "usage": usage}
        details = pl.col("usage").struct.field("prompt_tokens_details").struct.field("cached_tokens")
        lazy = pl.scan_ndjson(folder / name, schema=schema).select(
            (pl.col("created") * 1_000_000_000).alias("time"),
            "deployment",
            i=pl.col("usage").struct.field("prompt_tokens"),
            c=details,
            o=pl.col("usage").struct.field("completion_tokens"),
        )
    i, c, o = (pl.col(column).cast(pl.Int64) for column in "ico")
    hour = ((pl.col("time") - START_NS) // HOUR_NS).alias("hour")
    sums = [pl.len().alias("n"), i.sum().alias("input"), c.sum().alias("cached"), (i * i).sum().alias("input2")]
    sums += [o.sum().alias("output"), (i * o).sum().alias("input_output"), (o * o).sum().alias("output2")]
    query = lazy.group_by("deployment", hour).agg(sums)
    return lambda: query.collect(engine="streaming").to_arrow(), lambda table: scattered(data, table)


def unpacked_parquet(folder: Path) -> tuple[Job, Finish]:
    """Zstd alone: the bytes of the columns, packed in pages of a megabyte, are unpacked and thrown away."""
    import pyarrow.parquet as pq
    import zstandard

    metadata = pq.read_metadata(folder / "plain.parquet")
    packer, pages = zstandard.ZstdCompressor(level=1), []
    with (folder / "plain.parquet").open("rb") as file:
        for group in range(metadata.num_row_groups):
            for column in range(metadata.num_columns):
                about = metadata.row_group(group).column(column)
                file.seek(about.dictionary_page_offset or about.data_page_offset)
                whole = file.read(about.total_compressed_size)
                pages += [packer.compress(whole[at : at + (1 << 20)]) for at in range(0, len(whole), 1 << 20)]
    unpack = zstandard.ZstdDecompressor().decompress
    return lambda: [len(unpack(page)) for page in pages] and None, nothing


def unpacked_text(folder: Path) -> tuple[Job, Finish]:
    """Zstd alone: the log is unpacked and thrown away."""
    import zstandard

    def job() -> None:
        with (folder / "log.jsonl.zst").open("rb") as file:
            for _ in zstandard.ZstdDecompressor().read_to_iter(file, read_size=1 << 18, write_size=1 << 18):
                pass

    return job, nothing


def simdjson_version() -> str | None:
    """The version of the C++ library, where it and a compiler are installed."""
    compiler = shutil.which("g++")
    if compiler is None:
        return None
    asked = [compiler, "-E", "-dM", "-include", "simdjson.h", "-x", "c++", os.devnull]
    macros = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    found = re.search(r'#define SIMDJSON_VERSION "?([\d.]+)', macros)
    return found.group(1) if found else None


def simdjson_sums(folder: Path, name: str) -> tuple[Job, Finish]:
    """C++ simdjson, compiled for this machine."""
    data = load(folder)
    library = folder / "simdjson.so"
    source = Path(__file__).with_name("simdjson.cpp")
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        flags = ["-O3", "-march=native", "-DNDEBUG", "-std=c++17", "-shared", "-fPIC"]
        subprocess.run(
            [shutil.which("g++") or "g++", *flags, "-o", str(library), str(source), "-lsimdjson"], check=True
        )
    run = ctypes.CDLL(str(library)).sums_of_lines
    run.argtypes = [
        ctypes.c_char_p,
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.c_uint64,
        ctypes.c_int64,
        ctypes.c_uint64,
        ctypes.c_void_p,
    ]
    names = (ctypes.c_char_p * len(data.names))(*(one.encode() for one in data.names))

    def job() -> np.ndarray:
        sums = np.zeros((len(SUMS), data.groups), "i8")
        if code := run(bytes(folder / name), names, len(data.names), START_S, data.shape.hours, sums.ctypes.data):
            raise SystemExit(f"simdjson ended with {code}")
        return sums

    return job, lambda sums: sums


def nothing(_: Any) -> np.ndarray:
    """No sums to hold against anything."""
    return np.zeros(0, "i8")
