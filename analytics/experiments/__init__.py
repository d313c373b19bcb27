"""Experiments: the variants and the holdout of a campaign compared, and the sample size beforehand."""

from analytics.experiments.campaign_experiment import (
    METRICS,
    Experiment,
    experiment,
    is_experiment,
)
from analytics.experiments.report import HOLDOUT, Arm, Report
from analytics.experiments.sample_size import ALPHA, POWER, SampleSizePlan, purchases_of
from analytics.experiments.wording import format_measure, verdict
from marketing.statistics import Mean, difference
