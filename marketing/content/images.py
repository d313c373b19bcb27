"""The library of images: taken in as pixels and written anew, so that nothing else that a file may hold gets out again."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image as Pixels
from PIL import ImageOps, UnidentifiedImageError

from crm.accounts.models import User
from marketing.models import Image, TemplateVersion

MAX_BYTES = 5_000_000
MAX_PIXELS = 25_000_000
MAX_FRAMES = 200
MAX_WIDTH = 2_400
"""Four times the width of a usual message; what is wider is made smaller."""
CONTENT_TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
SUFFIXES = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp"}


class BadImage(ValueError):
    """The file is not taken; the message says why."""


class InUse(ValueError):
    """Messages that were sent show the image."""


@dataclass(frozen=True, slots=True)
class _Written:
    content: bytes
    suffix: str
    width: int
    height: int


def add(file: BinaryIO, *, name: str, alt: str = "", by: User | None = None) -> Image:
    """Take a PNG, JPEG, GIF or WebP into the library; the same pixels again are the image that is there already. Raises BadImage."""
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise BadImage(_("An image has at most 5 MB."))
    written = _write_anew(content)
    key = hashlib.sha256(written.content).hexdigest()[:24]
    image, created = Image.objects.get_or_create(
        key=key,
        defaults={
            "name": PurePath(name).stem[:200] or key,
            "alt": alt,
            "file": f"images/{key}.{written.suffix}",
            "width": written.width,
            "height": written.height,
            "size": len(written.content),
            "created_by": by,
        },
    )
    path, storage = str(image.file.name), image.file.storage
    if created or not storage.exists(path):
        storage.save(path, ContentFile(written.content))
    return image


@transaction.atomic
def discard(image: Image) -> None:
    """Take an image out of the library. Raises InUse when a version of a template shows it: its address must go on working."""
    if TemplateVersion.objects.filter(html__contains=image.key).exists():
        raise InUse(_("Messages show %s; it stays, so that they go on showing it.") % image.name)
    image.delete()
    transaction.on_commit(lambda: image.file.storage.delete(str(image.file.name)))


def _write_anew(content: bytes) -> _Written:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pixels.DecompressionBombWarning)
            with Pixels.open(io.BytesIO(content), formats=list(SUFFIXES)) as picture:
                return _written(picture)
    except UnidentifiedImageError as error:
        raise BadImage(_("Only PNG, JPEG, GIF and WebP images are taken.")) from error
    except (Pixels.DecompressionBombError, Pixels.DecompressionBombWarning) as error:
        raise BadImage(_("The image has too many pixels.")) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BadImage(_("The image is damaged: %s") % error) from error


def _written(picture: Pixels.Image) -> _Written:
    kind = "JPEG" if picture.format == "MPO" else picture.format or ""
    frames = 1 if kind == "JPEG" else getattr(picture, "n_frames", 1)
    if picture.width * picture.height * frames > MAX_PIXELS or frames > MAX_FRAMES:
        raise Pixels.DecompressionBombError
    out = io.BytesIO()
    if frames > 1:
        _forget_notes(picture)
        picture.save(out, kind, save_all=True)
        return _Written(out.getvalue(), SUFFIXES[kind], picture.width, picture.height)
    upright = ImageOps.exif_transpose(picture)
    if upright.width > MAX_WIDTH:
        upright.thumbnail((MAX_WIDTH, MAX_PIXELS))
    if kind == "JPEG":
        upright.convert("RGB").save(out, kind, quality=85, optimize=True)
    else:
        _forget_notes(upright)
        upright.save(out, kind)
    return _Written(out.getvalue(), SUFFIXES[kind], upright.width, upright.height)


def _forget_notes(picture: Pixels.Image) -> None:
    """Comments and camera data, which Pillow would write again."""
    for note in ("comment", "exif", "xmp", "icc_profile", "XML:com.adobe.xmp"):
        picture.info.pop(note, None)
