"""Joules per input token lie inside the interval that kernel measurements support (docs/method/prefill.md)."""

import pytest
import wattledger as wl

# Model, accelerator, devices, precision, weights a token is multiplied with, pJ per FLOP.
CLASSES = [
    ("llama-3.1-8b-instruct", "h200-sxm", 1, "bf16", 7.50e9, (0.91, 1.38)),
    ("qwen3-32b", "h200-sxm", 1, "bf16", 31.98e9, (0.91, 1.38)),
    ("llama-3.1-70b-instruct", "h100-sxm5-80gb", 4, "bf16", 69.5e9, (1.0, 1.56)),
    ("llama-3.1-8b-instruct", "h100-sxm5-80gb", 1, "fp8", 7.50e9, (0.62, 0.99)),
    ("llama-3.1-8b-instruct", "b200-sxm", 1, "bf16", 7.50e9, (0.66, 1.12)),
    ("llama-3.1-8b-instruct", "b200-sxm", 1, "fp8", 7.50e9, (0.46, 0.83)),
    ("qwen3-30b-a3b", "h200-sxm", 1, "bf16", 3.04e9, (1.3, 2.5)),
    ("qwen3-235b-a22b", "h200-sxm", 8, "bf16", 21.5e9, (1.8, 5.2)),
    ("qwen3-235b-a22b", "b200-sxm", 8, "bf16", 21.5e9, (1.6, 5.2)),
]


@pytest.mark.parametrize(("model", "hardware", "devices", "precision", "active", "interval"), CLASSES)
def test_a_prompt_costs_what_its_kernels_cost(
    model: str, hardware: str, devices: int, precision: str, active: float, interval: tuple[float, float]
) -> None:
    one = wl.Fleet.default().request(
        model=model,
        hardware=hardware,
        devices=devices,
        precision=precision,
        input_tokens=2000,
        output_tokens=0,
        concurrency=64,
    )
    steps = {step["what"]: step["value"] for step in one.to_dict()["chain"]}
    picojoules = steps["prefill"] / 2000 / (2 * active) * 1e12
    assert interval[0] <= picojoules <= interval[1]
