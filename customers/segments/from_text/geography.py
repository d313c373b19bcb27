"""Countries, cities and languages by their English names: official names, nicknames, codes, adjectives and groups."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from unicodedata import combining
from zoneinfo import available_timezones

from babel import Locale

from customers.segments.from_text.phrase import Name, Token, words

LANGUAGES = {
    "english": "en", "french": "fr", "german": "de", "spanish": "es", "italian": "it", "portuguese": "pt", "dutch": "nl",
    "swedish": "sv", "danish": "da", "norwegian": "no", "finnish": "fi", "polish": "pl", "czech": "cs", "hungarian": "hu",
    "romanian": "ro", "bulgarian": "bg", "greek": "el", "turkish": "tr", "russian": "ru", "ukrainian": "uk", "arabic": "ar",
    "hebrew": "he", "hindi": "hi", "japanese": "ja", "korean": "ko", "chinese": "zh", "thai": "th", "vietnamese": "vi",
    "indonesian": "id", "catalan": "ca", "croatian": "hr", "slovak": "sk", "slovenian": "sl", "estonian": "et",
    "latvian": "lv", "lithuanian": "lt",
}  # fmt: skip
"""English name in lower case → ISO 639-1 code."""

_NICKNAMES = {
    "usa": "US", "united states of america": "US", "america": "US", "the states": "US", "uk": "GB", "great britain": "GB", "britain": "GB",
    "england": "GB", "holland": "NL", "czech republic": "CZ", "uae": "AE", "turkey": "TR", "korea": "KR",
    "russia": "RU", "ivory coast": "CI",
    "hong kong": "HK",
}  # fmt: skip
_ADJECTIVES = {
    "american": "US", "british": "GB", "english": "GB", "french": "FR", "german": "DE", "spanish": "ES", "spaniard": "ES",
    "italian": "IT", "portuguese": "PT", "dutch": "NL", "belgian": "BE", "swiss": "CH", "austrian": "AT", "swedish": "SE", "swede": "SE",
    "norwegian": "NO", "danish": "DK", "dane": "DK", "finnish": "FI", "finn": "FI", "icelandic": "IS", "irish": "IE",
    "polish": "PL", "pole": "PL", "czech": "CZ", "slovak": "SK", "hungarian": "HU", "romanian": "RO", "bulgarian": "BG", "greek": "GR",
    "turkish": "TR", "turk": "TR", "russian": "RU", "ukrainian": "UA", "croatian": "HR", "serbian": "RS",
    "slovenian": "SI", "estonian": "EE",
    "latvian": "LV", "lithuanian": "LT", "canadian": "CA", "mexican": "MX", "brazilian": "BR", "argentinian": "AR", "argentine": "AR",
    "chilean": "CL", "colombian": "CO", "peruvian": "PE", "australian": "AU", "new zealander": "NZ", "japanese": "JP", "chinese": "CN",
    "korean": "KR", "indian": "IN", "pakistani": "PK", "indonesian": "ID", "malaysian": "MY", "singaporean": "SG", "thai": "TH",
    "vietnamese": "VN", "filipino": "PH", "taiwanese": "TW", "israeli": "IL", "saudi": "SA", "emirati": "AE", "egyptian": "EG",
    "moroccan": "MA", "tunisian": "TN", "algerian": "DZ", "nigerian": "NG", "kenyan": "KE", "ghanaian": "GH", "south african": "ZA",
    "luxembourgish": "LU", "maltese": "MT", "cypriot": "CY", "brit": "GB", "englishman": "GB", "aussie": "AU",
    "kiwi": "NZ",
}  # fmt: skip
_EU = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
_GROUPS = {
    "eu": _EU,
    "european union": _EU,
    "europe": f"{_EU} AL AD BA BY CH GB IS LI MC MD ME MK NO RS SM UA VA XK",
    "dach": "DE AT CH",
    "benelux": "BE NL LU",
    "nordics": "DK FI IS NO SE",
    "scandinavia": "DK NO SE",
    "baltics": "EE LV LT",
    "north america": "US CA MX",
}
_CITIES = (
    "munich münchen", "cologne köln", "nuremberg nürnberg", "hanover hannover", "dusseldorf düsseldorf",
    "brunswick braunschweig", "frankfurt|frankfurt am main", "vienna wien", "zurich zürich", "geneva genève genf",
    "basle basel bâle", "berne bern", "lucerne luzern", "milan milano mailand", "rome roma rom", "turin torino",
    "naples napoli neapel", "venice venezia venedig", "florence firenze florenz", "genoa genova genua", "padua padova",
    "mantua mantova", "leghorn livorno", "syracuse siracusa", "brussels bruxelles brussel brüssel", "antwerp antwerpen anvers",
    "ghent gent gand", "bruges brugge", "liège luik lüttich", "the hague|den haag|'s-gravenhage",
    "copenhagen københavn kopenhagen", "gothenburg göteborg", "malmö malmo", "helsinki helsingfors", "warsaw warszawa warschau",
    "cracow krakow kraków krakau", "gdansk gdańsk danzig", "wroclaw wrocław breslau", "lodz łódź", "poznan poznań posen",
    "prague praha prag", "brno brünn", "pilsen plzeň", "bratislava pressburg", "bucharest bucurești bukarest",
    "belgrade beograd belgrad", "zagreb agram", "ljubljana laibach", "sofia софия", "athens αθήνα athina athen",
    "thessaloniki θεσσαλονίκη salonica", "istanbul i̇stanbul constantinople", "moscow москва moskva moskau",
    "saint petersburg|st petersburg|st. petersburg|санкт-петербург", "kyiv kiev київ киев", "lviv львів lvov lemberg",
    "odesa odessa одеса", "lisbon lisboa lissabon", "oporto porto", "seville sevilla", "saragossa zaragoza",
    "corunna|a coruña|la coruña", "majorca mallorca", "lyons lyon", "marseilles marseille", "strasbourg straßburg strassburg",
    "dunkirk dunkerque", "nice nizza", "luxembourg luxemburg", "dublin|baile átha cliath", "cardiff caerdydd", "tokyo 東京",
    "osaka 大阪", "kyoto 京都", "beijing peking 北京", "shanghai 上海", "guangzhou canton 广州", "seoul 서울", "taipei 台北",
    "bangkok กรุงเทพมหานคร", "ho chi minh city|saigon|thành phố hồ chí minh", "hanoi|hà nội", "mumbai bombay",
    "kolkata calcutta", "chennai madras", "bengaluru bangalore", "pune poona", "delhi|new delhi", "cairo القاهرة",
    "mexico city|ciudad de méxico|cdmx", "havana|la habana", "são paulo|sao paulo", "rio de janeiro|rio", "bogotá bogota",
    "montreal montréal", "quebec|quebec city|québec", "new york|new york city|nyc", "los angeles|la", "san francisco|sf",
    "washington|washington dc|washington d.c.", "tel aviv|tel aviv-yafo", "jerusalem ירושלים", "malaga málaga",
    "cordoba córdoba", "cadiz cádiz", "medellin medellín", "leon león", "merida mérida", "asuncion asunción",
    "brasilia brasília", "belem belém", "goiania goiânia", "tubingen tübingen tuebingen", "wurzburg würzburg wuerzburg",
    "aarhus århus", "alesund ålesund", "tromso tromsø",
)  # fmt: skip
"""Names of the same city, English first; between bars where one has several words."""
_COMMON_WORDS = "in it is at be no so to am me my do as by la pm id ad ai"
"""Words that are codes of countries, too."""
_MORE_CITIES = (
    "hamburg stuttgart leipzig dresden bremen essen bonn dortmund frankfurt linz graz salzburg innsbruck lausanne utrecht"
    " rotterdam eindhoven toulouse bordeaux nantes lille grenoble barcelona valencia bilbao bologna palermo verona"
    " manchester liverpool birmingham leeds glasgow edinburgh bristol sheffield oxford cambridge belfast cork galway uppsala"
    " bergen trondheim tampere turku katowice boston seattle houston dallas austin philadelphia atlanta miami baltimore"
    " milwaukee sacramento pittsburgh cincinnati cleveland minneapolis ottawa calgary"
)
_INHABITANTS = {
    "parisian": "paris", "roman": "rome", "viennese": "vienna", "milanese": "milan", "neapolitan": "naples", "venetian": "venice",
    "florentine": "florence", "genevan": "geneva", "muscovite": "moscow", "athenian": "athens", "varsovian": "warsaw",
    "lisboeta": "lisbon", "madrilenian": "madrid", "madrileño": "madrid", "barcelonan": "barcelona", "mancunian": "manchester",
    "liverpudlian": "liverpool", "glaswegian": "glasgow", "bristolian": "bristol", "brummie": "birmingham", "bostonian": "boston",
    "chicagoan": "chicago", "houstonian": "houston", "seattleite": "seattle", "philadelphian": "philadelphia", "angeleno": "los angeles",
    "san franciscan": "san francisco", "washingtonian": "washington", "torontonian": "toronto", "vancouverite": "vancouver",
    "sydneysider": "sydney", "melburnian": "melbourne", "tokyoite": "tokyo", "mumbaikar": "mumbai", "delhiite": "delhi",
    "beijinger": "beijing", "amsterdammer": "amsterdam", "rotterdammer": "rotterdam", "münchner": "munich", "dresdner": "dresden",
    "praguer": "prague", "stockholmer": "stockholm", "copenhagener": "copenhagen", "warsawian": "warsaw", "dubliner": "dublin",
}  # fmt: skip
_REGIONS = (
    "bavaria|bayern|bavière|baviera : bavarian", "saxony|sachsen : saxon", "hesse|hessen : hessian", "thuringia|thüringen : thuringian",
    "lower saxony|niedersachsen", "saxony-anhalt|sachsen-anhalt", "north rhine-westphalia|nordrhein-westfalen|nrw", "saarland : saarlander",
    "rhineland-palatinate|rheinland-pfalz", "baden-württemberg|baden-wuerttemberg", "schleswig-holstein", "brandenburg : brandenburger",
    "mecklenburg-vorpommern|mecklenburg-western pomerania", "tyrol|tirol : tyrolean tyrolese", "styria|steiermark : styrian",
    "carinthia|kärnten : carinthian", "upper austria|oberösterreich", "lower austria|niederösterreich", "vorarlberg : vorarlberger",
    "burgenland", "ticino|tessin", "brittany|bretagne : breton", "normandy|normandie : norman", "alsace|elsass : alsatian",
    "provence : provençal", "corsica|corse : corsican", "burgundy|bourgogne : burgundian", "île-de-france|ile de france",
    "occitanie|occitania", "catalonia|cataluña|catalunya : catalan", "andalusia|andalucía : andalusian", "galicia : galician",
    "basque country|país vasco|euskadi : basque", "asturias : asturian", "aragon|aragón : aragonese", "extremadura",
    "sicily|sicilia : sicilian", "sardinia|sardegna : sardinian", "tuscany|toscana : tuscan", "lombardy|lombardia : lombard",
    "piedmont|piemonte : piedmontese", "veneto", "campania", "apulia|puglia : apulian", "calabria : calabrian", "liguria : ligurian",
    "umbria : umbrian", "south tyrol|südtirol|alto adige : south tyrolean", "flanders|vlaanderen : flemish fleming",
    "wallonia|wallonie : walloon", "friesland|frisia : frisian", "scotland : scottish scot scotsman", "wales|cymru : welsh welshman",
    "northern ireland : northern irish", "cornwall : cornish", "yorkshire", "texas : texan", "california : californian",
    "florida : floridian", "ohio : ohioan", "oregon : oregonian", "alaska : alaskan", "hawaii : hawaiian", "arizona : arizonan",
    "colorado : coloradan coloradoan", "minnesota : minnesotan", "michigan : michigander", "illinois : illinoisan", "kansas : kansan",
    "iowa : iowan", "nebraska : nebraskan", "tennessee : tennessean", "kentucky : kentuckian", "virginia : virginian", "utah : utahn",
    "nevada : nevadan", "montana : montanan", "alabama : alabamian", "arkansas : arkansan", "louisiana : louisianan", "maine : mainer",
    "massachusetts", "pennsylvania : pennsylvanian", "new jersey : new jerseyan", "new mexico : new mexican", "north carolina",
    "south carolina", "oklahoma : oklahoman", "wisconsin : wisconsinite", "vermont : vermonter", "ontario : ontarian",
    "alberta : albertan", "british columbia : british columbian", "manitoba : manitoban", "nova scotia : nova scotian",
    "saskatchewan", "new south wales", "queensland : queenslander", "tasmania : tasmanian", "south australia", "western australia",
    "kerala : keralite", "gujarat : gujarati", "punjab : punjabi", "tamil nadu", "maharashtra : maharashtrian", "rajasthan : rajasthani",
)  # fmt: skip
"""Names of a region, English first, and after a colon its inhabitants; without those that are called as a city or country is."""
_FOOD = frozenset({"hamburger", "frankfurter", "wiener"})
_NO_CITIES = frozenset({"easter", "troll", "nice", "la", "rio", "sf", "leon", "currie", "center"})
"""Words of other meanings, and zones without a city."""


def names_in(tokens: Sequence[Token]) -> Iterator[tuple[int, Name]]:
    """Yield (position, name) of every country; a group's value is several codes, a line each."""
    for start, token in enumerate(tokens):
        for length in range(1, min(5, len(tokens) - start) + 1):
            wording = " ".join(each.word for each in tokens[start : start + length])
            for kind, value in _meanings(wording):
                yield start, Name(kind, value, length)
        if _is_code(token):
            yield start, Name("country", _by_code()[token.text.upper()], 1)


def _meanings(wording: str) -> Iterator[tuple[str, str]]:
    if code := _by_name().get(wording):
        yield "country", code
    if codes := _GROUPS.get(wording):
        yield "countries", "\n".join(codes.split())
    singular = wording.removesuffix("s")
    if code := _ADJECTIVES.get(wording) or _ADJECTIVES.get(singular):
        yield "demonym", code


def cities_called(wording: str) -> frozenset[str]:
    """Return other names of a city, in lower case: those in other languages, and with and without accents."""
    return _by_city().get(without_accents(wording), frozenset()) | {without_accents(wording)}


def cities_of_inhabitants(wording: str) -> list[str]:
    """Return what the city of these inhabitants may be called, in lower case: Londoners, a Viennese."""
    singular = wording.removesuffix("s")
    if city := _INHABITANTS.get(wording) or _INHABITANTS.get(singular):
        return [city]
    if not singular.endswith("er") or singular in _FOOD:
        return []
    return [singular.removesuffix("er"), singular.removesuffix("r")]


def regions_called(wording: str) -> tuple[str, ...]:
    """Return the names of a region in lower case, English first, by any of them or its inhabitants; none for an unknown one."""
    found = _by_region()
    folded = without_accents(wording)
    return found.get(folded) or found.get(folded.removesuffix("s"), ())


@cache
def _by_region() -> dict[str, tuple[str, ...]]:
    regions: dict[str, tuple[str, ...]] = {}
    for line in _REGIONS:
        names, _colon, inhabitants = line.partition(" : ")
        known = tuple(names.split("|"))
        words = [inhabitants] if inhabitants.startswith(_TWO_WORDS) else inhabitants.split()
        regions |= {without_accents(each): known for each in (*known, *words)}
    return regions


_TWO_WORDS = ("new ", "north", "south ", "british ", "nova ")
"""The beginnings of inhabitants whose name has two words."""


def is_well_known_city(name: str) -> bool:
    """Return whether a name in lower case is that of a city of the tables above, or of a time zone."""
    return without_accents(name) in _well_known()


@cache
def _well_known() -> frozenset[str]:
    areas = ("Africa", "America", "Asia", "Australia", "Europe", "Pacific")
    zones = (zone.rpartition("/") for zone in available_timezones() if zone.startswith(areas))
    cities = (city.replace("_", " ").casefold() for _area, _slash, city in zones)
    return frozenset([*cities, *_by_city(), *_MORE_CITIES.split()]) - _NO_CITIES


def without_accents(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", text) if not combining(each))


def _is_code(token: Token) -> bool:
    """Return whether the word is a country code in capitals, and no common word."""
    return (
        len(token.text) == 2
        and token.text.isupper()
        and token.text in _by_code()
        and token.word not in _COMMON_WORDS.split()
    )


@cache
def _by_name() -> dict[str, str]:
    named = {" ".join(words(name)): code for code, name in _by_code_and_name()}
    return {**named, **_NICKNAMES}


@cache
def _by_code() -> dict[str, str]:
    return {code: code for code, _name in _by_code_and_name()} | {"UK": "GB"}


@cache
def _by_city() -> dict[str, frozenset[str]]:
    groups = [frozenset(line.split("|") if "|" in line else line.split()) for line in _CITIES]
    return {without_accents(name): group for group in groups for name in group}


def _by_code_and_name() -> list[tuple[str, str]]:
    territories = Locale("en").territories
    return [
        (code, name)
        for code, name in territories.items()
        if re.fullmatch("[A-Z]{2}", code) and code not in {"ZZ", "EU", "EZ", "UN"}
    ]
