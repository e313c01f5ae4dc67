"""Write demo/requests.jsonl.gz: the real requests of both Azure 2023 traces as one gateway's log.

    python tools/make_requests.py FOLDER

FOLDER holds AzureLLMInferenceTrace_conv.csv and AzureLLMInferenceTrace_code.csv as published in
Azure/AzurePublicDataset, commit b469a11 (CC BY 4.0; Patel et al., Splitwise, ISCA 2024). Times and token counts are
theirs, unchanged. The traces name no model and no region; those two fields are added here, one pair for each trace.
"""

import csv
import gzip
import json
import sys
from pathlib import Path

ROUTES = {
    "conv": ("meta-llama/Llama-3.1-70B-Instruct", "us-east-1"),
    "code": ("Qwen/Qwen2.5-Coder-32B-Instruct", "eu-north-1"),
}


def requests(folder: Path) -> list[dict[str, object]]:
    """Read both traces, in the order of time."""
    rows = []
    for trace, (model, region) in ROUTES.items():
        with (folder / f"AzureLLMInferenceTrace_{trace}.csv").open(newline="", encoding="utf-8") as file:
            rows += [
                {
                    # The published times are UTC without saying so, and end in a digit of 100 ns.
                    "timestamp": row["TIMESTAMP"].replace(" ", "T") + "Z",
                    "model": model,
                    "region": region,
                    "input_tokens": int(row["ContextTokens"]),
                    "output_tokens": int(row["GeneratedTokens"]),
                }
                for row in csv.DictReader(file)
            ]
    return sorted(rows, key=lambda row: str(row["timestamp"]))


def main() -> None:
    target = Path(__file__).parent.parent / "demo" / "requests.jsonl.gz"
    lines = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in requests(Path(sys.argv[1])))
    # No name and no time in the header: the same requests give the same bytes.
    target.write_bytes(gzip.compress(lines.encode(), compresslevel=9, mtime=0))
    print(f"{target.name}: {lines.count(chr(10)):,} requests, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
