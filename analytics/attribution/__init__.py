"""Attribution: how much of each conversion seven models credit to the touchpoints before it."""

from analytics.attribution.credit import HALF_LIFE_DAYS, MODELS, Credit, attribute
from analytics.attribution.path_file import InvalidPathFile, read_paths
from analytics.attribution.paths import Paths
from analytics.attribution.report import Attribution, attribution, attribution_of_days
from analytics.attribution.timeline_paths import Dimension, PathQuery, Touch
