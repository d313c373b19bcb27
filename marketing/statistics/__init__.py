"""The statistics of experiments: the measure of one arm, and intervals and p-values of arms that are compared."""

from marketing.statistics.arms import Before, Mean, Measure, Rate, adjusted
from marketing.statistics.intervals import LEVEL, Interval, difference, holm, interval, p_value
