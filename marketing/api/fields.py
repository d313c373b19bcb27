"""How things are named in the API: by public ids, by their own names, by slugs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, get_object_or_404

from crm.api import ids
from customers.identity import resolve
from customers.models import Customer, Segment

SHOWN = 20
"""So many known names are listed to somebody who used an unknown one."""

ID = OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)


class ByPublicId(GenericAPIView):
    """Mixin for views of one object: `{id}` in the path is its public id, of the kind `id_kind`."""

    id_kind: str
    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"

    def get_object(self) -> Any:
        found = get_object_or_404(self.get_queryset(), pk=decoded(self.id_kind, self.kwargs["id"]))
        self.check_object_permissions(self.request, found)
        return found


def decoded(kind: str, text: str) -> int:
    """The key behind a public id. Raises Http404 for what is none."""
    pk = ids.decode(kind, text)
    if pk is None:
        raise Http404
    return pk


@extend_schema_field(OpenApiTypes.STR)
class Reference(serializers.RelatedField[Any, str, str]):
    """Another object: told by its public id, taken by that or by its name."""

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
    """A segment: told by its slug, taken by that or by its name."""

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


@extend_schema_field(OpenApiTypes.STR)
class CustomerReference(serializers.Field[Customer, str, str, Any]):
    """A customer: told by public id, taken by that or by the external id."""

    def to_internal_value(self, data: Any) -> Customer:
        text = str(data)
        found = resolve.find_one(text)
        if found is None:
            raise serializers.ValidationError(_("There is no customer %s.") % text)
        return found

    def to_representation(self, value: Customer) -> str:
        return ids.encode("cus", value.pk)


def unknown(text: str, known: Iterable[str]) -> serializers.ValidationError:
    """What to answer to a name that names nothing: the names that do."""
    names = sorted(known)
    listed = ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
    return serializers.ValidationError(
        _("There is no “%(name)s”. Known: %(known)s.")
        % {"name": text, "known": listed or _("none yet")}
    )
