"""A language model reads descriptions, and the grammar replaces it when it fails."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.customers.text_world import line
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

GOOD = {
    "rules": {
        "operator": "AND",
        "conditions": [{"field": "city", "operator": "=", "value": "Paris"}],
    },
    "unparsed": ["kind"],
}


class Stub:
    """Serve an OpenAI-compatible endpoint with given answers, and record its requests."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda handler: None

    def says(self, content: str, status: int = 200) -> None:
        body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
        self.sends(body, status)

    def sends(self, body: bytes, status: int = 200) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.answer = answer


@pytest.fixture
def model(settings: Settings) -> Iterator[Stub]:
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            stub.asked.append(json.loads(self.rfile.read(length)))
            stub.keys.append(self.headers["Authorization"])
            stub.answer(self)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.LLM_BASE_URL = f"http://127.0.0.1:{server.server_port}/v1"
    settings.LLM_API_KEY = "secret"
    settings.LLM_MODEL = "some-model"
    settings.LLM_TIMEOUT_SECONDS = 1
    yield stub
    server.shutdown()
    server.server_close()


def ask(api: APIClient, description: str = "kind people in Paris") -> dict[str, Any]:
    answer = api.post("/api/ai/segment-from-text", {"description": description}, format="json")
    assert answer.status_code == 200, answer.data
    return answer.data


def test_a_valid_model_answer_is_used_and_marked(api: APIClient, model: Stub) -> None:
    make_customer(city="Paris")
    make_customer(city="Lyon")
    model.says(json.dumps(GOOD))

    answer = ask(api)

    assert answer["source"] == "model"
    assert line(answer["rules"]) == "city = Paris"
    assert answer["count"] == 1
    assert answer["unparsed"] == ["kind"]
    assert "live in Paris" in answer["explanation"]


def test_the_model_gets_no_personal_data(api: APIClient, model: Stub) -> None:
    make_customer(city="Paris", email="ada@example.com", first_name="Ada", tags=["vip"])
    model.says(json.dumps(GOOD))

    ask(api, "VIPs in Paris")

    assert model.keys == ["Bearer secret"]
    asked = json.dumps(model.asked[0])
    assert model.asked[0]["model"] == "some-model"
    assert all(word in asked for word in ("inactive_days", "order_placed", "vip", "Paris"))
    assert "ada@example.com" not in asked
    assert "Ada" not in asked


INVENTED = {
    "operator": "AND",
    "conditions": [{"field": "shoe_size", "operator": ">", "value": 40}],
}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Sure! Here are your rules:", "not JSON"),
        (json.dumps({"rules": INVENTED}), "there is no field"),
        (json.dumps({"rules": {"operator": "XOR", "conditions": []}}), "do not fit"),
        (json.dumps({"conditions": []}), "holds no rules"),
        (json.dumps([1, 2]), "holds no rules"),
        (json.dumps({**GOOD, "unparsed": "kind"}), "not a list"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_an_invalid_model_answer_is_not_used(
    api: APIClient, model: Stub, content: str, reason: str
) -> None:
    make_customer(city="Paris")
    model.says(content)

    answer = ask(api)

    assert answer["source"] == "grammar"
    assert line(answer["rules"]) == "city = Paris"
    assert answer["unparsed"] == ["kind"]
    assert reason in answer["explanation"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"<html>", 200, "not JSON"),
        (b"{}", 200, "shape of a chat completion"),
        (b'{"choices": []}', 200, "shape of a chat completion"),
        (b"[]", 200, "shape of a chat completion"),
        (b"{}", 500, "answered 500"),
        (b"{}", 401, "answered 401"),
        (b" " * 2_000_000, 200, "too long"),
    ],
)
def test_the_grammar_replaces_a_failing_endpoint(
    api: APIClient, model: Stub, body: bytes, status: int, reason: str
) -> None:
    model.sends(body, status)

    answer = ask(api)

    assert answer["source"] == "grammar"
    assert reason in answer["explanation"]
    assert "secret" not in answer["explanation"]


def test_a_slow_model_times_out(api: APIClient, model: Stub) -> None:
    model.answer = lambda handler: time.sleep(3)
    started = time.monotonic()

    answer = ask(api)

    assert answer["source"] == "grammar"
    assert "no answer in time" in answer["explanation"]
    assert time.monotonic() - started < 2.5


def test_a_dripping_answer_times_out(api: APIClient, model: Stub) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(40):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)

    model.answer = drip
    started = time.monotonic()

    answer = ask(api)

    assert "no answer in time" in answer["explanation"]
    assert time.monotonic() - started < 2.5


def test_the_grammar_replaces_an_unreachable_endpoint(api: APIClient, settings: Settings) -> None:
    settings.LLM_BASE_URL = "http://127.0.0.1:9/v1"
    settings.LLM_MODEL = "some-model"

    answer = ask(api)

    assert answer["source"] == "grammar"
    assert "cannot be reached" in answer["explanation"]


def test_the_explanation_omits_an_unconfigured_model(api: APIClient) -> None:
    answer = ask(api)

    assert answer["source"] == "grammar"
    assert "model" not in answer["explanation"]
