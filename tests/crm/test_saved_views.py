"""Users choose the columns of a list, and save filters, order and columns under a name."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from crm.accounts.models import SavedView, User
from crm.roles import Role
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db

CUSTOMERS = reverse("admin:customers_customer_changelist")
SAVE = reverse("admin:customers_customer_save_view")
COLUMNS = reverse("admin:customers_customer_columns")


def page(client: Client, query: str = "") -> str:
    return client.get(f"{CUSTOMERS}?{query}").content.decode()


def client_of(role: Role) -> Client:
    user = User.objects.create_user(f"{role.name}@example.com", "open sesame", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def test_the_list_shows_the_chosen_columns(staff_client: Client) -> None:
    make_customer(first_name="Ada", city="Lyon")
    assert "column-lives_in" in page(staff_client)

    chosen = {"column": ["who", "spent"], "query": "o=-4&lifecycle_status__in=lead"}
    answer = staff_client.get(COLUMNS, chosen)

    query = parse_qs(urlsplit(answer["Location"]).query)
    assert query == {"columns": ["who,spent"], "lifecycle_status__in": ["lead"]}
    shown = staff_client.get(answer["Location"]).content.decode()
    assert "column-spent" in shown
    assert "column-lives_in" not in shown


@pytest.mark.parametrize("columns", ["", "nothing", "password,__class__", "who", ",,,"])
def test_odd_columns_show_a_list(columns: str, staff_client: Client) -> None:
    make_customer(first_name="Ada")
    assert "Ada" in page(staff_client, f"columns={columns}")


def test_a_view_is_saved_opened_and_deleted(staff_client: Client) -> None:
    make_customer(first_name="Ada", lifecycle_status="active")
    make_customer(first_name="Grace", lifecycle_status="lead")
    query = "lifecycle_status=active&columns=who,spent&q=ada%40example.com&p=2"

    staff_client.post(SAVE, {"name": "Active", "query": query})

    view = SavedView.objects.get()
    assert "ada" not in view.query, "a search may be personal data"
    shown = page(staff_client, view.query)
    assert "Ada" in shown
    assert "Grace" not in shown
    assert f'<a href="?{view.query.replace("&", "&amp;")}" aria-current="true">Active</a>' in shown

    staff_client.post(SAVE, {"name": "Active", "query": "lifecycle_status=lead"})
    assert SavedView.objects.get().query == "lifecycle_status=lead"
    staff_client.post(reverse("admin:customers_customer_remove_view", args=[view.pk]))
    assert not SavedView.objects.exists()


def test_others_see_shared_views_alone_and_delete_none(staff_client: Client) -> None:
    staff_client.post(SAVE, {"name": "Mine", "query": "lifecycle_status=lead"})
    staff_client.post(SAVE, {"name": "Ours", "query": "lifecycle_status=active", "shared": "on"})
    steward = client_of(Role.STEWARD)

    shown = page(steward)

    assert ">Ours</a>" in shown
    assert ">Mine</a>" not in shown
    ours = SavedView.objects.get(name="Ours")
    gone = steward.post(reverse("admin:customers_customer_remove_view", args=[ours.pk]))
    assert gone.status_code == 404


def test_a_view_needs_a_name_and_the_right_to_the_list(staff_client: Client) -> None:
    staff_client.post(SAVE, {"name": " ", "query": "x=1"})
    analyst = client_of(Role.SUPPORT)
    campaigns = reverse("admin:marketing_campaign_save_view")
    assert analyst.post(campaigns, {"name": "Mine", "query": ""}).status_code == 403
    assert staff_client.get(SAVE).status_code == 405
    assert not SavedView.objects.exists()


def test_a_shared_view_tells_masked_users_no_personal_data() -> None:
    client_of(Role.MARKETER).post(
        SAVE, {"name": "One of us", "query": "email__icontains=zoe&city=Rome", "shared": "on"}
    )
    assert "One of us" in page(client_of(Role.SUPPORT))
    assert "One of us" not in page(client_of(Role.ANALYST))
