"""The API creates, changes, lists and deletes campaigns."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from crm.api import ids
from crm.events.models import MarketingEvent
from customers.models import Segment
from marketing.content import build
from marketing.models import Campaign, CampaignTemplate, Sender
from tests.factories.marketing import (
    EVERYONE,
    make_campaign,
    make_run,
    make_sender,
    make_template,
)
from tests.marketing.queries import marketing_queries

pytestmark = pytest.mark.django_db

SPENDERS = {
    "operator": "AND",
    "conditions": [{"field": "total_spend", "operator": ">", "value": 100}],
}


def url(campaign: Campaign, rest: str = "") -> str:
    return f"/api/campaigns/{ids.encode('cmp', campaign.pk)}/{rest}"


def test_a_campaign_without_a_time_is_a_draft(api: APIClient) -> None:
    make_template(name="Spring")

    answer = api.post("/api/campaigns/", {"name": "Hello", "template": "Spring", "rules": SPENDERS})

    assert answer.status_code == 201, answer.data
    assert answer.data["id"].startswith("cmp_")
    assert answer.data["status"] == "draft"
    assert answer.data["goal"] == {"kind": "order", "event": "", "value": "", "window_days": 7}
    assert Sender.objects.get().is_default
    assert MarketingEvent.objects.get().type == "campaign.created"


def test_a_campaign_with_a_time_is_scheduled(api: APIClient) -> None:
    at = timezone.now() + timedelta(days=1)
    answer = api.post(
        "/api/campaigns/",
        {"name": "Later", "message": "Hi {name}", "rules": EVERYONE, "schedule_time": at},
    )
    assert answer.data["status"] == "scheduled"
    assert Campaign.objects.get().schedule.clocked.clocked_time == at


def test_a_time_without_offset_uses_the_campaign_time_zone(api: APIClient) -> None:
    given = {"name": "Later", "message": "Hi", "rules": EVERYONE, "timezone": "Asia/Tokyo"}
    answer = api.post("/api/campaigns/", {**given, "schedule_time": "2090-01-02T09:00:00"})
    assert answer.status_code == 201, answer.data
    assert Campaign.objects.get().scheduled_at.isoformat() == "2090-01-02T00:00:00+00:00"


def test_a_past_schedule_time_creates_no_campaign(api: APIClient) -> None:
    answer = api.post(
        "/api/campaigns/",
        {"name": "Late", "message": "Hi", "rules": EVERYONE, "schedule_time": "2001-01-01T00:00Z"},
    )
    assert answer.status_code == 400
    assert "passed" in answer.data["errors"][0]["message"]
    assert not Campaign.objects.exists()
    assert not CampaignTemplate.objects.exists()


def test_a_message_becomes_a_template_with_placeholders(api: APIClient) -> None:
    given = {"name": "Sale", "message": "Hi {name},\n\nit is on.", "rules": EVERYONE}
    api.post("/api/campaigns/", given)
    api.post("/api/campaigns/", given)

    first, second = CampaignTemplate.objects.order_by("pk")
    assert (first.name, second.name) == ("Sale", "Sale (2)")
    assert (first.body_format, first.body) == ("text", given["message"])
    assert "<p>Hi {{ name }},</p>\n<p>it is on.</p>" in build.build(first).html


def test_alternative_field_names_are_accepted(api: APIClient) -> None:
    Segment.objects.create(name="Fans", slug="fans")
    answer = api.post(
        "/api/campaigns/",
        {"name": "A", "message": "Hi", "target_segment": "fans", "segmentRules": SPENDERS},
    )
    assert answer.data["segments"] == ["fans"]
    assert answer.data["rules"] == SPENDERS


def test_an_unknown_segment_error_lists_known_segments(api: APIClient) -> None:
    Segment.objects.create(name="Fans", slug="fans")
    answer = api.post("/api/campaigns/", {"name": "A", "message": "Hi", "segments": ["fens"]})
    assert answer.status_code == 400
    assert "“fens”" in answer.data["errors"][0]["message"]
    assert "fans" in answer.data["errors"][0]["message"]


def test_invalid_rules_are_refused_at_their_path(api: APIClient) -> None:
    rules = {"operator": "AND", "conditions": [{"field": "no_such", "operator": "=", "value": 1}]}
    answer = api.post("/api/campaigns/", {"name": "A", "message": "Hi", "rules": rules})
    assert answer.status_code == 400
    assert answer.data["errors"][0]["path"].startswith("rules.conditions[0]")


def test_an_unknown_type_is_refused(api: APIClient) -> None:
    given = {"name": "A", "message": "Hi", "rules": EVERYONE, "type": "whenever"}
    answer = api.post("/api/campaigns/", given)
    assert answer.status_code == 400
    assert answer.data["errors"][0]["path"] == "type"


def test_a_new_time_reschedules_the_campaign(api: APIClient) -> None:
    campaign = make_campaign()
    first, second = (timezone.now() + timedelta(days=days) for days in (1, 2))
    api.patch(url(campaign), {"schedule_time": first})
    answer = api.patch(url(campaign, "reschedule"), {"schedule_time": second})

    assert answer.status_code == 200, answer.data
    campaign.refresh_from_db()
    assert (campaign.state, campaign.scheduled_at) == ("scheduled", second)
    assert campaign.schedule.clocked.clocked_time == second


def test_a_running_campaign_can_only_be_renamed(api: APIClient) -> None:
    campaign = make_campaign(state=Campaign.State.RUNNING)

    assert api.patch(url(campaign), {"name": "Better", "tags": ["spring"]}).status_code == 200
    answer = api.patch(url(campaign), {"rules": SPENDERS, "name": "Worse"})

    assert answer.status_code == 409
    assert "rules" in answer.data["detail"]
    campaign.refresh_from_db()
    assert (campaign.name, campaign.tags) == ("Better", ["spring"])


def test_a_change_keeps_a_concurrent_state_change(api: APIClient) -> None:
    campaign = make_campaign()
    stale = Campaign.objects.get(pk=campaign.pk)
    Campaign.objects.filter(pk=campaign.pk).update(state="cancelled")
    from marketing.api.campaign_serializers import CampaignSerializer

    CampaignSerializer().update(stale, {"name": "Other"})

    campaign.refresh_from_db()
    assert (campaign.name, campaign.state) == ("Other", "cancelled")


def test_only_unlaunched_campaigns_can_be_deleted(api: APIClient) -> None:
    draft, launched = make_campaign(), make_campaign()
    make_run(launched)

    assert api.delete(url(draft)).status_code == 204
    assert api.delete(url(launched)).status_code == 409
    assert Campaign.objects.get() == launched


def test_deleting_a_campaign_removes_its_beat_entry(api: APIClient) -> None:
    from django_celery_beat.models import PeriodicTask

    campaign = make_campaign()
    api.patch(url(campaign), {"schedule_time": timezone.now() + timedelta(days=1)})
    assert PeriodicTask.objects.filter(name=f"campaign {campaign.pk}").exists()

    assert api.delete(url(campaign)).status_code == 204
    assert not PeriodicTask.objects.filter(name=f"campaign {campaign.pk}").exists()


@pytest.mark.parametrize("use", ["none", "another campaign", "edited"])
def test_a_deleted_campaign_takes_its_message_along(api: APIClient, use: str) -> None:
    given = {"name": "Sale", "message": "<p>Hello {name}</p>", "segments": []}
    campaign = Campaign.objects.get(name=api.post("/api/campaigns", given).data["name"])
    template = campaign.template
    if use == "another campaign":
        make_campaign(template=template)
    if use == "edited":
        for _edit in range(2):
            changed = {"body": f"<p>{_edit} {{{{ unsubscribe_url }}}}</p>"}
            key = ids.encode("tpl", template.pk)
            answer = api.patch(f"/api/templates/{key}", changed)
            assert answer.status_code == 200, answer.data

    assert api.delete(url(campaign)).status_code == 204
    assert CampaignTemplate.objects.filter(pk=template.pk).exists() == (use != "none")


def test_the_schedule_is_told_in_words(api: APIClient) -> None:
    campaign = make_campaign()
    assert api.get(url(campaign)).data["schedule_in_words"] == "No start: sent by hand"
    api.patch(url(campaign), {"schedule_time": "2099-02-01T09:00:00", "timezone": "Europe/Berlin"})
    words = api.get(url(campaign)).data["schedule_in_words"]
    assert words == "Once, on 1 Feb 2099 at 09:00 (Europe/Berlin)"


def test_a_campaign_without_a_run_is_not_completed(api: APIClient) -> None:
    campaign = make_campaign(
        state=Campaign.State.SCHEDULED,
        type=Campaign.Type.RECURRING,
        frequency="daily",
        scheduled_at=timezone.now() + timedelta(days=1),
        next_run_at=timezone.now() + timedelta(days=1),
    )
    answer = api.put(url(campaign) + "status", {"status": "completed"})
    assert answer.status_code == 409
    assert "completed" not in answer.data["detail"].partition(";")[2]


def test_campaigns_filter_by_state_tag_and_search(api: APIClient) -> None:
    make_campaign(name="Draft")
    make_campaign(name="Done", state=Campaign.State.COMPLETED, tags=["spring"])

    def names(path: str) -> list[str]:
        return [each["name"] for each in api.get(path).data["results"]]

    assert names("/api/campaigns/status/completed") == ["Done"]
    assert names("/api/campaigns/?status=draft") == ["Draft"]
    assert names("/api/campaigns/?tag=spring") == ["Done"]
    assert names("/api/campaigns/?search=dra") == ["Draft"]
    unknown = api.get("/api/campaigns/status/sleeping")
    assert unknown.status_code == 404
    assert "completed" in unknown.data["detail"]


def test_a_longer_list_needs_no_more_queries(api: APIClient) -> None:
    for _ in range(12):
        make_campaign(segments=[Segment.objects.get_or_create(name="A", slug="a")[0]])
    assert api.get("/api/campaigns/").data["count"] == 12
    assert len(marketing_queries(lambda: api.get("/api/campaigns/"))) == 5


def test_an_idempotency_key_creates_one_campaign(api: APIClient) -> None:
    given = {"name": "Once", "message": "Hi", "rules": EVERYONE}
    answers = [
        api.post("/api/campaigns/", given, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    ]
    assert answers[0].data["id"] == answers[1].data["id"]
    assert Campaign.objects.count() == 1


def test_a_campaign_with_a_simulator_is_marked_simulated(api: APIClient) -> None:
    campaign = make_campaign(sender=make_sender(provider="simulator"))
    assert api.get(url(campaign)).data["simulated"] is True
