"""Answer the scripts of the template editor: preview, test, links, library."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from crm.accounts import audit
from crm.accounts.current_user import user_of
from crm.adminkit.base import ModelAdmin, page
from marketing import images
from marketing.admin.template_form import LookForm, TestForm, posted_template
from marketing.channels import SendError
from marketing.content import (
    ContentError,
    Preview,
    links_of,
    preview,
    send_test,
    unreachable,
    values_for,
)
from marketing.models import Image, Snippet

MOST_IMAGES = 60


class TemplateTools(ModelAdmin):
    """The views of the template editor, for authors alone."""

    @page("preview", "preview/", "change")
    @method_decorator(require_POST)
    def preview(self, request: HttpRequest) -> JsonResponse:
        """Return the posted content as the posted (or any) customer would get it, or its error."""
        audit.leave_out()
        form = LookForm(request.POST)
        customer = form.cleaned_data["customer"] if form.is_valid() else None
        try:
            return JsonResponse(_told(preview(posted_template(request), customer)))
        except ContentError as error:
            return _problem(error)

    @page("check_links", "check-links/", "change")
    @method_decorator(require_POST)
    def check_links(self, request: HttpRequest) -> JsonResponse:
        """Return the links of the posted content that do not answer."""
        audit.leave_out()
        try:
            urls = links_of(posted_template(request))
        except ContentError as error:
            return _problem(error)
        found = [asdict(each) for each in unreachable(urls)]
        text = ngettext("%s link was checked.", "%s links were checked.", len(urls)) % len(urls)
        return JsonResponse({"findings": found, "message": text})

    @page("test_send", "test-send/", "change")
    @method_decorator(require_POST)
    def test_send(self, request: HttpRequest) -> JsonResponse:
        """Send the posted content to one address; the answer says in words what happened."""
        form = TestForm(request.POST)
        if not form.is_valid():
            text = [str(each) for errors in form.errors.values() for each in errors]
            return JsonResponse({"error": " ".join(text)}, status=400)
        wanted = form.cleaned_data
        try:
            send_test(
                posted_template(request),
                sender=wanted["sender"],
                to_address=wanted["to"],
                customer=wanted["customer"],
            )
        except (ContentError, SendError) as error:
            return JsonResponse({"error": str(error)}, status=400)
        if wanted["sender"].simulated:
            return JsonResponse({"message": _("The simulator accepted it; nothing was delivered.")})
        return JsonResponse({"message": _("Sent to %s.") % wanted["to"]})

    @page("library", "library/", "change")
    @method_decorator(require_GET)
    def library(self, request: HttpRequest) -> JsonResponse:
        """Return the snippets, and the newest images."""
        snippets = Snippet.objects.values("name", "description")
        newest = [_image(image) for image in Image.objects.all()[:MOST_IMAGES]]
        return JsonResponse({"snippets": list(snippets), "images": newest})

    @page("upload", "upload/", "change")
    @method_decorator(require_POST)
    def upload(self, request: HttpRequest) -> JsonResponse:
        """Add an image to the library."""
        file = request.FILES.get("file")
        if file is None:
            return JsonResponse({"error": _("Choose a file first.")}, status=400)
        alt = request.POST.get("alt", "")[:300]
        try:
            image = images.add(file, name=str(file.name), alt=alt, by=user_of(request))
        except images.BadImage as error:
            return JsonResponse({"error": str(error)}, status=400)
        return JsonResponse({"image": _image(image)})


def _told(seen: Preview) -> dict[str, Any]:
    values = values_for(seen.customer)
    return {
        "subject": seen.subject,
        "preheader": seen.preheader,
        "html": seen.html,
        "text": seen.text,
        "link": seen.link,
        "unknown": seen.unknown,
        "findings": [asdict(each) for each in seen.findings],
        "customer": str(seen.customer or _("no customer yet")),
        "customer_id": seen.customer.pk if seen.customer else None,
        "variables": {path: _brief(value) for path, value in values.items()},
        "sms": asdict(seen.sms) if seen.sms else None,
    }


def _brief(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")[:80]


def _problem(error: ContentError) -> JsonResponse:
    return JsonResponse({"error": str(error), "part": error.part, "line": error.line})


def _image(image: Image) -> dict[str, Any]:
    return {
        "name": image.name,
        "alt": image.alt,
        "url": image.url,
        "shown": image.path,
        "width": image.width,
    }
