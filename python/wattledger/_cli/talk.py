"""Talk on stderr: errors with their way out, and the account of the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from wattledger._cli import words
from wattledger._cli.words import safe

if TYPE_CHECKING:
    from wattledger import Ledger

#: Rejects of each reason that are shown with their place.
SHOWN = 3


def _console() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """Say one line."""
    _console().print(Text(safe(line), style="dim"))


def warn(line: str) -> None:
    """Say that something looks wrong."""
    _console().print(Text.assemble(("warning: ", "bold yellow"), safe(line)))


def bounded(ledger: Ledger) -> None:
    """Say of which dimensions some values are summed as one."""
    for one in ledger.describe()["bounded"]:
        warn(f"{words.bounded(one)}; --max-groups keeps more when the logs are read")


def error(sentence: str, hint: str | None) -> None:
    """Say what is wrong and the way out."""
    console = _console()
    console.print(Text.assemble(("error: ", "bold red"), safe(sentence)))
    if hint:
        console.print(Text.assemble(("hint:  ", "bold cyan"), safe(hint)))


def account(coverage: dict[str, Any], max_bad: float, *, shown: bool = False) -> None:
    """Say what became of the lines; nothing if all of them count or a table above has said it."""
    console = _console()
    for problem in coverage["incomplete"]:
        console.print(Text.assemble(("incomplete: ", "bold red"), safe(problem)))
    if outside := coverage["outside_period"]:
        console.print(Text(f"not read: {outside:,} rows outside the period, by the index of their file", style="dim"))
    events, rejected = coverage["events_in"], coverage["rejected"]
    if shown or not rejected:
        return
    console.print(Text.assemble(("rejected: ", "bold yellow"), f"{rejected:,} of {events:,} lines"))
    for line in reject_lines(coverage):
        console.print(Text(f"  {line}", style="dim"))
    for line in ways_out(coverage):
        console.print(Text.assemble(("hint: ", "cyan"), line))
    if rejected > max_bad * events:
        console.print(Text(f"more than --max-bad {max_bad:g}: exit code 3", style="yellow"))


def reject_lines(coverage: dict[str, Any]) -> list[str]:
    """Tell the first rejects of each reason with their place."""
    lines = []
    for reason, count in sorted(coverage["by_reason"].items(), key=lambda item: -item[1]):
        places = [reject for reject in coverage["rejects"] if reject["reason"] == reason][:SHOWN]
        lines.append(f"{count:,} {reason}")
        for place in places:
            what = "".join(f" {part}" for part in (place.get("field"), _quoted(place.get("value"))) if part)
            lines.append(f"  {safe(place['file'])}:{place['line']}{safe(what)}")
    return lines


def ways_out(coverage: dict[str, Any]) -> list[str]:
    """Tell what can be done about each reason."""
    from wattledger._engine import ways_out as known

    ways = known()
    return [f"{reason}: {ways[reason]}" for reason in coverage["by_reason"]]


def _quoted(value: str | None) -> str | None:
    if value is None:
        return None
    short = value if len(value) <= 60 else value[:59] + "…"  # noqa: PLR2004 - one line of a terminal
    return f"`{short}`"
