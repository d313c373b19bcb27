"""A client generated from the OpenAPI description imports, and parses every answer about real data."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from crm.accounts import tokens
from crm.accounts.models import User
from tests import described_api

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "kindling_client"
NO_JSON = {"campaigns_realtime_retrieve"}
"""Also answers with server-sent events."""
NEEDS_MORE = {
    "/api/customers/preview/",
    "/api/analytics/funnel/",
    "/api/segments/{id}/overlap/",
    "/api/campaigns/{id}/preflight/",
}
"""Have parameters of their own, or answer 404 for most objects."""
BODIES: dict[str, dict[str, Any]] = {
    "topics_create": {"slug": "offers", "name": "Offers"},
    "products_create": {"sku": "hat", "name": "Hat", "price": "20.00"},
    "customers_create": {"external_id": "ada", "email": "ada@example.com", "tags": ["vip"]},
    "customers_batch_create": {"customers": [{"external_id": "eve"}, {"email": "no"}]},
    "orders_create": {"id": "o-1", "customer_id": "ada", "amount": "20.00", "items": []},
    "orders_batch_create": {"orders": [{"id": "o-2", "customer_id": "nobody", "amount": "1"}]},
    "visits_create": {"customer_id": "ada", "occurred_at": "2026-01-01T10:00:00Z"},
    "interests_create": {
        "customer_id": "ada",
        "category": "Hats",
        "score": "0.5",
        "source": "stated",
    },
    "service_interactions_create": {
        "customer_id": "ada",
        "type": "inquiry",
        "occurred_at": "2026-01-01T10:00:00Z",
    },
    "segments_create": {"name": "Rich", "rules": {"operator": "AND", "conditions": []}},
    "suppressions_create": {"addresses": ["bob@example.com", "no"]},
    "customers_preview_create": {"rules": {"operator": "AND", "conditions": []}, "exact": True},
    "ai_segment_from_text_create": {"description": "customers who spent over 100"},
    "webhooks_create": {
        "name": "Shop",
        "url": "https://example.com/hook",
        "types": ["order.placed"],
    },
    "auth_token_create": {"email": "staff@example.com", "password": "wrong"},
}


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Generate the client; returns the module of each operation by its id, in the client's spelling."""
    folder = tmp_path_factory.mktemp("client")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    source, target = ROOT / "docs" / "openapi.yaml", folder / PACKAGE
    config = folder / "config.yaml"
    config.write_text("post_hooks: []\n")
    made = subprocess.run(
        [*command, "--path", source, "--output-path", target, "--config", config],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    importlib.import_module(PACKAGE)
    api = importlib.import_module(f"{PACKAGE}.api")
    yield {
        found.name.rpartition(".")[2]: importlib.import_module(found.name)
        for found in pkgutil.walk_packages(api.__path__, f"{api.__name__}.")
        if not found.ispkg
    }
    sys.path.remove(str(folder))


class Caller:
    """Call operations of the client, and hold each answer against the description."""

    def __init__(self, modules: dict[str, Any], host: str, token: str) -> None:
        self.modules = modules
        package = sys.modules[PACKAGE]
        self.client = package.AuthenticatedClient(base_url=host, token=token, timeout=60)
        described = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
        self.operations = {
            spelled(operation["operationId"]): (path, method)
            for path, by_method in described["paths"].items()
            for method, operation in by_method.items()
        }
        self.by_path = {
            path: name for name, (path, method) in self.operations.items() if method == "get"
        }
        self.called: set[str] = set()

    def call(self, name: str, *ids: str, body: Any = None) -> Any:
        """Return the parsed answer as JSON."""
        module, (path, method) = self.modules[name], self.operations[name]
        given = {}
        if body is not None:
            written = module._get_kwargs.__annotations__["body"]
            given["body"] = next(iter(get_args(written)), written).from_dict(body)
        answer = module.sync_detailed(*ids, client=self.client, **given)
        content = json.loads(answer.content)
        described_api.check(path, method, int(answer.status_code), answer.headers, content)
        assert answer.parsed is not None, f"{name} {answer.status_code}"
        self.called.add(name)
        return content


def spelled(operation: str) -> str:
    return re.sub(r"\W", "_", operation).lower()


def test_a_generated_client_parses_every_answer(
    modules: dict[str, Any], live_server: LiveServer, staff: User
) -> None:
    call_command("load_sample_data")
    caller = Caller(modules, live_server.url, tokens.issue(staff)[1])

    for name, body in BODIES.items():
        caller.call(name, body=body)
    for name, (path, method) in caller.operations.items():
        if method == "get" and path.startswith("/api/") and name not in NO_JSON:
            for ids in _ids(path, caller):
                caller.call(name, *ids)

    assert len(caller.called) >= 70
    assert set(BODIES) <= caller.called


def _ids(path: str, caller: Caller) -> Iterator[tuple[str, ...]]:
    """Yield the ids of up to five objects for the variable of a path, from the list above it."""
    if "{" not in path:
        if path not in NEEDS_MORE:
            yield ()
        return
    above = path.partition("{")[0].replace("/analytics/campaigns/", "/campaigns/")
    listed = caller.by_path.get(above)
    if path.count("{") > 1 or path in NEEDS_MORE or listed is None:
        return
    for row in caller.call(listed)["results"][:5]:
        yield (row.get("id") or row["slug"],)
