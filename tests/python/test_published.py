"""The published measurements are walked by code that runs, and every number shown is what it gives."""

import csv
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "docs" / "published"
PAGES = sorted(path.name for path in FOLDER.glob("*.md") if path.name != "README.md")
#: Decimals of a text, apart from versions and the names of models.
DECIMAL = re.compile(r"(?<![\w.-])\d+\.\d+(?![\w.]*\.\d|[\w-])")


@pytest.fixture(scope="module")
def made() -> ModuleType:
    """Return the tool that runs the pages."""
    spec = importlib.util.spec_from_file_location("make_published", ROOT / "tools" / "make_published.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(made: ModuleType) -> dict[str, str]:
    """Return every page as the code makes it."""
    return {path.name: text for path, text in made.pages().items()}


@pytest.mark.parametrize("name", [*PAGES, "README.md"])
def test_a_page_shows_what_its_code_gives(name: str, pages: dict[str, str]) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages[name], "run `make docs`"


@pytest.mark.parametrize("path", ["life-cycle.md", "method/embodied-burden.md"])
def test_a_page_beside_shows_what_its_code_gives(path: str, pages: dict[str, str]) -> None:
    assert (ROOT / "docs" / path).read_text(encoding="utf-8") == pages[Path(path).name], "run `make docs`"


@pytest.mark.parametrize("name", PAGES)
def test_the_numbers_of_the_lessons_come_out_of_the_code(name: str, pages: dict[str, str]) -> None:
    shown = " ".join(re.findall(r"^```\w+\n(.*?)^```$", pages[name], flags=re.MULTILINE | re.DOTALL))
    lessons = DECIMAL.findall(pages[name].partition("## Lessons")[2])
    assert lessons
    assert set(lessons) <= set(DECIMAL.findall(shown))


def test_every_case_is_walked_and_measured(pages: dict[str, str]) -> None:
    with (FOLDER / "measurements.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    walked = re.findall(r"^\| \[(\S+)\]\((\S+)\) \|", pages["README.md"], flags=re.MULTILINE)
    assert sorted(case for case, page in walked if case != page) == sorted(row["case"] for row in rows)
    assert len(rows) >= 10
    assert all(row["evidence"].startswith("measured_") and all(row.values()) for row in rows)


def test_measured_energies_are_the_printed_ones() -> None:
    with (FOLDER / "measurements.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            value, unit, *rest = row["printed"].replace(",", "").split()
            wh = float(value) * {"J": 1 / 3600, "Wh": 1.0, "kWh": 1000.0}[unit]
            wh /= float(rest[1]) if rest else 1.0
            assert float(row["measured_wh"]) == pytest.approx(wh, rel=5e-4), row["case"]
