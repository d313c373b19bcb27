"""The audit trail: users, their actions, and the changed values before and after. Triggers keep it append-only.

Entries come from requests that change data, from every file that a user gets, from saves of the watched models, and from accounts.
Work without a user, previews, and facts that programs report, such as events and orders, leave no entry.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from typing import Any

from allauth.account import signals as account_signals
from allauth.socialaccount import signals as social_signals
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import connection, models, transaction
from django.db.models import Q
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from crm import masking
from crm.accounts.models import AuditEntry, User

PAGES = ("/admin/", "/api/")
SAFE = {"GET", "HEAD", "OPTIONS"}
HIDDEN = re.compile(r"password|secret|digest|credential|token|key|rules|where")
"""Columns with secrets, or with values that may be the address of a customer: an entry outlives an erasure."""
IGNORED = {"id", "updated_at", "last_login", "size", "refreshed_at", "refresh_ms", "approval"}
"""Columns that the system writes; `approval` repeats `approved_by` and `approved_at` with fingerprints."""
EXPORTS = re.compile(r"export|rejected|_file$")
"""Names of pages that give data away, or have a worker do so."""
FILES = re.compile(r"text/csv|application/(?:jsonl|x-ndjson|zip|vnd\.)")
"""Media types of data in files."""
OBJECT_ID = re.compile(r"\d+|[a-z]{3}_\w+")
"""A primary key or a public id; another part of a path may be the address of a customer."""

APPEND_ONLY = """
CREATE OR REPLACE FUNCTION accounts_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('kindling.audit_pruning', true) = 'on' AND OLD.at < now() - interval '30 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The audit trail is only added to.';
END $$;
CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON accounts_auditentry
FOR EACH ROW EXECUTE FUNCTION accounts_audit_append_only();
CREATE OR REPLACE TRIGGER audit_not_truncated BEFORE TRUNCATE ON accounts_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_append_only();
"""
"""Only forget_before() sets audit_pruning, and even then the entries of the last 30 days stay."""

ACCOUNT_SIGNALS = {
    "confirmed e-mail address": account_signals.email_confirmed,
    "added e-mail address": account_signals.email_added,
    "removed e-mail address": account_signals.email_removed,
    "changed e-mail address": account_signals.email_changed,
    "set password": account_signals.password_set,
    "changed password": account_signals.password_changed,
    "reset password": account_signals.password_reset,
    "signed up": account_signals.user_signed_up,
    "connected sign-in account": social_signals.social_account_added,
    "removed sign-in account": social_signals.social_account_removed,
}
"""Actions on the pages of an account, by the signal that allauth sends."""

_request: ContextVar[HttpRequest | None] = ContextVar("the request under way", default=None)


@dataclasses.dataclass(slots=True)
class Details:
    """The part of an entry that the view of its request adds."""

    object_id: str = ""
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    is_preview: bool = False


class AuditMiddleware:
    """Record requests of users; it comes after the authentication middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            response = self.get_response(request)
            if response.status_code < 400 and _is_recorded(request, response):
                _record_request(request)
        finally:
            _request.reset(token)
        return response


def record(
    action: str,
    *,
    kind: str = "",
    object_id: object = "",
    label: str = "",
    changes: dict[str, Any] | None = None,
    by: User | None = None,
) -> None:
    """Add an entry for `by`, by default for the user of the current request."""
    request = _request.get()
    actor = by or getattr(request, "user", None)
    user = actor if isinstance(actor, User) else None
    AuditEntry.objects.create(
        actor_id=user.pk if user else None,
        actor=user.email if user else "",
        via=_via(request),
        address=(request.META.get("REMOTE_ADDR", "") if request else "")[:45],
        action=action[:100],
        kind=kind,
        object_id=str(object_id)[:64],
        label=label[:200],
        changes=changes or {},
    )


def describe(object_id: str = "", **changes: Any) -> None:
    """Add to the entry of the current request: the id of its object, or values such as the number and ids of a batch."""
    details = _details()
    details.object_id = object_id or details.object_id
    details.changes |= {name: [None, new] for name, new in changes.items()}


def leave_out() -> None:
    """Leave the current request out of the trail: it only previews."""
    _details().is_preview = True


@transaction.atomic
def forget_before(then: datetime) -> int:
    """Delete entries before a time, at the earliest after 30 days, and record it; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('kindling.audit_pruning', 'on', true)")
        cursor.execute(
            "DELETE FROM accounts_auditentry WHERE at < least(%s, now() - interval '30 days')",
            [then],
        )
        pruned = cursor.rowcount
        cursor.execute("SELECT set_config('kindling.audit_pruning', 'off', true)")
    if pruned:
        changes = {"entries": [pruned, None], "before": [None, then]}
        record("pruned the audit trail", kind="accounts.auditentry", changes=changes)
    return pruned


def has_changed(
    user: User,
    objects: Mapping[str, Collection[object]],
    *,
    since: datetime,
    fields: Mapping[str, Collection[str]],
) -> bool:
    """Return whether the user changed one of these objects (ids by kind) after `since`; of a kind in `fields` these fields alone count."""
    wanted = Q(pk__in=())
    for kind, ids in objects.items():
        of_kind = Q(kind=kind, object_id__in=[str(each) for each in ids])
        if kind in fields:
            of_kind &= Q(changes__has_any_keys=list(fields[kind]))
        wanted |= of_kind
    changes = AuditEntry.objects.filter(wanted, actor_id=user.pk, at__gt=since)
    return changes.filter(action__in=("created", "changed")).exists()


def watch(*watched: type[models.Model]) -> None:
    """Record changes of these models by users, field by field."""
    for model in watched:
        uid = f"audit {model._meta.label}"
        pre_save.connect(_before, sender=model, dispatch_uid=uid)
        post_save.connect(_saved, sender=model, dispatch_uid=uid)
        post_delete.connect(_deleted, sender=model, dispatch_uid=uid)
        for field in model._meta.many_to_many:
            m2m_changed.connect(
                _related, sender=field.remote_field.through, dispatch_uid=f"{uid} {field.name}"
            )


def watch_sign_ins() -> None:
    user_logged_in.connect(_record_sign_in, dispatch_uid="audit")
    user_logged_out.connect(_record_sign_out, dispatch_uid="audit")
    user_login_failed.connect(_record_refused_sign_in, dispatch_uid="audit")
    for action, signal in ACCOUNT_SIGNALS.items():
        signal.connect(partial(_record_account, action), weak=False, dispatch_uid=f"audit {action}")


def guard(**_signal: Any) -> None:
    """Create the triggers that make the table append-only; post_migrate calls it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('accounts_auditentry') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute(APPEND_ONLY)


def _details() -> Details:
    request = _request.get()
    if request is None:
        return Details()
    if not hasattr(request, "audit"):
        request.audit = Details()  # type: ignore[attr-defined]
    details: Details = request.audit  # type: ignore[attr-defined]
    return details


def _is_recorded(request: HttpRequest, response: HttpResponseBase) -> bool:
    match = request.resolver_match
    if match is None or not isinstance(request.user, User) or not request.path.startswith(PAGES):
        return False
    if _is_file(response) or EXPORTS.search(match.url_name or ""):
        return request.method != "HEAD"
    if request.method in SAFE or _details().is_preview:
        return False
    return not (_only_asks(response) or _reports_facts(request, match.func))


def _is_file(response: HttpResponseBase) -> bool:
    is_attached = response.get("Content-Disposition", "").startswith("attachment")
    return is_attached or FILES.match(response.get("Content-Type", "")) is not None


def _only_asks(response: HttpResponseBase) -> bool:
    """Return whether the response is a confirmation page, or a form with errors."""
    context = getattr(response, "context_data", None) or {}
    return "confirmed_field" in context or bool(context.get("errors"))


def _reports_facts(request: HttpRequest, view: Any) -> bool:
    """Return whether a program reports facts, such as events and orders, that no user decides."""
    return request.method == "POST" and getattr(getattr(view, "cls", None), "reports_facts", False)


def _record_request(request: HttpRequest) -> None:
    match = request.resolver_match
    assert match is not None
    given = next((str(value) for value in match.kwargs.values()), "")
    admin_action = request.POST.get("action", "") if request.path.startswith("/admin/") else ""
    details = _details()
    record(
        f"{request.method} {match.url_name}{f': {admin_action}' if admin_action else ''}",
        object_id=details.object_id or (given if OBJECT_ID.fullmatch(given) else ""),
        changes=details.changes,
    )


def _via(request: HttpRequest | None) -> str:
    if request is None:
        return ""
    token = getattr(request, "auth", None)
    if token is not None:
        return f"API token {token.prefix}…"
    if request.path.startswith("/accounts/"):
        return "sign-in page"
    return "API" if request.path.startswith("/api/") else "admin"


def _is_by_user() -> bool:
    request = _request.get()
    return request is not None and isinstance(getattr(request, "user", None), User)


def _before(
    sender: type[models.Model], instance: models.Model, raw: bool = False, **_signal: Any
) -> None:
    """Remember the row in the database, to compare with after the save."""
    if raw or not _is_by_user() or instance.pk is None:
        return
    with masking.hidden(False):
        instance._state.audited = sender._base_manager.filter(pk=instance.pk).values().first()  # type: ignore[attr-defined]


def _saved(
    sender: type[models.Model],
    instance: models.Model,
    created: bool,
    raw: bool = False,
    **signal: Any,
) -> None:
    if raw or not _is_by_user():
        return
    before: dict[str, Any] = getattr(instance._state, "audited", None) or {}
    changes = _differences(sender, before, instance, signal.get("update_fields"))
    if changes:
        _record_change("created" if created else "changed", instance, changes)


def _deleted(sender: type[models.Model], instance: models.Model, **_signal: Any) -> None:
    if _is_by_user():
        _record_change("deleted", instance, {})


def _related(
    sender: Any,
    instance: models.Model,
    action: str,
    model: type[models.Model],
    pk_set: Collection[Any] | None,
    **_signal: Any,
) -> None:
    if not _is_by_user() or action not in {"post_add", "post_remove", "pre_clear"}:
        return
    name = str(model._meta.verbose_name_plural)
    named = sorted(str(each) for each in model._default_manager.filter(pk__in=pk_set or ()))
    removed = action != "post_add"
    changes = {name: [named or "all", None] if removed else [None, named]}
    if named or action == "pre_clear":
        _record_change("changed", instance, changes)


def _record_change(action: str, instance: models.Model, changes: dict[str, Any]) -> None:
    is_personal = bool(getattr(instance, "personal", None))
    record(
        action,
        kind=instance._meta.label_lower,
        object_id=instance.pk,
        label="" if is_personal else str(instance),
        changes=changes,
    )


def _differences(
    model: type[models.Model],
    before: dict[str, Any],
    after: models.Model,
    written: Collection[str] | None,
) -> dict[str, Any]:
    """Return [before, after] by column; masks in place of secrets and personal data."""
    found = {}
    for field in model._meta.concrete_fields:
        if written is not None and not {field.name, field.attname} & {*written}:
            continue
        old, new = before.get(field.attname), getattr(after, field.attname)
        if isinstance(new, models.Expression) or old == new or field.name in IGNORED:
            continue
        hidden = HIDDEN.search(field.name) or field.name in getattr(after, "personal", {})
        found[field.attname] = [masking.MASK] * 2 if hidden else [_plain(old), _plain(new)]
    return found


def _plain(value: Any) -> Any:
    """Return a value for JSON; a file by its name."""
    if isinstance(value, models.fields.files.FieldFile):
        return value.name
    return value


def _record_sign_in(sender: Any, user: User, **_signal: Any) -> None:
    record("signed in", by=user, kind="accounts.user", object_id=user.pk)


def _record_sign_out(sender: Any, user: User | None, **_signal: Any) -> None:
    if user is not None:
        record("signed out", by=user, kind="accounts.user", object_id=user.pk)


def _record_refused_sign_in(sender: Any, credentials: dict[str, Any], **_signal: Any) -> None:
    tried = str(credentials.get("email") or credentials.get("username") or "")
    record("sign-in refused", label=tried)


def _record_account(action: str, sender: Any, **signal: Any) -> None:
    """Record what allauth reports about an account, by its owner."""
    address, login = signal.get("email_address"), signal.get("sociallogin")
    owned = address or login or signal.get("socialaccount")
    user: User = signal.get("user") or owned.user  # type: ignore[union-attr]  # every signal has one of them
    changes: dict[str, Any] = {}
    if address is not None:
        changes = {"email": [None, address.email]}
    elif new := signal.get("to_email_address"):
        old = signal.get("from_email_address")
        changes = {"email": [getattr(old, "email", None), new.email]}
    record(action, kind="accounts.user", object_id=user.pk, by=user, changes=changes)
