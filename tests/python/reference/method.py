"""Parameter set V0 and the closed form of one request: accelerator energy and replica time (docs/method/inference.md).

E = e_in·Iu + e_pp·(I² - Ic²)/2 + e_pw·[A_W(I) - A_W(Ic)]          prefill
  + e_out·O + e_ctx·(I·O + O²/2) + e_win·[A_W(I+O) - A_W(I)]       decode         S likewise with s_*
e_* = phi0·n·TDP·s_* + d_*
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, getcontext

getcontext().prec = 50
D = Decimal
ONE, ZERO = D(1), D(0)

ETA_W, ETA_KV, ETA_P, ETA_C = D("0.850"), D("0.929"), D("0.5"), D(1)
MOE_C, MOE_P = D("0.437"), D("0.168")
FP8_C, FP8_B = D("1.2"), D("1.80")
G_H = D("0.120")
T_LAYER, T_MOE, T_HYB, T_AR = ZERO, D("68.6e-6"), D("142.9e-6"), D("28.2e-6")
ETA_L = D("0.151")
PHI0 = D("0.256")
K_B, K_KV, K_F, K_P, K_8, K_X = D("0.561"), D("0.654"), D("2.0"), D("1.0"), D("1.73"), D("1.58")
#: Host seconds per step and per sequence-step by engine profile.
ENGINES = {"vllm-0.11": (D("1.51e-3"), D("10.5e-6")), "vllm-0.5.4": (D("12.4e-3"), D("388e-6"))}
#: h and q: factors on host time and dynamic energy by maturity of the serving software.
MATURITY = {"mature": (ONE, ONE), "blackwell": (D("2.64"), D("1.42")), "unknown": (D(2), D("1.25"))}
KV_BYTES, STATE_BYTES = 2, 4


@dataclass(frozen=True)
class Hardware:
    """One device: rated power in W, 1e9 byte/s, 1e12 FLOP/s, 1e9 byte/s in both directions, 1e9 byte."""

    tdp_w: Decimal
    memory_bw_gbs: Decimal
    bf16_tflops: Decimal
    fp8_tflops: Decimal | None
    interconnect_gbs: Decimal
    memory_gb: Decimal
    maturity: str
    idle_w: Decimal | None
    idle_context_w: Decimal | None


@dataclass(frozen=True)
class Model:
    """Architecture; sizes are counts."""

    total: Decimal
    active: Decimal
    layers: int
    hidden: int
    heads: int
    head_dim: int
    kv_heads: int
    window_layers: int
    window: int | None
    linear_layers: int
    state_elements: int
    experts: int | None
    experts_per_token: int | None

    @property
    def full_layers(self) -> int:
        return self.layers - self.window_layers - self.linear_layers

    @property
    def share(self) -> Decimal | None:
        """k/E, or nothing for a dense network."""
        if self.experts is None or self.experts_per_token is None:
            return None
        return D(self.experts_per_token) / D(self.experts)

    def kv_bytes(self, layers: int) -> int:
        return 2 * layers * self.kv_heads * self.head_dim * KV_BYTES


@dataclass(frozen=True)
class Serving:
    """How a replica serves: n devices, bytes per weight, FP8 compute or not, host times of the engine."""

    devices: int
    weight_bytes: Decimal
    fp8: bool
    engine: tuple[Decimal, Decimal]


@dataclass(frozen=True)
class Features:
    """What energy and time are linear in, of one request or summed over many."""

    uncached: Decimal
    prefill_pairs: Decimal
    prefill_window_pairs: Decimal
    output: Decimal
    context_pairs: Decimal
    window_context_pairs: Decimal

    def prefill(self) -> tuple[Decimal, Decimal, Decimal]:
        return (self.uncached, self.prefill_pairs, self.prefill_window_pairs)

    def decode(self) -> tuple[Decimal, Decimal, Decimal]:
        return (self.output, self.context_pairs, self.window_context_pairs)


def features(sums: list[int], areas: list[int] | None) -> Features:
    """Features of moments; without window areas of its own a window counts as full attention."""
    pairs, context = sums[4] - sums[5], 2 * sums[6] + sums[7]
    window = [pairs, context] if areas is None else areas
    return Features(D(sums[1] - sums[2]), D(pairs) / 2, D(window[0]) / 2, D(sums[3]), D(context) / 2, D(window[1]) / 2)


@dataclass(frozen=True)
class Coefficients:
    """Replica seconds and joules per feature, prefill (in, pp, pw) and decode (out, ctx, win)."""

    s_prefill: tuple[Decimal, ...]
    s_decode: tuple[Decimal, ...]
    e_prefill: tuple[Decimal, ...]
    e_decode: tuple[Decimal, ...]

    def seconds(self, f: Features) -> Decimal:
        return dot(self.s_prefill, f.prefill()) + dot(self.s_decode, f.decode())

    def joules(self, f: Features) -> tuple[Decimal, Decimal]:
        return dot(self.e_prefill, f.prefill()), dot(self.e_decode, f.decode())


def dot(a: tuple[Decimal, ...], b: tuple[Decimal, ...]) -> Decimal:
    return sum((x * y for x, y in zip(a, b, strict=True)), ZERO)


def coefficients(hw: Hardware, model: Model, serving: Serving, concurrency: Decimal) -> Coefficients:
    """Section 3b, line by line."""
    n, b = serving.devices, concurrency
    tdp, bw, lk = hw.tdp_w, hw.memory_bw_gbs * D(10) ** 9, hw.interconnect_gbs / 2 * D(10) ** 9
    # A device without an FP8 figure computes FP8 weights at its 16-bit peak.
    # Without an FP8 peak only the weights are 8 bits, and compute runs in BF16.
    fp8 = serving.fp8 and hw.fp8_tflops is not None
    peak = (hw.fp8_tflops if fp8 and hw.fp8_tflops is not None else hw.bf16_tflops) * D(10) ** 12
    h, q = MATURITY[hw.maturity]
    t_step, t_seq = serving.engine
    share, moe = model.share, model.share is not None
    layers, width = model.layers, model.heads * model.head_dim

    coverage = ONE if share is None else ONE - (ONE - share) ** b
    experts = ZERO if share is None else (model.total - model.active) / (ONE - share)
    expert_bytes = experts * coverage * serving.weight_bytes * (FP8_B if fp8 else 1)
    weights = (model.total - experts) * serving.weight_bytes + expert_bytes

    size = (D(model.hidden) / 5120) ** G_H
    derate = size * (FP8_C if fp8 else 1)
    sd = 1 / (n * peak * ETA_C * derate * (MOE_C if moe else 1))
    sp = 1 / (n * peak * ETA_P * derate * (MOE_P if moe else 1))
    kx, k8 = (K_X if moe else ONE), (K_8 if fp8 else ONE)
    jf = q * tdp * K_F * kx * k8 / (peak * size)
    jp = jf * K_P / K_F
    jw = q * tdp * K_B * kx / bw
    jk = q * tdp * K_KV / bw
    sk = 1 / (n * bw * ETA_KV)
    traffic = D(2 * layers * model.hidden * 4 * (n - 1)) / n / (lk * ETA_L) if n > 1 else ZERO
    per_layer = T_LAYER + (T_MOE if moe else 0) + (T_HYB if model.linear_layers > 0 else 0) + (2 * T_AR if n > 1 else 0)
    t_fixed = h * t_step + layers * per_layer + weights / (n * bw * ETA_W)

    state = model.state_elements * STATE_BYTES
    kv_full, kv_window = model.kv_bytes(model.full_layers), model.kv_bytes(model.window_layers)
    full, window = 4 * width * model.full_layers, 4 * width * model.window_layers
    s_prefill = (2 * model.active * sp + traffic, full * sp, window * sp)
    d_prefill = (2 * model.active * jp, full * jp, window * jp)
    s_decode = (
        t_fixed / b + h * t_seq + 2 * state * sk + 2 * model.active * sd + traffic,
        kv_full * sk + full * sd,
        kv_window * sk + window * sd,
    )
    d_decode = (
        weights * jw / b + 2 * state * jk + 2 * model.active * jf,
        kv_full * jk + full * jf,
        kv_window * jk + window * jf,
    )
    floor = PHI0 * n * tdp
    return Coefficients(
        s_prefill,
        s_decode,
        tuple(floor * s + d for s, d in zip(s_prefill, d_prefill, strict=True)),
        tuple(floor * s + d for s, d in zip(s_decode, d_decode, strict=True)),
    )
