"""The errors of marketing as problems of the API."""

from __future__ import annotations

from typing import Any

from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.problems import Conflict, as_problem, problem
from marketing import images, workflows
from marketing.campaigns import HasSent, ImpossibleMove, NotApproved, NotReady
from marketing.channels import SendError
from marketing.content import ContentError, SnippetInUse
from marketing.sending.sender_accounts import NoSender

MOST_NAMED = 10


class ProviderFailed(APIException):
    """502: the provider of the channel refused the message."""

    status_code = status.HTTP_502_BAD_GATEWAY
    default_detail = gettext_lazy("The provider refused the message.")
    default_code = "provider-failed"


class MarketingProblems(APIView):
    """Mixin for views, in first place: answers exceptions of marketing with the right problem."""

    def handle_exception(self, exc: Exception) -> Response:
        match exc:
            case ImpossibleMove():
                return self._impossible(exc)
            case NotApproved():
                exc = Conflict(str(exc))
            case NotReady() | ContentError() | NoSender():
                exc = ValidationError([str(exc)])
            case workflows.DefinitionError():
                errors = {each["path"] or "definition": [each["message"]] for each in exc.errors}
                exc = ValidationError(errors)
            case workflows.ImpossibleMove() | workflows.InUse() | workflows.NotActive():
                exc = Conflict(str(exc))
            case workflows.Unmapped():
                exc = Conflict(str(exc))
            case HasSent() | images.InUse() | SnippetInUse():
                exc = Conflict(str(exc))
            case ProtectedError():
                exc = Conflict(_in_use(exc))
            case SendError():
                exc = ProviderFailed(str(exc))
        return super().handle_exception(exc)

    def _impossible(self, refused: ImpossibleMove) -> Response:
        """Return a conflict that lists the possible states."""
        body: dict[str, Any] = problem(409, str(refused), type="impossible-move")
        body["possible"] = refused.possible
        response = Response(body, status=status.HTTP_409_CONFLICT)
        response.exception = True
        return as_problem(response, self.get_exception_handler_context())


def _in_use(refused: ProtectedError) -> str:
    """Say which objects protect another one from being deleted."""
    names = sorted({f"{each._meta.verbose_name} “{each}”" for each in refused.protected_objects})
    return _("It is in use and cannot be deleted, by: %(names)s.") % {
        "names": ", ".join(names[:MOST_NAMED])
    }
