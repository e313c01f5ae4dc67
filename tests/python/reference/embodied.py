"""What the machines of a replica took to make, from the tables of the catalog: bills, parts, fab nodes."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import ROUND_CEILING, Decimal
from functools import cache
from pathlib import Path

D = Decimal
DATA = Path(__file__).resolve().parents[3] / "src" / "catalog" / "data"
YEAR_S = D(365 * 86_400)
LIFE_YEARS = D(4)
RETICLE_CM2 = D("8.58")
WAFER_CM = D(30)
PI = D("3.14159265358979323846264338327950288")
CARD_LINK_GBS = 128
#: Accelerators, sockets and gigabytes of a host that nobody names: of modules and of cards.
HOSTS = {"module": (D(8), D(2), D(2048)), "card": (D(8), D(2), D(512))}
#: Machines of their own, without a server and a network.
ALONE = ("soc", "edge")
FIGURES = ("kgco2e", "adpe_kg_sb", "primary_energy_mj", "water_l", "mass_kg")
Five = tuple[Decimal, ...]


@cache
def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def part(name: str) -> Five:
    row = next(row for row in rows("embodied-parts.csv") if row["id"] == name)
    return tuple(D(row[figure] or 0) for figure in FIGURES)


def silicon(row: dict[str, str]) -> Five:
    """Dies of one accelerator: nodes between those of the table take the nearest by ratio."""
    memory = D(row["memory_gb"] or 64)
    area = D(row["die_area_mm2"]) if row["die_area_mm2"] else min(max(9 * memory, D(100)), D(1600))
    area /= 100
    year = D(row["release_year"] or 2023)
    usual = D(14) if year < 2020 else D(7) if year < D("2022.5") else D(5) if year < D("2025.5") else D(3)
    nm = D(row["process_nm"]) if row["process_nm"] else usual
    node = min(rows("fab-nodes.csv"), key=lambda node: abs((D(node["node_nm"]) / nm).ln()))
    value = {name: D(node[name]) for name in node if name.endswith(("_cm2", "_kwh", "_kg", "share"))}
    dies = (area / RETICLE_CM2).to_integral_value(ROUND_CEILING)
    one = area / dies
    whole = PI * WAFER_CM**2 / (4 * one) - PI * WAFER_CM / (2 * one).sqrt()
    hits = one * (1 - value["spare_share"]) * value["defects_per_cm2"]
    good = ((1 - (-hits).exp()) / hits) ** 2
    wafer = dies * PI * WAFER_CM**2 / 4 / (whole * good)
    power, materials = value["energy_kwh_per_cm2"], value["materials_g_per_cm2"] / 1000
    kg = value["grid_g_per_kwh"] / 1000 * power + value["gases_g_per_cm2"] / 1000 + materials
    energy = value["primary_mj_per_kwh"] * power + value["materials_mj_per_kg"] * materials
    return (wafer * kg, D(0), wafer * energy, wafer * value["water_l_per_cm2"], D(0))


def per_second(hardware: dict[str, str], devices: int, host_w: Decimal, life: Decimal | None = None) -> Five:
    """What a second of a replica bears: g, kg of antimony, MJ, L, kg of waste."""
    # Cells without a figure are left out of a row.
    hardware = defaultdict(str, hardware)
    sums = [D(0)] * 5
    own = LIFE_YEARS if life is None else life

    def add(burden: Five, quantity: Decimal, life_years: Decimal = own) -> None:
        for i, figure in enumerate(burden):
            sums[i] += figure * quantity / (life_years * YEAR_S)

    add(silicon(hardware), D(devices))
    kind = hardware["memory_type"] or "HBM"
    if not kind.startswith("SRAM") and hardware["memory_gb"]:
        name = "hbm" if kind.startswith("HBM") else "gddr" if kind.startswith("GDDR") else "dram"
        add(part(f"memory-{name}"), D(hardware["memory_gb"]) * devices)
    link = hardware["interconnect_gbs"]
    board = "module" if link and D(link) > CARD_LINK_GBS else "card"
    accelerators_kw = D(hardware["tdp_w"]) * devices / 1000
    of_host, sockets, dram = HOSTS[board]
    servers = D(devices) / of_host
    units = {
        board: {"accelerator": D(devices), "rated_kw": accelerators_kw},
        "host": {"server": servers, "socket": servers * sockets, "dram_gb": servers * dram, "accelerator": D(devices)},
        "network": {"accelerator": D(devices)},
        "facility": {"rated_kw": accelerators_kw + host_w / 1000},
    }
    if hardware["category"] in ALONE:
        units["host"] = units["network"] = {}
    for line in rows("embodied-bills.csv"):
        count = units.get(line["bill"], {}).get(line["per"], D(0))
        add(
            part(line["part"]),
            D(line["quantity"]) * count,
            D(line["lifetime_years"]) if line["lifetime_years"] else own,
        )
    return (sums[0] * 1000, *sums[1:])
