"""The roles and their permissions, in one table. Every migration gives the group of each role the permissions of the table.

An administrator has all permissions of the table. Sites can create further groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(StrEnum):
    ADMINISTRATOR = "Administrator"
    MARKETER = "Marketer"
    APPROVER = "Approver"
    ANALYST = "Analyst"
    STEWARD = "Data steward"
    SUPPORT = "Support"


@dataclass(frozen=True, slots=True)
class Line:
    """A task, the permissions that it requires, and the roles that have them besides administrators."""

    label: str | Promise
    permissions: tuple[str, ...]
    roles: tuple[Role, ...] = ()

    def is_for(self, role: Role) -> bool:
        return role is Role.ADMINISTRATOR or role in self.roles


def of(app: str, verbs: str, models: str) -> tuple[str, ...]:
    """`of("customers", "view change", "topic")`: customers.view_topic, customers.change_topic"""
    return tuple(f"{app}.{verb}_{model}" for model in models.split() for verb in verbs.split())


EDIT = "add change delete"
ALL = "view add change delete"

MARKETER, APPROVER, ANALYST = Role.MARKETER, Role.APPROVER, Role.ANALYST
STEWARD, SUPPORT = Role.STEWARD, Role.SUPPORT
EVERYBODY = (MARKETER, APPROVER, ANALYST, STEWARD, SUPPORT)
ABOUT_PEOPLE = (
    "customer customerprofile interaction order orderline exchangerate product topic consent pause serviceinteraction visit"
    " customerinterest"
)
ABOUT_CAMPAIGNS = (
    "campaign campaignrun campaignexecution campaignvariant runvariant runpost campaigntemplate templateversion"
    " trackedlink snippet image sender frequencyrule quiethours preflight preflightfailure"
)

# fmt: off
MATRIX = (
    Line(_("View customers, orders and the timeline"), of("customers", "view", ABOUT_PEOPLE), EVERYBODY),
    Line(_("View personal data"), ("customers.see_personal_data",), (MARKETER, STEWARD, SUPPORT)),
    Line(_("View the suppression list"), of("customers", "view", "suppression"), (MARKETER, STEWARD, SUPPORT)),
    Line(_("View push subscriptions"), of("customers", "view", "pushsubscription"), EVERYBODY),
    Line(_("Delete push subscriptions"), of("customers", "delete", "pushsubscription"), (STEWARD,)),
    Line(_("Add service tickets"), of("customers", "add", "serviceinteraction"), (STEWARD, SUPPORT)),
    Line(_("Add consents, opt-outs and suppressions"), of("customers", "add", "consent pause suppression"), (STEWARD, SUPPORT)),
    Line(_("Remove suppressions"), of("customers", "change delete", "suppression"), (STEWARD,)),
    Line(_("Edit customers, orders, products and topics"),
         (*of("customers", EDIT, "customer order orderline exchangerate product topic customerinterest visit"),
          *of("customers", "change delete", "serviceinteraction consent pause")), (STEWARD,)),
    Line(_("Import files"), of("customers", ALL, "importjob"), (STEWARD,)),
    Line(_("Run bulk jobs"), of("customers", ALL, "bulkjob"), (MARKETER, ANALYST, STEWARD)),
    Line(_("Merge duplicates and undo merges"),
         ("customers.merge_customer", *of("customers", ALL, "merge likelyduplicate")), (STEWARD,)),
    Line(_("Export all personal data of a customer"), ("customers.export_personal_data",), (STEWARD,)),
    Line(_("Erase customers"), ("customers.erase_customer", *of("customers", "view", "erasurereceipt")), (STEWARD,)),

    Line(_("View segments"), of("customers", "view", "segment segmentmembership segmentsize segmenttrigger"), EVERYBODY),
    Line(_("Edit segments"),
         of("customers", EDIT, "segment segmentmembership segmentsize segmenttrigger"), (MARKETER,)),

    Line(_("View campaigns, templates and messages"), of("marketing", "view", ABOUT_CAMPAIGNS), (MARKETER, APPROVER, ANALYST)),
    Line(_("Edit campaigns, templates, snippets and images"),
         of("marketing", EDIT, "campaign campaignvariant campaigntemplate snippet image preflight preflightfailure"), (MARKETER,)),
    Line(_("Launch, pause and end campaigns"), ("marketing.launch_campaign",), (MARKETER,)),
    Line(_("View workflows and passages"), of("marketing", "view", "workflow workflowversion workflowstep enrollment enrollmentevent"),
         (MARKETER, APPROVER, ANALYST)),
    Line(_("Edit workflows"), of("marketing", EDIT, "workflow"), (MARKETER,)),
    Line(_("Publish, activate and pause workflows"), ("marketing.run_workflow",), (MARKETER,)),
    Line(_("Approve campaigns of other users"), ("marketing.approve_campaign",), (APPROVER,)),
    Line(_("Resolve messages with unknown outcome"), ("marketing.change_campaignexecution",), (MARKETER,)),
    Line(_("Edit senders, frequency caps and quiet hours"), of("marketing", EDIT, "sender frequencyrule quiethours")),

    Line(_("View results and dashboards"),
         of("analytics", "view", "campaignmetrics campaigncost modelrun"), (MARKETER, APPROVER, ANALYST)),
    Line(_("Share dashboards by a public link"), of("analytics", "view add", "shareddashboard"), (MARKETER,)),
    Line(_("Edit campaign costs"), of("analytics", EDIT, "campaigncost"), (MARKETER,)),

    Line(_("Create personal API tokens"), of("accounts", "view add delete", "apitoken"), EVERYBODY),
    Line(_("Manage users and roles"),
         ("accounts.grant_roles", *of("accounts", ALL, "user"), *of("auth", ALL, "group"))),
    Line(_("View the audit trail"), of("accounts", "view", "auditentry")),
    Line(_("Edit write keys"), (*of("customers", ALL, "writekey"), "customers.view_refusedid")),
    Line(_("Publish events"), of("events", "add", "marketingevent"), (STEWARD,)),
    Line(_("Manage events and webhooks"),
         (*of("events", "view change", "marketingevent"), *of("events", "view", "feedcursor"),
          *of("events", ALL, "deadletter webhookendpoint webhookdelivery"))),
    Line(_("View outgoing calls"), of("outbound", "view", "externalservicelog")),
    Line(_("Edit periodic tasks"),
         of("django_celery_beat", ALL, "periodictask intervalschedule crontabschedule clockedschedule solarschedule")),
)
# fmt: on


def permissions(role: Role) -> set[str]:
    """Return the full names of the permissions of a role."""
    return {each for line in MATRIX if line.is_for(role) for each in line.permissions}


def is_role(group: Group) -> bool:
    """Return whether a group is a predefined role."""
    return group.name in {*Role}


def sync(**_signal: Any) -> None:
    """Set the permissions of each role's group to those of the table, if they differ."""
    for role in Role:
        group, _created = Group.objects.get_or_create(name=role.value)
        wanted = permissions(role)
        if set(_current(group)) != wanted:
            group.permissions.set(_named(wanted))


def _current(group: Group) -> Iterator[str]:
    for app, codename in group.permissions.values_list("content_type__app_label", "codename"):
        yield f"{app}.{codename}"


def _named(names: set[str]) -> list[Permission]:
    """Look up permissions. Raises LookupError for an unknown name, which a role would silently lack."""
    full = Concat("content_type__app_label", Value("."), "codename")
    found = {
        each.full: each for each in Permission.objects.annotate(full=full).filter(full__in=names)
    }
    if missing := names - found.keys():
        raise LookupError(f"There are no such permissions: {', '.join(sorted(missing))}")
    return [*found.values()]
