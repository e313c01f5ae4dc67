"""Run the Python of docs/published and of the pages beside, write below each block what it prints, and the table.

python tools/make_published.py
"""

import contextlib
import csv
import io
import math
import re
import statistics
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "published"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n.*?^```\n)?", flags=re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"(?<=<!-- table: distances -->\n).*?(?=<!-- end -->)", flags=re.DOTALL)


def documents() -> list[Path]:
    """The pages that walk cases."""
    walked = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
    return [*walked, ROOT / "docs" / "life-cycle.md", ROOT / "docs" / "method" / "embodied-burden.md"]


def run(path: Path) -> tuple[str, list[tuple]]:
    """A page with what its blocks print, and the cases it walked."""
    names = {}

    def block(match: re.Match) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.chdir(ROOT):
            exec(compile(match[1], path.name, "exec"), names)  # noqa: S102 - our own pages
        lines = "".join(line.rstrip() + "\n" for line in printed.getvalue().splitlines())
        return f"```python\n{match[1]}```\n" + (f"\n```text\n{lines}```\n" if lines else "")

    return BLOCK.sub(block, path.read_text(encoding="utf-8")), names.get("results", [])


def table(walked: dict[str, list[tuple]]) -> str:
    """Every case, worst first."""
    with (FOLDER / "measurements.csv").open(encoding="utf-8") as file:
        facts = {row["case"]: row for row in csv.DictReader(file)}
    head = [
        "case", "boundary", "measured, Wh", "ours, Wh", "90 % range", "measured/ours", "inside", "inputs alone",
    ]  # fmt: skip
    rows = []
    for page, results in walked.items():
        for case, measured, ours, low, high, less, more in results:
            ratio = measured / ours
            inside = "yes" if low <= measured <= high else "no"
            row = [f"[{case}]({page})", facts[case]["boundary"], f"{measured:.4g}", f"{ours:.4g}"]
            row += [f"{low:.4g} to {high:.4g}", f"{ratio:.2f}", inside, f"×{less:.2f} to {more:.2f}"]
            rows.append((abs(math.log(ratio)), row))
    rows.sort(key=lambda row: -row[0])
    lines = [head, ["---"] * len(head), *(row for _, row in rows)]
    apart = [distance for distance, _ in rows]
    within = sum(row[-2] == "yes" for _, row in rows)
    text = "\n" + "".join("| " + " | ".join(line) + " |\n" for line in lines)
    text += f"\nInside the range: {within} of {len(rows)}. Median distance, either way: "
    return text + f"a factor {math.exp(statistics.median(apart)):.2f}.\n\n"


def pages() -> dict[Path, str]:
    """Every page and its text."""
    texts, walked = {}, {}
    for path in documents():
        texts[path], walked[path.name] = run(path)
    readme = FOLDER / "README.md"
    texts[readme] = TABLE.sub(lambda _: table(walked), readme.read_text(encoding="utf-8"))
    return texts


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.name)
