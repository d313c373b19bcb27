"""Fields of the API that many endpoints share: references by ID, name or slug, and messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, get_object_or_404

from crm.api import ids
from customers import identity
from customers.models import Customer, Segment
from marketing.content import ContentError, check_message

SHOWN = 20
"""The number of known names that the error for an unknown one lists."""

ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)


class ByPublicId(GenericAPIView):
    """Mixin for views of one object, whose public ID of the kind `id_kind` is in the path."""

    id_kind: str
    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"

    def get_object(self) -> Any:
        found = get_object_or_404(self.get_queryset(), pk=decoded(self.id_kind, self.kwargs["id"]))
        self.check_object_permissions(self.request, found)
        return found


def decoded(kind: str, text: str) -> int:
    """Return the key of a public ID. Raises Http404 for an invalid one."""
    pk = ids.decode(kind, text)
    if pk is None:
        raise Http404
    return pk


@extend_schema_field(OpenApiTypes.STR)
class Reference(serializers.RelatedField[Any, str, str]):
    """Another object, shown by its public ID, accepted by that or its name."""

    def __init__(self, kind: str, **options: Any) -> None:
        super().__init__(**options)
        self.kind = kind

    def to_internal_value(self, data: Any) -> Any:
        text = str(data)
        pk = ids.decode(self.kind, text)
        lookup: dict[str, Any] = {"name": text} if pk is None else {"pk": pk}
        known = cast("QuerySet[Any]", self.get_queryset())
        found = known.filter(**lookup).first()
        if found is None:
            raise unknown(text, known.values_list("name", flat=True))
        return found

    def to_representation(self, value: Any) -> str:
        return ids.encode(self.kind, value.pk)


@extend_schema_field(OpenApiTypes.STR)
class SegmentReference(serializers.RelatedField[Segment, str, str]):
    """A segment, shown by its slug, accepted by that or its name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=Segment.objects.all(), **options)

    def to_internal_value(self, data: Any) -> Segment:
        text = str(data)
        segments = Segment.objects.all()
        found = segments.filter(slug=text).first() or segments.filter(name=text).first()
        if found is None:
            raise unknown(text, segments.values_list("slug", flat=True))
        return found

    def to_representation(self, value: Any) -> str:
        return value.slug


class MessageField(serializers.CharField):
    """Text or HTML with Liquid, which becomes a template."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            write_only=True,
            required=False,
            trim_whitespace=False,
            help_text=gettext_lazy("Text or HTML with Liquid or {name}; becomes a template."),
            **options,
        )

    def to_internal_value(self, data: Any) -> str:
        message = super().to_internal_value(data)
        try:
            check_message(message)
        except ContentError as error:
            raise serializers.ValidationError(str(error)) from error
        return message


@extend_schema_field(OpenApiTypes.STR)
class CustomerReference(serializers.Field[Customer, str, str, Any]):
    """A customer, shown by public ID, accepted by that or the external ID."""

    def to_internal_value(self, data: Any) -> Customer:
        text = str(data)
        found = identity.find_one(text)
        if found is None:
            raise serializers.ValidationError(_("There is no customer %s.") % text)
        return found

    def to_representation(self, value: Customer) -> str:
        return ids.encode("cus", value.pk)


def unknown(text: str, known: Iterable[str]) -> serializers.ValidationError:
    """Return the error for an unknown name, with the known ones."""
    names = sorted(known)
    listed = ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
    return serializers.ValidationError(
        _("There is no “%(name)s”. Known: %(known)s.")
        % {"name": text, "known": listed or _("none yet")}
    )
