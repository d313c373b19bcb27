"""Sign a user out everywhere, tokens included; allauth.usersessions lists the sessions."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.usersessions.adapter import get_adapter as get_sessions_adapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.accounts import audit
from crm.accounts.current_user import user_of
from crm.accounts.models import User


@require_POST
@login_required
def end_everywhere(request: HttpRequest) -> HttpResponse:
    """End every session of the user, including this one, and every API token."""
    end_all(user_of(request))
    get_adapter(request).logout(request)
    messages.success(request, _("Signed out everywhere."))
    return HttpResponseRedirect(reverse("account_login"))


def end_all(user: User) -> None:
    """End every session and every API token of a user."""
    get_sessions_adapter().end_sessions(list(UserSession.objects.filter(user=user)))
    user.api_tokens.all().delete()
    audit.record("ended all sessions", kind="accounts.user", object_id=user.pk, label=str(user))
