"""Single requests on the default fleet."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from wattledger._engine import Fleet

if TYPE_CHECKING:
    from wattledger._engine import RequestEstimate


@cache
def default_fleet() -> Fleet:
    """Return the fleet that nothing is known of, made once."""
    return Fleet.default()


def request(*, model: str, output_tokens: int | None = None, **settings: Any) -> RequestEstimate:
    """Estimate one request on the default fleet: ``Fleet.default().request(...)``.

    Model and output tokens suffice; hardware, site and concurrency are assumed, listed, and widen the range. Without
    output tokens 500 are assumed, and none of a model that generates none.

    >>> import wattledger as wl
    >>> wl.request(model="llama-3.1-8b", output_tokens=500).hardware
    'h100-sxm5-80gb'

    """
    return default_fleet().request(model=model, output_tokens=output_tokens, **settings)


def picture(*, model: str, **settings: Any) -> RequestEstimate:
    """Estimate one image or video on the default fleet: ``Fleet.default().picture(...)``.

    >>> import wattledger as wl
    >>> video = wl.picture(model="wan2.1-t2v-14b", width_px=832, height_px=480, frames=81, hardware="h100")
    >>> 100 < video["facility_kwh"] * 1000 < 1000
    True

    """
    return default_fleet().picture(model=model, **settings)
