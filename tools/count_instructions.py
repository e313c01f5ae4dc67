"""Count the instructions of kernels and scanners, and hold them against what was written down.

    python tools/count_instructions.py           exits with 1 where a job takes more than it may
    python tools/count_instructions.py --write   writes down what is counted now

Times on shared machines say little; the instructions of one compiler are nearly the same everywhere. `valgrind` counts
those inside `measured` of `benches/work.rs`. Where it is missing, or the compiler or the processor is another than
the one that was written down, the counts are shown and nothing is held against them.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
WRITTEN = ROOT / "benches" / "instructions.toml"
#: Share by which a job may grow before somebody has to say that it is meant.
ALLOWED = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    if shutil.which("valgrind") is None:
        print("valgrind is not installed: instructions are not counted")
        return 0
    program = build()
    jobs = [line.split() for line in run([program]).stdout.splitlines()]
    counts = {job: count(program, job) / int(items) for job, items in jobs}
    here = {"rustc": run(["rustc", "--version"]).stdout.strip(), "processor": processor()}
    if write:
        lines = [f'{name} = "{value}"' for name, value in here.items()]
        counted = [f"{job} = {per_item:.1f}" for job, per_item in counts.items()]
        head = "# Instructions for one event or request, by job; see tools/count_instructions.py."
        WRITTEN.write_text("\n".join([head, *lines, "", "[jobs]", *counted]) + "\n", encoding="utf-8")
    written = tomllib.loads(WRITTEN.read_text(encoding="utf-8"))
    comparable = all(written[name] == value for name, value in here.items())
    grown = []
    for job, per_item in counts.items():
        before = written["jobs"].get(job)
        change = "new" if before is None else f"{per_item / before - 1:+7.1%}"
        print(f"{job:24} {per_item:9.1f} instructions each, {change}")
        if before is None or per_item > before * (1 + ALLOWED):
            grown.append(job)
    if not comparable:
        print(f"written down for {written['rustc']} on {written['processor']}: nothing is held against another")
        return 0
    if grown:
        print(f"more than {ALLOWED:.0%} above what is written down: {', '.join(grown)}; if that is meant: --write")
    return int(bool(grown))


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)


def build() -> str:
    told = run(["cargo", "build", "--quiet", "--profile", "profiling", "--bench", "work", "--message-format", "json"])
    for line in told.stdout.splitlines():
        message = json.loads(line)
        if message.get("target", {}).get("name") == "work" and message.get("executable"):
            return str(message["executable"])
    raise SystemExit("cargo built no `work`")


def count(program: str, job: str) -> int:
    callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"]
    done = run([*callgrind, "--toggle-collect=*work::measured*", program, job])
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if collected is None or int(collected[1]) == 0:
        raise SystemExit(f"{job}: valgrind counted nothing")
    return int(collected[1])


def processor() -> str:
    """Architecture, and whether the wide loops run."""
    wide = Path("/proc/cpuinfo").is_file() and " avx2 " in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return platform.machine() + (" with AVX2" if wide else "")


if __name__ == "__main__":
    sys.exit(main())
