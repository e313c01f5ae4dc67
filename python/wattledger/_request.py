"""Single requests on the default fleet."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from wattledger._engine import Fleet

if TYPE_CHECKING:
    from wattledger._engine import RequestEstimate


@cache
def _default() -> Fleet:
    return Fleet.default()


def request(*, model: str, output_tokens: int, **settings: Any) -> RequestEstimate:
    """Estimate one request on the default fleet: ``Fleet.default().request(...)``.

    Model and output tokens suffice; hardware, site and concurrency are assumed, listed, and widen the range.

    >>> import wattledger as wl
    >>> wl.request(model="llama-3.1-8b", output_tokens=500).hardware
    'h100-sxm5-80gb'

    """
    return _default().request(model=model, output_tokens=output_tokens, **settings)
