"""The admin manages snippets and images and serves them to the template editor."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image as Pixels
from pytest_django import Settings

from marketing.content import versions
from marketing.models import Image, Snippet
from tests.factories.customers import make_customer
from tests.factories.marketing import make_template

pytestmark = pytest.mark.django_db

UPLOAD = reverse("admin:marketing_campaigntemplate_upload")
LIBRARY = reverse("admin:marketing_campaigntemplate_library")
PREVIEW = reverse("admin:marketing_campaigntemplate_preview")


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def png(name: str = "Red shoes.png") -> SimpleUploadedFile:
    out = io.BytesIO()
    Pixels.new("RGB", (30, 20), "crimson").save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), "image/png")


def test_an_uploaded_image_is_listed_and_editable(staff_client: Client) -> None:
    add = reverse("admin:marketing_image_add")
    assert staff_client.post(add, {"upload": png(), "alt": "Shoes"}).status_code == 302
    image = Image.objects.get()
    assert (image.name, image.alt, image.created_by is not None) == ("Red shoes", "Shoes", True)
    listed = staff_client.get(reverse("admin:marketing_image_changelist")).content.decode()
    assert image.path in listed
    page = reverse("admin:marketing_image_change", args=[image.pk])
    assert image.url in staff_client.get(page).content.decode()
    assert staff_client.post(page, {"name": "Shoes", "alt": "Two shoes"}).status_code == 302
    image.refresh_from_db()
    assert (image.name, image.alt, image.size > 0) == ("Shoes", "Two shoes", True)


def test_an_invalid_image_is_refused_at_its_field(staff_client: Client) -> None:
    svg = SimpleUploadedFile("a.svg", b"<svg onload='alert(1)'/>", "image/svg+xml")
    answer = staff_client.post(reverse("admin:marketing_image_add"), {"upload": svg})
    assert "Only PNG" in str(answer.context["adminform"].form.errors["upload"])


def test_images_and_snippets_in_use_cannot_be_deleted(staff_client: Client) -> None:
    staff_client.post(UPLOAD, {"file": png()})
    image = Image.objects.get()
    snippet = Snippet.objects.create(name="footer", body="F")
    body = f"<img src='{image.url}' alt=''>{{% render 'footer' %}}"
    versions.freeze(make_template(body=body))
    for one, pk in (("image", image.pk), ("snippet", snippet.pk)):
        page = reverse(f"admin:marketing_{one}_delete", args=[pk])
        assert staff_client.post(page, {"post": "yes"}).status_code == 403


def test_the_library_lists_snippets_and_images(staff_client: Client) -> None:
    Snippet.objects.create(name="footer", description="Who we are", body="F")
    image = staff_client.post(UPLOAD, {"file": png(), "alt": "Shoes"}).json()["image"]
    assert staff_client.get(LIBRARY).json() == {
        "snippets": [{"name": "footer", "description": "Who we are"}],
        "images": [image],
    }
    assert "5 MB" not in image


def test_an_invalid_upload_returns_the_reason(staff_client: Client) -> None:
    assert "Choose a file" in staff_client.post(UPLOAD).json()["error"]
    bad = SimpleUploadedFile("a.png", b"no", "image/png")
    assert "Only PNG" in staff_client.post(UPLOAD, {"file": bad}).json()["error"]


def test_the_library_requires_staff(client: Client) -> None:
    assert client.get(LIBRARY).status_code == 302
    assert client.post(UPLOAD, {"file": png()}).status_code == 302
    assert not Image.objects.exists()


def test_the_form_checks_a_snippet(staff_client: Client) -> None:
    add = reverse("admin:marketing_snippet_add")
    bad = staff_client.post(add, {"name": "footer", "body": "a\n{% if %}"})
    assert "line 2" in str(bad.context["adminform"].form.errors["body"])
    assert staff_client.post(add, {"name": "foo bar", "body": "a"}).status_code == 200
    assert staff_client.post(add, {"name": "footer", "body": "<p>F</p>"}).status_code == 302
    page = reverse("admin:marketing_snippet_change", args=[Snippet.objects.get().pk])
    looped = staff_client.post(page, {"body": "{% render 'footer' %}"})
    assert "footer → footer" in str(looped.context["adminform"].form.errors["body"])


def test_the_preview_returns_findings_and_variable_values(staff_client: Client) -> None:
    ada = make_customer(first_name="Ada", city="London")
    given = {"subject": "Hi", "body": "<p>Hi</p>", "customer": ada.pk}
    seen = staff_client.post(PREVIEW, given).json()
    assert {each["code"] for each in seen["findings"]} == {"no_preheader", "no_unsubscribe"}
    assert seen["variables"]["customer.city"] == "London"
    broken = staff_client.post(PREVIEW, {**given, "body": "<p>\n{% if %}"}).json()
    assert (broken["part"], broken["line"]) == ("body", 2)


def test_the_list_of_templates_shows_format_use_and_version(staff_client: Client) -> None:
    versions.freeze(make_template(name="Spring", body_format="text", body="Hi"))
    make_template(name="Text", channel="sms", body="Hi")
    page = staff_client.get(reverse("admin:marketing_campaigntemplate_changelist"))
    assert "Plain text" in page.content.decode()
