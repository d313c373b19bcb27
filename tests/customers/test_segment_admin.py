"""Segments in the admin: presets, comparison, explanation, static lists and size over time."""

from __future__ import annotations

import math

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from crm.adminkit import confirm
from crm.api import ids
from customers.admin.compare import _lens, venn
from customers.models import Segment
from customers.segments.membership import members
from customers.segments.previews.count import Overlap
from tests.factories.customers import make_customer

pytestmark = pytest.mark.django_db


def make_list(name: str, *customers: int) -> Segment:
    segment = Segment.objects.create(name=name, slug=name.lower(), kind=Segment.Kind.STATIC)
    members.add(segment, customers)
    return segment


def test_the_empty_list_offers_presets_that_fill_the_form(staff_client: Client) -> None:
    page = staff_client.get(reverse("admin:customers_segment_changelist"))
    add = reverse("admin:customers_segment_add")

    assert f'href="{add}?start=never-opened"' in page.content.decode()
    form = staff_client.get(f"{add}?start=never-opened").context["adminform"].form
    assert form.initial["slug"] == "never-opened"
    assert form.initial["rules"]["conditions"][1]["event"] == "message_opened"


def test_an_unknown_preset_starts_empty(staff_client: Client) -> None:
    form = staff_client.get(f"{reverse('admin:customers_segment_add')}?start=x").context[
        "adminform"
    ]
    assert "rules" not in form.form.initial


def test_a_comparison_shows_both_segments(staff_client: Client) -> None:
    ada, eve, bob = (make_customer().pk for _ in range(3))
    first, second = make_list("Readers", ada, eve), make_list("Runners", eve, bob)
    page = staff_client.get(
        reverse("admin:customers_segment_compare"), {"first": first.pk, "second": second.pk}
    )

    assert [part.people for part in page.context["parts"]] == [1, 1, 1]
    assert page.context["parts"][1].of_first == "50.0%"
    assert "<svg" in page.content.decode()


def test_button_and_action_open_the_comparison(staff_client: Client) -> None:
    first, second = make_list("Readers"), make_list("Runners")
    button = staff_client.get(reverse("admin:customers_segment_compare_with", args=[first.pk]))
    assert button["Location"].endswith(f"/compare/?first={first.pk}")

    chosen = {"action": "compare_selected", "_selected_action": [first.pk, second.pk]}
    action = staff_client.post(reverse("admin:customers_segment_changelist"), chosen)
    assert f"first={first.pk}&second={second.pk}" in action["Location"]


@pytest.mark.parametrize(
    "numbers", [(0, 0, 0), (5, 0, 7), (0, 4, 0), (0, 3, 90), (10, 10, 10), (0, 0, 8), (900, 1, 40)]
)
def test_the_areas_of_the_diagram_match_the_numbers(
    numbers: tuple[int, int, int],
) -> None:
    found = Overlap(*numbers)
    drawn = venn(found)
    first, second = found.only_first + found.both, found.only_second + found.both
    shared = _lens(drawn.first_radius, drawn.second_radius, drawn.second_x - drawn.first_x)

    largest = max(first, second)
    for area, number in (
        (math.pi * drawn.first_radius**2, first),
        (math.pi * drawn.second_radius**2, second),
        (shared, found.both),
    ):
        assert area / (math.pi * 100**2) == pytest.approx(
            number / largest if largest else 0, abs=1e-3
        )
    assert drawn.first_x - drawn.first_radius >= 0
    assert drawn.second_x + drawn.second_radius <= drawn.width


def test_the_explanation_answers_each_rule(staff_client: Client) -> None:
    rules = {
        "operator": "AND",
        "conditions": [
            {"field": "total_spend", "operator": ">", "value": 100},
            {"field": "city", "operator": "=", "value": "Berlin"},
        ],
    }
    segment = Segment.objects.create(name="Big", slug="big", rules=rules)
    make_customer(email="ada@example.com", total_spend=250, city="Paris")
    page = staff_client.get(
        reverse("admin:customers_segment_explain"),
        {"segment": segment.pk, "customer": "ADA@example.com"},
    )

    assert page.context["reason"]["holds"] is False
    assert [(row["holds"], row["value"]) for row in page.context["reason"]["rows"]] == [
        (True, "$250.00"),
        (False, "Paris"),
    ]
    assert "is not a member" in page.content.decode()


def test_an_unknown_customer_shows_an_error(staff_client: Client) -> None:
    segment = make_list("Readers")
    asked = {"segment": segment.pk, "customer": "nobody@example.com"}
    page = staff_client.get(reverse("admin:customers_segment_explain"), asked)
    assert "No customer has this e-mail or id." in page.content.decode()


def change_list(client: Client, segment: Segment, **given: object) -> str:
    url = reverse("admin:customers_segment_list_members", args=[segment.pk])
    answer = client.post(url, {confirm.FIELD: "yes", "change": "add", **given}, follow=True)
    return answer.content.decode()


def test_a_list_takes_emails_and_ids_and_names_unknown_ones(
    staff_client: Client,
) -> None:
    ada = make_customer(email="ada@example.com")
    eve, bob = make_customer(external_id="E-7"), make_customer()
    segment = make_list("Readers")
    pasted = f"ADA@example.com, E-7\n{ids.encode('cus', bob.pk)}; nobody@example.com"

    page = change_list(staff_client, segment, pasted=pasted)

    assert "3 customers added; unknown: 1 (nobody@example.com)." in page
    assert set(segment.members.all()) == {ada, eve, bob}


def test_a_file_removes_customers_from_a_list(staff_client: Client) -> None:
    ada, eve = make_customer(email="ada@example.com"), make_customer()
    segment = make_list("Readers", ada.pk, eve.pk)
    file = SimpleUploadedFile("off.csv", "\ufeffada@example.com\r\n".encode())

    page = change_list(staff_client, segment, change="remove", file=file)

    assert "1 customer removed." in page
    assert set(segment.members.all()) == {eve}


def test_an_empty_list_shows_an_error(staff_client: Client) -> None:
    assert "Paste customers or choose a file" in change_list(staff_client, make_list("Readers"))


def test_a_dynamic_segment_has_no_list(staff_client: Client) -> None:
    segment = Segment.objects.create(name="All", slug="all")
    page = staff_client.get(reverse("admin:customers_segment_change", args=[segment.pk]))

    assert "Edit members" not in page.content.decode()
    assert "follow its rules" in change_list(staff_client, segment, pasted="x")


def test_the_segment_page_charts_size_over_time(staff_client: Client) -> None:
    segment = make_list("Readers")
    url = reverse("admin:customers_segment_change", args=[segment.pk])
    assert staff_client.get(url).context["size_chart"] is None

    members.add(segment, [make_customer().pk])
    members.add(segment, [make_customer().pk, make_customer().pk])

    chart = staff_client.get(url).context["size_chart"]
    assert list(chart.series[0].values) == [0, 1, 3]
