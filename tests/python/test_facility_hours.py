"""One hour of a site: moist air as PsychroLib has it, the engine as the reference has it, and laws that always hold."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import catalog, facility
from wattledger import _engine

if TYPE_CHECKING:
    from collections.abc import Callable

    Hour = Callable[[str, float, float, float], dict[str, float]]

SYSTEMS = {row["id"]: row for row in catalog.rows("cooling") if "archetype" in row}
CHAINS = {row["id"]: row for row in catalog.rows("power-chains")}
WITHOUT_WATER = ["dx-crac", "air-chiller", "air-chiller-free-cooling", "direct-to-chip-dry"]
#: What a bisection leaves open of a wet bulb, in kWh per kWh and above it.
ROUNDING = 1e-9

dry_bulbs = st.floats(-25, 48)
humidities = st.floats(0, 100)
pressures = st.floats(60, 110)
loads = st.floats(0.05, 1)
systems = st.sampled_from(sorted(SYSTEMS))
chains = st.sampled_from(sorted(CHAINS))


def engine(cooling: str, dry_bulb: float, humidity: float, pressure: float, **asked: Any) -> dict[str, float]:
    return _engine.cooling_at(cooling, dry_bulb, humidity, pressure, **asked)


#: Both are held to PsychroLib: the reference may not share a mistake with the engine.
both = pytest.mark.parametrize("hour", [facility.site_hour, engine], ids=["reference", "engine"])


# Moist air


@pytest.fixture(scope="module")
def psychrolib() -> Any:
    """PsychroLib in SI units: °C, Pa, shares of one."""
    library = pytest.importorskip("psychrolib", reason="an oracle: pip install -r requirements/test.txt")
    library.SetUnitSystem(library.SI)
    return library


def weathers() -> list[tuple[float, float, float]]:
    """Below freezing and at altitude too; °C, %, kPa."""
    return [
        (dry_bulb / 2, float(humidity), pressure)
        for dry_bulb in range(-50, 91, 3)
        for humidity in range(5, 101, 5)
        for pressure in (78.0, 85.0, 95.0, 101.325, 105.0)
    ]


@both
def test_wet_bulb_is_that_of_psychrolib(hour: Hour, psychrolib: Any) -> None:
    two = 0
    for t, humidity, pressure in weathers():
        ours = hour("air-chiller", t, humidity, pressure)["wet_bulb_c"]
        theirs = psychrolib.GetTWetBulbFromRelHum(t, humidity / 100, 1000 * pressure)
        if theirs < 0 <= ours:
            # A wick with water and one with ice both solve, and PsychroLib takes either: ours has to be right as well.
            two += 1
            ratio = psychrolib.GetHumRatioFromTWetBulb(t, ours, 1000 * pressure)
            sought = psychrolib.GetHumRatioFromRelHum(t, humidity / 100, 1000 * pressure)
            assert ratio == pytest.approx(sought, abs=4e-6), (t, humidity, pressure)
            assert ours - theirs < 0.8, (t, humidity, pressure)
        else:
            assert ours == pytest.approx(theirs, abs=0.01), (t, humidity, pressure)
    assert two < 20


@both
def test_dew_point_and_humidity_ratio_are_those_of_psychrolib(hour: Hour, psychrolib: Any) -> None:
    for t, humidity, pressure in weathers():
        air = hour("air-chiller", t, humidity, pressure)
        ratio = psychrolib.GetHumRatioFromRelHum(t, humidity / 100, 1000 * pressure)
        assert air["humidity_ratio"] == pytest.approx(ratio, rel=5e-4), (t, humidity, pressure)
        dew_point = psychrolib.GetTDewPointFromRelHum(t, humidity / 100)
        # Below 0 °C PsychroLib's is the frost point, over ice; ours is over water throughout, as limits of IT are.
        if dew_point > 0:
            assert air["dew_point_c"] == pytest.approx(dew_point, abs=0.005), (t, humidity, pressure)


@both
@pytest.mark.parametrize(("t", "humidity", "pressure"), [(11.5, 6, 78), (9.5, 6, 90), (8.5, 10, 101), (6.4, 22, 101)])
def test_wet_bulb_is_over_water_where_ice_would_do_too(hour: Hour, t: float, humidity: float, pressure: float) -> None:
    """Else it would jump to and fro between the two as it gets warmer."""
    air = hour("air-chiller", t, humidity, pressure)
    on_ice = facility.root(lambda x: facility.ratio_over_ice(x, t, pressure) - air["humidity_ratio"], t)
    assert on_ice < 0 < air["wet_bulb_c"]


@both
@pytest.mark.parametrize("t", [-25, -0.001, 0, 0.001, 0.004, 0.01, 20, 48])
def test_saturated_air_is_as_warm_as_its_wet_bulb(hour: Hour, t: float) -> None:
    """Within the gap at 0 °C, which nothing solves and which is narrower than 0.01 K."""
    air = hour("air-chiller", t, 100, 101.325)
    assert air["wet_bulb_c"] == pytest.approx(t, abs=1e-6)
    if t >= 0:
        assert air["dew_point_c"] == pytest.approx(t, abs=1e-6)


# The engine and the reference


def assert_same(ours: dict[str, float], told: dict[str, float]) -> None:
    """To 1e-9, and to 1e-9 of a degree, kWh or litre where little is left of a difference of two wet bulbs."""
    assert ours.keys() == told.keys()
    for key, value in told.items():
        near = 1e-6 if key == "wet_bulb_c" else 0 if key == "humidity_ratio" else 1e-9
        assert math.isclose(ours[key], value, rel_tol=1e-9, abs_tol=near), (key, ours[key], value)


@pytest.mark.parametrize("cooling", sorted(SYSTEMS))
@settings(max_examples=300)
@given(t=dry_bulbs, humidity=humidities, pressure=pressures, load=loads, chain=chains)
@example(t=11.5, humidity=6.0, pressure=78.0, load=0.5, chain="modern")  # wet bulbs over ice and over water
@example(t=0.004, humidity=99.99, pressure=101.3, load=0.5, chain="modern")  # neither
@example(t=40.0, humidity=10.0, pressure=101.3, load=0.7, chain="hyper")  # air as warm as the liquid
@example(t=21.0, humidity=60.0, pressure=101.3, load=0.35, chain="modern")  # as warm as the supply air
@example(t=-25.0, humidity=0.0, pressure=60.0, load=0.05, chain="legacy")
def test_engine_is_the_reference(
    cooling: str, t: float, humidity: float, pressure: float, load: float, chain: str
) -> None:
    ours = engine(cooling, t, humidity, pressure, load=load, power_chain=chain)
    assert_same(ours, facility.site_hour(cooling, t, humidity, pressure, load=load, power_chain=chain))


@pytest.mark.parametrize("cooling", sorted(SYSTEMS))
@pytest.mark.parametrize("humidity", [4, 16, 36, 64, 90])
def test_engine_is_the_reference_on_both_sides_of_every_switch(cooling: str, humidity: int) -> None:
    """Economisers, trim chillers, pads and floors set in at some temperature; a chance draw would miss most of them."""
    for step in range(-250, 481):
        weather = (step / 10 + 0.037, humidity, 96.0)
        assert_same(engine(cooling, *weather), facility.site_hour(cooling, *weather))


@pytest.mark.parametrize("cooling", sorted(SYSTEMS))
def test_what_usually_goes_with_a_system_is_the_default(cooling: str) -> None:
    row = SYSTEMS[cooling]
    weather = (28.0, 45.0, 100.0)
    load, chain = float(row["load_fraction"]), row["power_chain"]
    stated = engine(cooling, *weather, load=load, power_chain=chain)
    assert engine(cooling, *weather) == stated
    assert engine(cooling, *weather, load=load) == stated
    assert engine(cooling, *weather, power_chain=chain) == stated


# Figures from elsewhere


def test_compressors_reach_what_rated_machines_do() -> None:
    """7 °C water at 35 °C outside, and under AHRI 550/590 conditions."""
    assert facility.cop_air(35, 7) == pytest.approx(3.2, abs=0.1)
    assert facility.cop_water(29.4, 7) == pytest.approx(5.3, abs=0.1)


@pytest.mark.parametrize(
    ("chain", "overhead"),
    [("hyper", (0.061, 0.034, 0.030)), ("modern", (0.169, 0.079, 0.061)), ("legacy", (0.376, 0.181, 0.140))],
)
def test_power_chains_lose_what_their_rows_say(chain: str, overhead: tuple[float, ...]) -> None:
    for load, loss in zip((0.2, 0.5, 0.8), overhead, strict=True):
        hour = engine("air-chiller", 20, 50, 101.3, load=load, power_chain=chain)
        assert hour["power_delivery"] == pytest.approx(loss, abs=0.0006)


@both
def test_an_air_cooled_chiller_in_singapore(hour: Hour) -> None:
    """1.33 is the annual mean of the same formulas over three years of weather."""
    assert hour("air-chiller", 28, 80, 100.9)["pue"] == pytest.approx(1.33, abs=0.02)


# Laws


@given(systems, dry_bulbs, humidities, pressures, loads, chains)
def test_every_hour_in_range_has_figures(
    cooling: str, t: float, humidity: float, pressure: float, load: float, chain: str
) -> None:
    hour = engine(cooling, t, humidity, pressure, load=load, power_chain=chain)
    assert all(math.isfinite(value) for value in hour.values())
    assert hour["cooling"] > 0
    assert hour["power_delivery"] > 0
    assert hour["pue"] == pytest.approx(1 + hour["cooling"] + hour["power_delivery"], rel=1e-15)
    assert 0 <= hour["water_consumed_l"] <= hour["water_input_l"] < 15
    assert hour["wet_bulb_c"] <= t + ROUNDING
    if cooling in WITHOUT_WATER:
        assert hour["water_input_l"] == 0


@given(systems, dry_bulbs, dry_bulbs, humidities, st.floats(78, 105), loads)
@example("water-chiller", 11.4, 11.5, 6.0, 78.0, 0.5)  # over 0 °C wet bulb, where ice and water both solve
@example("water-chiller", 8.4, 8.5, 10.0, 101.0, 0.5)
@example("water-chiller-economiser", -0.001, 0.001, 99.0, 101.3, 0.5)
def test_warmer_air_never_costs_less(
    cooling: str, one: float, other: float, humidity: float, pressure: float, load: float
) -> None:
    """At the same relative humidity, in all systems: outside air is shut out, and G wetted, as it gets warmer only."""
    cool, warm = (engine(cooling, t, humidity, pressure, load=load) for t in sorted((one, other)))
    assert cool["wet_bulb_c"] <= warm["wet_bulb_c"] + ROUNDING
    assert cool["cooling"] + cool["power_delivery"] <= warm["cooling"] + warm["power_delivery"] + ROUNDING


F = "airside-economiser-evaporative"


@given(st.floats(-25, float(SYSTEMS[F]["supply_air_c"])), humidities, pressures, loads)
@example(float(SYSTEMS[F]["supply_air_c"]), 5.0, 101.3, 0.5)
def test_air_that_is_cold_enough_needs_no_pads(t: float, humidity: float, pressure: float, load: float) -> None:
    hour = engine(F, t, humidity, pressure, load=load)
    assert (hour["water_input_l"], hour["water_consumed_l"]) == (0, 0)


@given(dry_bulbs, humidities, pressures)
def test_pads_are_wet_while_air_is_warm_and_dry_and_only_then(t: float, humidity: float, pressure: float) -> None:
    hour = engine(F, t, humidity, pressure)
    warm, damp = t > float(SYSTEMS[F]["supply_air_c"]), hour["dew_point_c"] > float(SYSTEMS[F]["dew_point_limit_c"])
    assert (hour["water_input_l"] > 0) == (warm and not damp)


@given(st.floats(20, 45), st.floats(5, 100), st.floats(5, 100), st.floats(78, 105))
def test_a_tower_takes_more_water_in_drier_air(t: float, one: float, other: float, pressure: float) -> None:
    dry, damp = (engine("water-chiller", t, humidity, pressure) for humidity in sorted((one, other)))
    assert dry["water_consumed_l"] >= damp["water_consumed_l"] - ROUNDING


@pytest.mark.parametrize("cooling", [key for key in sorted(SYSTEMS) if key not in WITHOUT_WATER])
def test_fewer_cycles_take_more_water_and_evaporate_no_more(cooling: str) -> None:
    """In the reference, which a row can be handed to; the engine is held to it above."""
    air, chain = facility.air(40, 15, 97), CHAINS["modern"]
    hours = [facility.hour(SYSTEMS[cooling] | {"cycles_of_concentration": c}, chain, air, 0.5) for c in "23579"]
    inputs = [hour["water_input_l"] for hour in hours]
    assert all(fewer > more > 0 for fewer, more in pairwise(inputs))
    assert len({hour["water_consumed_l"] for hour in hours}) == 1


@given(st.floats(-25, 45), st.floats(5, 100), st.floats(78, 105), loads)
@example(45.0, 5.0, 105.0, 1.0)
def test_a_kilowatt_hour_evaporates_at_most_two_litres(t: float, humidity: float, pressure: float, load: float) -> None:
    """Air drier than 5 % or hotter than 45 °C goes beyond: 2.37 kg at 48 °C without any humidity.

    Heat at the tower is heat of the building and the compressor's. Power is the compressor's, fans of 0.012 of that at
    most, pumps of 0.012 of it, pumps of 0.012 of the building's heat, and air handlers.
    """
    hour = engine("water-chiller", t, humidity, pressure, load=load)
    handlers = facility.fans_per_it(SYSTEMS["water-chiller"], load)
    building = 1 + 0.6 * hour["power_delivery"] + handlers
    at_tower = (building + hour["cooling"] - handlers - 0.012 * building) / 1.024
    assert hour["water_consumed_l"] <= 2.2 * at_tower


@pytest.mark.parametrize("chain", sorted(CHAINS))
@pytest.mark.parametrize("cooling", sorted(SYSTEMS))
def test_overhead_grows_without_bound_as_load_falls(cooling: str, chain: str) -> None:
    c = {column: float(CHAINS[chain][column]) for column in ("redundancy", "ups_fixed", "pdu_fixed", "other")}
    fixed = c["redundancy"] * c["ups_fixed"] + c["pdu_fixed"] + c["other"]
    overheads = []
    for load in (0.3, 0.2, 0.1, 0.05):
        hour = engine(cooling, 25, 50, 101.3, load=load, power_chain=chain)
        assert fixed / load <= hour["power_delivery"] < math.inf
        overheads.append(hour["pue"] - 1)
    assert overheads == sorted(overheads)
    assert overheads[-1] < 3
