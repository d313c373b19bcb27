"""Segments: rules over customers, the audience that matches them, and memberships that follow.

The public face of the package. Everything outside it imports from here.
"""

from customers.segments.from_text.gazetteer import register_names
from customers.segments.from_text.understand import (
    LONGEST_DESCRIPTION,
    DescriptionTooLong,
    understand,
)
from customers.segments.from_text.understood import NO_ONE, Understood
from customers.segments.language import event_types, fields
from customers.segments.language.describe import describe, register_labels
from customers.segments.language.personal import (
    is_personal,
    is_personal_property,
    shown_conditions,
    shown_rules,
)
from customers.segments.language.rules import RuleError
from customers.segments.language.validate import (
    SegmentInUse,
    check_can_delete,
    check_can_rename,
    register_users,
    slugs_in,
    users_of,
    validate_rules,
)
from customers.segments.lookalike import Driver, Lookalike, NoLookalike, find_lookalikes
from customers.segments.membership import dependencies, incremental, members, triggers
from customers.segments.membership.members import size_history
from customers.segments.membership.refresh import (
    Refreshed,
    dynamic_in_order,
    refresh,
    refresh_all,
    refresh_for,
    register_followers,
)
from customers.segments.presets import PRESETS, find_preset
from customers.segments.previews.bulk_lookup import find_customers, split_names
from customers.segments.previews.count import (
    Overlap,
    Preview,
    Progress,
    continue_preview,
    membership_diff,
    overlap,
    preview,
    start_preview,
)
from customers.segments.previews.explain import Reason, explain
from customers.segments.sql.compile import matching
from customers.segments.suggestions import (
    MOST_SUGGESTIONS,
    Suggestion,
    register_suggestions,
    suggest_property_values,
    suggest_values,
)
