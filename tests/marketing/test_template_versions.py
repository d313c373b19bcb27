"""Each content change creates a version that can be compared and restored."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from crm.accounts.models import User
from crm.api import ids
from marketing.content import versions
from marketing.models import CampaignTemplate
from tests.factories.marketing import make_campaign, make_run, make_template

pytestmark = pytest.mark.django_db


def changed(template: CampaignTemplate, **fields: str) -> CampaignTemplate:
    for field, value in fields.items():
        setattr(template, field, value)
    versions.save_template(template, by=None)
    return template


def test_only_a_content_change_creates_a_version() -> None:
    template = make_template(subject="One")
    versions.save_template(template, by=None)
    changed(template, subject="Two")
    changed(template, name="Another name")
    assert [each.number for each in versions.versions_of(template)] == [2, 1]


def test_version_changes_are_listed_by_part_and_line() -> None:
    template = make_template(subject="One", body="<p>a</p>\n<p>b</p>")
    first = versions.freeze(template)
    second = versions.freeze(changed(template, subject="Two", body="<p>a</p>\n<p>c</p>"))
    changes = versions.version_changes(first, second)
    assert set(changes) == {"subject", "body"}
    assert changes["body"][1:] == [" <p>a</p>", "-<p>b</p>", "+<p>c</p>"]


def test_restoring_creates_a_new_version() -> None:
    template = make_template(subject="One")
    first = versions.freeze(template)
    changed(template, subject="Two")
    newest = versions.restore_version(first)
    template.refresh_from_db()
    assert (template.subject, newest.number, template.versions.count()) == ("One", 3, 3)


def test_a_version_knows_whether_it_was_sent() -> None:
    campaign = make_campaign()
    make_run(campaign)
    changed(campaign.template, subject="Other")
    assert [each.sent for each in versions.versions_of(campaign.template)] == [False, True]


def test_the_api_lists_compares_and_restores(api: APIClient, staff: User) -> None:
    made = api.post("/api/templates/", {"name": "A", "subject": "One", "body": "<p>Hi</p>"}).data
    url = f"/api/templates/{made['id']}/"
    assert api.patch(url, {"subject": "Two"}).data["version"] == 2

    listed = api.get(f"{url}versions/").json()["results"]
    assert [(each["number"], each["subject"]) for each in listed] == [(2, "Two"), (1, "One")]
    assert listed[0]["by"] == staff.email
    compared = api.get(f"{url}versions/2/changes/").json()
    assert compared["changes"] == {"subject": ["@@ -1 +1 @@", "-One", "+Two"]}
    assert api.post(f"{url}versions/1/restore/").json()["subject"] == "One"
    assert api.get(f"{url}versions/1/changes/").status_code == 404
    assert api.post(f"{url}versions/99/restore/").status_code == 404


def test_the_version_page_shows_changes_and_restores(staff_client: Client) -> None:
    template = make_template(subject="One")
    versions.freeze(template)
    changed(template, subject="Two <b>")
    page = reverse("admin:marketing_campaigntemplate_version", args=[template.pk, 1])
    assert "+Two &lt;b&gt;" in staff_client.get(page).content.decode()
    assert staff_client.post(page).status_code == 302
    template.refresh_from_db()
    assert template.subject == "One"


def test_the_api_reports_errors_and_findings_by_part(api: APIClient) -> None:
    bad = api.post("/api/templates/", {"name": "A", "subject": "{% if %}", "body": "Hi"})
    assert [each["path"] for each in bad.data["errors"]] == ["subject"]
    alien = api.post("/api/templates/", {"name": "A", "channel": "sms", "body": "x", "link": "y"})
    assert [each["path"] for each in alien.data["errors"]] == ["link"]
    made = api.post("/api/templates/", {"name": "A", "channel": "sms", "body": "Hi {name} 😀"})
    seen = api.post(f"/api/templates/{made.data['id']}/preview/").json()
    assert seen["sms"]["encoding"] == "UCS-2"
    assert [each["code"] for each in seen["findings"]] == ["ucs2"]
    assert seen["warnings"] == [seen["findings"][0]["message"]]
    mjml = api.post("/api/templates/", {"name": "B", "body": "<mjml><mj-body></mj-body></mjml>"})
    assert mjml.data["body_format"] == "mjml"


def test_the_api_protects_snippets_in_use(api: APIClient) -> None:
    made = api.post("/api/snippets/", {"name": "footer", "body": "<p>Shop</p>"})
    assert made.status_code == 201, made.data
    url = f"/api/snippets/{made.data['id']}/"
    assert api.patch(url, {"name": "other"}).status_code == 400
    itself = api.patch(url, {"body": "{% render 'footer' %}"})
    assert "footer → footer" in itself.data["errors"][0]["message"]
    make_template(name="Spring", body="{% render 'footer' %}")
    assert "Spring" in api.delete(url).data["detail"]


def test_a_campaign_with_errors_cannot_start(api: APIClient) -> None:
    campaign = make_campaign(template=make_template(body="<a href='htps://x.example'>x</a>"))
    url = f"/api/campaigns/{ids.encode('cmp', campaign.pk)}/execute/"
    answer = api.post(url)
    assert answer.status_code == 400
    assert "htps://x.example" in str(answer.data)
