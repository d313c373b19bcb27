"""Helpers over the API: descriptions in words become rules."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from crm import masking
from crm.accounts import audit
from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.fields import People
from customers.api.segment_serializers import RulesField, checked_rules
from customers.models import Customer
from customers.segments import LONGEST_DESCRIPTION, Understood, preview, understand


class DescriptionSerializer(serializers.Serializer[Any]):
    description = serializers.CharField(
        max_length=LONGEST_DESCRIPTION,
        help_text=_(
            "The audience in English, such as “customers in Paris who spent over $500 this year”."
        ),
    )


class UnderstoodSerializer(serializers.Serializer[Understood]):
    rules = RulesField()
    count = People()
    count_estimated = serializers.BooleanField()
    margin = serializers.IntegerField(allow_null=True, help_text=_("Of an estimate; else null."))
    explanation = serializers.CharField(help_text=_("The rules in words."))
    unparsed = serializers.ListField(
        child=serializers.CharField(), help_text=_("Words that the rules do not express.")
    )

    def get_fields(self) -> dict[str, Any]:
        """`source` is a word of serializers too, so that it cannot be declared as the others are."""
        source = serializers.ChoiceField(
            choices=["grammar", "model"], help_text=_("Reader of the description.")
        )
        return {**super().get_fields(), "source": source}


class SegmentFromTextView(Endpoint, GenericAPIView[Any]):
    """Read a description in English as rules. Nothing is saved, and every assumption is explained."""

    rights = rights.each(post="customers.view_segment")
    serializer_class = DescriptionSerializer
    filter_backends = []
    pagination_class = None
    queryset = Customer.objects.none()

    @extend_schema(request=DescriptionSerializer, responses=UnderstoodSerializer)
    def post(self, request: Request) -> Response:
        """Return the rules of a description and the number of matching customers."""
        audit.leave_out()
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        understood = understand(given.validated_data["description"])
        counted = preview(checked_rules(understood.rules))
        return Response(
            {
                "rules": understood.rules,
                "count": masking.people(counted.count.number),
                "count_estimated": counted.count.estimated,
                "margin": counted.margin,
                "explanation": understood.explanation,
                "unparsed": understood.unparsed,
                "source": understood.source,
            }
        )
