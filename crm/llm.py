"""A language model behind an OpenAI-compatible endpoint, if one is configured: asked for JSON, within a deadline."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

MOST_BYTES = 1_000_000
CHUNK = 16_384


class NoAnswer(Exception):
    """The model gave nothing that can be used; the message says why, and holds nothing of what was asked."""


def is_configured() -> bool:
    return bool(settings.LLM_BASE_URL and settings.LLM_MODEL)


def ask_for_json(instructions: str, question: str) -> Any:
    """The JSON value that the model answers with. Raises NoAnswer: for whatever goes wrong, and after LLM_TIMEOUT_SECONDS in all."""
    answer = _chat(
        {
            "model": settings.LLM_MODEL,
            "temperature": 0,
            "response_format": {"type": "json_object"},
            "messages": [
                {"role": "system", "content": instructions},
                {"role": "user", "content": question},
            ],
        }
    )
    try:
        return json.loads(answer["choices"][0]["message"]["content"])
    except (KeyError, IndexError, TypeError):
        raise NoAnswer("the answer is not in the shape of a chat completion") from None
    except (ValueError, RecursionError):
        raise NoAnswer("the answer is not JSON") from None


def _chat(body: dict[str, Any]) -> Any:
    url = f"{settings.LLM_BASE_URL.rstrip('/')}/chat/completions"
    if urlsplit(url).scheme not in {"http", "https"}:
        raise NoAnswer("LLM_BASE_URL is not an http address")
    request = urllib.request.Request(  # noqa: S310 the scheme is checked above
        url,
        data=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {settings.LLM_API_KEY}",
        },
    )
    deadline = time.monotonic() + settings.LLM_TIMEOUT_SECONDS
    try:
        with urllib.request.urlopen(request, timeout=settings.LLM_TIMEOUT_SECONDS) as response:  # noqa: S310
            return json.loads(_read(response, deadline))
    except urllib.error.HTTPError as error:
        raise NoAnswer(f"the endpoint answered {error.code}") from None
    except TimeoutError:
        raise NoAnswer("no answer in time") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        timed_out = isinstance(reason, TimeoutError)
        raise NoAnswer(
            "no answer in time" if timed_out else "the endpoint cannot be reached"
        ) from None
    except (ValueError, RecursionError):
        raise NoAnswer("the answer is not JSON") from None


def _read(response: Any, deadline: float) -> bytes:
    """All of it, unless it is too much or drips in too slowly: a socket's own timeout starts anew with every byte."""
    read = bytearray()
    while part := response.read1(CHUNK):
        read += part
        if len(read) > MOST_BYTES:
            raise NoAnswer("the answer is too long")
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(read)
