"""Reading the compiled source tables and writing the catalog's files; see make_catalog.py."""

import csv
import re
from decimal import Decimal
from pathlib import Path

RETRIEVED = "2026-11-22"
DATA = Path(__file__).resolve().parent.parent / "src" / "catalog" / "data"
FACTS = Path(__file__).resolve().parent / "catalog"
PROVENANCE = ["source", "retrieved", "licence", "quality", "assumed_cells"]

# Words of the source tables that say a cell is not backed by a document.
UNBACKED = ("recalled", "judgement")

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
