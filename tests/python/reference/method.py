"""The closed form of one request: accelerator energy and replica time (docs/method/inference.md).

Energy and time are linear in eight features of a request. What an engine step costs once is shared by the sequences in
it, so concurrency moves the coefficient of an output token (of a request, where nothing is generated) and no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from reference.catalog import ONE, ZERO, Hardware, Network, Parameters, Row

D = Decimal
SIXTEEN, EIGHT, FOUR = 16, 8, 4


@dataclass(frozen=True)
class Precision:
    """Bytes of a weight, of an expert's weight and of a cached element, and the bits that are multiplied in."""

    weight_bytes: D
    expert_bytes: D
    compute: int
    cache_bytes: D
    state_bytes: D
    kept: D = ONE

    @property
    def four_bit_experts(self) -> bool:
        return self.expert_bytes < D("0.6")


#: Bytes of weights and of experts, and what they are multiplied in. Formats of 4 bits carry the scales of their blocks.
FORMATS = {
    "fp32": (D(4), D(4), SIXTEEN),
    "bf16": (D(2), D(2), SIXTEEN),
    "fp16": (D(2), D(2), SIXTEEN),
    "fp8": (D(1), D(1), EIGHT),
    "int8": (D(1), D(1), SIXTEEN),
    "int4": (D("0.516"), D("0.516"), SIXTEEN),
    "fp4": (D("0.516"), D("0.516"), SIXTEEN),
    "awq": (D("0.516"), D("0.516"), SIXTEEN),
    "nvfp4": (D(16 * 4 + 8) / 16 / 8, D(16 * 4 + 8) / 16 / 8, FOUR),
    "mxfp4": (D(2), D(32 * 4 + 8) / 32 / 8, SIXTEEN),
    "fp8+fp4": (D(1), D(32 * 4 + 8) / 32 / 8, EIGHT),
    "q4_K_M": (D("0.5"), D("0.5"), SIXTEEN),
    "iq3_xs": (D("0.375"), D("0.375"), SIXTEEN),
    "q8_0": (D(1), D(1), SIXTEEN),
}


def released(row: Row) -> str:
    """Return the format that a model is served in where nobody says: as released, but 32 bits in 16."""
    name = row.get("weights_precision_released", "bf16")
    return "bf16" if name == "fp32" or name not in FORMATS else name


def precision(weights: str, cache: str | None = None, sparsity: D = ZERO, *, experts_are: bool = True) -> Precision:
    """Read a format of weights and one of the cache; without experts, all weights are as experts are."""
    dense, experts, compute = FORMATS[weights]
    if not experts_are:
        dense = experts
    kept = ONE - sparsity
    return Precision(dense, experts, compute, FORMATS[cache or "bf16"][0], D(4), kept)


@dataclass(frozen=True)
class Serving:
    """How a replica serves: devices and how they divide the work, number formats, drafting."""

    devices: int
    precision: Precision
    data: int = 1
    pipeline: int = 1
    drafted: int = 0
    acceptance: D = ZERO
    draft_parameters: D = ZERO

    @property
    def tensor(self) -> int:
        """Devices that share every matrix."""
        return self.devices // (self.data * self.pipeline)

    def copies(self, shards: D) -> D:
        """How often the cache is held where it splits into so many parts."""
        return max(ONE, self.tensor / shards)

    @property
    def yielded(self) -> D:
        """Tokens a step yields per sequence: one, and each drafted one if all before it were accepted."""
        return sum((self.acceptance**i for i in range(1, self.drafted + 1)), ONE)


class Features(NamedTuple):
    """What energy and time are linear in, of one request or summed over many: five of prefill, three of decode."""

    requests: D
    cached: D
    uncached: D
    prefill_pairs: D
    prefill_window_pairs: D
    output: D
    context_pairs: D
    window_context_pairs: D


PREFILL = 5
REQUEST, CACHED, INPUT, OUTPUT = 0, 1, 2, 5


def features(sums: list[int], areas: list[int] | None) -> Features:
    """Features of moments; without window areas of its own a window counts as full attention."""
    requests, prompt, cached, output, prompt2, cached2, prompt_output, output2 = sums
    pairs, context = prompt2 - cached2, 2 * prompt_output + output2
    window = [pairs, context] if areas is None else areas
    return Features(
        D(requests),
        D(cached),
        D(prompt - cached),
        D(pairs) / 2,
        D(window[0]) / 2,
        D(output),
        D(context) / 2,
        D(window[1]) / 2,
    )


#: One value for each feature, in their order.
Basis = tuple[D, ...]


def dot(basis: Basis, values: Basis) -> D:
    return sum((x * y for x, y in zip(basis, values, strict=True)), ZERO)


@dataclass(frozen=True)
class Coefficients:
    """Replica seconds and joules per unit of each feature."""

    seconds_per: Basis
    joules_per: Basis

    def seconds(self, f: Features) -> D:
        return dot(self.seconds_per, f)

    def joules(self, f: Features) -> tuple[D, D]:
        """Prefill and decode."""
        return dot(self.joules_per[:PREFILL], f[:PREFILL]), dot(self.joules_per[PREFILL:], f[PREFILL:])

    def scaled(self, seconds: D, joules: D) -> Coefficients:
        return Coefficients(tuple(s * seconds for s in self.seconds_per), tuple(e * joules for e in self.joules_per))


def weighted(parts: list[tuple[Coefficients, D]]) -> Coefficients:
    """Sum of coefficients, each times its weight."""

    shares = tuple(share for _, share in parts)

    def mean(bases: list[Basis]) -> Basis:
        return tuple(dot(of_one_feature, shares) for of_one_feature in zip(*bases, strict=True))

    return Coefficients(mean([c.seconds_per for c, _ in parts]), mean([c.joules_per for c, _ in parts]))


class Method:
    """The method for one deployment; `at` gives its coefficients at a concurrency."""

    def __init__(self, hw: Hardware, net: Network, serving: Serving, p: Parameters) -> None:
        self.net, self.serving, self.p = net, serving, p
        self.rates(hw)
        self.per_token(hw)
        self.per_step()

    def rates(self, hw: Hardware) -> None:
        """Seconds and joules of a FLOP and of a byte: all of the devices at their rates, relative to rated power."""
        p, net, form, n = self.p, self.net, self.serving.precision, self.serving.devices
        moe, tera, giga = net.share is not None, D(10) ** 12, D(10) ** 9
        bandwidth, sixteen = hw.memory_bw_gbs * giga, hw.bf16_tflops * tera
        # A format that the matrix units lack is only stored so, and multiplied in 16 bits.
        peaks = {SIXTEEN: hw.bf16_tflops, EIGHT: hw.fp8_tflops, FOUR: hw.fp4_tflops}
        self.compute = SIXTEEN if peaks[form.compute] is None else form.compute
        peak = (peaks[self.compute] or hw.bf16_tflops) * tera
        speed = {SIXTEEN: ONE, EIGHT: p["fp8_c"], FOUR: p["fp4_c"]}[self.compute]
        energy = {SIXTEEN: ONE, EIGHT: p["k_8"], FOUR: p["k_4"]}[self.compute]
        unpacking = p["w4_p"] if form.weight_bytes < D("0.6") and self.compute == SIXTEEN else ONE
        width = net.hidden / 5120
        decode_gain, prefill_gain = width ** p["g_h"], width ** p["g_p"]

        decode_rate = n * peak * p["r_f"] * p["eta_c"] * speed * decode_gain
        prefill_rate = n * peak * p["r_f"] * p["eta_p"] * speed * prefill_gain * unpacking
        dynamic_w = p["q"] * hw.tdp_w
        mixture = ONE
        if moe:
            decode_rate *= p["moe_c"]
            prefill_rate *= p["moe_p"] / D(n) ** p["moe_pn"]
            mixture = p["k_x"]
            dynamic_w *= p["q_4"] if form.four_bit_experts else ONE
        self.s_decode, self.s_prefill = 1 / decode_rate, 1 / prefill_rate
        self.j_decode = dynamic_w * p["k_f"] * mixture * energy / (peak * decode_gain)
        self.j_prefill = dynamic_w * p["k_p"] * mixture * energy / (peak * prefill_gain)
        self.s_weight = 1 / (n * bandwidth * p["eta_w"] * p["r_w"])
        self.j_weight = dynamic_w * p["k_b"] * mixture / bandwidth
        self.s_kv = 1 / (n * bandwidth * p["eta_kv"] * p["r_kv"])
        self.j_kv = dynamic_w * p["k_kv"] / bandwidth
        # Attention: in older sets at the rates of the weights; else in 16 bits, in decode behind the reading of keys.
        self.s_attention_decode, self.s_attention_prefill = self.s_decode, self.s_prefill
        self.j_attention_decode, self.j_attention_prefill = self.j_decode, self.j_prefill
        if not p["attn_w"]:
            self.s_attention_decode = ZERO
            self.s_attention_prefill = 1 / (n * sixteen * p["r_f"] * p["eta_p"])
            self.j_attention_decode = self.j_attention_prefill = dynamic_w * p["k_f"] / sixteen
        # Power of all devices: while they wait for their host, and more while they run.
        self.waiting_w, self.running_w = n * hw.tdp_w * p["phi_w"], n * hw.tdp_w * p["phi_r"]

    def per_token(self, hw: Hardware) -> None:
        """What requests cost of their own, whoever shares the step."""
        p, net, serving = self.p, self.net, self.serving
        tensor, groups = serving.tensor, serving.data * serving.pipeline
        form, tau = serving.precision, serving.yielded
        # Each drafted token is multiplied with, and one more; tau of them come out.
        checked = (serving.drafted + 1) / tau

        def cache_bytes(elements: D, effective: D) -> D:
            """Read by all devices, an element of 8 bits at its effective size."""
            copies = serving.copies(net.cache_shards) if p["kv_copies"] else ONE
            return elements * copies * form.cache_bytes * (effective if form.cache_bytes <= 1 else ONE)

        def cost(s_byte: D, effective: D, s_decode: D, s_prefill: D, weights_decode: D, weights_prefill: D) -> Basis:
            """Seconds or joules by feature, of cache, attention and weights, from the price of a byte and of a FLOP."""
            state = 2 * net.state_elements * form.state_bytes
            # Every device reads the keys of an indexer, and they keep their own precision.
            index = net.index_bytes * tensor
            read, flop, prefill = net.read, net.decode_flop, net.prefill_flop
            return (
                ZERO,
                ZERO,
                weights_prefill + prefill.fixed * s_prefill,
                prefill.full * s_prefill,
                prefill.window * s_prefill,
                (state + cache_bytes(read.fixed, effective)) * s_byte / tau
                + (weights_decode + flop.fixed * s_decode) * checked,
                (cache_bytes(read.full, effective) + index) * s_byte / tau + flop.full * s_decode * checked,
                cache_bytes(read.window, effective) * s_byte / tau + flop.window * s_decode * checked,
            )

        flop = 2 * net.active
        # A prompt is read by the network, and its media by the tower before it.
        read = flop + net.encoder_flop
        # The seconds of decode's weights are part of the step, where they overlap with streaming; their joules are not.
        s = cost(self.s_kv, p["kv8_s"], self.s_attention_decode, self.s_attention_prefill, ZERO, read * self.s_prefill)
        j = cost(
            self.j_kv,
            p["kv8_j"],
            self.j_attention_decode,
            self.j_attention_prefill,
            flop * self.j_decode,
            read * self.j_prefill,
        )
        # Norms, residuals, rotations: every device of a group passes over the whole width.
        passes = p["a_act"] * net.layers * net.hidden * 2
        elementwise_s, elementwise_j = passes * self.s_kv * serving.devices / groups, passes * tensor * self.j_kv
        # Two ring all-reduces a layer of 16-bit values, there and back.
        link = hw.interconnect_gbs / 2 * D(10) ** 9 * p["eta_l"]
        traffic_s = 2 * net.layers * net.hidden * 4 * (tensor - 1) / D(tensor) / groups / link
        seconds, joules = list(s), list(j)
        seconds[INPUT] += traffic_s + elementwise_s
        joules[INPUT] += elementwise_j
        seconds[OUTPUT] += (traffic_s + elementwise_s) * checked
        joules[OUTPUT] += elementwise_j * checked
        if net.hybrid:
            # State-space layers prefill on their own.
            seconds[REQUEST] += p["t_phyb"]
        self.joules = [a + (self.waiting_w + self.running_w) * b for a, b in zip(joules, seconds, strict=True)]
        self.seconds = seconds
        # A draft is multiplied with once for each token that it proposes.
        draft_flop = 2 * serving.drafted * serving.draft_parameters / tau
        draft_s = draft_flop * self.s_decode
        self.seconds[OUTPUT] += draft_s
        self.joules[OUTPUT] += draft_flop * self.j_decode + (self.waiting_w + self.running_w) * draft_s
        # The host's work for a sequence is waited for, not computed in.
        host_s = p["h"] * p["t_seq"] / tau
        self.seconds[OUTPUT] += host_s
        self.joules[OUTPUT] += self.waiting_w * host_s

    def per_step(self) -> None:
        """What a step costs once, but for what depends on how many share it."""
        p, net, serving, form = self.p, self.net, self.serving, self.serving.precision
        four = form.four_bit_experts
        launch = p["t_layer"]
        if net.share is not None:
            launch += p["t_moe"] * (p["m_4"] if four else ONE)
        if self.compute == EIGHT:
            launch += p["t_fp8"] + (p["t_fp8x"] if net.share is not None else ZERO)
        if net.hybrid:
            launch += p["t_hyb"]
        if serving.tensor > 1:
            launch += 2 * p["t_ar"]
        self.launch_s = launch * net.layers / serving.pipeline
        self.host_s = p["h"] * p["t_step"]
        # Each data-parallel group streams its own; experts are spread over all devices and count once.
        self.dense_bytes = net.dense * form.weight_bytes * form.kept * serving.data
        effective = p["fp4_b"] if four else p["fp8_b"] if self.compute == EIGHT else ONE
        self.expert_bytes = net.experts * form.expert_bytes * form.kept * effective
        self.draft_bytes = serving.drafted * serving.draft_parameters * form.weight_bytes * form.kept

    def step(self, concurrency: D) -> tuple[D, D]:
        """Seconds and joules of a step at this concurrency, whatever its sequences need of their own."""
        p, net, serving = self.p, self.net, self.serving
        sequences = concurrency / serving.pipeline
        tokens = sequences * (serving.drafted + 1)
        weight_bytes = self.dense_bytes
        if net.share is not None:
            # The first token touches k/E of the experts; each further one counts as a part of an independent draw.
            draws = 1 + (max(tokens, ONE) - 1) * p["cov_c"]
            weight_bytes += self.expert_bytes * (1 - (1 - net.share) ** draws)
        streaming, multiplying = weight_bytes * self.s_weight, tokens * 2 * net.active * self.s_decode
        overlap = p["p_overlap"]
        matrices = streaming + multiplying
        if overlap > 1:
            matrices = (streaming**overlap + multiplying**overlap) ** (1 / overlap)
        kernels_s = self.launch_s + matrices + self.draft_bytes * self.s_weight
        seconds = self.host_s + kernels_s
        dynamic_j = (weight_bytes + self.draft_bytes) * self.j_weight
        return seconds, self.waiting_w * seconds + self.running_w * kernels_s + dynamic_j

    def at(self, concurrency: D) -> Coefficients:
        seconds, joules = list(self.seconds), list(self.joules)
        step_s, step_j = self.step(concurrency)
        # A network that generates nothing makes one step per request, a token of each multiplied in it.
        feature, tokens = (OUTPUT, self.serving.yielded) if self.net.generates else (REQUEST, ONE)
        sequences = concurrency / self.serving.pipeline
        # With fewer sequences than stages some stages wait, and every weight still streams once a token.
        waiting_j = self.waiting_w * step_s
        seconds[feature] += step_s / sequences / tokens
        joules[feature] += (waiting_j / sequences + (step_j - waiting_j) / max(sequences, ONE)) / tokens
        return Coefficients(tuple(seconds), tuple(joules))
