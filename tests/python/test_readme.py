"""Every command and every Python block of the README runs, and the table it shows is the one that comes out."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line[2:] for kind, text in BLOCKS if kind == "console" for line in text.splitlines()]
#: Exit codes other than 0, for the command that shows a rejected line.
EXITS = {"wattledger check": 3}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with what a reader of the README has."""
    shutil.copytree(ROOT / "demo", tmp_path / "demo")
    shutil.copytree(ROOT / "tests" / "data", tmp_path / "tests" / "data")
    shutil.copytree(ROOT / "data", tmp_path / "data")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_readme_run(command: str, place: Path) -> None:
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
        if words[1] == "test":
            return  # this test is part of it
        place = ROOT
    if words[:2] == ["wattledger", "describe"]:
        make = next(c for c in COMMANDS if c.startswith("wattledger ledger"))
        run(shlex.split(make), place)
    done = run(words, place)
    assert done.returncode == EXITS.get(" ".join(words[:2]), 0), done.stderr
    assert done.stdout or "-o" in words


@pytest.mark.parametrize("code", [text for kind, text in BLOCKS if kind == "python"])
def test_the_python_of_the_readme_runs(code: str, place: Path) -> None:
    done = run([sys.executable, "-c", code], place)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d", done.stdout)


def test_the_table_of_the_readme_is_the_demos() -> None:
    shown = next(text for kind, text in BLOCKS if kind == "text")
    command = "wattledger estimate demo/requests.jsonl.gz --fleet demo/fleet.toml --by deployment,hour --table"
    done = run(shlex.split(command), ROOT, COLUMNS="110", NO_COLOR="1")
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    for line in filter(None, map(str.rstrip, shown.splitlines())):
        assert line in printed


def run(words: list[str], place: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {**os.environ, "PATH": path, **environment}
    return subprocess.run(words, cwd=place, env=settings, capture_output=True, text=True, check=False)
