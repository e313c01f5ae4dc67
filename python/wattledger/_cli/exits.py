"""Exit codes, by the contract."""

from __future__ import annotations

from typing import Any

from wattledger._errors import CatalogError, FleetError, MissingExtraError, UnknownNameError, WattledgerError

GOOD = 0
FAILED = 1
USAGE = 2
REJECTS = 3
INCOMPLETE = 4
INTERRUPTED = 130

#: Errors of input files that point at the call and not at the file.
_CALL = {"argument", "column_map"}


def of_error(error: WattledgerError) -> int:
    """Return the code an error ends the command with."""
    if isinstance(error, FleetError | UnknownNameError | CatalogError | MissingExtraError) or error.code in _CALL:
        return USAGE
    return INCOMPLETE if error.code == "file_damaged" else FAILED


def of_coverage(coverage: dict[str, Any], max_bad: float) -> int:
    """Return the code that the account of the lines calls for: incomplete input, too many rejects, or good."""
    if coverage["incomplete"]:
        return INCOMPLETE
    rejected, events = coverage["rejected"], coverage["events_in"]
    return REJECTS if events and rejected / events > max_bad else GOOD
