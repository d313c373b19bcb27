"""`POST /api/seed`: load the sample data into the empty database of a demo."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api import rights
from crm.api.endpoint import Endpoint
from crm.api.problems import Conflict
from crm.demo import sample_data
from customers.models import Customer, Order
from marketing.models import Campaign

_LOADED = inline_serializer(
    "SampleData",
    {
        "created": serializers.BooleanField(help_text="Whether this call loaded it."),
        "customers": serializers.IntegerField(),
        "orders": serializers.IntegerField(),
        "campaigns": serializers.IntegerField(),
    },
)


class SeedView(Endpoint):
    """Load the sample data of a demo, once; a site that is no demo (`DEMO`) answers 404."""

    rights = rights.each(post=("customers.add_importjob", "marketing.add_campaign"))

    @extend_schema(
        request=None,
        responses={
            200: OpenApiResponse(_LOADED, "It was there already."),
            201: OpenApiResponse(_LOADED, "Loaded."),
        },
    )
    def post(self, request: Request) -> Response:
        if not settings.DEMO:
            raise NotFound(_("This site is no demo, so it takes no sample data."))
        is_there = sample_data.is_there()
        if not is_there and sample_data.has_other_data():
            raise Conflict(_("There is other data in this database, so it gets no sample data."))
        if not is_there:
            sample_data.load()
        answer: dict[str, Any] = {
            "created": not is_there,
            "customers": Customer.objects.count(),
            "orders": Order.objects.count(),
            "campaigns": Campaign.objects.count(),
        }
        return Response(answer, status=200 if is_there else 201)
