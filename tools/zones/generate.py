"""Writes src/domain/number_zones/zones.txt: the time zones of phone numbers by their first digits.

Usage: pip install phonenumbers==VERSION tzdata, then:
python3 tools/zones/generate.py > src/domain/number_zones/zones.txt

The prefixes are those of the PyPI package "phonenumbers" (Apache-2.0), which has them from Google's libphonenumber. Of
several zones of a prefix whose clocks agree from FIRST to LAST, one is kept.
"""

import datetime
import functools
import importlib.resources
import sys
import zoneinfo

import phonenumbers
from phonenumbers.tzdata import TIMEZONE_DATA

FIRST, LAST = 2025, 2030

# Kept of several whose clocks agree; otherwise the first by name.
KNOWN = [
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix",
    "America/Anchorage", "America/Puerto_Rico", "America/Halifax", "America/Mexico_City", "America/Sao_Paulo",
    "America/Manaus", "Europe/London", "Europe/Paris", "Europe/Berlin", "Europe/Moscow", "Asia/Kolkata",
    "Australia/Sydney", "Australia/Brisbane",
]


@functools.cache
def tables():
    """The zones that a country has, and the present names of older ones."""
    folder = importlib.resources.files("tzdata") / "zoneinfo"
    lines = (folder / "zone.tab").read_text().splitlines()
    countries = {line.split("\t")[2] for line in lines if not line.startswith("#")}
    links = [line.split() for line in (folder / "tzdata.zi").read_text().splitlines() if line.startswith("L ")]
    return countries, {link[2]: link[1] for link in links}


def present(name):
    countries, links = tables()
    return name if name in countries else links.get(name, name)


@functools.cache
def clock(name):
    """The offsets of a zone, often enough to see every change."""
    zone = zoneinfo.ZoneInfo(name)
    start = datetime.datetime(FIRST, 1, 1, tzinfo=datetime.timezone.utc)
    hours = range(0, (LAST - FIRST + 1) * 366 * 24, 6)
    return tuple((start + datetime.timedelta(hours=hour)).astimezone(zone).utcoffset() for hour in hours)


def distinct(names):
    rank = {name: number for number, name in enumerate(KNOWN)}
    kept = {}
    for name in sorted({present(name) for name in names}, key=lambda name: (rank.get(name, len(KNOWN)), name)):
        kept.setdefault(clock(name), name)
    return sorted(kept.values())


def main():
    rows = {prefix: distinct(names) for prefix, names in TIMEZONE_DATA.items()}
    # A prefix that says the same as a shorter one is left out.
    kept = {}
    for prefix in sorted(rows):
        shorter = next((prefix[:n] for n in range(len(prefix) - 1, 0, -1) if prefix[:n] in rows), None)
        if shorter is None or rows[shorter] != rows[prefix]:
            kept[prefix] = rows[prefix]
    names = sorted({name for row in kept.values() for name in row})
    print("# Written by tools/zones/generate.py. The source is the PyPI package phonenumbers (Apache-2.0).")
    print(f"version {phonenumbers.__version__}")
    for name in names:
        print(f"={name}")
    for prefix, row in kept.items():
        print(f"{prefix} " + " ".join(str(names.index(name)) for name in row))


if __name__ == "__main__":
    sys.exit(main())
