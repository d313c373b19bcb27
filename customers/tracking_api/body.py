"""Read the body of a request: bounded, unpacked, and JSON that PostgreSQL can store."""

from __future__ import annotations

import json
import math
import re
import zlib
from typing import IO, Any

from django.utils.translation import gettext as _

LARGEST_BODY = 4 * 1024 * 1024 + 64 * 1024
"""Bytes, unpacked. Segment's clients send up to 500 KB at once, RudderStack's up to 4 MB."""
LONGEST_INTEGER = 400

_MAY_BE_UNSTORABLE = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"


class BodyTooLarge(ValueError):
    """The body is larger than the limit."""


def read_body(stream: IO[bytes], encoding: str = "") -> Any:
    """Parse the JSON of a body, unpacking gzip or deflate.

    Characters that PostgreSQL cannot store (NUL, halves of surrogate pairs) become U+FFFD, numbers beyond floats become text.
    Raises BodyTooLarge, and ValueError for a damaged body or invalid JSON.
    """
    raw = stream.read(LARGEST_BODY + 1)
    if len(raw) > LARGEST_BODY:
        raise BodyTooLarge
    if encoding and encoding.lower() != "identity":
        raw = _unpack(raw, encoding.lower())
    if len(raw) > LARGEST_BODY:
        raise BodyTooLarge
    try:
        value = json.loads(
            raw, parse_float=_float, parse_int=_integer, parse_constant=lambda name: None
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(_("The body is not JSON: %s.") % error) from error
    return _mended(value) if _MAY_BE_UNSTORABLE.search(raw) else value


def _unpack(raw: bytes, encoding: str) -> bytes:
    if encoding not in {"gzip", "deflate"}:
        raise ValueError(_("Content-Encoding “%s” is not supported. Use gzip.") % encoding)
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by its header
    try:
        return unpacker.decompress(raw, LARGEST_BODY + 1)
    except zlib.error as error:
        raise ValueError(_("The body cannot be unpacked: %s.") % error) from error


def _float(written: str) -> float | str:
    number = float(written)
    return number if math.isfinite(number) else written


def _integer(written: str) -> int | str:
    return int(written) if len(written) <= LONGEST_INTEGER else written


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [_mended(each) for each in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(each) for name, each in value.items()}
    return value
