"""Docstrings run, generated pages are current, and the library stays light."""

import ast
import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import wattledger as wl
from test_cli import tool_named

ROOT = Path(__file__).parent.parent.parent
MODULES = [
    "wattledger",
    "wattledger._scan",
    "wattledger._request",
    "wattledger._annotate",
    "wattledger._validate",
    "wattledger._calibrate",
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings_run(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted
    assert not results.failed


def test_the_examples_of_the_stub_run() -> None:
    path = ROOT / "python" / "wattledger" / "_engine.pyi"
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, documented)]
    runner = doctest.DocTestRunner()
    for node in nodes:
        runner.run(doctest.DocTestParser().get_doctest(ast.get_docstring(node) or "", {}, path.name, None, 0))
    results = runner.summarize()
    assert results.attempted > 3
    assert not results.failed


def test_the_reference_pages_are_what_the_code_says() -> None:
    module = tool_named("make_reference")
    for path, text in module.pages().items():
        assert path.read_text(encoding="utf-8") == text, "run `make docs`"


def test_the_import_brings_nothing_heavy_along() -> None:
    code = "import sys; before = set(sys.modules); import wattledger; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "rich", "typer", "pandas", "polars", "pyarrow"}
    assert not heavy & {name.partition(".")[0] for name in loaded}


def test_the_version_is_the_crates() -> None:
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    assert f'version = "{wl.__version__}"' in manifest


def test_the_column_map_of_the_page_on_logs_reads_a_log(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "logs.md").read_text(encoding="utf-8")
    column_map = page.partition("```toml\n")[2].partition("```")[0]
    line = (
        '{"done_at": "2026-03-01T12:00:01", "route": {"model": "m"}, "usage": {"in": 10, "out": 5}, "took_ms": 2000}\n'
    )
    log = tmp_path / "gateway.jsonl"
    log.write_text(line, encoding="utf-8")
    described = wl.scan(log, map=column_map).describe()
    assert (described["input_tokens"], described["output_tokens"], described["requests_with_latency"]) == (10, 5, 1)
    assert described["first_bin"] == "2026-03-01T10:00:00Z"  # it ended at noon in Berlin and began two seconds before


def test_the_pages_of_the_catalog_are_what_the_data_say() -> None:
    module = tool_named("make_catalog_pages")
    for kind, wanted in module.PAGES.items():
        assert (module.FOLDER / f"{kind}.md").read_text(encoding="utf-8") == module.page(kind, wanted), (
            "run `make docs`"
        )
