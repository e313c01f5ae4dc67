"""The same jobs by this library and by its peers, in interleaved rounds; the table of `docs/performance.md`.

    make bench-peers                                   every job, five rounds, into the page
    PYTHONPATH=benches python -m peers DATA_FOLDER --jobs B,C --rounds 7 --rows 5000000

Data are drawn into DATA_FOLDER if they are not there: about 4 GB. Every round runs every contestant once, in a process
of its own that does the job once to warm up and once for the clock, pinned to one core (two where it says so). The
figure is CPU seconds of the process, user and system, or seconds of the clock where two cores share the work. Sums are
held against plain NumPy, all of them exactly; columns of peers in their first thousand rows, ours by their totals
against the estimate (tests hold the rows). A wrong answer ends the run. No round is left out.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from peers.data import Shape, load, make


class Contestant(NamedTuple):
    """Who does a job, on which data, on how many cores."""

    job: str
    name: str
    data: str
    start: Callable[[Path], tuple[Callable[[], Any], Callable[[Any], Any]]]
    #: ``sums`` or ``sums_of_lines``, which the answer has to be; else its check says how wrong it is.
    sums: str | None = "sums"
    cores: int = 1
    lines: bool = False


JOBS = {
    "A": "six columns for every request, into columns that the caller owns",
    "A.fresh": "six new columns for every request",
    "B": "columns in memory to sums by deployment and hour",
    "B.shuffled": "the same in no order of time",
    "B.groups": "the same with 5,000 deployments: 3.7 million groups",
    "C": "Parquet (zstd) to the same sums",
    "D": "JSONL to the same sums",
    "D.mixed": "JSONL whose keys stand in another order on every line",
    "D.zst": "JSONL packed with zstd",
}


def ours(start: str, *more: Any) -> Callable[[Path], Any]:
    def begin(folder: Path) -> Any:
        from peers import ours

        return getattr(ours, start)(folder, *more), lambda ledger: ours.sums(folder, ledger)

    return begin


def columns_of_ours(*more: Any) -> Callable[[Path], Any]:
    def begin(folder: Path) -> Any:
        from peers import ours

        return ours.annotated(folder, *more)

    return begin


def theirs(start: str, *more: Any) -> Callable[[Path], Any]:
    def begin(folder: Path) -> Any:
        from peers import others

        return getattr(others, start)(folder, *more)

    return begin


def contestants() -> list[Contestant]:
    """Everybody, job by job; C++ simdjson where it is installed."""
    from peers.others import simdjson_version

    simdjson = simdjson_version()
    found = [
        Contestant("A", "wattledger", "near", columns_of_ours(True), None),
        Contestant("A", "wattledger, 32 bits", "near", columns_of_ours(True, "f4"), None),
        Contestant("A", "numba", "near", theirs("numba_columns", True), None),
        Contestant("A.fresh", "wattledger", "near", columns_of_ours(False), None),
        Contestant("A.fresh", "numba", "near", theirs("numba_columns", False), None),
        Contestant("A.fresh", "polars", "near", theirs("polars_columns"), None),
    ]
    for job, data in (("B", "near"), ("B.shuffled", "shuffled"), ("B.groups", "groups")):
        found += [
            Contestant(job, "wattledger", data, ours("memory", 1, False)),
            Contestant(job, "wattledger, with occupancy", data, ours("memory", 1, True)),
            Contestant(job, "numba", data, theirs("numba_sums")),
            Contestant(job, "duckdb", data, theirs("duckdb_sums")),
        ]
    found += [
        Contestant("B", "polars", "near", theirs("polars_sums")),
        Contestant("B", "datafusion", "near", theirs("datafusion_sums")),
        Contestant("B", "wattledger, two cores", "near", ours("memory", 2, False), cores=2),
        Contestant("B", "wattledger, with occupancy, two cores", "near", ours("memory", 2, True), cores=2),
        Contestant("C", "wattledger", "near", ours("file", "log.parquet", 1, False)),
        Contestant("C", "wattledger, with occupancy", "near", ours("file", "log.parquet", 1, True)),
        Contestant("C", "wattledger, two cores", "near", ours("file", "log.parquet", 2, False), cores=2),
        *(Contestant("C", f"{peer}", "near", theirs(f"{peer}_sums", "log.parquet")) for peer in PEERS),
        Contestant("C", "zstd alone", "near", theirs("unpacked_parquet"), None),
    ]
    for job, name in (("D", "log.jsonl"), ("D.mixed", "mixed.jsonl"), ("D.zst", "log.jsonl.zst")):
        of_lines = {"sums": "sums_of_lines", "lines": True}
        found += [
            Contestant(job, "wattledger", "near", ours("file", name, 1, False), **of_lines),
            Contestant(job, "wattledger, two cores", "near", ours("file", name, 2, False), cores=2, **of_lines),
            Contestant(job, "duckdb", "near", theirs("duckdb_sums", name), **of_lines),
        ]
        if simdjson and not name.endswith("zst"):
            found.append(Contestant(job, "simdjson (C++)", "near", theirs("simdjson_sums", name), **of_lines))
    found.append(Contestant("D", "polars", "near", theirs("polars_sums", "log.jsonl"), "sums_of_lines", lines=True))
    found.append(Contestant("D.zst", "zstd alone", "near", theirs("unpacked_text"), None, lines=True))
    order = list(JOBS)
    return sorted(found, key=lambda one: order.index(one.job))


PEERS = ("duckdb", "datafusion", "polars")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--table", type=Path)
    parser.add_argument("--worker", type=int)
    options = parser.parse_args()
    everybody = [one for one in contestants() if one.job in options.jobs.split(",")]
    if options.worker is not None:
        print(json.dumps(work(everybody[options.worker], options.data)))
        return
    shapes = {
        "near": Shape(options.rows, lines=options.rows // 10),
        "shuffled": Shape(options.rows, order="shuffled"),
        "groups": Shape(options.rows, deployments=5000),
    }
    for name in {one.data for one in everybody}:
        make(options.data / name, shapes[name])
    rounds: dict[Contestant, list[dict[str, float]]] = {one: [] for one in everybody}
    for number in range(options.rounds):
        # There and back, so that nobody always follows the same neighbour.
        for place, one in list(enumerate(everybody))[:: -1 if number % 2 else 1]:
            rounds[one].append(run(place, options))
            print(f"{one.job:10} {one.name:40} {rate(one, rounds[one][-1]):8.2f} M/s", flush=True)
    table = report(rounds, options)
    print(table)
    if options.table:
        text = options.table.read_text(encoding="utf-8")
        head, _, rest = text.partition("<!-- peers -->\n")
        tail = rest.partition("<!-- end -->")[2]
        options.table.write_text(f"{head}<!-- peers -->\n{table}<!-- end -->{tail}", encoding="utf-8")


def run(place: int, options: argparse.Namespace) -> dict[str, float]:
    """One round of one contestant, in a process of its own."""
    command = [sys.executable, "-m", "peers", str(options.data), "--jobs", options.jobs, "--worker", str(place)]
    threads = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    done = subprocess.run(command, env={**os.environ, **threads}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def work(one: Contestant, data: Path) -> dict[str, float]:
    """Do the job once to warm up and once for the clock; check the answer."""
    folder = data / one.data
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[-one.cores :]))
    job, finish = one.start(folder)
    job()
    start, cpu = time.perf_counter(), time.process_time()
    answer = job()
    cpu_s, clock_s = time.process_time() - cpu, time.perf_counter() - start
    found = finish(answer)
    if isinstance(found, float):
        right = found <= 1e-6 if "32" in one.name else found <= 1e-9
    else:
        right = one.sums is None or np.array_equal(found, np.load(folder / f"{one.sums}.npy"))
    if not right:
        raise SystemExit(f"{one.job}, {one.name}: wrong answer ({found})")
    rows = load(folder).shape
    return {"cpu_s": cpu_s, "clock_s": clock_s, "items": rows.lines if one.lines else rows.rows, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Most memory that the process held, in MB; its input counts."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def rate(one: Contestant, told: dict[str, float]) -> float:
    """Millions of requests a second: of CPU time, or of the clock on two cores."""
    return told["items"] / told["clock_s" if one.cores > 1 else "cpu_s"] / 1e6


def report(rounds: dict[Contestant, list[dict[str, float]]], options: argparse.Namespace) -> str:
    """The table, where we lose first."""
    rates = {one: [rate(one, told) for told in all_] for one, all_ in rounds.items()}
    lines: list[str] = []
    worst: list[tuple[float, str]] = []
    for job, what in JOBS.items():
        here = {one: values for one, values in rates.items() if one.job == job}
        if not here:
            continue
        of_one_core = {
            one.name: values for one, values in here.items() if one.name.startswith("wattledger") and one.cores == 1
        }
        ours = {name: statistics.median(values) for name, values in of_one_core.items()}
        mine = ours["wattledger"]
        lines += ["", f"**{job}**: {what}.", "", "| who | M/s, median | all rounds | wattledger is | peak MB |"]
        lines.append("|---|---|---|---|---|")
        for one, values in here.items():
            median = statistics.median(values)
            times = "" if one.name == "wattledger" else f"{mine / median:.2f}×"
            peak = max(told["peak_mb"] for told in rounds[one])
            told = " ".join(f"{value:.3g}" for value in values)
            lines.append(f"| {one.name} | {median:.3g} | {told} | {times} | {peak:.0f} |")
            if "wattledger" in one.name or "alone" in one.name:
                continue
            for name, us in ours.items():
                if us < median:
                    worst.append((us / median, f"{job}: {name} is {us / median:.2f}× {one.name}"))
    import wattledger as wl

    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("numba", *PEERS, "numpy")]
    versions.insert(0, f"wattledger {wl.__version__}")
    from peers.others import simdjson_version

    if simdjson := simdjson_version():
        versions.append(f"simdjson {simdjson}")
    head = [
        f"{options.rows:,} requests (a tenth as text), 200 deployments, 744 hours; {options.rounds} rounds.",
        f"{processor()}, CPython {platform.python_version()}, {', '.join(versions)}.",
        "",
        "Millions of requests a second of CPU time, user and system; on two cores of the clock. `wattledger` alone",
        "makes ledgers without occupancy (`occupancy=False`), as the peers do; with it is the default.",
        "",
        f"Where we lose, worst first: {'; '.join(told for _, told in sorted(worst)) or 'nowhere in this table'}.",
    ]
    return "\n".join(head + lines) + "\n"


def processor() -> str:
    """The name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    named = (
        [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")] if cpuinfo.exists() else []
    )
    return named[0].partition(":")[2].strip() if named else platform.processor()


if __name__ == "__main__":
    main()
