"""A public link shows a dashboard without sign-in and without personal data until it expires."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from analytics.models import CampaignMetrics, SharedDashboard
from analytics.shared_dashboards import links
from crm.accounts.models import AuditEntry
from crm.roles import Role
from customers import customer_totals
from tests.factories.accounts import in_role
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_run, make_variants

pytestmark = pytest.mark.django_db

ADD = reverse("admin:analytics_shareddashboard_add")
LIST = reverse("admin:analytics_shareddashboard_changelist")


def share(dashboard: str = "customers", query: str = "", **fields: object) -> SharedDashboard:
    given = {
        "name": "For the wall",
        "expires_at": timezone.now() + timedelta(days=7),
        **fields,
    }
    return SharedDashboard.objects.create(dashboard=dashboard, query=query, **given)


def path(link: SharedDashboard) -> str:
    return reverse("shared-dashboard", args=[links.token(link)])


@pytest.fixture
def grace(db: None) -> None:
    customer = make_customer(first_name="Grace", last_name="Hopper", email="grace@navy.example")
    make_order(customer, 120)
    customer_totals.rebuild()


@pytest.mark.parametrize("dashboard", ["home", "customers", "marketing", "funnel"])
def test_a_shared_dashboard_is_public_without_personal_data(
    client: Client, grace: None, dashboard: str
) -> None:
    CampaignMetrics.objects.create(
        run=make_run(make_campaign(name="Spring mail")), hour=timezone.now(), sent=10, opened=4
    )
    answer = client.get(path(share(dashboard, "step=order_placed&step=page_viewed")))
    page = answer.content.decode()

    assert answer.status_code == 200
    assert "For the wall" in page
    assert "data-chart" in page or dashboard == "funnel"
    for kept_back in ("Grace", "Hopper", "navy.example", "/admin/", "/api/"):
        assert kept_back not in page


def test_the_page_forbids_indexing_caching_and_referrers(client: Client) -> None:
    answer = client.get(path(share()))
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert "unsafe-eval" not in answer["Content-Security-Policy"]
    assert "This link expires on" in answer.content.decode()


def test_it_shows_the_shared_days(client: Client, grace: None) -> None:
    page = client.get(path(share(query="since=2026-01-01&until=2026-01-31"))).content.decode()
    assert "1 Jan 2026 – 31 Jan 2026" in page


def test_an_experiment_can_be_shared(client: Client) -> None:
    campaign = make_campaign(holdout_percent=Decimal(50), name="Half and half")
    make_variants(campaign, A=1, B=1)
    page = client.get(path(share("experiment", f"metric=open&campaign_id={campaign.pk}")))
    assert page.status_code == 200
    assert (
        client.get(path(share("experiment", f"campaign_id={campaign.pk + 1}"))).status_code == 404
    )


def test_an_expired_or_revoked_link_shows_only_a_notice(client: Client, grace: None) -> None:
    late = share(expires_at=timezone.now() - timedelta(seconds=1))
    revoked = share()
    links.revoke([revoked])

    for link in (late, revoked):
        answer = client.get(path(link))
        assert answer.status_code == 410
        assert "This link has expired" in answer.content.decode()
        assert "$120" not in answer.content.decode()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_changed_token_opens_nothing(client: Client, data: st.DataObject) -> None:
    SharedDashboard.objects.filter(pk=7).exists() or share(pk=7)
    token = links.token(SharedDashboard(pk=7))
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("abcXYZ0189-_.").filter(lambda char: char != token[at]))
    changed = token[:at] + other + token[at + 1 :]
    assert links.find(changed) is None
    assert client.get(reverse("shared-dashboard", args=[changed])).status_code == 404


def test_a_new_secret_key_closes_every_link(client: Client, settings: Settings) -> None:
    address = path(share())
    settings.SECRET_KEY = "another secret that is long enough to be one"
    assert client.get(address).status_code == 404


def test_frequent_requests_are_throttled(client: Client, settings: Settings) -> None:
    settings.API_CALLS_PER_MINUTE = {**settings.API_CALLS_PER_MINUTE, "read": 3}
    address = path(share())
    answers = [client.get(address, REMOTE_ADDR="192.0.2.77") for _again in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_it_refuses_a_post(client: Client) -> None:
    assert client.post(path(share())).status_code == 405


def test_a_marketer_shares_a_dashboard_and_it_is_audited(client: Client, grace: None) -> None:
    marketer = in_role(Role.MARKETER)
    client.force_login(marketer)
    board = client.get(f"{reverse('admin:analytics_customers')}?days=30").content.decode()
    assert f"{ADD}?dashboard=customers&amp;query=days%3D30" in board

    given = {"name": "Board", "dashboard": "customers", "query": "days=30", "days": "30"}
    answer = client.post(ADD, given, follow=True)

    link = SharedDashboard.objects.get()
    assert links.token(link) in answer.content.decode()
    assert (link.created_by, link.query) == (marketer, "days=30")
    assert link.expires_at - timezone.now() > timedelta(days=29)
    assert AuditEntry.objects.filter(kind="analytics.shareddashboard", action="created").exists()
    assert Client().get(path(link)).status_code == 200


def test_its_creator_revokes_it_from_the_list(client: Client) -> None:
    client.force_login(in_role(Role.MARKETER))
    link = share()
    asked = {"action": "revoke", "_selected_action": [link.pk]}
    assert "active links" in client.post(LIST, asked).content.decode()

    client.post(LIST, {**asked, "confirmed": "yes"})

    link.refresh_from_db()
    assert not link.is_open
    assert AuditEntry.objects.filter(kind="analytics.shareddashboard", action="changed").exists()
    assert "revoked" in client.get(LIST).content.decode()


def test_views_of_a_link_are_counted(client: Client) -> None:
    link = share()
    for _again in range(2):
        client.get(path(link))
    link.refresh_from_db()
    assert link.opened == 2
    assert link.last_opened_at


def test_users_without_the_right_share_nothing(client: Client, grace: None) -> None:
    client.force_login(in_role(Role.ANALYST))
    assert ADD not in client.get(reverse("admin:analytics_customers")).content.decode()
    assert client.get(ADD).status_code == 403
    assert client.get(LIST).status_code == 403


def test_a_shared_dashboard_has_no_downloads(client: Client) -> None:
    page = path(share("customers", "csv=1&format=csv"))
    for query in ("", "?format=csv", "?csv=revenue", "?%66ormat=csv"):
        for accept in ("*/*", "text/csv"):
            response = client.get(page + query, HTTP_ACCEPT=accept)
            assert response["Content-Type"].startswith("text/html"), query
            assert "Content-Disposition" not in response


def test_a_shared_dashboard_shows_the_numbers_of_the_original(client: Client, grace: None) -> None:
    make_customer(lifecycle_status="lead")
    page = client.get(path(share("home"))).content.decode()
    assert "fewer than 10" not in page
