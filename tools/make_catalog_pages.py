"""Write docs/catalog/*.md from the catalog of the package: one page for a kind, assumed cells marked.

Usage: python tools/make_catalog_pages.py
"""

from pathlib import Path

from wattledger import _engine

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "catalog"
# What a page shows of a kind; `catalog KIND NAME` shows every column and every source.
PAGES = {
    "hardware": ["id", "vendor", "generation", "release_year", "tdp_w", "idle_w", "idle_context_w", "memory_gb",
                 "memory_bw_gbs", "interconnect_gbs", "bf16_tflops", "fp8_tflops", "fp4_tflops", "int8_tops"],
    "servers": ["id", "accelerator_id", "accelerators", "max_power_w", "host_idle_w", "host_typical_w", "cooling",
                "mass_kg"],
    "models": ["id", "kind", "architecture", "release", "total_params", "active_params", "n_layers", "hidden_size",
               "n_experts", "weights_precision_released"],
    "engines": ["id", "t_step_us", "t_seq_us", "t_layer_us", "grade", "evidence_kind"],
    "sites": ["id", "country", "weather", "weather_km", "grid_direct", "grid_lifecycle", "grid_hours", "marginal_hours",
              "pue", "wue_l_per_kwh"],
    "grids": ["id", "name", "level", "year", "direct_g_per_kwh", "lifecycle_g_per_kwh", "losses_pct"],
    "cooling": ["id", "name", "archetype", "power_chain", "load_fraction", "fan_share", "supply_air_c",
                "chilled_supply_c", "facility_water_c", "cycles_of_concentration", "pue_low", "pue_typical", "pue_high",
                "wue_typical_l_per_kwh"],
    "power-chains": ["id", "name", "redundancy", "ups_fixed", "ups_linear", "ups_square", "pdu_fixed", "pdu_square",
                     "other"],
    "weather": ["id", "name", "years", "start_utc", "hours", "lat", "lon"],
    "grid-hours": ["id", "name", "content", "start_utc", "hours", "capacity_mw", "dispatchable_mw",
                   "peak_generation_mw"],
    "generation": ["id", "name", "direct_g_per_kwh", "lifecycle_g_per_kwh", "water_l_per_kwh"],
    "embodied": ["id", "category", "scope", "per", "kgco2e_low", "kgco2e", "kgco2e_high", "adpe_kg_sb",
                 "primary_energy_mj", "water_l", "mass_kg", "lifetime_years"],
    "fab-nodes": ["id", "energy_kwh_per_cm2", "grid_g_per_kwh", "gases_g_per_cm2", "materials_g_per_cm2",
                  "materials_high_g_per_cm2", "water_l_per_cm2", "defects_per_cm2", "spare_share"],
    "bills": ["id", "component", "part", "per", "quantity_low", "quantity", "quantity_high", "lifetime_years"],
    "equivalents": ["id", "name", "of", "amount"],
}  # fmt: skip
QUALITIES = ("measured", "vendor", "derived", "assumed")


def short(unit, value):
    if not value:
        return ""
    if unit == "parameters":
        return f"{float(value) / 1e9:.4g}"
    return value.replace("|", "/")


def page(kind, wanted):
    columns, rows = _engine.catalog_table(kind)
    names = [name for name, *_ in columns]
    shown = [name for name in wanted if name in names]
    counts = dict.fromkeys(QUALITIES, 0)
    lines = []
    for row in rows:
        cells = {column: cell for column, *cell in _engine.catalog_item(kind, row[0])}
        for unit, value, quality, *_ in cells.values():
            if value and unit:
                counts[quality] += 1
        told = [(short(cells[name][0], cells[name][1]), cells[name][2]) for name in shown]
        lines.append("| " + " | ".join(f"{text}{'*' if text and q == 'assumed' else ''}" for text, q in told) + " |")
    units = {name: unit for name, unit, _ in columns}
    heads = [f"{name} (10⁹)" if units[name] == "parameters" else name for name in shown]
    said = ", ".join(f"{count:,} {quality}" for quality, count in counts.items())
    return "\n".join([
        f"# Catalog: {kind}",
        "",
        f"{len(rows)} rows. Numbers with a unit, by quality: {said}. A star marks what has no document behind it.",
        f"Every column, source, day and licence: `wattledger catalog {kind} NAME`. The data: `src/catalog/data`.",
        "",
        "| " + " | ".join(heads) + " |",
        "|---" * len(heads) + "|",
        *lines,
        "",
    ])  # fmt: skip


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    edition, digest = _engine.catalog_edition()
    index = [
        "# Catalog",
        "",
        f"Edition {edition}, content hash `{digest}`. Generated from the data of the package.",
        "",
    ]
    for kind, wanted in PAGES.items():
        (FOLDER / f"{kind}.md").write_text(page(kind, wanted), encoding="utf-8")
        index.append(f"- [{kind}]({kind}.md)")
    (FOLDER / "README.md").write_text("\n".join([*index, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
