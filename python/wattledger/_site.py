"""Sites of the catalog by the hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wattledger._request import default_fleet

if TYPE_CHECKING:
    from wattledger._engine import SiteHours


def site_hours(site: str, *, year: int, cooling: str | None = None) -> SiteHours:
    """Give a site of the catalog in every hour of a year: ``Fleet.default().site_hours(...)``.

    >>> import wattledger as wl
    >>> hours = wl.site_hours("us-east-1", year=2022, cooling="airside-economiser-evaporative")
    >>> hours.summary["weather"], hours.summary["carbon_levels"]["zone-hour"] > 8000
    ('sterling-va', True)

    """
    return default_fleet().site_hours(site, year=year, cooling=cooling)
