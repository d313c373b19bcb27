"""Write keys are created in the admin or by a command, shown once, and revoked."""

from __future__ import annotations

import base64
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from customers.models import Interaction, WriteKey
from customers.tracking_api import keys

pytestmark = pytest.mark.django_db


def send(key: str) -> Any:
    authorization = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    return Client().post(
        "/v1/track",
        {"userId": "u1", "event": "Tried"},
        content_type="application/json",
        headers={"Authorization": authorization},
    )


def test_the_command_prints_the_key_and_nothing_else() -> None:
    out = StringIO()

    call_command("write_key", "Web shop", stdout=out)

    key = out.getvalue().removesuffix("\n")
    assert re.fullmatch(r"wk_[\w-]{32}", key)
    assert send(key).status_code == 200
    assert WriteKey.objects.get().name == "Web shop"


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_the_command_asks_for_a_name(name: str) -> None:
    with pytest.raises(CommandError):
        call_command("write_key", name)


def test_a_key_is_not_stored_in_plain_text() -> None:
    key, text = keys.issue_key("shop")

    assert text not in str(WriteKey.objects.filter(pk=key.pk).values())


def test_a_key_is_created_in_the_admin_and_shown_once(staff_client: Client) -> None:
    made = staff_client.post("/admin/customers/writekey/add/", {"name": "Shop"}, follow=True)

    found = re.search(r"<code>(wk_[\w-]+)</code>", made.content.decode())
    assert found
    assert send(found[1]).status_code == 200
    again = staff_client.get("/admin/customers/writekey/").content.decode()
    assert found[1] not in again
    assert found[1][:9] in again


def test_a_revoked_key_opens_nothing(staff_client: Client) -> None:
    key, text = keys.issue_key("shop")
    action = {"action": "revoke", "_selected_action": [key.pk]}

    asked = staff_client.post("/admin/customers/writekey/", action)
    assert "Revoke these write keys?" in asked.content.decode()
    assert send(text).status_code == 200

    staff_client.post("/admin/customers/writekey/", {**action, "confirmed": "yes"})

    assert send(text).status_code == 401
    assert Interaction.objects.count() == 1


def test_the_use_of_a_key_is_noted() -> None:
    key, text = keys.issue_key("shop")

    send(text)

    key.refresh_from_db()
    assert key.last_used_at is not None


def test_a_write_key_opens_nothing_else() -> None:
    _key, text = keys.issue_key("shop")

    for scheme in ("Bearer", "Basic"):
        answer = Client().get("/api/customers", headers={"Authorization": f"{scheme} {text}"})
        assert answer.status_code == 401
