"""The catalog through the command and the engine: names that logs carry, search, pages, configurations, overlays."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import wattledger as wl
from test_cli import run
from wattledger import _engine

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
#: Names that are the users' own, or no model at all.
NICKNAMES = re.compile(r"^(<synthetic>|ensemble|chat-large|local-model|prod-.*|m\d*|)$")


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} of the shared data is not beside this checkout")
    return path


def meant(name: str) -> str | None:
    try:
        return str(_engine.catalog_resolution("models", name)["id"])
    except wl.UnknownNameError:
        return None


def test_every_listed_name_of_a_model_means_what_its_table_says() -> None:
    ids = {row[0] for row in _engine.catalog_table("models")[1]}
    checked = 0
    by_hand: dict[str, str | None] = {"codestral-2501": None}
    with (ROOT / "tools" / "catalog" / "model-names.csv").open(newline="", encoding="utf-8") as file:
        by_hand |= {row["alias"]: row["id"] for row in csv.DictReader(file)}
    with shared("model-aliases.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["match"] == "exact":
                # An id is always itself, and what is put right by hand stays so.
                right = by_hand.get(row["alias"], row["alias"] if row["alias"] in ids else row["id"])
                assert meant(row["alias"]) == right, row["alias"]
                checked += 1
            elif row["match"] == "glob" and not row["alias"].startswith("projects/"):
                name = row["alias"].replace("inference-profile/*", "inference-profile/us.").replace("*", "any")
                tail = row["alias"].rsplit("/", 1)[-1].removeprefix("*")
                assert meant(name) == by_hand.get(tail, row["id"]), name
                checked += 1
    assert checked > 11_000


def names_of(value: Any) -> list[str]:
    """Every text under a key that names a model, however deep."""
    found = []
    if isinstance(value, dict):
        for key, inner in value.items():
            if re.search(r"(^|[._])(model|model_id|modelid|model_name|request_model|response_model)$", key.lower()):
                found += [inner] if isinstance(inner, str) else []
            if key == "key" and "model" in str(inner) and isinstance(value.get("value"), dict):
                found += [text for text in value["value"].values() if isinstance(text, str)]
            found += names_of(inner)
    elif isinstance(value, list):
        for inner in value:
            found += names_of(inner)
    return found


def test_every_model_in_the_log_formats_is_known_or_refused_with_a_reason() -> None:
    found: dict[str, str | None] = {}
    for path in sorted(shared("log-formats").glob("*.jsonl")):
        if path.name == "hostile.jsonl":
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                document = json.loads(line)
            except ValueError:
                continue
            # A lone surrogate is no text; the reader of logs refuses its line.
            texts = [name for name in names_of(document) if not re.search("[\ud800-\udfff]", name)]
            found |= {name: meant(name) for name in texts}
    known = {name for name, id_ in found.items() if id_ is not None}
    refused = set(found) - known
    assert len(known) > 25
    assert {name for name in refused if not NICKNAMES.match(name) and not name.startswith("model.")} == set()


def test_a_hand_checked_sample_of_names_meets_no_wrong_family() -> None:
    with (ROOT / "tests" / "data" / "model-names.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = [row for row in rows if row["expected"] != "unknown"]
    assert len(known) >= 300
    right = 0
    for row in known:
        got = meant(row["name"])
        # Refused is no error; another family is.
        assert got is None or got == row["expected"] or row["family"] in got, (row, got)
        right += got == row["expected"]
    assert right >= 0.95 * len(known), f"{right} of {len(known)}"
    for row in rows:
        if row["expected"] == "unknown":
            assert meant(row["name"]) is None, row


def test_a_name_explains_how_it_was_read() -> None:
    found = _engine.catalog_resolution(
        "models", "arn:aws:bedrock:us-east-1:1:inference-profile/us.meta.llama3-1-70b-instruct-v1:0"
    )
    assert (found["id"], found["rule"]) == ("llama-3.1-70b-instruct", "part")
    assert found["taken"][0] == "resource name"
    assert _engine.catalog_resolution("models", "mistral-large@latest")["moving"]
    quantised = _engine.catalog_resolution("models", "/srv/Llama-3.1-8B-Instruct-FP8")
    assert (quantised["id"], quantised["precision_hint"]) == ("llama-3.1-8b-instruct", "fp8")


def test_a_closed_model_is_estimated_inside_its_range() -> None:
    one = wl.request(model="gpt-4o", input_tokens=1000, output_tokens=300, concurrency=32)
    low, high = one.range("facility_kwh") or (0.0, 0.0)
    value = one["facility_kwh"]
    assert value is not None
    # The ends of the size alone are a factor three apart.
    assert low < value < high
    assert high / low > 3
    said = {note["what"]: note["value"] for note in one.to_dict()["assumptions"]}
    assert "billion" in said["parameters"]


def test_unknown_models_are_listed_by_volume(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = [("gpt-4o", 10), ("our-secret", 100), ("our-other", 5000), ("our-secret", 100)]
    lines = [f"2026-01-01T00:00:0{i}Z,{name},{tokens},10" for i, (name, tokens) in enumerate(rows)]
    log.write_text("\n".join(["timestamp,model,input_tokens,output_tokens", *lines]) + "\n", encoding="utf-8")
    document = json.loads(run("estimate", str(log), "--json").stdout)
    assert [(one["model"], one["requests"], one["input_tokens"]) for one in document["unknown_models"]] == [
        ("our-other", 1, 5000),
        ("our-secret", 2, 200),
    ]
    assert document["provenance"]["catalog_edition"]
    assert document["totals"]["requests"] == 4


CONFIGS: dict[str, tuple[dict[str, Any], str, float]] = {
    # Dimensions of released configurations.
    "dense": (
        {
            "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
            "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064, "tie_word_embeddings": False,
            "use_sliding_window": False, "sliding_window": 131072, "torch_dtype": "bfloat16",
        },
        "qwen2.5-7b-instruct",
        0.01,
    ),
    "experts": (
        {
            "model_type": "qwen3_moe", "hidden_size": 2048, "intermediate_size": 6144, "moe_intermediate_size": 768,
            "num_experts": 128, "num_experts_per_tok": 8, "num_hidden_layers": 48, "num_attention_heads": 32,
            "num_key_value_heads": 4, "head_dim": 128, "vocab_size": 151936, "tie_word_embeddings": False,
        },
        "qwen3-30b-a3b",
        0.01,
    ),
    "latent": (
        {
            "model_type": "deepseek_v3", "hidden_size": 7168, "intermediate_size": 18432, "moe_intermediate_size": 2048,
            "n_routed_experts": 256, "num_experts_per_tok": 8, "n_shared_experts": 1, "first_k_dense_replace": 3,
            "num_hidden_layers": 61, "num_attention_heads": 128, "num_key_value_heads": 128, "kv_lora_rank": 512,
            "q_lora_rank": 1536, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128,
            "vocab_size": 129280, "quantization_config": {"quant_method": "fp8"},
        },
        "deepseek-v3",
        0.01,
    ),
    "positions": (
        {
            "model_type": "gpt2", "n_embd": 1600, "n_layer": 48, "n_head": 25, "n_positions": 1024, "vocab_size": 50257,
        },
        "gpt2-xl",
        0.01,
    ),
    "vision": (
        {
            "model_type": "qwen2_5_vl", "hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36,
            "num_attention_heads": 16, "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": True,
            "vision_config": {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420},
        },
        "qwen2.5-vl-3b-instruct",
        0.06,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_released_configuration_describes_its_model(kind: str, tmp_path: Path) -> None:
    config, known, within = CONFIGS[kind]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    done = run("catalog", "models", "ours", "--from-config", str(path))
    assert done.returncode == 0, done.stderr
    fleet = wl.Fleet.parse(done.stdout)
    mine = {column: value for column, _, value, *_ in _engine.catalog_item("models", "ours", fleet)}
    theirs = {column: value for column, _, value, *_ in _engine.catalog_item("models", known)}
    for column in ("total_params", "active_params"):
        assert float(mine[column]) == pytest.approx(float(theirs[column]), rel=within), column
    for column in ("n_layers", "hidden_size", "n_heads", "n_kv_heads", "n_experts", "kv_lora_rank"):
        if theirs[column] and (column != "n_kv_heads" or kind != "latent"):
            assert float(mine[column]) == float(theirs[column]), column
    asked: dict[str, Any] = {
        "input_tokens": 1000,
        "output_tokens": 200,
        "concurrency": 16,
        "hardware": "h200",
        "devices": 8,
    }
    ours, listed = fleet.request(model="ours", **asked), wl.request(model=known, **asked)
    assert ours["it_kwh"] == pytest.approx(listed["it_kwh"], rel=0.1)


def test_the_example_of_the_page_on_data_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    fleet = tmp_path / "fleet.toml"
    fleet.write_text(example, encoding="utf-8")
    item = json.loads(run("catalog", "models", "chat-large", "--fleet", str(fleet)).stdout)
    assert item["resolution"]["id"] == "our-13b"
    it_kwh = wl.Fleet.load(fleet).request(model="chat-large", output_tokens=100)["it_kwh"]
    assert it_kwh is not None
    assert it_kwh > 0


@pytest.mark.parametrize(
    ("name", "known"),
    [("Llama 3.3 70B", "llama-3.3-70b-instruct"), ("gemma-3-4b", "gemma-3-4b-it"), ("gpt4o", "gpt-4o")],
)
def test_names_typed_from_memory_are_found(name: str, known: str) -> None:
    assert meant(name) == known


def test_what_is_no_configuration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    for text, said in (("{", "no JSON"), ("[]", "JSON object"), ("{}", "`hidden_size` is missing")):
        path.write_text(text, encoding="utf-8")
        done = run("catalog", "models", "--from-config", str(path))
        assert done.returncode == 2, text
        assert said in done.stderr
    assert run("catalog", "sites", "--from-config", str(path)).returncode == 2
    assert run("catalog", "models", "--from-config", str(tmp_path / "none.json")).returncode == 1


def test_rows_of_csv_files_go_over_the_catalog_and_show_as_the_users(tmp_path: Path) -> None:
    rows = "id,idle_w,tdp_w,source,quality\nh100-sxm5-80gb,71.5,,our meter,measured\n"
    (tmp_path / "hardware-ours.csv").write_text(rows, encoding="utf-8")
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('catalog_files = ["hardware-ours.csv"]\n', encoding="utf-8")
    item = json.loads(run("catalog", "hardware", "h100", "--fleet", str(fleet)).stdout)
    assert item["idle_w"] == {
        "unit": "W", "value": "71.5", "quality": "measured", "source": "user overlay: our meter", "retrieved": "user",
        "licence": "user",
    }  # fmt: skip
    assert item["tdp_w"]["value"] == "700"
    # A later file goes over an earlier one, cell by cell, and the fleet file over all.
    (tmp_path / "hardware-later.csv").write_text(
        "id,idle_w,tdp_w,quality\nh100-sxm5-80gb,72.5,650,measured\n", encoding="utf-8"
    )
    fleet.write_text(
        'catalog_files = ["hardware-ours.csv", "hardware-later.csv"]\n'
        '[[hardware]]\nid = "h100-sxm5-80gb"\ntdp_w = 640\n[[alias]]\nkind = "hardware"\nalias = "our-box"\n'
        'id = "h100-sxm5-80gb"\n',
        encoding="utf-8",
    )
    item = json.loads(run("catalog", "hardware", "our-box", "--fleet", str(fleet)).stdout)
    assert (item["idle_w"]["value"], item["tdp_w"]["value"]) == ("72.5", "640")
    assert item["idle_w"]["source"] == "user overlay"
    fleet.write_text('catalog_files = ["things.csv"]\n', encoding="utf-8")
    (tmp_path / "things.csv").write_text(rows, encoding="utf-8")
    done = run("catalog", "hardware", "h100", "--fleet", str(fleet))
    assert done.returncode == 2
    assert "does not begin with the kind" in done.stderr


def test_the_command_searches_shows_and_explains() -> None:
    page = run("catalog", "models", "llama-3.1-8b", COLUMNS="120", NO_COLOR="1").stdout
    item = json.loads(page)
    assert item["resolution"]["id"] == "llama-3.1-8b"
    assert {"source", "retrieved", "licence", "quality"} <= set(item["total_params"])
    columns, rows = _engine.catalog_search("hardware", "mi3")
    assert columns[0][0] == "id"
    assert {row[0] for row in rows} >= {"mi300x", "mi325x", "mi355x"}
    assert _engine.catalog_search("models", "sonnet-4")[1]
    found = json.loads(run("catalog", "hardware", "apple").stdout)
    assert len(found) > 5
    assert all("apple" in row["id"] for row in found)
    assert run("catalog", "models", "no-such-thing-at-all").returncode == 2


def rows_of(kind: str) -> list[dict[str, str]]:
    columns, rows = _engine.catalog_table(kind)
    names = [name for name, *_ in columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_a_count_far_from_the_size_in_a_models_name_says_so() -> None:
    named = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)b(?![a-z0-9])")
    counted = [row for row in rows_of("models") if row["params_basis"].startswith("computed")]
    judged = 0
    for row in counted:
        size = named.search(row["id"].lower())
        if size is None:
            continue
        judged += 1
        counts = [float(row[column]) / 1e9 for column in ("total_params", "active_params") if row[column]]
        near = any(abs(count / float(size[1]) - 1) <= 0.03 for count in counts)
        assert near or "nominal" in row["note"] or "card" in row["note"], row["id"]
    assert judged > 300


def test_every_site_has_grid_and_weather_or_says_why_not() -> None:
    stations = {row["id"] for row in rows_of("weather")}
    grids = {row["id"] for row in rows_of("grids")}
    hours = {row["id"] for row in rows_of("grid-hours")}
    for site in rows_of("sites"):
        for column, known in (
            ("weather", stations), ("grid_direct", grids), ("grid_lifecycle", grids), ("grid_water", grids),
            ("grid_hours", hours), ("marginal_hours", hours),
        ):  # fmt: skip
            assert not site[column] or site[column] in known, (site["id"], column)
        for column, what in (("weather", "weather"), ("grid_direct", "direct"), ("grid_lifecycle", "lifecycle")):
            assert site[column] or f"{what}: unknown" in site["grid_note"] or site["id"] == "world", site["id"]
