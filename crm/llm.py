"""Query a language model at an OpenAI-compatible endpoint for JSON, within a deadline."""

from __future__ import annotations

import json
from typing import Any

import requests
from django.conf import settings

from crm.outbound.session import Refused, ResponseTooLong, Session


class NoAnswer(Exception):
    """The model returned no usable result; the message has the reason, without the question."""


def is_configured() -> bool:
    return bool(settings.LLM_BASE_URL and settings.LLM_MODEL)


def ask_for_json(instructions: str, question: str) -> Any:
    """Return the JSON value of the model. Raises NoAnswer for any failure, and after LLM_TIMEOUT_SECONDS."""
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
    headers = {"Authorization": f"Bearer {settings.LLM_API_KEY}"}
    try:
        with Session(
            "llm",
            secrets=[settings.LLM_API_KEY],
            seconds=settings.LLM_TIMEOUT_SECONDS,
            guarded=False,
        ) as session:
            response = session.post(url, json=body, headers=headers)
    except (requests.exceptions.InvalidURL, Refused):
        raise NoAnswer("LLM_BASE_URL is not an http address") from None
    except ResponseTooLong:
        raise NoAnswer("the response is too long") from None
    except requests.Timeout:
        raise NoAnswer("no answer in time") from None
    except requests.RequestException:
        raise NoAnswer("the endpoint cannot be reached") from None
    if not response.ok:
        raise NoAnswer(f"the endpoint answered {response.status_code}")
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise NoAnswer("the answer is not JSON") from None
