"""The catalog's models: open ones with their configurations, closed ones with ranges, and the names of both.

Part of make_catalog.py, which see. A model whose shape nobody has published gets the shape that open models of its size
have, every cell of it *assumed*: layers and width by a power law of the total, key-value heads of grouped attention,
experts so that their share leaves what is active.
"""

import math
import re
import statistics
from decimal import Decimal

from catalog_tables import FACTS, PROVENANCE, RETRIEVED, number, provenance, read, write

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
    row["note"] = "; ".join(text for text in (row["note"], window, row["flag"] or nominal(row)) if text)


# How far a count may lie from the size in a model's name before the row says so.
NEAR_NAME = Decimal("0.03")


def nominal(row):
    """What to note where neither count from the configuration is the size that the model is named for."""
    named = re.search(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)b(?![a-z0-9])", row["id"].lower())
    if named is None or not row["params_basis"].startswith("computed"):
        return ""
    counts = [Decimal(row[column]) / 10**9 for column in ("total_params", "active_params") if row[column]]
    if any(abs(count / Decimal(named[1]) - 1) <= NEAR_NAME for count in counts):
        return ""
    return f"nominal {named[1]} in the name, counted {round(counts[0], 2)}"


class Law:
    """Shapes of open networks by their size: layers and width are powers of the total."""

    def __init__(self, rows):
        def known(row):
            return row["architecture"] in ("dense", "moe") and row.get("n_layers") and row.get("hidden_size")

        shaped = [row for row in rows if known(row)]
        text = [row for row in shaped if row["kind"] in ("chat", "base", "vision-language")]
        self.fits = {
            "dense": self.fit([row for row in text if row["architecture"] == "dense"]),
            "moe": self.fit([row for row in text if row["architecture"] == "moe"]),
            "embedding": self.fit([row for row in shaped if row["kind"] in ("embedding", "rerank")]),
        }
        sparse = [row for row in text if row.get("n_experts") and row.get("experts_per_token")]
        shares = [
            float(row["experts_per_token"])
            / float(row["n_experts"])
            / (float(row["active_params"]) / float(row["total_params"]))
            for row in sparse
        ]
        # Experts in use over experts there are, against active over all weights.
        self.share = statistics.median(shares)

    @staticmethod
    def fit(rows):
        x = [math.log(float(row["total_params"])) for row in rows]
        layers = statistics.linear_regression(x, [math.log(float(row["n_layers"])) for row in rows])
        width = statistics.linear_regression(x, [math.log(float(row["hidden_size"])) for row in rows])
        return layers, width, len(rows)

    def shape(self, kind, architecture, total, active):
        """Cells of a network of this size, and what they rest on."""
        sparse = architecture == "moe" and active < 0.9 * total
        name = "embedding" if kind in ("embedding", "rerank") else "moe" if sparse else "dense"
        layers, width, count = self.fits[name]
        x = math.log(total)
        heads = max(round(math.exp(width.intercept + width.slope * x) / 128), 2)
        cells = {
            "n_layers": round(math.exp(layers.intercept + layers.slope * x)),
            "hidden_size": 128 * heads,
            "n_heads": heads,
            "n_kv_heads": heads if name == "embedding" else min(8, heads),
            "head_dim": 128,
        }
        if sparse:
            experts = max(round(8 / (self.share * active / total)), 9)
            cells |= {"n_experts": experts, "experts_per_token": 8}
        return cells, f"as {count} open {name} networks have it at this size (power law)"


def put_shape(row, law, assumed):
    """Gives a row without a shape that of its size; all of it assumed."""
    cells, basis = law.shape(row["kind"], row["architecture"], float(row["total_params"]), float(row["active_params"]))
    row |= {column: str(value) for column, value in cells.items()}
    row["arch_basis"] = basis
    assumed |= set(cells)


def models(folder):
    sizes = {"total_params": "total_params_b", "active_params": "active_params_b"}
    sizes |= {"input_embedding_params": "input_embedding_b", "vision_params": "vision_params_b"}
    facts = model_facts()
    rows, unfinished = [], []
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
        unfinished.append((row, assumed, recalled, basis))
    law = Law([row for row, *_ in unfinished])
    for row, assumed, recalled, basis in unfinished:
        if not row["n_layers"] and row["architecture"] in ("dense", "moe", "hybrid", "ssm"):
            put_shape(row, law, assumed)
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
    return {row["id"] for row in rows} | closed(folder, law)


# The ends of a range that nobody has disclosed lie at least this factor apart.
UNDISCLOSED = 3.0
CLOSED_SIZES = ["total_params", "total_params_min", "total_params_max"]
CLOSED_SIZES += ["active_params", "active_params_min", "active_params_max"]
CLOSED_SHAPE = ["n_layers", "hidden_size", "n_heads", "n_kv_heads", "head_dim", "n_experts", "experts_per_token"]


def rounded(value):
    """Three digits: nobody knows more."""
    return f"{Decimal(f'{value:.3g}'):f}"


def ends(low, high):
    """Low end, geometric middle and high end, at least a factor apart."""
    low, high = float(low) * 1e9, float(high) * 1e9
    wanted = max(UNDISCLOSED / (high / low), 1.0) ** 0.5
    return low / wanted, math.sqrt(low * high), high * wanted


def closed(folder, law):
    """Closed models: no vendor discloses a size, so every number is assumed and stands with its range."""
    rows = []
    for row in read(folder, "models-closed.csv"):
        row["developer"], row["name"] = row["provider"], row["id"]
        total = ends(row["total_params_b_min"], row["total_params_b_max"])
        active = ends(row["active_params_b_min"], row["active_params_b_max"])
        # A token passes no more weights than there are.
        active = tuple(min(a, t) for a, t in zip(active, total, strict=True))
        for name, (low, middle, high) in (("total_params", total), ("active_params", active)):
            row |= {name: rounded(middle), f"{name}_min": rounded(low), f"{name}_max": rounded(high)}
        if row["architecture"] != "diffusion":
            put_shape(row, law, set())
        source = row["source"] if row["source"] != "recalled" else "name recalled, unverified"
        # Ranges that are those of EcoLogits, or made from them, keep its terms.
        licence = "MPL-2.0" if "EcoLogits" in row["params_basis"] else "facts"
        if licence == "MPL-2.0" and "ecologits" not in source:
            source += "; range after genai-impact/ecologits data/models.json"
        rows.append(provenance(row, source, licence, "assumed"))
    columns = ["id", "name", "developer", "kind", "architecture", "release", *CLOSED_SIZES, *CLOSED_SHAPE]
    write("models-closed.csv", [*columns, "max_context", "params_basis", "arch_basis", *PROVENANCE], rows)
    return {row["id"] for row in rows}


ALIAS_LICENCES = [
    ("litellm", "MIT"), ("models.dev", "MIT"), ("genai-prices", "MIT"), ("Portkey", "MIT"),
    ("xorbitsai", "Apache-2.0"), ("exo-explore", "Apache-2.0"), ("aiconfigurator", "Apache-2.0"),
    ("ecologits", "MPL-2.0"),
]  # fmt: skip


def model_aliases(folder, ids):
    """Names that stand for a model, and where each was seen. Paths and dates are rules of the engine."""
    rows, sources, taken = [], {}, set(ids)
    listed = read(folder, "model-aliases.csv")
    for row in listed:
        # The end of a resource name is a name of its own: arn:aws:bedrock:*:*:foundation-model/NAME.
        if row["match"] == "glob" and row["alias"].startswith("arn:"):
            name = row["alias"].rsplit("/", 1)[1].removeprefix("*")
            if "*" not in name:
                row |= {"match": "exact", "alias": name}
    listed.sort(key=lambda row: (row["alias"], row["match"]))
    # Names that the lists lack or have wrong; codestral-2501 is another model, whose size nobody has published.
    taken.add("codestral-2501")
    by_hand = [
        row | {"match": "exact", "evidence": "vendor's naming; by hand"} for row in read(FACTS, "model-names.csv")
    ]
    for row in [*by_hand, *listed]:
        if row["match"] != "exact" or row["alias"] in taken:
            continue
        taken.add(row["alias"])
        if row["id"] not in ids:
            raise SystemExit(f"model-aliases.csv: {row['alias']} names {row['id']}, which is no model")
        source = row["evidence"].replace(",", ";")
        if source not in sources:
            guess = re.search(r"recalled|assumed|rule", source) is not None
            licence = next((name for key, name in ALIAS_LICENCES if key in source), "facts")
            sources[source] = {
                "key": f"s{len(sources) + 1}",
                "source": source,
                "retrieved": RETRIEVED,
                "licence": licence,
                "quality": "assumed" if guess else "derived",
            }
        rows.append(row | {"source": sources[source]["key"]})
    write("alias-sources.csv", ["key", *PROVENANCE[:4]], list(sources.values()), plain=True)
    write("model-aliases.csv", ["alias", "id", "precision_hint", "moving", "source"], rows, plain=True)
