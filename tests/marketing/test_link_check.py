"""The link check requests links on demand and never private addresses."""

from __future__ import annotations

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from crm.api import ids
from marketing.content.link_check import unreachable
from tests.factories.marketing import make_template
from tests.http_stub import serving

pytestmark = pytest.mark.django_db


def test_unreachable_links_are_reported(api: APIClient, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    with serving() as stub:
        stub.answers = [(200, {}, ""), (404, {}, ""), (403, {}, "")]
        links = [f"{stub.url}/{path}" for path in ("good", "gone", "not-for-robots")]
        links += ["http://127.0.0.1:9/", "https://shop.example/{{ customer.id }}"]
        body = "".join(f"<a href='{link}'>x</a>" for link in links)
        template = make_template(body=body)
        url = f"/api/templates/{ids.encode('tpl', template.pk)}/check-links/"
        found = api.post(url).json()
    assert [each["code"] for each in found] == ["unreachable_link"] * 2
    assert "/gone: it answers 404" in found[0]["message"]
    assert found[1]["message"] == "http://127.0.0.1:9/: it cannot be reached"


def test_private_addresses_are_not_requested() -> None:
    with serving() as stub:
        (found,) = unreachable([stub.url])
        assert not stub.requests
    assert "cannot be reached" in found.message
