"""Find countries and time zones by the names that people and products give them."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from zoneinfo import available_timezones

import pycountry
from babel import Locale
from babel.core import get_global
from babel.languages import get_official_languages

_NICKNAMES = {
    "US": ("u.s.", "u.s.a.", "america"),
    "GB": ("uk", "u.k.", "great britain", "england", "scotland", "wales", "northern ireland"),
    "NL": ("holland",),
    "CZ": ("czech republic",),
    "IE": ("republic of ireland",),
    "AE": ("uae", "u.a.e."),
    "TR": ("turkey",),
    "HK": ("hong kong sar", "hongkong"),
    "MO": ("macau", "macau sar", "macao sar"),
    "KR": ("korea", "republic of korea", "korea, south", "한국"),
    "KP": ("korea, north",),
    "CI": ("ivory coast",),
    "CD": ("congo, kinshasa", "dr congo", "congo, dr", "drc", "congo, democratic republic"),
    "CG": ("congo", "congo, brazzaville", "congo, republic"),
    "MM": ("burma",),
    "CV": ("cape verde",),
    "SZ": ("swaziland",),
    "MK": ("macedonia", "fyrom", "former yugoslav republic of macedonia"),
    "TL": ("east timor",),
    "VA": ("vatican", "vatican city", "holy see"),
    "PS": ("palestine",),
    "XK": ("kosovo", "xk", "xkx", "rks", "republic of kosovo"),
    "RU": ("russia",),
    "SY": ("syria",),
    "LA": ("laos",),
    "MD": ("moldova",),
    "FM": ("micronesia",),
    "FK": ("falkland islands",),
    "VI": ("us virgin islands", "u.s. virgin islands"),
    "VG": ("british virgin islands",),
    "BN": ("brunei",),
}
_LANGUAGES = [
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "ru",
    "zh",
    "ja",
    "ar",
    "sv",
    "da",
    "nb",
    "fi",
    "cs",
    "tr",
]
"""Besides English and each country's own, languages in which products name all countries."""

_RAILS = {
    "international date line west": "Pacific/Midway", "midway island": "Pacific/Midway", "american samoa": "Pacific/Pago_Pago",
    "hawaii": "Pacific/Honolulu", "alaska": "America/Juneau", "pacific time": "America/Los_Angeles", "arizona": "America/Phoenix",
    "mountain time": "America/Denver", "central time": "America/Chicago", "eastern time": "America/New_York",
    "atlantic time": "America/Halifax", "indiana": "America/Indiana/Indianapolis", "saskatchewan": "America/Regina",
    "guadalajara": "America/Mexico_City", "central america": "America/Guatemala", "quito": "America/Lima",
    "newfoundland": "America/St_Johns",
    "brasilia": "America/Sao_Paulo", "georgetown": "America/Guyana", "greenland": "America/Nuuk", "mid-atlantic": "Atlantic/South_Georgia",
    "cape verde is.": "Atlantic/Cape_Verde", "edinburgh": "Europe/London", "bern": "Europe/Zurich", "west central africa": "Africa/Algiers",
    "pretoria": "Africa/Johannesburg", "st. petersburg": "Europe/Moscow", "abu dhabi": "Asia/Muscat", "ekaterinburg": "Asia/Yekaterinburg",
    "islamabad": "Asia/Karachi", "chennai": "Asia/Kolkata", "mumbai": "Asia/Kolkata", "new delhi": "Asia/Kolkata", "astana": "Asia/Almaty",
    "sri jayawardenepura": "Asia/Colombo", "hanoi": "Asia/Bangkok", "beijing": "Asia/Shanghai", "osaka": "Asia/Tokyo",
    "sapporo": "Asia/Tokyo", "solomon is.": "Pacific/Guadalcanal", "new caledonia": "Pacific/Noumea", "marshall is.": "Pacific/Majuro",
    "wellington": "Pacific/Auckland", "nuku'alofa": "Pacific/Tongatapu", "tokelau is.": "Pacific/Fakaofo", "chatham is.": "Pacific/Chatham",
    "samoa": "Pacific/Apia",
}  # fmt: skip
"""Names of time zones in Ruby on Rails (ActiveSupport::TimeZone) that are no city of the IANA list."""


def country(name: str) -> str:
    """Return the ISO 3166-1 alpha-2 code of a country, empty if unknown, from a code or a name in English, its own or a common language."""
    folded = _folded(name)
    return (
        _codes().get(folded)
        or _english().get(_words(folded))
        or _translated().get(folded)
        or _translated().get(folded.partition(" (")[0], "")
    )


def timezone(name: str) -> str:
    """Return the IANA name of a time zone, empty if unknown, from that name in any case, or one of Windows, Rails or HubSpot."""
    spoken = re.sub(r"^\((?:GMT|UTC)[^)]*\)\s*", "", name.strip(), flags=re.IGNORECASE)
    folded = spoken.lower().replace("_slash_", "/")
    if found := _zones().get(folded.replace(" ", "_")):
        return found
    without_region = re.sub(r"\s*\(.*\)$", "", folded)
    first_city = folded.split(",")[0].strip()
    return next(
        (
            zone
            for each in (folded, without_region, first_city)
            if (zone := _named_zones().get(each))
        ),
        "",
    )


def _folded(name: str) -> str:
    """Make one name of `Côte d'Ivoire`, `Cote d’Ivoire` and `COTE D'IVOIRE`."""
    plain = unicodedata.normalize("NFKD", name.casefold()).replace("’", "'").replace("&", " and ")
    words = "".join(each for each in plain if not unicodedata.combining(each))
    return " ".join(words.replace("ı", "i").split())


@cache
def _codes() -> dict[str, str]:
    both = ((each.alpha_2, each.alpha_3) for each in pycountry.countries)
    return {code.lower(): codes[0] for codes in both for code in codes}


@cache
def _english() -> dict[frozenset[str], str]:
    """Return words of names in ISO 3166, Unicode and common speech → code; a nickname decides between two countries."""
    found = {
        name: code
        for code, name in Locale("en").territories.items()
        if re.fullmatch("[A-Z]{2}", code) and code not in {"ZZ", "EU", "EZ", "UN"}
    }
    for each in pycountry.countries:
        names = (getattr(each, kind, "") for kind in ("name", "official_name", "common_name"))
        found |= {name: each.alpha_2 for name in names if name}
    for code, nicknames in _NICKNAMES.items():
        found |= dict.fromkeys(nicknames, code)
    return {_words(_folded(name)): code for name, code in found.items()}


def _words(folded: str) -> frozenset[str]:
    """Return the words of a name: `Bolivia, Plurinational State of` and `Plurinational State of Bolivia` have the same."""
    words = re.findall(r"[\w'.]+", folded)
    return frozenset("st" if word in {"saint", "st."} else word for word in words) - {
        "the",
        "of",
        "and",
    }


@cache
def _translated() -> dict[str, str]:
    """Return names in the countries' own languages, then in common ones; a name that means two countries is left out."""
    own: dict[str, set[str]] = {}
    for code in _codes().values():
        for language in get_official_languages(code, de_facto=True, regional=True):
            if name := _territory(language, code):
                own.setdefault(_folded(name), set()).add(code)
    common: dict[str, set[str]] = {}
    for language in _LANGUAGES:
        for code in _codes().values():
            if name := _territory(language, code):
                common.setdefault(_folded(name), set()).add(code)
    return {
        name: next(iter(codes))
        for names in (common, own)
        for name, codes in names.items()
        if len(codes) == 1
    }


def _territory(language: str, code: str) -> str:
    try:
        return str(_names(language).get(code, ""))
    except ValueError:
        return ""


@cache
def _names(language: str) -> dict[str, str]:
    """Return code → name of territories. Languages that Unicode has no names in have none."""
    try:
        return dict(Locale.parse(language).territories)
    except Exception:
        return {}


@cache
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


@cache
def _named_zones() -> dict[str, str]:
    """Return names of Windows and Rails, and cities of one IANA zone alone, in lower case."""
    cities: dict[str, set[str]] = {}
    for zone in available_timezones():
        region, _slash, city = zone.rpartition("/")
        if region and region not in {
            "Etc",
            "SystemV",
            "posix",
            "right",
            "US",
            "Canada",
            "Brazil",
            "Chile",
            "Mexico",
        }:
            cities.setdefault(city.lower().replace("_", " "), set()).add(zone)
    windows = {name.lower(): zone for name, zone in get_global("windows_zone_mapping").items()}
    return {city: min(zones) for city, zones in cities.items()} | windows | _RAILS
