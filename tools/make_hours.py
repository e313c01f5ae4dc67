"""Write the hourly series of the catalog and the tables that describe them.

Usage: python tools/make_hours.py SOURCE_DIR

SOURCE_DIR holds weather-hourly.parquet, grid-hourly.parquet and grid-annual.csv. Only series whose licence allows
redistribution are taken: weather under CC BY 4.0 or in the public domain, generation and marginal factors of US
agencies. The output depends on these files and on this one: weather.parquet, grid-hours.parquet (one row group a
series, in the order of the table), weather.csv and grid-hours.csv, in src/catalog/data.
"""

import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from catalog_tables import DATA, PROVENANCE, number, provenance, read, write

PUBLIC = "LicenseRef-US-public-domain"
OPEN_METEO = (
    "Open-Meteo historical weather (ERA5), Open-Meteo.com and Copernicus/ECMWF, via "
    "HewlettPackard/sustain-cluster@293fbd1"
)
TMY3 = "NREL TMY3 typical meteorological year, via chiensiTB/EPWRawWeather@2aa99b5"
EIA = (
    "US EIA form 930 hourly net generation by source 2022, via HewlettPackard/dc-rl@a92b475; capacity: EIA, via "
    "electricitymaps/electricitymaps-contrib@b354f28"
)
AVERT = "US EPA AVERT v4.3 hourly CO2 of marginal generation 2023, via NREL/REopt.jl@029db01"

# Place, country, latitude and longitude to a tenth of a degree (general knowledge).
STATIONS = {
    "boardman-or": ("Boardman, Oregon", "US", 45.8, -119.7),
    "charleston-sc": ("Charleston, South Carolina", "US", 32.9, -80.0),
    "cheyenne-wy": ("Cheyenne, Wyoming", "US", 41.2, -104.8),
    "columbus-oh": ("Columbus, Ohio", "US", 40.0, -82.9),
    "council-bluffs-ia": ("Council Bluffs, Iowa", "US", 41.3, -95.9),
    "dallas-tx": ("Dallas, Texas", "US", 32.8, -96.8),
    "denver-co": ("Denver, Colorado", "US", 39.8, -104.7),
    "des-moines-ia": ("Des Moines, Iowa", "US", 41.5, -93.7),
    "frankfurt-de": ("Frankfurt", "DE", 50.1, 8.7),
    "houston-tx": ("Houston, Texas", "US", 29.8, -95.4),
    "johannesburg-za": ("Johannesburg", "ZA", -26.2, 28.0),
    "las-vegas-nv": ("Las Vegas, Nevada", "US", 36.1, -115.2),
    "london-gb": ("London", "GB", 51.5, -0.1),
    "los-angeles-ca": ("Los Angeles, California", "US", 33.9, -118.4),
    "melbourne-au": ("Melbourne", "AU", -37.8, 145.0),
    "mumbai-in": ("Mumbai", "IN", 19.1, 72.9),
    "new-york-ny": ("New York", "US", 40.7, -74.0),
    "philadelphia-pa": ("Philadelphia, Pennsylvania", "US", 40.0, -75.2),
    "portland-or": ("Portland, Oregon", "US", 45.6, -122.6),
    "prineville-or": ("Prineville, Oregon", "US", 44.3, -121.2),
    "quincy-wa": ("Quincy, Washington", "US", 47.2, -119.6),
    "salt-lake-city-ut": ("Salt Lake City, Utah", "US", 40.8, -112.0),
    "san-antonio-tx": ("San Antonio, Texas", "US", 29.5, -98.5),
    "san-jose-ca": ("San Jose, California", "US", 37.3, -121.9),
    "santiago-cl": ("Santiago", "CL", -33.4, -70.7),
    "sao-paulo-br": ("Sao Paulo", "BR", -23.6, -46.6),
    "seoul-kr": ("Seoul", "KR", 37.6, 127.0),
    "singapore-sg": ("Singapore", "SG", 1.4, 103.8),
    "sterling-va": ("Sterling, Virginia", "US", 39.0, -77.4),
    "sydney-au": ("Sydney", "AU", -33.9, 151.2),
    "the-dalles-or": ("The Dalles, Oregon", "US", 45.6, -121.2),
    "tokyo-jp": ("Tokyo", "JP", 35.7, 139.7),
    "toronto-ca": ("Toronto", "CA", 43.7, -79.4),
}
# Series under climate.onebuilding.org terms, which name no licence.
NOT_SHIPPED = {
    "ashburn-va", "atlanta-ga", "bologna-it", "brussels-be", "chicago-il", "phoenix-az", "seattle-wa", "shanghai-cn",
}  # fmt: skip

ZONES = {
    "US-CAL-CISO": ("CISO", "California ISO"),
    "US-MIDA-PJM": ("PJM", "PJM Interconnection"),
    "US-MIDW-MISO": ("MISO", "Midcontinent ISO"),
    "US-NW-BPAT": ("BPAT", "Bonneville Power Administration"),
    "US-NY-NYIS": ("NYIS", "New York ISO"),
    "US-SE-SOCO": ("SOCO", "Southern Company Services"),
    "US-SW-AZPS": ("AZPS", "Arizona Public Service"),
    "US-TEX-ERCO": ("ERCO", "Electric Reliability Council of Texas"),
}
AVERT_REGIONS = {
    "CA": "California", "CENT": "Central", "FL": "Florida", "MIDA": "Mid-Atlantic", "MIDW": "Midwest",
    "NCSC": "Carolinas", "NE": "New England", "NW": "Northwest", "NY": "New York", "RM": "Rocky Mountains",
    "SE": "Southeast", "SW": "Southwest", "TE": "Texas", "TN": "Tennessee",
}  # fmt: skip
SOURCES = ["coal", "gas", "oil", "nuclear", "hydro", "wind", "solar", "other"]
# Noise of the regression behind AVERT, as its data sheet warns: set to nothing, not to a bound.
AVERT_LIMITS = (0, 1600)


def whole(values):
    """Whole numbers; what is missing stays missing."""
    return pa.array(values.round().astype("Int32"))


class Groups:
    """A Parquet file with one row group a series."""

    def __init__(self, name):
        self.name, self.writer, self.count = name, None, 0

    def add(self, columns):
        table = pa.table(columns)
        if self.writer is None:
            self.writer = pq.ParquetWriter(
                DATA / self.name, table.schema, compression="zstd", compression_level=19, use_dictionary=False,
                column_encoding=dict.fromkeys(columns, "DELTA_BINARY_PACKED"), write_statistics=False,
                store_schema=False,
            )  # fmt: skip
        self.writer.write_table(table, row_group_size=len(table))
        self.count += 1

    def close(self):
        self.writer.close()
        print(f"{self.name}: {self.count} series, {(DATA / self.name).stat().st_size} bytes")


def hourly(rows, what):
    """The rows by hour; no gap, no hour twice."""
    rows = rows.sort_values("time_utc").reset_index(drop=True)
    steps = rows.time_utc.diff().dropna().unique()
    if list(steps) != [pd.Timedelta(hours=1)]:
        raise SystemExit(f"{what}: hours are missing or stand twice")
    return rows


def weather(folder):
    source = pd.read_parquet(folder / "weather-hourly.parquet")
    groups, table = Groups("weather.parquet"), []
    for (site, series), rows in source.groupby(["site", "series"], observed=True):
        if site in NOT_SHIPPED or (site, series) == ("dallas-tx", "tmy"):
            continue
        rows = hourly(rows, site)  # noqa: PLW2901
        groups.add(
            {
                "dry_bulb_dc": whole(rows.dry_bulb_c * 10),
                "rel_humidity_pct": whole(rows.rel_humidity_pct),
                "pressure_hpa": whole(rows.pressure_kpa * 10),
            }
        )
        real = series == "reanalysis"
        name, country, lat, lon = STATIONS[site]
        row = {
            "id": site, "name": name, "country": country, "lat": lat, "lon": lon,
            "years": "real" if real else "typical", "start_utc": f"{rows.time_utc[0]:%Y-%m-%dT%H}",
            "hours": len(rows), "row_group": len(table),
            "note": "pressure is the standard atmosphere at the place's height" if real
            else "months of different years under the nominal year 2023",
        }  # fmt: skip
        licence, text = ("CC-BY-4.0", OPEN_METEO) if real else (PUBLIC, TMY3)
        table.append(provenance(row, text, licence, "derived" if real else "measured", ["lat", "lon"]))
    groups.close()
    columns = ["id", "name", "country", "lat", "lon", "years", "start_utc", "hours", "row_group", "note"]
    write("weather.csv", columns + PROVENANCE, table)


def grid_hours(folder):
    source = pd.read_parquet(folder / "grid-hourly.parquet")
    groups, table = Groups("grid-hours.parquet"), []
    capacity = {}
    for row in read(folder, "grid-annual.csv"):
        for column in ("capacity_mw", "dispatchable_mw", "peak_generation_mw"):
            if row[column]:
                capacity.setdefault(row["zone"], {})[column] = number(row[column])
    nothing = pa.nulls(8760, pa.int32())

    def add(key, name, zone, kind, columns, text, note):
        filled = {f"{source}_mw": nothing for source in SOURCES} | {"marginal_g_per_kwh": nothing} | columns
        groups.add(filled)
        start = "2022-01-01T00" if kind == "generation" else "2023-01-01T00"
        row = {"id": key, "name": name, "zone": zone, "content": kind, "start_utc": start, "hours": 8760}
        row |= {"factors": "us"} if kind == "generation" else {}
        row |= {"row_group": len(table), "note": note} | (capacity.get(zone, {}) if zone else {})
        table.append(provenance(row, text, PUBLIC, "measured" if kind == "generation" else "derived"))

    for zone, (key, name) in ZONES.items():
        rows = hourly(source[(source.zone == zone) & (source.source == "eia930-dcrl")], zone)
        bad = rows.gco2_per_kwh.isna()
        columns = {f"{one}_mw": whole(rows[f"mw_{one}"].mask(bad)) for one in SOURCES}
        note = f"{bad.sum()} hours without a plausible record" if bad.any() else ""
        add(f"eia930:{key}", name, zone, "generation", columns, EIA, note)
    for region, name in AVERT_REGIONS.items():
        rows = hourly(source[source.zone == f"AVERT-{region}"], region)
        low, high = AVERT_LIMITS
        values = rows.gco2_per_kwh.where(rows.gco2_per_kwh.between(low, high))
        gone = int(values.isna().sum())
        note = "local standard time moved to UTC by one offset a region (assumed)"
        note += f"; {gone} hours outside {low} to {high} g/kWh left out as noise" if gone else ""
        add(f"avert:{region}", f"AVERT {name}", "", "marginal", {"marginal_g_per_kwh": whole(values)}, AVERT, note)
    groups.close()
    columns = [
        "id",
        "name",
        "zone",
        "content",
        "start_utc",
        "hours",
        "row_group",
        "factors",
        "capacity_mw",
        "dispatchable_mw",
    ]
    columns += ["peak_generation_mw", "note"]
    write("grid-hours.csv", columns + PROVENANCE, table)


if __name__ == "__main__":
    sources = Path(sys.argv[1])
    weather(sources)
    grid_hours(sources)
