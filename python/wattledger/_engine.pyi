"""The compiled part of wattledger: the crate's public doors, typed."""

from collections.abc import Sequence
from datetime import datetime as _datetime
from os import PathLike
from typing import Any, Self, TypeAlias, final

__version__: str
#: Edition of the methods: changes when an estimate of the same input changes.
method_edition: str
#: Whether the crate was built without optimisation.
debug_build: bool

_Path: TypeAlias = str | PathLike[str]
_Columns: TypeAlias = list[tuple[str, tuple[Any, list[str | None]] | tuple[Any, str]]]

@final
class Fleet:
    """Deployments, sites and the catalog they name; immutable.

    >>> import wattledger as wl
    >>> fleet = wl.Fleet.parse('''
    ... [[deployment]]
    ... name = "chat"
    ... model = "llama-3.1-8b"
    ... hardware = "h100"
    ... replicas = 2
    ... ''')
    >>> fleet.deployments
    ['chat']
    """

    @staticmethod
    def load(path: _Path) -> Fleet:
        """Read a fleet from a TOML file.

        Raises:
            FleetError: With the place and the value, for unknown keys, values outside their limits, contradictions.
            InputNotFoundError: If there is no such file.

        """

    @staticmethod
    def parse(text: str, *, place: str = "fleet") -> Fleet:
        """Read a fleet from TOML text; ``place`` names it in messages."""

    @staticmethod
    def default() -> Fleet:
        """The fleet of a log nothing is known of: every route is assumed from its model's name."""

    @property
    def deployments(self) -> list[str]:
        """Names of the deployments."""

    @property
    def windows(self) -> list[int]:
        """Attention windows of the fleet's models, in tokens: what a scan keeps besides the moments."""

    @property
    def digest(self) -> str:
        """xxh3-128 of the text."""

    def request(
        self,
        *,
        model: str | None = None,
        output_tokens: int | None = None,
        input_tokens: int = 0,
        cached_tokens: int = 0,
        hardware: str | None = None,
        site: str | None = None,
        deployment: str | None = None,
        devices: float | None = None,
        precision: str | None = None,
        concurrency: float | None = None,
        at: _datetime | str | None = None,
    ) -> RequestEstimate:
        """Estimate one request, served as this fleet serves its model or as stated here.

        ``at`` is when it runs, a time with an offset: weather and grid are then those of the hour, else a year's mean.

        >>> import wattledger as wl
        >>> one = wl.Fleet.default().request(
        ...     model="llama-3.1-70b", hardware="h100", devices=4, concurrency=64, input_tokens=1000, output_tokens=500
        ... )
        >>> round((one["prefill_kwh"] + one["decode_kwh"]) * 3.6e6)  # joules
        577
        """

    def site_hours(self, site: str, *, year: int, cooling: str | None = None) -> SiteHours:
        """A site of the fleet or of the catalog in every hour of a calendar year, at a constant load.

        ``cooling`` puts another cooling system there.

        Raises:
            UnknownNameError: For a site or a cooling system that is not known.

        >>> import wattledger as wl
        >>> hours = wl.Fleet.default().site_hours("gcp/asia-southeast1", year=2023, cooling="water-chiller")
        >>> len(hours), 1.25 < hours.summary["pue"] < 1.4
        (8760, True)

        """

    def picture(
        self,
        *,
        model: str,
        width_px: float = 1024.0,
        height_px: float = 1024.0,
        frames: float = 1.0,
        steps: float | None = None,
        batch: float = 1.0,
        hardware: str | None = None,
        devices: float | None = None,
        precision: str | None = None,
        site: str | None = None,
        at: _datetime | str | None = None,
    ) -> RequestEstimate:
        """Estimate one image or video made by a diffusion model; ``steps`` are those its makers suggest, if not given.

        The energy of the accelerators stands under ``decode_kwh``.

        >>> import wattledger as wl
        >>> image = wl.Fleet.default().picture(model="flux.1-dev", hardware="h100", steps=50)
        >>> round(image["decode_kwh"] * 3.6e6)
        9208

        """

@final
class SiteHours:
    """A site by the hour: cooling, water and grid around a kilowatt-hour of IT. An Arrow stream of its hours."""

    @property
    def site(self) -> str:
        """Its name."""

    @property
    def summary(self) -> dict[str, Any]:
        """Means of the year, peaks, the weather station, how near the grid's factors are, assumptions and sources."""

    def to_csv(self) -> str:
        """The hours as CSV."""

    def write_parquet(self, path: _Path) -> None:
        """Write the hours as Parquet, whole or not at all."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __len__(self) -> int: ...

@final
class RequestEstimate:
    """One request's footprint with its range and its chain. Columns are read by name: ``one["facility_kwh"]``."""

    @property
    def model(self) -> str:
        """Catalog id of the model."""

    @property
    def hardware(self) -> str:
        """Catalog id of the accelerator."""

    @property
    def devices(self) -> float:
        """Accelerators of one replica."""

    @property
    def site(self) -> str:
        """The site."""

    @property
    def concurrency(self) -> float:
        """Requests the replica runs at once."""

    def range(self, column: str) -> tuple[float, float] | None:
        """Low and high end of a column; ``None`` where it is unknown."""

    def to_dict(self) -> dict[str, Any]:
        """Values with ranges, the chain, sources and assumptions."""

    def to_json(self) -> str:
        """The same as JSON."""

    def __getitem__(self, column: str, /) -> float | None: ...

@final
class Ledger:
    """Exact sums by route, time bin and your own dimensions; ledgers add, estimates do not.

    Any Arrow library takes one: ``pyarrow.table(ledger)``.
    """

    @staticmethod
    def read(path: _Path) -> Ledger:
        """Read a ledger file."""

    def write(self, path: _Path) -> None:
        """Write the ledger as Parquet, whole or not at all."""

    def estimate(self, fleet: Fleet | None = None) -> Estimate:
        """Estimate the ledger under a fleet; the default one if none is given."""

    def between(self, since_s: int | None, until_s: int | None) -> Ledger:
        """The ledger of the bins in [since, until), in seconds since 1970 UTC."""

    def describe(self) -> dict[str, Any]:
        """Keys, period, coverage, moments and inputs."""

    @property
    def coverage(self) -> dict[str, Any]:
        """The account of every line: events_in = counted + rejected + duplicates + no_usage + cached_locally.

        With a period it is of what was read; ``outside_period`` counts rows of Parquet that were not, as the index of
        their file says that they lie outside.
        """

    @property
    def rejected_share(self) -> float:
        """Rejected events over all events."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: None  # type: ignore[assignment]

@final
class Estimate:
    """A fleet's estimate of a ledger. As an Arrow stream it is grouped by deployment and hour."""

    def by(self, *keys: str, timezone: str | None = None, where: Sequence[str] = ...) -> EstimateTable:
        """Group by keys: deployment, model, hardware, site, hour, day, month, provider, region, host, your dimensions.

        Args:
            keys: Names of keys.
            timezone: Zone in which hours, days and months are told; UTC if none.
            where: ``KEY=PATTERN`` expressions that all have to hold, such as ``model=llama*``.

        """

    def to_json(self, *, by: Sequence[str] = ..., timezone: str | None = None, where: Sequence[str] = ...) -> str:
        """Totals, rows, coverage, assumptions and provenance as JSON."""

    def to_dict(
        self, *, by: Sequence[str] = ..., timezone: str | None = None, where: Sequence[str] = ...
    ) -> dict[str, Any]:
        """The same as a dict."""

    @property
    def totals(self) -> dict[str, Any]:
        """Sums over everything by column; ``None`` is unknown."""

    @property
    def assumptions(self) -> list[dict[str, str]]:
        """Values nobody stated, with the reason for each."""

    @property
    def unknown(self) -> list[dict[str, Any]]:
        """Columns that are unknown for some requests, and why."""

    @property
    def coverage(self) -> dict[str, Any]:
        """The account of every line."""

    @property
    def sites(self) -> list[dict[str, Any]]:
        """Each site over the period: PUE, WUE, TUE, CUE with ranges, peak hour and day, how near its factors were."""

    @property
    def reconciliation(self) -> list[dict[str, Any]]:
        """Every step of every meter beside the estimate, with the residual and what became of it."""

    @property
    def embodied(self) -> list[dict[str, Any]]:
        """What the machines of each deployment took to make, part by part with ranges and sources.

        Amortised over the time they stand there, and booked in their year of purchase where that is stated: the two are
        never added.
        """

    def equivalents(self) -> list[dict[str, Any]]:
        """The totals in everyday things, with sources: kilometres by car, days of a household, glasses of water."""

    def explain(self) -> dict[str, Any]:
        """Provenance: method edition, inputs, every coefficient with its source."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any: ...

@final
class TrainingEstimate:
    """A training run in the columns of an estimate. As an Arrow stream it is grouped by phase, activity and hour.

    A replica is one accelerator: ``replica_seconds`` are accelerator-seconds.
    """

    @property
    def name(self) -> str:
        """Name of the run."""

    def by(self, *keys: str) -> EstimateTable:
        """Group by keys: phase, activity, kind, hardware, site, hour, day, month."""

    def to_json(self, *, by: Sequence[str] | None = None, beside: Estimate | None = None) -> str:
        """Totals, ranges, rows, phases, critical factors, tree, assumptions and provenance as JSON.

        Args:
            by: Keys of the rows; phase and activity if none.
            beside: An estimate of inference to hold the run against, under ``beside``; nothing is added up.

        """

    def to_dict(self, *, by: Sequence[str] | None = None, beside: Estimate | None = None) -> dict[str, Any]:
        """The same as a dict."""

    @property
    def totals(self) -> dict[str, Any]:
        """Sums over everything by column; ``None`` is unknown."""

    @property
    def factors(self) -> list[dict[str, Any]]:
        """Critical factors, the one with the widest ends first: efficiency, power, hardware, hours, place."""

    @property
    def assumptions(self) -> list[dict[str, str]]:
        """Values nobody stated, with the reason for each."""

    def range(self, column: str) -> list[float] | None:
        """Low and high of a total: of energy, PUE and manufacture, nothing of the grid's factors."""

    def beside(self, estimate: Estimate) -> list[dict[str, Any]]:
        """The run beside some inference by column: its share of both, and tokens, requests and days to break even."""

    def equivalents(self) -> list[dict[str, Any]]:
        """The totals in everyday things, with sources."""

    def explain(self) -> dict[str, Any]:
        """The run as a tree from the facility down to hours, power, utilisation and sources."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any: ...

@final
class EstimateTable:
    """An estimate grouped by keys; any Arrow library takes it."""

    @property
    def keys(self) -> list[str]:
        """Names of the keys."""

    def to_csv(self, *, raw: bool = False) -> str:
        """The table as CSV; cells that a spreadsheet would take for a formula are guarded unless ``raw``."""

    def write_parquet(self, path: _Path, *, metadata: str | None = None) -> None:
        """Write the table as Parquet; ``metadata`` is kept under ``wattledger``."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any: ...
    def __len__(self) -> int: ...

@final
class AnnotatedRows:
    """Estimated columns, row for row with the data they were asked for; any Arrow library takes them."""

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""

    def to_numpy(self) -> dict[str, Any]:
        """Copy each column of floats into a NumPy array, not a number where unknown."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any: ...
    def __len__(self) -> int: ...

@final
class AnnotatedBatches:
    """Annotated rows batch by batch, each worked out when it is asked for."""

    @property
    def coverage(self) -> dict[str, Any] | None:
        """The account of every line of log files, once the last batch was taken."""

    def __iter__(self) -> AnnotatedBatches: ...
    def __next__(self) -> AnnotatedRows: ...

@final
class Annotator:
    def __new__(
        cls, fleet: Fleet, operating_points: Ledger, keep: list[str], short: bool, options: dict[str, Any]
    ) -> Annotator: ...
    @property
    def columns(self) -> list[str]: ...
    def files(self, paths: list[str], output: _Path) -> dict[str, Any]: ...
    def columns_into(self, data: _Columns, out: list[tuple[str, Any]]) -> None: ...
    def stream_into(self, data: object, out: list[tuple[str, Any]]) -> None: ...
    def stream(self, data: object) -> AnnotatedRows: ...
    def batches_of_files(self, paths: list[str]) -> AnnotatedBatches: ...
    def batches_of_stream(self, data: object) -> AnnotatedBatches: ...
    def batches_of_columns(self, data: _Columns) -> AnnotatedBatches: ...

def check_twice_readable(paths: list[str]) -> None: ...
def hold(data: object) -> AnnotatedRows: ...
def merge(ledgers: Sequence[Ledger], *, allow_overlap: bool = False) -> Ledger:
    """Add ledgers: GROUP BY keys, SUM.

    Raises:
        LedgerError: If bins, dimensions or windows differ, or two ledgers hold the same input.

    """

@final
class InferenceMeasurements:
    """A file of measured serving configurations with the parameters they are predicted with.

    The rows have the columns of ``data/measurements/inference.csv``; ``place`` in messages is the path.
    """

    def __new__(cls, path: _Path) -> Self: ...
    @property
    def row_ids(self) -> list[str]:
        """Keys of the rows."""

    def column(self, name: str) -> list[str]:
        """Cells of a column, as text; empty where the row has none."""

    @property
    def parameters(self) -> list[tuple[str, float, float | None, float | None]]:
        """Id, value, prior and its width of every parameter."""

    def set(self, values: list[tuple[str, float]]) -> None:
        """Give parameters other values."""

    def add_engine(self, engine: str) -> list[str]:
        """Give an engine a stack of its own on each generation of its rows; ids of the values that a fit may find."""

    def profile(self, engine: str, source: str, note: str) -> str:
        """What was found about the engine's stack as rows of a fleet file, in TOML."""

    def reasons(self) -> list[str]:
        """Why each row cannot be predicted; empty where it can."""

    def predict(self) -> tuple[list[float], list[float]]:
        """Joules and seconds per output token of every row; not a number where a row cannot be predicted."""

def calibrate_point(
    fleet: Fleet,
    *,
    deployment: str | None = None,
    gpu_power_w: float | None = None,
    tokens_per_s: float | None = None,
    gpu_kwh: float | None = None,
    total_output_tokens: float | None = None,
    hours: float | None = None,
    concurrency: float | None = None,
    input_tokens: int | None = None,
    cached_tokens: int | None = None,
    output_tokens: int | None = None,
) -> dict[str, Any]:
    r"""Scales of one deployment from one metered point; see ``wattledger.calibrate_point``.

    >>> import wattledger as wl
    >>> text = "[[deployment]]\nname = 'a'\nmodel = 'llama-3.1-8b'\nhardware = 'h100'\nreplicas = 1"
    >>> fleet = wl.Fleet.parse(text)
    >>> found = wl.calibrate_point(fleet, gpu_kwh=5, total_output_tokens=1e8, concurrency=64)
    >>> found["time_scale"] is None, found["energy_scale"] > 0
    (True, True)
    """

def calibrate_series(
    ledger: Ledger,
    fleet: Fleet,
    paths: list[str],
    *,
    deployment: str | None = None,
    timezone: str | None = None,
    unit: str | None = None,
    max_gap_s: float | None = None,
    lag_s: float | None = None,
) -> dict[str, Any]:
    """Scales of deployments from power series in files; see ``wattledger.calibrate_series``."""

def scan_paths(paths: list[str], options: dict[str, Any]) -> Ledger: ...
def scan_stream(data: object, options: dict[str, Any]) -> Ledger: ...
def scan_columns(columns: _Columns, options: dict[str, Any]) -> Ledger: ...
def check_not_read(output: _Path, paths: list[str]) -> None: ...
def formats() -> list[tuple[str, str]]: ...
def fleet_keys() -> list[tuple[str, str, str, str, str]]: ...
def series_columns() -> list[tuple[str, str, str, str, bool]]: ...
def cooling_at(
    cooling: str,
    dry_bulb_c: float,
    rel_humidity_pct: float,
    pressure_kpa: float,
    load: float | None = None,
    power_chain: str | None = None,
) -> dict[str, float]: ...
def estimate_columns() -> list[tuple[str, str, str]]: ...
def ways_out() -> dict[str, str]: ...
def catalog_kinds() -> list[str]: ...
def catalog_edition(fleet: Fleet | None = None) -> tuple[str, str]: ...
def catalog_table(kind: str, fleet: Fleet | None = None) -> tuple[list[tuple[str, str, str]], list[list[str]]]: ...
def catalog_search(
    kind: str, text: str, fleet: Fleet | None = None
) -> tuple[list[tuple[str, str, str]], list[list[str]]]: ...
def catalog_resolution(kind: str, name: str, fleet: Fleet | None = None) -> dict[str, Any]: ...
def catalog_item(kind: str, name: str, fleet: Fleet | None = None) -> list[list[str]]: ...
def catalog_from_config(path: _Path, id: str) -> str: ...
def validate(kind: str, path: _Path) -> str: ...
def validation_kinds() -> list[str]: ...
def write_whole(path: _Path, bytes: bytes) -> None: ...
def edit_fleet(text: str, place: str, edits: list[tuple[str, str, float | None]]) -> str: ...
def accelerator_burden(hardware: str) -> dict[str, Any]: ...
def train_file(path: str | PathLike[str]) -> TrainingEstimate: ...
def train_tables(tables: str) -> TrainingEstimate: ...
def run_groups() -> list[str]: ...
def run_keys() -> list[tuple[str, str, str, str, str]]: ...
