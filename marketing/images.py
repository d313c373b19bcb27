"""Store images re-encoded from their pixels, so that nothing else in an uploaded file is served."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

from django.core.files.base import ContentFile
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from PIL import Image as Pixels
from PIL import ImageOps, UnidentifiedImageError

from crm.accounts.models import User
from marketing.models import Image, TemplateVersion

MAX_BYTES = 5_000_000
MAX_PIXELS = 25_000_000
MAX_FRAMES = 200
YEAR = 31_536_000
"""Seconds."""
MAX_WIDTH = 2_400
"""Four times the width of a usual message; what is wider is made smaller."""
CONTENT_TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
SUFFIXES = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp"}


class Readable(Protocol):
    """An open file or upload."""

    def read(self, size: int, /) -> bytes: ...


class BadImage(ValueError):
    """The file is refused; the message says why."""


class InUse(ValueError):
    """Sent messages show the image."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as it is stored: nothing but its pixels."""

    content: bytes
    suffix: str
    width: int
    height: int


def add(file: Readable, *, name: str, alt: str = "", by: User | None = None) -> Image:
    """Add a PNG, JPEG, GIF or WebP to the library. Raises BadImage."""
    return store(read(file), name=name, alt=alt, by=by)


def read(file: Readable) -> Picture:
    """Return the pixels of a file, encoded again. Raises BadImage."""
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise BadImage(_("An image has at most 5 MB."))
    return _write_anew(content)


def store(picture: Picture, *, name: str, alt: str = "", by: User | None = None) -> Image:
    """Store the picture; the same pixels again are the image that exists already."""
    key = hashlib.sha256(picture.content).hexdigest()[:24]
    image, created = Image.objects.get_or_create(
        key=key,
        defaults={
            "name": PurePath(name).stem[:200] or key,
            "alt": alt,
            "file": f"images/{key}.{picture.suffix}",
            "width": picture.width,
            "height": picture.height,
            "size": len(picture.content),
            "created_by": by,
        },
    )
    path, storage = str(image.file.name), image.file.storage
    if created or not storage.exists(path):
        storage.save(path, ContentFile(picture.content))
    return image


def is_shown(image: Image) -> bool:
    """Return whether any version of a template shows it."""
    return TemplateVersion.objects.filter(html__contains=image.key).exists()


@transaction.atomic
def discard(image: Image) -> None:
    """Delete an image. Raises InUse when a version of a template shows it: its address must keep working."""
    if is_shown(image):
        raise InUse(_("Messages show %s, so it cannot be deleted.") % image.name)
    image.delete()
    transaction.on_commit(lambda: image.file.storage.delete(str(image.file.name)))


def _write_anew(content: bytes) -> Picture:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pixels.DecompressionBombWarning)
            with Pixels.open(io.BytesIO(content), formats=list(SUFFIXES)) as opened:
                return _written(opened)
    except UnidentifiedImageError as error:
        raise BadImage(_("Only PNG, JPEG, GIF and WebP images are accepted.")) from error
    except (Pixels.DecompressionBombError, Pixels.DecompressionBombWarning) as error:
        raise BadImage(_("The image has too many pixels.")) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BadImage(_("The image is damaged: %s") % error) from error


def _written(picture: Pixels.Image) -> Picture:
    kind = "JPEG" if picture.format == "MPO" else picture.format or ""
    frames = 1 if kind == "JPEG" else getattr(picture, "n_frames", 1)
    if picture.width * picture.height * frames > MAX_PIXELS or frames > MAX_FRAMES:
        raise Pixels.DecompressionBombError
    out = io.BytesIO()
    if frames > 1:
        _forget_notes(picture)
        picture.save(out, kind, save_all=True)
        return Picture(out.getvalue(), SUFFIXES[kind], picture.width, picture.height)
    upright = ImageOps.exif_transpose(picture)
    if upright.width > MAX_WIDTH:
        upright.thumbnail((MAX_WIDTH, MAX_PIXELS))
    if kind == "JPEG":
        upright.convert("RGB").save(out, kind, quality=85, optimize=True)
    else:
        _forget_notes(upright)
        upright.save(out, kind)
    return Picture(out.getvalue(), SUFFIXES[kind], upright.width, upright.height)


def _forget_notes(picture: Pixels.Image) -> None:
    """Remove comments and camera data, which Pillow would write again."""
    for note in ("comment", "exif", "xmp", "icc_profile", "XML:com.adobe.xmp"):
        picture.info.pop(note, None)


@require_safe
@cache_control(public=True, max_age=YEAR, immutable=True)
def show(request: HttpRequest, key: str, suffix: str) -> FileResponse:
    """Return the image of that key, if that is its kind; caches keep it, as an address never shows anything else."""
    image = get_object_or_404(Image, key=key)
    if suffix != image.suffix:
        raise Http404
    try:
        content = image.file.open()
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(content, content_type=CONTENT_TYPES[suffix])
