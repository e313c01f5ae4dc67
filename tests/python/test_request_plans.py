"""Single requests: what a fleet remembers of the last ones never shows in the next."""

import random
from itertools import product
from typing import Any

import pytest
import wattledger as wl

KINDS: list[dict[str, Any]] = [
    {"model": "llama-3.1-8b"},
    {"model": "llama-3.1-8b", "hardware": "h200"},
    {"model": "gpt-4o"},
    {"model": "llama-3.1-70b", "concurrency": 7.0, "site": "gcp/asia-southeast1", "at": "2023-07-01T12:00Z"},
    {"model": "llama-3.1-70b", "concurrency": 7.0, "site": "gcp/asia-southeast1", "at": "2023-01-01T12:00Z"},
    {"model": "llama-3.1-70b", "devices": 4.0, "precision": "fp8"},
]
TOKENS: list[dict[str, Any]] = [
    {"output_tokens": 500},
    {"input_tokens": 1000, "cached_tokens": 900, "output_tokens": 20},
    {"input_tokens": 120_000, "output_tokens": 1000},
    {"input_tokens": 9},
]


def test_a_remembered_plan_says_what_a_new_one_says() -> None:
    asked: list[dict[str, Any]] = [kind | tokens for kind, tokens in product(KINDS, TOKENS)]
    expected = [wl.Fleet.default().request(**one).to_dict() for one in asked]
    fleet = wl.Fleet.default()
    for place in random.Random(1).choices(  # noqa: S311 - any order will do
        range(len(asked)), k=200
    ):
        one = fleet.request(**asked[place])
        assert one.to_dict() == expected[place]
        values = expected[place]["values"]
        assert one["facility_kwh"] == values["facility_kwh"]["value"]
        assert one.range("it_kwh") == (values["it_kwh"]["low"], values["it_kwh"]["high"])


def test_tokens_are_checked_whether_or_not_a_plan_is_remembered() -> None:
    fleet = wl.Fleet.default()
    for _ in range(2):
        with pytest.raises(wl.InputError, match="input tokens, which include them"):
            fleet.request(model="llama-3.1-8b", input_tokens=5, cached_tokens=6)
        fleet.request(model="llama-3.1-8b", input_tokens=6, cached_tokens=6)
