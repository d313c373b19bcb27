"""The checklist of the home page is ticked by what is true, and goes once all is done."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from analytics.admin.first_steps import Step, checklist
from crm.accounts.models import User
from crm.roles import Role
from customers.models import Segment
from marketing.models import SenderBreaker
from marketing.sending import sender_accounts
from tests.factories.customers import make_customer, make_order
from tests.factories.marketing import make_campaign, make_run, make_sender

pytestmark = pytest.mark.django_db

HOME = reverse("admin:index")


def steps(user: User) -> list[Step]:
    request = RequestFactory().get(HOME)
    request.user = user
    return checklist(request)


def done(user: User) -> list[bool]:
    return [step.is_done for step in steps(user)]


def test_each_step_is_ticked_once_it_is_true(staff: User) -> None:
    assert done(staff) == [False] * 5
    ada = make_customer()
    assert done(staff) == [True, False, False, False, False]
    Segment.objects.create(name="All", slug="all")
    assert done(staff) == [True, True, False, False, False]

    sender_accounts.send_test(make_sender(name="Simulator", provider="simulator"), "a@example.com")
    assert not done(staff)[2], "the simulator delivers nothing"
    sender = make_sender(name="Post", provider="smtp")
    breaker = SenderBreaker.objects.create(sender=sender, failures=1)
    assert not done(staff)[2]
    breaker.failures = 0
    breaker.save()
    assert done(staff)[2]

    make_run(make_campaign())
    assert done(staff) == [True, True, True, True, False]
    make_order(ada, 10, timezone.now())
    assert steps(staff) == []


def test_a_step_links_to_its_page_for_users_with_the_right(staff: User, client: Client) -> None:
    draft = make_campaign()
    urls = [step.url for step in steps(staff)]
    assert urls[0] == reverse("admin:customers_importjob_add")
    assert urls[3] == reverse("admin:marketing_campaign_change", args=[draft.pk])

    analyst = User.objects.create_user("analyst@example.com", "open sesame", is_staff=True)
    analyst.groups.add(Group.objects.get(name=Role.ANALYST))
    assert steps(analyst) == []
    client.force_login(analyst)
    assert "Get started" not in client.get(HOME).content.decode()


def test_the_home_page_shows_the_checklist(staff_client: Client) -> None:
    page = staff_client.get(HOME).content.decode()
    assert "Get started" in page
    assert reverse("admin:customers_segment_add") in page
