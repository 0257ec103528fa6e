"""Writes src/domain/calendar/holidays.txt: the public holidays of countries and their regions.

Usage: pip install holidays==VERSION, then: python3 tools/calendars/generate.py > src/domain/calendar/holidays.txt

The dates and names are those of the PyPI package "holidays" (MIT). Only the category "public" is taken, with the days
on which a holiday is observed. A region has the days of its country, and lines with what it adds (+) and lacks (-).
"""

import datetime
import sys
import unicodedata
import warnings

import holidays

FIRST, LAST = 2025, 2030

COUNTRIES = """
AD AE AL AM AO AR AT AU AZ BA BD BE BG BH BO BR BW BY CA CH CI CL CM CN CO CR CY CZ DE DK DO DZ EC EE EG ES ET FI FR GB
GE GH GR GT HK HN HR HU ID IE IL IN IS IT JM JO JP KE KH KR KW KZ LB LK LT LU LV MA MD ME MK MT MU MX MY MZ NA NG NI NL
NO NZ OM PA PE PH PK PL PR PT PY QA RO RS SA SE SG SI SK SN SV TH TN TR TW TZ UA UG US UY VE VN ZA ZM ZW
""".split()

warnings.simplefilter("ignore")


def english(country, subdivision=None):
    """The days of a country or region by date, with English names where the package has them."""
    years = range(FIRST, LAST + 1)
    known = holidays.country_holidays(country, subdiv=subdivision, years=FIRST)
    languages = getattr(known, "supported_languages", ())
    language = next((tag for tag in ("en_US", "en", "en_GB") if tag in languages), None)
    days = holidays.country_holidays(country, subdiv=subdivision, years=years, language=language)
    return {day: clean(name) for day, name in days.items() if FIRST <= day.year <= LAST}


def plain(region):
    """The code of a region in ASCII."""
    letters = unicodedata.normalize("NFKD", region).encode("ascii", "ignore").decode()
    return letters.replace(" ", "_")


def clean(name):
    return " ".join(name.replace("|", "/").split())


def write(days, names, sign, out):
    """One line for each name: its sign, the number of the name and its dates, as days since 1 January of FIRST."""
    by_name = {}
    for day in sorted(days):
        by_name.setdefault(days[day], []).append((day - datetime.date(FIRST, 1, 1)).days)
    for name, numbers in sorted(by_name.items(), key=lambda it: it[1][0]):
        out.append(f"{sign}{names.setdefault(name, len(names))} " + " ".join(map(str, numbers)))


def main():
    names, body = {}, []
    for code in COUNTRIES:
        country = english(code)
        known = holidays.country_holidays(code, years=FIRST)
        body.append(f"@{code}")
        write(country, names, "+", body)
        for region in sorted(known.subdivisions):
            own = english(code, region)
            lacks = {day: "" for day in country if day not in own}
            adds = {day: name for day, name in own.items() if day not in country}
            body.append(f"@{code}-{plain(region)}")
            write(adds, names, "+", body)
            if lacks:
                numbers = sorted((day - datetime.date(FIRST, 1, 1)).days for day in lacks)
                body.append("- " + " ".join(map(str, numbers)))
    print("# Written by tools/calendars/generate.py. The source is the PyPI package holidays (MIT).")
    print(f"version {holidays.__version__}")
    print(f"years {FIRST} {LAST}")
    for name in names:
        print(f"={name}")
    print("\n".join(body))


if __name__ == "__main__":
    sys.exit(main())
