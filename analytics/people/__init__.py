"""Customer profiles: scores, predictions and preferences of every customer, and their summaries."""

from analytics.people.predictions import Models, fit_models
from analytics.people.profiles import follow as update_profiles
from analytics.people.profiles import is_stale as profiles_are_stale
from analytics.people.profiles import rebuild as rebuild_profiles
from analytics.people.profiles import rebuild_in_turns, start_rebuild
from analytics.people.profiles import refresh as refresh_profiles
from analytics.people.summary import (
    ChurnRisk,
    LifetimeValue,
    Rfm,
    RfmPoint,
    RfmSegment,
    churn_risk,
    lifetime_value,
    rfm_summary,
)
