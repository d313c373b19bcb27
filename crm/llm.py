"""A language model behind an OpenAI-compatible endpoint, if one is configured: asked for JSON, within a deadline."""

from __future__ import annotations

import json
from typing import Any

import requests
from django.conf import settings

from crm.outbound.session import Refused, Session, TooLong


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
    except TooLong:
        raise NoAnswer("the answer is too long") from None
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
