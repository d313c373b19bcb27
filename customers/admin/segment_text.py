"""The box above the builder: an audience in words becomes rules, with what was understood and what was left out."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, JsonResponse

from customers.segments.from_text.understand import TooLong, understand


def describe(request: HttpRequest) -> JsonResponse:
    """What is understood of `description`; 400 for one that is too long."""
    try:
        return JsonResponse(
            asdict(understand(request.POST.get("description", "").replace("\0", "")))
        )
    except TooLong as refused:
        return JsonResponse({"explanation": str(refused)}, status=400)
