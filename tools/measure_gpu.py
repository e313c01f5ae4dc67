"""Measure what one NVIDIA GPU draws for the work of a transformer, and derive the method's silicon figures from it.

Usage: python tools/measure_gpu.py -o gpu.csv --hardware h100-sxm5-80gb [--seconds 3] [--device 0]
       python tools/measure_gpu.py --summarise gpu.csv --hardware h100-sxm5-80gb
       python tools/measure_gpu.py --list

Needs PyTorch with CUDA and nvidia-ml-py; runs for about ten minutes on an otherwise idle GPU. NOT RUN ON HARDWARE YET:
the list of shapes, the derivation and the files are tested with synthetic rows, the readings of a real device are not.

What is run: prefill GEMMs, decode GEMMs (a few dozen rows), GEMVs and decode attention in 16 bits on random numbers
(zeros draw less), at several sizes, each for at least three seconds, back to back and at half duty, because only pauses
tell the floor from the work. Weights and caches are taken in turn from several copies beyond the L2 cache. Energy is
the difference of nvmlDeviceGetTotalEnergyConsumption between two of its ticks; `power.draw` is not used, for it looks
back by a second. Idle power is read before a context is open and after.

Units are the method's: k = energy per byte or FLOP times peak rate over rated power, phi0 = floor over rated power,
eta = rate reached over peak rate. See docs/method/calibration.md.
"""

import argparse
import csv
import datetime as dt
import itertools
import statistics
import sys
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

BYTES = 2  # of an element in 16 bits
#: Hidden sizes, with feed-forward width, heads and key-value heads: 8B, 32B and 70B models.
MODELS = ((4096, 14336, 32, 8), (5120, 27648, 40, 8), (8192, 28672, 64, 8))
HEAD = 128
#: Copies together exceed this, so that none is found in the L2 cache.
BEYOND_CACHE = 512 << 20


@dataclass(frozen=True)
class Shape:
    """One kernel: a product of m×k by k×n, or attention of `batch` new tokens to `context` cached ones each."""

    kind: str
    m: int = 0
    n: int = 0
    k: int = 0
    batch: int = 0
    context: int = 0
    heads: int = 0
    kv_heads: int = 0
    duty: float = 1.0

    @property
    def name(self):
        size = f"b{self.batch}-c{self.context}-h{self.heads}" if self.batch else f"m{self.m}-n{self.n}-k{self.k}"
        return f"{self.kind}-{size}-d{self.duty:g}"

    @property
    def flop(self):
        """Of one launch."""
        if self.batch:
            return 4 * self.batch * self.context * self.heads * HEAD
        return 2 * self.m * self.n * self.k

    @property
    def weight_bytes(self):
        """Streamed by one launch."""
        return 0 if self.batch else self.n * self.k * BYTES

    @property
    def kv_bytes(self):
        """Keys and values that one launch reads."""
        return 2 * self.batch * self.context * self.kv_heads * HEAD * BYTES


def shapes():
    """Everything that is run, the cheap ones first."""
    found = []
    for hidden, wide, heads, kv_heads in MODELS:
        qkv = hidden + 2 * kv_heads * HEAD
        found += [Shape("gemv", 1, n, k) for n, k in ((qkv, hidden), (2 * wide, hidden), (hidden, wide))]
        found += [Shape("decode_gemm", m, 2 * wide, hidden) for m in (32, 128, 256)]
        found += [Shape("prefill_gemm", m, n, k) for m in (2048, 8192) for n, k in ((2 * wide, hidden), (hidden, wide))]
        sizes = ((8, 2048), (32, 4096), (64, 8192))
        found += [Shape("decode_attention", batch=b, context=c, heads=heads, kv_heads=kv_heads) for b, c in sizes]
    halves = [Shape(**{**asdict(shape), "duty": 0.5}) for shape in found if shape.kind != "decode_gemm"]
    return found + halves


@dataclass
class Row:
    """A row of the file; powers and clocks are means over the time."""

    row_id: str
    kind: str
    m: int = 0
    n: int = 0
    k: int = 0
    batch: int = 0
    context: int = 0
    heads: int = 0
    kv_heads: int = 0
    duty: float = 1.0
    launches: int = 0
    seconds: float = 0.0
    busy_seconds: float = 0.0
    energy_j: float = 0.0
    power_w: float = 0.0
    power_limit_w: float = 0.0
    sm_clock_mhz: float = 0.0
    memory_clock_mhz: float = 0.0
    temperature_c: float = 0.0
    throttled: str = ""
    gpu: str = ""
    driver: str = ""
    torch: str = ""
    source: str = ""
    retrieved: str = ""
    licence: str = "facts"
    quality: str = "measured"

    @property
    def shape(self):
        return Shape(**{field.name: getattr(self, field.name) for field in fields(Shape)})


def write(path, rows):
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        out.writeheader()
        out.writerows(asdict(row) for row in rows)


def read(path):
    kinds = {field.name: field.type for field in fields(Row)}
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [Row(**{name: kinds[name](cell) for name, cell in row.items()}) for row in csv.DictReader(file)]


@dataclass(frozen=True)
class Datasheet:
    """Rated power in W, bandwidth in bytes/s, 16-bit peak in FLOP/s without sparsity."""

    tdp: float
    bandwidth: float
    peak: float

    @staticmethod
    def of(hardware):
        """Those of the catalog."""
        from wattledger import _engine

        cells = {column: value for column, _, value, *_ in _engine.catalog_item("hardware", hardware)}
        tdp, bandwidth, peak = (float(cells[name]) for name in ("tdp_w", "memory_bw_gbs", "bf16_tflops"))
        return Datasheet(tdp, bandwidth * 1e9, peak * 1e12)


def loads(row, sheet):
    """Share of rated rates of weight bytes, cache bytes and FLOP over the whole time of a row."""
    shape, rate = row.shape, row.launches / row.seconds
    bandwidth, peak = rate / sheet.bandwidth, rate / sheet.peak
    return [shape.weight_bytes * bandwidth, shape.kv_bytes * bandwidth, shape.flop * peak]


def derive(rows, sheet):
    """The method's figures: what is worked out, from how many rows, and what is left over."""
    import numpy as np

    runs = [row for row in rows if row.launches > 0 and row.seconds > 0]
    idle = {kind: [row.power_w for row in rows if row.kind == kind] for kind in ("idle_bare", "idle_context")}
    found = {f"{kind}_w": statistics.fmean(watts) for kind, watts in idle.items() if watts}

    def reached(kind, unit, least=0):
        """Median share of the peak among back-to-back runs; `least` leaves small ones out."""
        shares = [
            unit(row) * row.launches / row.busy_seconds
            for row in runs
            if row.kind == kind and row.duty >= 1 and unit(row) >= least
        ]
        return statistics.median(shares) if shares else None

    # Small matrices are bound by launches, not by bandwidth.
    found["eta_w"] = reached("gemv", lambda row: row.shape.weight_bytes / sheet.bandwidth, (64 << 20) / sheet.bandwidth)
    found["eta_kv"] = reached("decode_attention", lambda row: row.shape.kv_bytes / sheet.bandwidth)
    found["eta_p"] = reached("prefill_gemm", lambda row: row.shape.flop / sheet.peak)
    found["eta_c"] = reached("decode_gemm", lambda row: row.shape.flop / sheet.peak if row.m >= 256 else 0.0, 1e-12)

    # P / TDP = phi0 + k_b·weights + k_kv·cache + k_f·FLOP, each load as a share of its peak rate; none below zero.
    names = ["phi0", "k_b", "k_kv", "k_f"]
    design = np.array([[1.0, *loads(row, sheet)] for row in runs])
    power = np.array([row.power_w / sheet.tdp for row in runs])
    used = list(range(len(names)))
    while used:
        values = np.linalg.lstsq(design[:, used], power, rcond=None)[0]
        if (values >= 0).all():
            break
        used.pop(int(np.argmin(values)))
    fitted = dict.fromkeys(names, 0.0) | {names[at]: float(value) for at, value in zip(used, values, strict=True)}
    found |= fitted
    left = np.abs(design @ np.array([fitted[name] for name in names]) / power - 1)
    found |= {
        "rows": len(runs),
        "residual_median": float(np.median(left)),
        "residual_p90": float(np.quantile(left, 0.9)),
    }
    limited = sum(row.power_limit_w > 0 and row.power_w > 0.97 * row.power_limit_w for row in runs)
    found["rows_at_power_limit"] = limited
    return found


def summary(found):
    lines = [f"{name:22} {value:.4g}" for name, value in found.items() if value is not None]
    notes = []
    if found["rows_at_power_limit"]:
        notes.append("rows at the power limit ran at lower clocks: a FLOP costs less there, and k_f with it")
    if "idle_context_w" in found:
        notes.append("phi0 lies above the idle power with a context: clocks stay up between kernels")
    return "\n".join([*lines, *notes])


class Meter:
    """Energy, clocks and temperature of one device through NVML."""

    def __init__(self, index):
        import pynvml

        pynvml.nvmlInit()
        self.nvml, self.device = pynvml, pynvml.nvmlDeviceGetHandleByIndex(index)

    def about(self):
        return {
            "gpu": self.nvml.nvmlDeviceGetName(self.device),
            "driver": self.nvml.nvmlSystemGetDriverVersion(),
            "power_limit_w": self.nvml.nvmlDeviceGetEnforcedPowerLimit(self.device) / 1000,
        }

    def tick(self):
        """Joules and seconds at the next step of the counter, which moves some ten times a second."""
        read = self.nvml.nvmlDeviceGetTotalEnergyConsumption
        before = read(self.device)
        while (now := read(self.device)) == before:
            time.sleep(0.0005)
        return now / 1000, time.perf_counter()

    def state(self):
        nvml = self.nvml
        return (
            nvml.nvmlDeviceGetClockInfo(self.device, nvml.NVML_CLOCK_SM),
            nvml.nvmlDeviceGetClockInfo(self.device, nvml.NVML_CLOCK_MEM),
            nvml.nvmlDeviceGetTemperature(self.device, nvml.NVML_TEMPERATURE_GPU),
            nvml.nvmlDeviceGetCurrentClocksThrottleReasons(self.device),
        )


def filled(row, states, start, end, about):
    """A row with what was read between two ticks."""
    (row.energy_j, row.seconds) = (end[0] - start[0], end[1] - start[1])
    row.power_w = row.energy_j / row.seconds
    means = [statistics.fmean(state[at] for state in states) for at in range(3)]
    row.sm_clock_mhz, row.memory_clock_mhz, row.temperature_c = means
    reasons = 0
    for state in states:
        reasons |= state[3]
    row.throttled = hex(reasons)
    for name, value in about.items():
        setattr(row, name, value)
    return row


def waiting(meter, kind, seconds, about):
    start, states = meter.tick(), []
    while time.perf_counter() - start[1] < seconds:
        states.append(meter.state())
        time.sleep(0.1)
    return filled(Row(kind, kind), states, start, meter.tick(), about)


def kernel(shape, device):
    """A call that launches the shape once, on the next of several copies."""
    import torch

    def random(*size):
        return torch.randn(size, dtype=torch.bfloat16, device=device)

    copies = max(2, min(64, -(-BEYOND_CACHE // max(1, shape.weight_bytes + shape.kv_bytes))))
    if shape.batch:
        query = random(shape.batch, shape.heads, 1, HEAD)
        size = (shape.batch, shape.kv_heads, shape.context, HEAD)
        caches = itertools.cycle([(random(*size), random(*size)) for _ in range(copies)])
        attend = torch.nn.functional.scaled_dot_product_attention
        return lambda: attend(query, *next(caches), enable_gqa=True)
    rows = random(shape.m, shape.k)
    weights = itertools.cycle([random(shape.n, shape.k) for _ in range(copies)])
    return lambda: torch.nn.functional.linear(rows, next(weights))


def run(shape, meter, seconds, about, device):
    """Launches bursts of about 50 ms for the time asked, with pauses as long as the duty says."""
    import torch

    launch = kernel(shape, device)

    def burst(count):
        began = time.perf_counter()
        for _ in range(count):
            launch()
        torch.cuda.synchronize(device)
        return time.perf_counter() - began

    burst(3)
    count = max(1, int(0.05 / max(burst(10) / 10, 1e-6)))
    warm = time.perf_counter()
    while time.perf_counter() - warm < 1.0:
        burst(count)
    row = Row(shape.name, **asdict(shape))
    start, states = meter.tick(), []
    while time.perf_counter() - start[1] < seconds:
        took = burst(count)
        row.launches += count
        row.busy_seconds += took
        if shape.duty < 1:
            time.sleep(took * (1 / shape.duty - 1))
        states.append(meter.state())
    # The time up to the next tick is waiting, at most a tenth of a second of it.
    return filled(row, states, start, meter.tick(), about)


def measure(index, seconds):
    meter = Meter(index)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    about = {**meter.about(), "source": "tools/measure_gpu.py", "retrieved": today}
    # Before PyTorch opens a context.
    rows = [waiting(meter, "idle_bare", 10, about)]
    import torch

    about["torch"] = f"{torch.__version__} CUDA {torch.version.cuda}"
    device = torch.device("cuda", index)
    torch.zeros(1, device=device)
    torch.cuda.synchronize(device)
    time.sleep(5)
    rows.append(waiting(meter, "idle_context", 10, about))
    for shape in shapes():
        try:
            rows.append(run(shape, meter, seconds, about, device))
        except torch.cuda.OutOfMemoryError:
            print(f"{shape.name}: does not fit", file=sys.stderr)
        torch.cuda.empty_cache()
    return rows


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", help="CSV file to write")
    parser.add_argument("--summarise", metavar="CSV", help="derive from a file instead of measuring")
    parser.add_argument("--list", action="store_true", help="print what would be run")
    parser.add_argument("--hardware", help="catalog name, for rated power and peaks")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each shape, at least 3")
    parser.add_argument("--device", type=int, default=0)
    asked = parser.parse_args(arguments)
    if asked.list:
        for shape in shapes():
            print(f"{shape.name:44} {shape.flop:.3e} FLOP {shape.weight_bytes + shape.kv_bytes:.3e} bytes")
        return 0
    if asked.summarise is None and asked.output is None:
        parser.error("give -o FILE.csv to measure, --summarise FILE.csv, or --list")
    if asked.seconds < 3:
        parser.error(
            "a shape runs for at least 3 seconds: the counter moves in steps and power takes a second to settle"
        )
    sheet = Datasheet.of(asked.hardware) if asked.hardware else None
    if asked.summarise is None:
        rows = measure(asked.device, asked.seconds)
        write(asked.output, rows)
        print(f"wrote {asked.output}", file=sys.stderr)
    else:
        rows = read(asked.summarise)
    if sheet is None:
        print("no --hardware: nothing derived", file=sys.stderr)
    else:
        print(summary(derive(rows, sheet)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
