"""What ``wattledger calibrate`` says: scales as TOML on stdout, what they rest on as talk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from wattledger._cli import talk

if TYPE_CHECKING:
    from pathlib import Path

FORMS = (
    "give one of: --gpu-power-w and --tokens-per-s, or --gpu-kwh and --total-output-tokens (one metered point); "
    "LOG and --power SERIES; or MEASUREMENTS.csv and --engine NAME"
)


def form(inputs: list[str], *, power: bool, point: bool, engine: str | None) -> str:
    """Return which of the three forms the command line has."""
    asked = [name for name, given in (("series", power), ("point", point), ("engine", bool(engine))) if given]
    if len(asked) != 1:
        raise typer.BadParameter(FORMS)
    if asked == ["point"] and inputs:
        raise typer.BadParameter(f"a metered point needs no file, '{inputs[0]}' is one; {FORMS}")
    if asked == ["series"] and not inputs:
        raise typer.BadParameter("a power series needs the log or ledger of the same hours", param_hint="LOG")
    if asked == ["engine"] and len(inputs) != 1:
        raise typer.BadParameter("a profile is fitted to one file of measurements", param_hint="MEASUREMENTS.csv")
    return asked[0]


def show(found: dict[str, Any], *, as_json: bool, output: Path | None, fleet: Path | None) -> None:
    """Print the result: JSON, or TOML with talk beside it; the fleet file with it in another file."""
    for one in found.get("deployments", [found]):
        if "errors" in one:
            _engine(one)
        elif "meter" in one:
            _point(one)
        else:
            _deployment(one)
    if output is not None:
        _write(found, output, fleet)
    if as_json:
        typer.echo(json.dumps(found))
    elif output is None:
        typer.echo(found["toml"], nl=False)


def _write(found: dict[str, Any], output: Path, fleet: Path | None) -> None:
    """Write the fleet file with what was found: scales where they belong, rows of a profile at its end."""
    import wattledger as wl
    from wattledger._engine import edit_fleet, write_whole

    text = fleet.read_text(encoding="utf-8") if fleet else ""
    if "edits" in found:
        edits = [(edit["deployment"], edit["key"], edit["value"]) for edit in found["edits"]]
        text = edit_fleet(text, str(fleet), edits)
    else:
        text = f"{text}\n{found['toml']}" if text else found["toml"]
    wl.Fleet.parse(text)
    write_whole(output, text.encode())
    talk.say(f"wrote {output}: " + ("the fleet file with it" if fleet else "rows for a fleet file"))


def _about(one: dict[str, Any]) -> None:
    for warning in one["warnings"]:
        talk.warn(warning)
    for note in one.get("assumptions", []):
        talk.say(f"assumed: {note['what']} {note['value']}; {note['why']}")
    spread = one["interval"]
    near, far = "after, within a factor 2 of this load", "after"
    if spread["after_near"] is not None:
        far = "after, at other loads"
    names = {"before": "before", "after_near": near, "after": far}
    for key, name in names.items():
        if (interval := spread[key]) is not None:
            talk.say(f"nine in ten {name}: {_percent(interval['low'])} to {_percent(interval['high'])}")
    if spread["remark"]:
        talk.say(spread["remark"])


def _percent(factor: float) -> str:
    return f"{100 * (factor - 1):+.0f} %"


def _point(one: dict[str, Any]) -> None:
    metered, estimated = one["metered"], one["estimated"]
    talk.say(
        f"{one['deployment']}: metered {metered['joules_per_output_token']:.4g} J an output token, estimated "
        f"{estimated['joules_per_output_token']:.4g} J at concurrency {one['concurrency']:.4g}"
    )
    if one["idle_kwh"]:
        talk.say(f"{one['idle_kwh']:.4g} kWh of waiting accelerators were taken off, as estimated")
    _about(one)


def _deployment(one: dict[str, Any]) -> None:
    excluded = "".join(f", {count} {reason}" for reason, count in one["bins_excluded"].items())
    talk.say(f"{one['deployment']}: {one['bins_used']} bins used{excluded}; {one['meters']} meters")
    talk.say(
        f"metered {one['metered_kwh']:.4g} kWh, estimated {one['estimated_kwh']:.4g} kWh "
        f"({one['estimated_idle_kwh']:.4g} kWh of it waiting)"
    )
    for name in ("before", "after"):
        left = one[f"residual_{name}"]
        talk.say(f"by bin {name}: median {100 * left['median']:.1f} %, nine in ten within {100 * left['p90']:.1f} %")
    talk.say(f"lag {one['lag_applied_s']:g} s: {one['lag_basis']}")
    if (waiting := one["waiting"]) is not None:
        talk.say(
            f"{waiting['bins']} bins without requests: {waiting['metered_w_each']:.0f} W an accelerator, estimated "
            f"{waiting['estimated_w_each']:.0f} W (idle_context_w)"
        )
    _about(one)


def _engine(one: dict[str, Any]) -> None:
    talk.say(f"{one['engine']}: {one['rows']} rows, {len(one['values'])} parameters of its stack fitted")
    for row, reason in one["skipped"].items():
        talk.warn(f"{row} left out: {reason}")
    names = {"before": "before", "after": "in the fit", "left_out": "left out"}
    for key, name in names.items():
        parts = [
            f"{what} {100 * found['median_ape']:.1f} % (nine in ten {100 * found['p90_ape']:.1f} %)"
            for what, found in one["errors"][key].items()
        ]
        talk.say(f"median error {name}: {', '.join(parts)}")
