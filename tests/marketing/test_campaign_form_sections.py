"""The campaign form opens sections that are common, used or contain an error."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from marketing.models import Campaign
from tests.factories.marketing import make_campaign, make_sender, make_template

pytestmark = pytest.mark.django_db

ADD = reverse("admin:marketing_campaign_add")
CHOSEN_BY_ALL = ["Content", "Audience", "Schedule"]


def open_sections(response: Any) -> list[str]:
    return [str(each.name) for each in response.context["adminform"] if not each.is_collapsible]


def change_url(**fields: object) -> str:
    return reverse(
        "admin:marketing_campaign_change", args=[make_campaign(**{"rules": None, **fields}).pk]
    )


def form_data(**fields: object) -> dict[str, object]:
    return {
        "name": "Spring",
        "template": make_template().pk,
        "sender": make_sender().pk,
        "type": "one_time",
        "timezone": "UTC",
        "interval": 1,
        "goal_window_days": 7,
        "rules": "",
        "variants-TOTAL_FORMS": 0,
        "variants-INITIAL_FORMS": 0,
        **fields,
    }


def test_a_new_campaign_opens_the_common_sections_only(staff_client: Client) -> None:
    assert open_sections(staff_client.get(ADD)) == CHOSEN_BY_ALL


def test_an_unchanged_campaign_opens_only_common_sections(staff_client: Client) -> None:
    assert open_sections(staff_client.get(change_url())) == CHOSEN_BY_ALL


@pytest.mark.parametrize(
    ("fields", "section"),
    [
        ({"hourly_limit": 100}, "Limits"),
        ({"exempt_from_quiet_hours": True}, "Limits"),
        ({"holdout_percent": 10}, "Measurement"),
        ({"winner_by": "time", "test_share": 20}, "A/B test winner"),
        ({"tags": ["winter"]}, "Topic"),
        ({"rules": {"field": "city", "operator": "eq", "value": "Oslo"}}, "Audience filter"),
    ],
)
def test_a_section_with_values_opens(
    staff_client: Client, fields: dict[str, object], section: str
) -> None:
    (opened,) = set(open_sections(staff_client.get(change_url(**fields)))) - {*CHOSEN_BY_ALL}
    assert opened.startswith(section)


def test_a_read_only_campaign_opens_used_sections(staff_client: Client) -> None:
    rules = {"field": "city", "operator": "eq", "value": "Oslo"}
    read = staff_client.get(change_url(state="completed", rules=rules, budget=100))
    assert [each.split(":")[0] for each in open_sections(read)] == [
        "Content", "Audience", "Audience filter", "Schedule", "Limits",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "section"),
    [
        ({"budget": "a lot"}, "Limits"),
        ({"send_once_key": "x" * 1000}, "Limits"),
        ({"holdout_percent": 100}, "Measurement"),
        ({"winner_by": "time", "test_share": 100}, "A/B test winner"),
        ({"rules": "{"}, "Audience filter"),
        ({"reply_to": "nobody"}, "Topic"),
    ],
)
def test_an_error_opens_its_section(
    staff_client: Client, fault: dict[str, object], section: str
) -> None:
    refused = staff_client.post(ADD, form_data(**fault))
    assert refused.status_code == 200
    assert not Campaign.objects.exists()
    (opened,) = set(open_sections(refused)) - {*CHOSEN_BY_ALL}
    assert opened.startswith(section)
