"""Tokens for a customer's browser to subscribe to push messages."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api import rights
from crm.api.endpoint import Endpoint
from customers.identity import find_one
from customers.models import Customer
from marketing.api.fields import ID
from marketing.tracking import token_of


class PushTokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()


class PushTokenView(Endpoint):
    rights = rights.each(post="customers.change_customer")

    @extend_schema(parameters=[ID], request=None, responses=PushTokenSerializer)
    def post(self, request: Request, id: str) -> Response:
        """Return a token for the customer, which your page passes to KindlingPush.subscribe()."""
        customer = find_one(id, Customer.objects.filter(erased_at=None))
        if customer is None:
            raise Http404
        return Response({"token": token_of(customer)})
