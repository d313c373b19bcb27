"""Which touchpoints conversions are owed to: seven models over the same journeys."""

from analytics.attribution.credit import MODELS, Credit, attribute
from analytics.attribution.paths import Journeys

__all__ = ["MODELS", "Credit", "Journeys", "attribute"]
