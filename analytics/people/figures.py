"""Everything that the dashboard of customers shows of some days, worked out together and kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from analytics import commerce, satisfaction
from analytics.background_cache import keep
from analytics.cohorts import Cohort, cohorts
from analytics.commerce import Category, Month, Period
from analytics.people.overview import ChurnRisk, Rfm, churn_risk, rfm_segmentation
from analytics.satisfaction import Satisfaction

FRESH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the days, and of as many before them: sales, buyers and new customers; of the months and cohorts up to the last day; of everyone
    now: scores and risks."""

    period: Period
    buyers: int
    buyers_before: int
    new: int
    new_before: int
    months: list[Month]
    cohorts: list[Cohort]
    categories: list[Category]
    satisfaction: Satisfaction
    rfm: Rfm
    churn: ChurnRisk


@keep(FRESH)
def figures(first: date, last: date) -> Figures:
    days = (last - first).days + 1
    before = first - timedelta(days=days), first - timedelta(days=1)
    return Figures(
        period=commerce.period(last, days),
        buyers=commerce.buyers(first, last),
        buyers_before=commerce.buyers(*before),
        new=commerce.new_customers(last, days),
        new_before=commerce.new_customers(before[1], days),
        months=commerce.months(last),
        cohorts=cohorts(last),
        categories=commerce.categories(first, last),
        satisfaction=satisfaction.satisfaction(first, last),
        rfm=rfm_segmentation(),
        churn=churn_risk(),
    )
