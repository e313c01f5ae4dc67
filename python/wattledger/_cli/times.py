"""Times on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

import typer


def bound(option: str, text: str | None) -> int | None:
    """Return a time as seconds since 1970; a date is its first moment in UTC."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"'{text}' is no time, expected 2026-01-31 or RFC 3339", param_hint=option) from error
    if time.tzinfo is None:
        if len(text) > len("2026-01-31"):
            raise typer.BadParameter(f"'{text}' has no offset; add Z or +hh:mm", param_hint=option)
        time = time.replace(tzinfo=UTC)
    return int(time.timestamp())
