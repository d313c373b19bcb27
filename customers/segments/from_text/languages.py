"""Languages by their English names."""

from __future__ import annotations

LANGUAGES = {
    "english": "en", "french": "fr", "german": "de", "spanish": "es", "italian": "it", "portuguese": "pt", "dutch": "nl",
    "swedish": "sv", "danish": "da", "norwegian": "no", "finnish": "fi", "polish": "pl", "czech": "cs", "hungarian": "hu",
    "romanian": "ro", "bulgarian": "bg", "greek": "el", "turkish": "tr", "russian": "ru", "ukrainian": "uk", "arabic": "ar",
    "hebrew": "he", "hindi": "hi", "japanese": "ja", "korean": "ko", "chinese": "zh", "thai": "th", "vietnamese": "vi",
    "indonesian": "id", "catalan": "ca", "croatian": "hr", "slovak": "sk", "slovenian": "sl", "estonian": "et",
    "latvian": "lv", "lithuanian": "lt",
}  # fmt: skip
"""Name in lower case → ISO 639-1 code."""
