"""Where messages get their images from: public, and kept by caches for good, as an address never shows anything else."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from marketing.content.images import CONTENT_TYPES
from marketing.models import Image

YEAR = 31_536_000


@require_safe
@cache_control(public=True, max_age=YEAR, immutable=True)
def show(request: HttpRequest, key: str, suffix: str) -> FileResponse:
    """The image of that key, if that is its kind."""
    image = get_object_or_404(Image, key=key)
    if suffix != image.suffix:
        raise Http404
    try:
        content = image.file.open()
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(content, content_type=CONTENT_TYPES[suffix])
