"""Figures of orders and service: sales, categories, retention and satisfaction, in the site's currency."""

from analytics.commerce.csat import Satisfaction, satisfaction
from analytics.commerce.retention import Cohort, Loyalty, cohorts, loyalty
from analytics.commerce.sales import (
    Category,
    Month,
    Period,
    Sales,
    buyers,
    cached_categories,
    categories,
    customers_until,
    months,
    new_customers_by_day,
    period,
    top_customers,
)
