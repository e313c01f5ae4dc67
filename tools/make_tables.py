"""Write the tables of pages that are runs of this program: the demo's in the README, those of the operating point.

Usage: python tools/make_tables.py [FOLDER]

FOLDER holds AzureLLMInferenceTrace_{conv,code}.csv; without it the simulated traces are left as they are.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python"))
from reference import simulator  # noqa: E402 - the folder is put on the path above

README = ROOT / "README.md"
PAGE = ROOT / "docs" / "method" / "operating-point.md"
DEMO = ["estimate", "demo/requests.jsonl.gz", "--fleet", "demo/fleet.toml", "--by", "deployment,hour", "--table"]


def demo():
    """The demo's table and bar, without the account below it."""
    command = [sys.executable, "-c", "from wattledger._cli import main; main()", *DEMO]
    settings = os.environ | {"COLUMNS": "110", "NO_COLOR": "1"}
    shown = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=True).stdout
    lines = [line.rstrip() for line in shown.splitlines()]
    end = next(at for at, line in enumerate(lines) if line.lstrip().startswith("counted"))
    return "\n".join(lines[:end]).strip("\n")


def tables(folder):
    """Tables of the operating point, in the order of the page."""
    if folder is None:
        return [None, None, simulator.measure_bursts()]
    return [
        *(simulator.table(simulator.measure(folder, how)) for how in ("fewest", "random")),
        simulator.measure_bursts(),
    ]


def main(folder):
    before, fence, rest = README.read_text(encoding="utf-8").partition("```text\n")
    _, end, after = rest.partition("\n```")
    README.write_text(before + fence + demo() + end + after, encoding="utf-8")
    lines = PAGE.read_text(encoding="utf-8").split("\n")
    starts = [at for at, line in enumerate(lines) if line.startswith(("| trace |", "| arrivals |"))]
    for start, table in reversed(list(zip(starts, tables(folder), strict=True))):
        if table is not None:
            end = next(at for at in range(start, len(lines)) if not lines[at].startswith("|"))
            lines[start:end] = table
    PAGE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
