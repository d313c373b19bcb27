"""The roles: who may do what, in one table. Each role is a group of the same name, and has what stands here whenever migrations have run.

An administrator may do everything that the table knows. Other groups are for each site to make, beside these.
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
    """One thing to do, the permissions that it takes, and who has them besides administrators."""

    what: str | Promise
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
ABOUT_PEOPLE = "customer customerprofile interaction order orderline product topic consent pause serviceinteraction visit customerinterest"
ABOUT_CAMPAIGNS = (
    "campaign campaignrun campaignexecution campaignvariant runvariant runpost campaigntemplate templateversion"
    " trackedlink snippet image sender frequencyrule quiethours preflight preflightfailure"
)

# fmt: off
MATRIX = (
    Line(_("See customers, their orders and what happened"), of("customers", "view", ABOUT_PEOPLE), EVERYBODY),
    Line(_("See names, addresses and other personal data"), ("customers.see_personal_data",), (MARKETER, STEWARD, SUPPORT)),
    Line(_("See who is suppressed"), of("customers", "view", "suppression"), (MARKETER, STEWARD, SUPPORT)),
    Line(_("See whose browsers take push messages"), of("customers", "view", "pushsubscription"), EVERYBODY),
    Line(_("Forget a browser"), of("customers", "delete", "pushsubscription"), (STEWARD,)),
    Line(_("Note a service interaction"), of("customers", "add", "serviceinteraction"), (STEWARD, SUPPORT)),
    Line(_("Note consent, unsubscribe, suppress"), of("customers", "add", "consent pause suppression"), (STEWARD, SUPPORT)),
    Line(_("Lift a suppression"), of("customers", "change delete", "suppression"), (STEWARD,)),
    Line(_("Edit customers, orders, products and topics"),
         (*of("customers", EDIT, "customer order orderline product topic customerinterest visit"),
          *of("customers", "change delete", "serviceinteraction consent pause")), (STEWARD,)),
    Line(_("Import files"), of("customers", ALL, "importjob"), (STEWARD,)),
    Line(_("Do something to many customers at once"), of("customers", ALL, "bulkjob"), (MARKETER, ANALYST, STEWARD)),
    Line(_("Merge duplicates, and undo it"),
         ("customers.merge_customer", *of("customers", ALL, "merge likelyduplicate")), (STEWARD,)),
    Line(_("Hand out all that is held on a person"), ("customers.export_personal_data",), (STEWARD,)),
    Line(_("Erase a person"), ("customers.erase_customer", *of("customers", "view", "erasurereceipt")), (STEWARD,)),

    Line(_("See segments"), of("customers", "view", "segment segmentmembership segmentsize segmenttrigger"), EVERYBODY),
    Line(_("Make and change segments"),
         of("customers", EDIT, "segment segmentmembership segmentsize segmenttrigger"), (MARKETER,)),

    Line(_("See campaigns, templates and messages"), of("marketing", "view", ABOUT_CAMPAIGNS), (MARKETER, APPROVER, ANALYST)),
    Line(_("Write campaigns, templates, snippets and images"),
         of("marketing", EDIT, "campaign campaignvariant campaigntemplate snippet image preflight preflightfailure"), (MARKETER,)),
    Line(_("Launch, pause and end campaigns"), ("marketing.launch_campaign",), (MARKETER,)),
    Line(_("Approve campaigns of others"), ("marketing.approve_campaign",), (APPROVER,)),
    Line(_("Settle messages in doubt"), ("marketing.change_campaignexecution",), (MARKETER,)),
    Line(_("Set up senders, caps and quiet hours"), of("marketing", EDIT, "sender frequencyrule quiethours")),

    Line(_("See figures and dashboards"),
         of("analytics", "view", "campaignmetrics campaigncost modelrun"), (MARKETER, APPROVER, ANALYST)),
    Line(_("Share dashboards by a public link"), of("analytics", "view add", "shareddashboard"), (MARKETER,)),
    Line(_("Enter what campaigns cost"), of("analytics", EDIT, "campaigncost"), (MARKETER,)),

    Line(_("Make API tokens of one's own"), of("accounts", "view add delete", "apitoken"), EVERYBODY),
    Line(_("Manage users and give roles"),
         ("accounts.grant_roles", *of("accounts", ALL, "user"), *of("auth", ALL, "group"))),
    Line(_("Read the audit trail"), of("accounts", "view", "auditentry")),
    Line(_("Write keys of sites and apps"), of("customers", ALL, "writekey")),
    Line(_("Publish events"), of("events", "add", "marketingevent"), (STEWARD,)),
    Line(_("See and handle events, set up webhooks"),
         (*of("events", "view change", "marketingevent"), *of("events", "view", "feedcursor"),
          *of("events", ALL, "deadletter webhookendpoint webhookdelivery"))),
    Line(_("See calls to other services"), of("outbound", "view", "externalservicelog")),
    Line(_("Set up periodic tasks"),
         of("django_celery_beat", ALL, "periodictask intervalschedule crontabschedule clockedschedule solarschedule")),
)
# fmt: on


def permissions(role: Role) -> set[str]:
    """What a role may, by full names."""
    return {each for line in MATRIX if line.is_for(role) for each in line.permissions}


def is_role(group: Group) -> bool:
    """Whether a group is a role of ours, or one that a site made for itself."""
    return group.name in {*Role}


def sync(**_signal: Any) -> None:
    """Give the group of each role what the table says, no more and no less; where that is so already, write nothing."""
    for role in Role:
        group, _created = Group.objects.get_or_create(name=role.value)
        wanted = permissions(role)
        if set(_held(group)) != wanted:
            group.permissions.set(_named(wanted))


def _held(group: Group) -> Iterator[str]:
    for app, codename in group.permissions.values_list("content_type__app_label", "codename"):
        yield f"{app}.{codename}"


def _named(names: set[str]) -> list[Permission]:
    """Raises LookupError for a name that is no permission: a role would silently lack it."""
    full = Concat("content_type__app_label", Value("."), "codename")
    found = {
        each.full: each for each in Permission.objects.annotate(full=full).filter(full__in=names)
    }
    if missing := names - found.keys():
        raise LookupError(f"There are no such permissions: {', '.join(sorted(missing))}")
    return [*found.values()]
