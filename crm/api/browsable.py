"""The browsable API, with a form for the parameters of views that are no lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.template import loader
from rest_framework.renderers import BrowsableAPIRenderer, HTMLFormRenderer
from rest_framework.request import Request

if TYPE_CHECKING:  # rest_framework.views reads the settings that name this module
    from rest_framework.views import APIView


class BrowsableApi(BrowsableAPIRenderer):
    """DRF's renderer; the fields of `query_serializer_class` are in place of the filters of lists."""

    def get_filter_form(self, data: Any, view: APIView, request: Request) -> Any:
        serializer_class = getattr(view, "query_serializer_class", None)
        if serializer_class is None:
            return super().get_filter_form(data, view, request)
        given = serializer_class(data=request.query_params)
        given.is_valid()
        fields = HTMLFormRenderer().render(
            given.data, renderer_context={"style": {"template_pack": "rest_framework/vertical"}}
        )
        form = loader.render_to_string("rest_framework/query_form.html", {"fields": fields})
        return loader.render_to_string(self.filter_template, {"elements": [form]})
