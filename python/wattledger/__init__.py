"""From logs of AI inference requests to the energy, cooling, water and emissions of the fleet that served them.

>>> import wattledger as wl
>>> one = wl.request(model="llama-3.1-70b", input_tokens=1000, output_tokens=500)
>>> low, high = one.range("facility_kwh")
>>> low < one["facility_kwh"] < high
True
"""

from wattledger._annotate import Annotator, annotate
from wattledger._calibrate import calibrate_engine, calibrate_point, calibrate_series
from wattledger._engine import (
    AnnotatedBatches,
    AnnotatedRows,
    Estimate,
    EstimateTable,
    Fleet,
    Ledger,
    RequestEstimate,
    SiteHours,
    TrainingEstimate,
    __version__,
    debug_build,
    merge,
)
from wattledger._errors import (
    CatalogError,
    FleetError,
    InputAccessError,
    InputError,
    InputNotFoundError,
    LedgerError,
    MissingExtraError,
    SumOverflowError,
    UnknownNameError,
    WattledgerError,
)
from wattledger._request import picture, request
from wattledger._scan import scan
from wattledger._site import site_hours
from wattledger._train import train
from wattledger._validate import validate

__all__ = [
    "AnnotatedBatches",
    "AnnotatedRows",
    "Annotator",
    "CatalogError",
    "Estimate",
    "EstimateTable",
    "Fleet",
    "FleetError",
    "InputAccessError",
    "InputError",
    "InputNotFoundError",
    "Ledger",
    "LedgerError",
    "MissingExtraError",
    "RequestEstimate",
    "SiteHours",
    "SumOverflowError",
    "TrainingEstimate",
    "UnknownNameError",
    "WattledgerError",
    "__version__",
    "annotate",
    "calibrate_engine",
    "calibrate_point",
    "calibrate_series",
    "merge",
    "picture",
    "request",
    "scan",
    "site_hours",
    "train",
    "validate",
]

if debug_build:
    import warnings

    warnings.warn("wattledger is a debug build, many times slower than a release build", RuntimeWarning, stacklevel=2)
