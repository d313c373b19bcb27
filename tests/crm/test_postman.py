"""The committed Postman collection is up to date, and newman runs it against a site with the sample data."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from pytest_django.live_server_helper import LiveServer

from crm.accounts import tokens
from crm.accounts.models import Scope, User
from crm.api.postman import collection

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "postman.json"
NEWMAN = "newman@6.2.1"


def test_the_committed_collection_matches_the_api() -> None:
    made = collection(dict(SchemaGenerator().get_schema(public=True)))

    assert json.loads(COMMITTED.read_text()) == json.loads(json.dumps(made, default=str)), (
        "run `make schema`, and commit it"
    )


def test_every_operation_is_in_the_collection() -> None:
    schema = dict(SchemaGenerator().get_schema(public=True))
    *_walk, reference = collection(schema)["item"]
    requests = [request for folder in reference["item"] for request in folder["item"]]

    assert len(requests) == sum(len(by_method) for by_method in schema["paths"].values())
    assert all(each["event"][0]["listen"] == "test" for each in requests)


@pytest.mark.skipif(
    os.environ.get("REQUIRE_NEWMAN") != "1", reason="needs node and npm: REQUIRE_NEWMAN=1 make test"
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("folder", ["Walk", "Lists"])
def test_newman_gets_2xx_for_every_request(
    folder: str, live_server: LiveServer, staff: User
) -> None:
    call_command("load_sample_data")
    _row, token = tokens.issue(staff, scopes=list(Scope.values))

    command = ["npx", "--yes", NEWMAN, "run", str(COMMITTED), "--folder", folder]
    variables = ["--env-var", f"base_url={live_server.url}", "--env-var", f"token={token}"]
    ran = subprocess.run(
        [*command, *variables, "--reporters", "cli", "--color", "off"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert ran.returncode == 0, ran.stdout[-6_000:] + ran.stderr[-2_000:]
