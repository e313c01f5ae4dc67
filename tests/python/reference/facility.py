"""One hour of a site, once more: moist air, power chain and cooling from their formulas, per kWh of IT.

The formulas stand in the headers of src/physics: psychrometrics, power_chain, heat_rejection and cooling; systems and
power chains are rows of the catalog. Floating point, for the formulas have powers and exponentials; roots by the secant
method.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from reference import catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference.catalog import Row

SECONDS_PER_HOUR = 3600
#: kJ/kg, near the temperatures of pads.
LATENT_HEAT = 2430
#: kJ/(kg·K).
HEAT_OF_WATER = 4.186
#: Air is never taken to be drier than this.
LEAST_HUMIDITY = 1e-4


def clamp(x: float, low: float, high: float) -> float:
    return max(low, min(x, high))


def root(f: Callable[[float], float], start: float) -> float:
    """Where f crosses zero, by the secant method; f has to be smooth and to rise all the way."""
    before, here = start, start - 1
    f_before = f(before)
    for _ in range(100):
        f_here = f(here)
        if f_here == f_before:
            return here
        step = f_here * (here - before) / (f_here - f_before)
        before, f_before, here = here, f_here, here - step
        if abs(step) < 1e-11:
            return here
    raise ArithmeticError(f"no root found from {start}")


# Moist air


def water_exponent(t: float) -> float:
    return (18.678 - t / 234.5) * t / (257.14 + t)


def saturation_over_water(t: float) -> float:
    return 0.61121 * math.exp(water_exponent(t))


def saturation_over_ice(t: float) -> float:
    return 0.61115 * math.exp((23.036 - t / 333.7) * t / (279.82 + t))


def saturation(t: float) -> float:
    return saturation_over_water(t) if t >= 0 else saturation_over_ice(t)


def humidity_ratio(vapour: float, pressure: float) -> float:
    return 0.621945 * vapour / (pressure - vapour)


def enthalpy(t: float, ratio: float) -> float:
    return 1.006 * t + ratio * (2501 + 1.86 * t)


def dew_point(vapour: float, start: float) -> float:
    """Over water, below freezing too."""
    sought = math.log(vapour / 0.61121)
    return root(lambda t: water_exponent(t) - sought, start)


def ratio_over_water(wet_bulb: float, t: float, pressure: float) -> float:
    """Humidity ratio of air of t whose wet bulb, of a wick with water on it, is this."""
    saturated = humidity_ratio(saturation_over_water(wet_bulb), pressure)
    return ((2501 - 2.326 * wet_bulb) * saturated - 1.006 * (t - wet_bulb)) / (2501 + 1.86 * t - 4.186 * wet_bulb)


def ratio_over_ice(wet_bulb: float, t: float, pressure: float) -> float:
    """The same of a wick with ice on it."""
    saturated = humidity_ratio(saturation_over_ice(wet_bulb), pressure)
    return ((2830 - 0.24 * wet_bulb) * saturated - 1.006 * (t - wet_bulb)) / (2830 + 1.86 * t - 2.1 * wet_bulb)


def wet_bulb(t: float, ratio: float, pressure: float) -> float:
    """Over water where that solves; else over ice; 0 °C in the gap where neither does.

    Air above freezing can have one of each, less than 1 K apart: then it is the one over water.
    """
    if t >= 0:
        over_water = root(lambda x: ratio_over_water(x, t, pressure) - ratio, t)
        if over_water >= 0:
            return over_water
    over_ice = root(lambda x: ratio_over_ice(x, t, pressure) - ratio, t)
    return min(over_ice, 0.0)


@dataclass(frozen=True)
class Air:
    """Outside air: °C, kPa, kg of water per kg of dry air."""

    dry_bulb: float
    pressure: float
    ratio: float
    wet_bulb: float
    dew_point: float


def air(dry_bulb: float, rel_humidity_pct: float, pressure: float) -> Air:
    vapour = clamp(rel_humidity_pct / 100, LEAST_HUMIDITY, 1) * saturation(dry_bulb)
    ratio = humidity_ratio(vapour, pressure)
    return Air(dry_bulb, pressure, ratio, wet_bulb(dry_bulb, ratio, pressure), dew_point(vapour, dry_bulb))


# Power chain


def loss_per_it(chain: Row, load: float) -> float:
    """Losses over IT power at IT power over IT capacity."""
    c = {column: float(chain[column]) for column in chain if column.startswith(("ups", "pdu"))}
    redundancy = float(chain["redundancy"])
    x = load / redundancy
    ups = redundancy * (c["ups_fixed"] + c["ups_linear"] * x + c["ups_square"] * x**2)
    pdu = c["pdu_fixed"] + c["pdu_square"] * load**2
    return (ups + pdu + float(chain["other"])) / load


# Elements of heat rejection


def carnot(share: float, cap: float, evaporating: float, condensing: float) -> float:
    return min(cap, share * (evaporating + 273.15) / max(condensing - evaporating, 4))


def cop_air(outside: float, chilled: float) -> float:
    return carnot(0.48, 12, chilled - 2, outside + 12)


def cop_water(tower: float, chilled: float) -> float:
    return carnot(0.60, 14, chilled - 2, max(tower, 16) + 7)


def tower_water(a: Air) -> float:
    return max(a.wet_bulb + 4 + 0.15 * max(0, 25 - a.wet_bulb), 12)


def tower_fans(a: Air) -> float:
    return 0.012 * clamp(18 / max(35 - a.wet_bulb, 6), 0.35, 1)


def evaporation(a: Air, water: float) -> float:
    """Kg per kWh that leaves water of this temperature; the air leaves saturated."""
    out = max(water + 3.5, a.wet_bulb + 1)
    saturated = humidity_ratio(saturation(out), a.pressure)
    heat = enthalpy(out, saturated) - enthalpy(a.dry_bulb, a.ratio)
    return SECONDS_PER_HOUR * (saturated - a.ratio) / heat


def after_pads(a: Air) -> float:
    return a.dry_bulb - 0.88 * (a.dry_bulb - a.wet_bulb)


def pad_water(cooled: float, rise: float) -> float:
    return SECONDS_PER_HOUR / LATENT_HEAT * cooled / rise


class Used(NamedTuple):
    """What a system takes per kWh of IT: kWh and litres."""

    power: float
    input_l: float = 0.0
    consumed_l: float = 0.0


def make_up(system: Row, power: float, evaporated: float, tower_heat: float = 0) -> Used:
    """Evaporation and blowdown, and the drift of a tower that rejects this heat; pads have none."""
    circulation = SECONDS_PER_HOUR / (HEAT_OF_WATER * 5.5)
    drift = 2e-5 * circulation * tower_heat
    cycles = float(system["cycles_of_concentration"])
    return Used(power, evaporated * cycles / (cycles - 1) + drift, evaporated + drift)


# Systems: what heat takes to get out


def chiller(a: Air, heat: float, chilled: float) -> float:
    return heat / cop_air(a.dry_bulb, chilled) + (0.010 + 0.012) * heat


def chiller_or_coil(a: Air, heat: float, supply: float, back: float) -> float:
    free = clamp((back - a.dry_bulb - 5) / (back - supply), 0, 1)
    return (1 - free) * chiller(a, heat, supply) + free * heat * (0.015 + 0.012)


def trim(a: Air, heat: float) -> float:
    return chiller(a, heat, 18)


def dx(system: Row, a: Air, heat: float) -> Used:
    evaporating = float(system["supply_air_c"]) - 11
    return Used(heat / cop_air(a.dry_bulb, evaporating + 2) + (0.010 + 0.012) * heat)


def air_chiller(system: Row, a: Air, heat: float) -> Used:
    return Used(chiller(a, heat, float(system["chilled_supply_c"])))


def air_chiller_with_coil(system: Row, a: Air, heat: float) -> Used:
    return Used(chiller_or_coil(a, heat, float(system["chilled_supply_c"]), float(system["chilled_return_c"])))


def water_chiller(system: Row, a: Air, heat: float, free: float = 0) -> Used:
    tower = tower_water(a)
    compressor = (1 - free) * heat / cop_water(tower, float(system["chilled_supply_c"]))
    rejected = heat + compressor
    power = compressor + tower_fans(a) * rejected + 0.012 * rejected + 0.012 * heat
    return make_up(system, power, evaporation(a, tower) * rejected, rejected)


def waterside_economiser(system: Row, a: Air, heat: float) -> Used:
    back, supply = float(system["chilled_return_c"]), float(system["chilled_supply_c"])
    free = clamp((back - tower_water(a) - 1.5) / (back - supply), 0, 1)
    return water_chiller(system, a, heat, free)


def direct_evaporation(system: Row, a: Air, heat: float) -> Used:
    if a.dew_point > float(system["dew_point_limit_c"]):
        return Used(trim(a, heat))
    supply, rise = float(system["supply_air_c"]), float(system["air_rise_k"])
    blown_in = max(after_pads(a), supply)
    wetted = pad_water(a.dry_bulb - blown_in, rise) * heat if a.dry_bulb > supply else 0
    return make_up(system, trim(a, clamp((blown_in - supply) / rise, 0, 1) * heat), wetted)


def indirect_evaporation(system: Row, a: Air, heat: float) -> Used:
    supply, rise = float(system["supply_air_c"]), float(system["air_rise_k"])
    back = supply + rise
    if back - 0.65 * (back - a.dry_bulb) <= supply:
        return Used(0.02 * heat)
    out = back - 0.70 * (back - a.wet_bulb)
    chilled = clamp((out - supply) / rise, 0, 1) * heat
    return make_up(system, 0.03 * heat + trim(a, chilled), (heat - chilled) * evaporation(a, a.wet_bulb + 6))


def liquid_dry_cooler(system: Row, a: Air, heat: float) -> Used:
    liquid, supply = float(system["liquid_fraction"]) * heat, float(system["facility_water_c"])
    before = a.dry_bulb
    if system["adiabatic"] == "yes":
        before = max(after_pads(a), min(a.dry_bulb, supply - 7))
    # Air no colder than the liquid asks for all that the fans have.
    fans = clamp((7 / (supply - before)) ** 2.2, 0.06, 1) if before < supply else 1
    trimmed = clamp((before + 7 - supply) / 10, 0, 1)
    power = liquid * (0.024 + 0.016 * fans + trimmed / cop_air(before, supply))
    power += chiller_or_coil(a, heat - liquid, 18, 26)
    return make_up(system, power, pad_water(a.dry_bulb - before, 9) * liquid)


def liquid_tower(system: Row, a: Air, heat: float) -> Used:
    liquid, supply = float(system["liquid_fraction"]) * heat, float(system["facility_water_c"])
    tower = tower_water(a)
    trimmed = clamp((tower + 3.5 - supply) / 10, 0, 1)
    compressor = liquid * trimmed / cop_water(tower, supply)
    power = liquid * (0.024 + 0.004) + compressor + chiller_or_coil(a, heat - liquid, 18, 26)
    rejected = liquid + compressor
    return make_up(system, power, evaporation(a, max(tower, supply - 3.5)) * rejected, rejected)


ARCHETYPES: dict[str, Callable[[Row, Air, float], Used]] = {
    "A": dx,
    "B": air_chiller,
    "C": air_chiller_with_coil,
    "D": water_chiller,
    "E": waterside_economiser,
    "F": direct_evaporation,
    "G": indirect_evaporation,
    "H": liquid_dry_cooler,
    "I": liquid_tower,
    "J": liquid_dry_cooler,
}


# The hour


def fans_per_it(system: Row, load: float) -> float:
    """Air handlers; liquid takes none."""
    in_air = 1 - float(system["liquid_fraction"])
    return in_air * float(system["fan_share"]) * math.pow(max(load, 0.35), 2.4) / load


def hour(system: Row, chain: Row, a: Air, load: float) -> dict[str, float]:
    loss = loss_per_it(chain, load)
    fans = fans_per_it(system, load)
    used = ARCHETYPES[system["archetype"]](system, a, 1 + 0.6 * loss + fans)
    return {
        "cooling": used.power + fans,
        "power_delivery": loss,
        "pue": 1 + used.power + fans + loss,
        "water_input_l": used.input_l,
        "water_consumed_l": used.consumed_l,
        "wet_bulb_c": a.wet_bulb,
        "dew_point_c": a.dew_point,
        "humidity_ratio": a.ratio,
    }


def site_hour(
    cooling: str,
    dry_bulb_c: float,
    rel_humidity_pct: float,
    pressure_kpa: float,
    *,
    load: float | None = None,
    power_chain: str | None = None,
) -> dict[str, float]:
    """Per kWh of IT; a load and a power chain that nobody gives are those that usually go with the system."""
    system = catalog.row("cooling", cooling)
    chain = catalog.row("power-chains", power_chain or system["power_chain"])
    a = air(dry_bulb_c, rel_humidity_pct, pressure_kpa)
    return hour(system, chain, a, float(system["load_fraction"]) if load is None else load)
