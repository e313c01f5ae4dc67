"""The command ``wattledger``: stdout is data, stderr is talk."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command and exit with its code."""
    from wattledger._cli.app import run

    sys.exit(run(sys.argv[1:]))
