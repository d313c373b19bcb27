"""Images are re-encoded, public, and protected while messages show them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Pixels
from pytest_django import Settings
from rest_framework.test import APIClient

from crm.api import ids
from marketing import images
from marketing.content import versions
from marketing.models import Image
from tests.factories.marketing import make_template

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> io.BytesIO:
    out = io.BytesIO()
    Pixels.new("RGB", size, "teal").save(out, kind, **options)
    out.seek(0)
    return out


def test_an_image_is_public_and_immutable(client: Client) -> None:
    image = images.add(picture(), name="Logo.png", alt="Our logo")
    answer = client.get(image.url.partition("://")[2].partition("/")[2].join(["/", ""]))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert "immutable" in answer["Cache-Control"]
    assert Pixels.open(io.BytesIO(b"".join(answer.streaming_content))).size == (40, 30)
    assert (image.name, image.width, image.height) == ("Logo", 40, 30)


@pytest.mark.parametrize(
    "path", ["/media/none.png", "/media/../imports/a.csv", "/media/imports/a.csv"]
)
def test_other_media_files_are_not_served(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_image_metadata_is_removed() -> None:
    exif = Pixels.Exif()
    exif[0x010E] = "taken at home"
    image = images.add(picture("JPEG", exif=exif), name="photo.jpg")
    assert b"taken at home" not in image.file.read()


def test_wide_images_shrink_and_animations_keep_frames() -> None:
    assert images.add(picture(size=(4800, 100)), name="wide.png").width == 2400
    frames = [Pixels.new("RGB", (10, 10), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    out.seek(0)
    image = images.add(out, name="moving.gif")
    assert Pixels.open(image.file).n_frames == 2


def test_the_same_pixels_are_the_same_image() -> None:
    first, second = images.add(picture(), name="a.png"), images.add(picture(), name="b.png")
    assert first == second
    assert Image.objects.count() == 1


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"",
        b"\x89PNG\r\n\x1a\n broken",
        picture().getvalue()[:60],
        b"x" * (images.MAX_BYTES + 1),
    ],
)
def test_invalid_images_are_refused(content: bytes) -> None:
    with pytest.raises(images.BadImage):
        images.add(io.BytesIO(content), name="evil.png")


def test_a_decompression_bomb_is_refused() -> None:
    with pytest.raises(images.BadImage, match="pixels"):
        images.add(picture(size=(20_000, 20_000)), name="bomb.png")


def test_a_sent_image_cannot_be_deleted() -> None:
    image = images.add(picture(), name="a.png")
    versions.freeze(make_template(body=f"<img src='{image.url}' alt=''>"))
    with pytest.raises(images.InUse):
        images.discard(image)


def test_the_api_creates_changes_and_deletes_an_image(
    api: APIClient, django_capture_on_commit_callbacks: Any
) -> None:
    file = SimpleUploadedFile("Spring sale.png", picture().getvalue(), "image/png")
    made = api.post("/api/images/", {"file": file, "alt": "Flowers"}, format="multipart")
    assert made.status_code == 201, made.data
    assert made.data["name"] == "Spring sale"
    one = f"/api/images/{made.data['id']}/"
    assert api.patch(one, {"alt": "Tulips"}, format="json").data["alt"] == "Tulips"
    stored = Image.objects.get()
    path, storage = stored.file.name, stored.file.storage
    assert storage.exists(path)
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(one).status_code == 204
    assert not storage.exists(path)


def test_the_api_refuses_invalid_and_used_images(api: APIClient) -> None:
    svg = SimpleUploadedFile("a.svg", b"<svg/>", "image/svg+xml")
    answer = api.post("/api/images/", {"file": svg}, format="multipart")
    assert answer.status_code == 400
    assert "PNG" in answer.data["errors"][0]["message"]

    image = images.add(picture(), name="a.png")
    versions.freeze(make_template(body=f"<img src='{image.url}' alt=''>"))
    assert api.delete(f"/api/images/{ids.encode('img', image.pk)}/").status_code == 409
