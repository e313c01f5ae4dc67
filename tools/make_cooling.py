"""Fill the annual figures of src/catalog/data/cooling.csv from the engine's own hourly model.

Usage: python tools/make_cooling.py

PUE and water input of every system at every weather station of the catalog, at the system's usual load, over 2023 (real
or typical): lowest, median, highest and mean over the stations. They stand in where no weather is known. The row of an
unknown system keeps the figures that operators publish.
"""

import csv
import statistics

import wattledger as wl
from catalog_tables import DATA
from wattledger import _engine

COLUMNS = {
    "pue": ("pue_low", "pue_typical", "pue_high", "pue_mean"),
    "wue_l_per_kwh": ("wue_low_l_per_kwh", "wue_typical_l_per_kwh", "wue_high_l_per_kwh", "wue_mean_l_per_kwh"),
}


def main():
    path = DATA / "cooling.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    stations = [row[0] for row in _engine.catalog_table("weather")[1]]
    for row in rows:
        if not row["archetype"]:
            continue
        years = []
        for station in stations:
            fleet = wl.Fleet.parse(f'[site.one]\nweather = "{station}"\ncooling = "{row["id"]}"\n')
            years.append(fleet.site_hours("one", year=2023).summary)
        for quantity, (low, typical, high, mean) in COLUMNS.items():
            values = sorted(year[quantity] for year in years)
            spread = (values[0], statistics.median(values), values[-1], statistics.mean(values))
            row |= {column: f"{value:.3f}" for column, value in zip((low, typical, high, mean), spread, strict=True)}
        row["note"] = f"annual figures: over {len(stations)} weather stations; water is input (withdrawal)"
        row["source"] = f"wattledger hourly cooling model, {len(stations)} stations, 2023"
        print(row["id"], *(row[column] for columns in COLUMNS.values() for column in columns))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
