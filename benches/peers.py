"""Build a ledger from 20 million rows in memory, beside Numba and DuckDB grouping the same moments.

    python benches/peers.py BENCH_FOLDER DATA_FOLDER [--rounds 5] [--table docs/performance.md]

BENCH_FOLDER holds the peer benchmark (gen.py, common.py, reference.py, peers/). Data are made in DATA_FOLDER if they
are not there: 20 M time-ordered rows, 200 deployments, one month. Rounds are interleaved, every process is pinned to
one core, and the figure is CPU seconds of the process. Every answer is checked against plain NumPy; a wrong one ends
the run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

#: Who runs, and what each of them does.
WORKERS = {
    "wattledger": "ledger: eight moments per hour, occupancy per five minutes, checked input, overflow-safe",
    "wattledger, moments alone": "the same without occupancy",
    "wattledger, tokens as int64": "with occupancy, from int64 token columns, converted in the cache",
    "numba": "seven moments per hour, dense arrays, compiled loop",
    "duckdb": "seven moments per hour, GROUP BY over its own table",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bench", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--worker")
    options = parser.parse_args()
    sys.path.insert(0, str(options.bench))
    if options.worker:
        print(json.dumps(work(options.worker, options.data)))
        return
    if not (options.data / "meta.json").exists():
        make = [sys.executable, str(options.bench / "gen.py"), str(options.data), "-n", str(options.rows)]
        subprocess.run([*make, "--order", "near", "--no-files"], check=True)
    rounds: dict[str, list[float]] = {worker: [] for worker in WORKERS}
    for _ in range(options.rounds):
        for worker in WORKERS:
            rounds[worker].append(run(worker, options))
            print(f"{worker:30} {rounds[worker][-1]:7.3f} CPU s", flush=True)
    table = report(rounds, json.loads((options.data / "meta.json").read_text()))
    print(table)
    if options.table:
        text = options.table.read_text(encoding="utf-8")
        head, _, rest = text.partition("<!-- peers -->")
        options.table.write_text(
            f"{head}<!-- peers -->\n{table}<!-- end -->{rest.partition('<!-- end -->')[2]}", encoding="utf-8"
        )


def run(worker: str, options: argparse.Namespace) -> float:
    """One round of one worker in a process of its own, on one core."""
    command = [sys.executable, __file__, str(options.bench), str(options.data), "--worker", worker]
    threads = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
    done = subprocess.run(command, env={**os.environ, **threads}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{worker} failed:\n{done.stderr}")
    return float(json.loads(done.stdout.splitlines()[-1])["cpu_s"])


def work(worker: str, data: Path) -> dict[str, float]:
    """Do the job once to warm up and once for the clock; check the answer."""
    import time

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    job, check = {"numba": numba, "duckdb": duckdb}.get(worker, ledger)(str(data), worker)
    job()
    start = time.process_time()
    result = job()
    cpu_s = time.process_time() - start
    check(result)
    return {"cpu_s": cpu_s}


def ledger(data: str, worker: str):
    import numpy as np
    import pyarrow as pa
    import wattledger as wl
    from common import Tables, load_columns

    tables, columns = Tables(data), load_columns(data)
    width = "i8" if "int64" in worker else "u4"
    log = {
        "timestamp": columns["ts"].view("M8[ns]"),
        "deployment": (columns["dep"], tables.names),
        "input_tokens": columns["in"].astype(width),
        "cached_tokens": columns["cached"].astype(width),
        "output_tokens": columns["out"].astype(width),
    }

    def job():
        return wl.scan(log, map={"model": None}, input_timezone="UTC", threads=1, occupancy="alone" not in worker)

    def check(made) -> None:
        rows = pa.table(made).filter(pa.compute.equal(pa.table(made)["family"], "moments"))
        hour = (
            rows["bin_start"].cast("int64").to_numpy() // 10**6 - int(columns["ts"].min() // 10**9 // 3600 * 3600)
        ) // 3600
        place = {name: i for i, name in enumerate(tables.names)}
        key = np.array([place[name] for name in rows["deployment"].to_pylist()]) * tables.n_hour + hour
        names = ("requests", "input_tokens", "cached_tokens", "input_tokens_squared", "output_tokens",
                 "input_tokens_x_output_tokens", "output_tokens_squared")  # fmt: skip
        sums = np.zeros((7, tables.n_group))
        for i, name in enumerate(names):
            sums[i, key] = rows[name].cast("float64").to_numpy()
        verify(data, tables.from_moments(*sums))

    return job, check


def numba(data: str, _: str):
    from peers import numba_

    state = numba_.prep(data, 1)
    return lambda: numba_.run_bm(state), lambda got: verify(data, got)


def duckdb(data: str, _: str):
    from peers import duckdb_

    state = duckdb_.prep(data, 1)
    return lambda: duckdb_.moments(state, "dep", "e"), lambda got: verify(data, got)


def verify(data: str, got) -> None:
    from reference import check_b

    error = check_b(data, got)
    if not error <= 1e-9:
        sys.exit(f"wrong answer: relative error {error}")


def report(rounds: dict[str, list[float]], meta: dict[str, int]) -> str:
    rows = meta["n"]
    ours, alone = (statistics.median(rounds[name]) for name in ("wattledger", "wattledger, moments alone"))
    lines = [
        f"{rows:,} rows, {meta['deployments']} deployments, {meta['hours']} hours, order `{meta['order']}`.",
        f"{len(rounds['wattledger'])} interleaved rounds on one core; {machine()}.",
        "",
        "| who | does | M events / CPU-s, median | all rounds | wattledger is | its moments alone are |",
        "|---|---|---|---|---|---|",
    ]
    for worker, seconds in rounds.items():
        every = " ".join(f"{rows / s / 1e6:.0f}" for s in seconds)
        median = statistics.median(seconds)
        ratio = " | " if worker.startswith("wattledger") else f"{median / ours:.1f}× | {median / alone:.1f}×"
        lines.append(f"| {worker} | {WORKERS[worker]} | {rows / median / 1e6:.0f} | {every} | {ratio} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """Name the machine and what runs on it."""
    from importlib.metadata import version

    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    models = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    import wattledger as wl

    peers = ", ".join(f"{name} {version(name)}" for name in ("numba", "duckdb", "numpy"))
    versions = f"wattledger {wl.__version__}, {peers}"
    return f"{models[0] if models else platform.processor()}, CPython {platform.python_version()}, {versions}"


if __name__ == "__main__":
    main()
