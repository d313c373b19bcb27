"""Campaigns: written as drafts, launched by a person, the clock or an event, and steered until they have ended."""

from marketing.campaigns.approval import (
    APPROVE_PERMISSION,
    approve,
    may_approve,
    note_change,
    overall_fingerprint,
    why_not_approve,
)
from marketing.campaigns.assignment import bucket, shares, variants_of
from marketing.campaigns.audience import (
    AudienceMember,
    DryRun,
    NoAudience,
    audience_with,
    customers_of,
    dry_run,
)
from marketing.campaigns.checks import (
    check_ready,
    findings,
    needs_approval,
    why_unapproved,
)
from marketing.campaigns.drafts import HasSent, create, discard, duplicate, set_variants
from marketing.campaigns.moves import (
    cancel,
    complete,
    end_for_step,
    launch,
    launch_if_due,
    launch_overdue,
    pause,
    resume,
    retry_failed,
    schedule_launch,
    worth_retrying,
)
from marketing.campaigns.preflight import (
    check_preflight,
    is_current,
    newest_preflight,
    start_preflight,
    stop_preflight,
)
from marketing.campaigns.registrations import register
from marketing.campaigns.states import ImpossibleMove, NotApproved, NotReady, may_start
from marketing.campaigns.triggered import check_trigger, react
from marketing.campaigns.winner import decide_tests
from marketing.campaigns.workflow_steps import feed, start_for_step
