"""One fleet and one ledger in many threads: nothing is shared that moves."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import wattledger as wl


def test_threads_get_the_same_answers() -> None:
    fleet = wl.Fleet.parse(
        '[[deployment]]\nname = "d"\nmodel = "llama-3.1-8b"\nhardware = "h100"\nreplicas = 2\nmatch = {}\n'
    )
    random = np.random.default_rng(3)
    log = {
        "timestamp": np.datetime64("2026-01-01T00:00:00", "us") + random.integers(0, 10**10, 5000).astype("m8[us]"),
        "input_tokens": random.integers(0, 4000, 5000),
        "output_tokens": random.integers(0, 900, 5000),
    }

    def work(_: int) -> str:
        ledger = wl.scan(log, map={"model": None}, input_timezone="UTC")
        return ledger.estimate(fleet).to_json(by=["hour"]) + repr(fleet.request(deployment="d", output_tokens=9))

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(work, range(32)))
    assert len(answers) == 1


def test_columns_on_one_two_and_three_threads_make_one_ledger() -> None:
    random = np.random.default_rng(3)
    n = 600_000
    tokens = random.integers(0, 3000, n).astype("u4")
    cached = np.minimum(tokens, random.integers(0, 500, n)).astype("u4")
    cached[[5, 400_000, 599_999]] = 5000
    log = {
        "timestamp": np.sort(random.integers(1_767_225_600, 1_767_225_600 + 86_400, n)),
        "model": (random.integers(0, 7, n).astype("u1"), [f"m{i}" for i in range(7)]),
        "input_tokens": tokens,
        "cached_tokens": cached,
        "output_tokens": random.integers(0, 400, n).astype("u4"),
    }
    one = wl.scan(log, threads=1)
    assert one.coverage["rejected"] == 3
    for threads in (2, 3):
        other = wl.scan(log, threads=threads)
        assert other == one
        assert other.coverage == one.coverage
