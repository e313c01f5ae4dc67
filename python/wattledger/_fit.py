"""Fits parameters of the inference method to measured energies and times.

A fit minimises the logarithm of predicted over measured energy and time, robustly, together with the distance of each
parameter from what was expected of it before. Rows of one model share their weight, so that a model measured at many
loads does not count for many models. The predictions are the engine's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from wattledger._engine import InferenceMeasurements

    Array = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Options:
    """How much each part of the objective counts; dimensionless."""

    time_weight: float = 0.25
    """Weight of a time residual beside an energy residual."""
    prior_weight: float = 2.0
    """Weight of a prior's distance, in its own standard deviations, beside an energy residual of 1."""
    robust_at: float = 0.15
    """Residual in log units from which errors count linearly and no longer squared."""


def columns(measurements: InferenceMeasurements, name: str) -> Array:
    """Read a column of numbers; not a number where the cell is empty."""
    import numpy as np

    return np.array([float(cell) if cell else np.nan for cell in measurements.column(name)])


def observed(measurements: InferenceMeasurements) -> tuple[Array, Array]:
    """Measured joules and seconds per output token."""
    return columns(measurements, "energy_per_output_token_j"), 1.0 / columns(measurements, "output_tokens_per_s")


def fit(
    measurements: InferenceMeasurements, free: Sequence[str], rows: Mask, options: Options = Options()
) -> dict[str, float]:
    """Fits the parameters named by id to the rows and leaves the measurements with them; needs SciPy.

    Raises `ValueError` for a parameter without a prior.
    """
    import numpy as np
    from scipy.optimize import least_squares

    stated = {key: (prior, sigma) for key, _, prior, sigma in measurements.parameters}
    priors = {key: (prior, sigma) for key, (prior, sigma) in stated.items() if prior is not None and sigma is not None}
    without = [key for key in free if key not in priors]
    if without:
        raise ValueError(f"no prior for {', '.join(without)}")
    start = np.log(np.array([priors[key][0] for key in free]))
    sigma = np.array([priors[key][1] for key in free])
    energy, time = (np.log(values[rows]) for values in observed(measurements))
    models = np.array(measurements.column("model"))[rows]
    _, model, count = np.unique(models, return_inverse=True, return_counts=True)
    weight = count[model] ** -0.5
    weight /= np.sqrt(np.mean(weight**2))

    def robust(residual: Array) -> Array:
        scaled = residual / options.robust_at
        bent: Array = np.sign(residual) * np.sqrt(2.0 * (np.sqrt(1.0 + scaled**2) - 1.0))
        return bent

    def residuals(logs: Array) -> Array:
        measurements.set(list(zip(free, np.exp(logs).tolist(), strict=True)))
        joules, seconds = (np.log(np.array(values)[rows]) for values in measurements.predict())
        parts = [robust(joules - energy) * weight, robust(seconds - time) * weight * options.time_weight]
        together: Array = np.nan_to_num(np.concatenate([*parts, options.prior_weight * (logs - start) / sigma]))
        return together

    found = np.exp(least_squares(residuals, start, x_scale="jac", max_nfev=100).x).tolist()
    measurements.set(list(zip(free, found, strict=True)))
    return dict(zip(free, found, strict=True))


def errors(measurements: InferenceMeasurements) -> tuple[Array, Array]:
    """Logarithm of predicted over measured energy, and of time."""
    import numpy as np

    pairs = zip(measurements.predict(), observed(measurements), strict=True)
    energy, time = (np.log(np.array(predicted) / measured) for predicted, measured in pairs)
    return energy, time


def summary(logs: Array) -> dict[str, float]:
    """Median and 90th percentile of the absolute error, bias (median), mean error and geometric error, as ratios."""
    import numpy as np

    ratio = np.exp(np.asarray(logs).ravel())
    ratio = ratio[np.isfinite(ratio)]
    absolute = np.abs(ratio - 1.0)
    return {
        "n": float(ratio.size),
        "median_ape": float(np.median(absolute)),
        "p90_ape": float(np.quantile(absolute, 0.9)),
        "bias": float(np.median(ratio) - 1.0),
        "mean_error": float(np.mean(ratio) - 1.0),
        "geometric_error": float(np.exp(np.mean(np.abs(np.log(ratio))))),
    }
