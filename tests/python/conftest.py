"""What the test rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("wattledger", derandomize=True, deadline=None, max_examples=100, database=None)
settings.load_profile("wattledger")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of third-party data that is not part of this repository."""
    place = Path(os.environ.get("WATTLEDGER_SHARED", ROOT.parent / "shared"))
    if not place.is_dir():
        pytest.skip(f"{place} is no folder; set WATTLEDGER_SHARED to the one with data/traces/azure-2023")
    return place


@pytest.fixture(scope="session")
def azure(shared: Path) -> Path:
    """Return the folder of the Azure LLM inference traces of 2023, as published."""
    place = shared / "data" / "traces" / "azure-2023"
    if not place.is_dir():
        pytest.skip(f"{place} does not exist: the Azure 2023 traces are not redistributed here")
    return place
