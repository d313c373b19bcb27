"""Descriptions of purchases: goods, frequency, period and worth."""

from __future__ import annotations

import pytest

from tests.customers.text_world import line, read, table

pytestmark = [pytest.mark.usefixtures("text_world"), pytest.mark.django_db]

PHRASES = table(
    """
customers who spent over $500 on Books in the last 90 days → order_placed sum:amount > 500 in 90 days where category = Books
average order value at least 50 → average_order_value >= 50
Find customers whose total spend is greater than or equal to 1,000 dollars → total_spend >= 1000
customers with between 2 and 5 orders → order_count between 2, 5
anyone who has placed at least two orders since 1 June 2025 → order_placed >= 2 where occurred_at after 2025-05-31
customers with no orders → order_count = 0
customers who bought Books and Coffee → purchased_categories contains_all Books, Coffee
customers who have spent nothing in the last year → order_placed sum:amount = 0 in 365 days
spent less than $50 → total_spend < 50
total orders more than 10 → order_count > 10
non-buyers → order_count = 0
customers who bought at least one Burr hand grinder → purchased_products contains Burr hand grinder
purchased Electronics this quarter → order_placed >= 1 where category = Electronics, occurred_at after 2026-09-30
bought something from the Coffee category last week → order_placed >= 1 where category = Coffee, occurred_at between 2026-11-09, 2026-11-15
customers who placed an order over $200 → order_placed >= 1 where amount > 200
customers with an order of at least $300 in the last 6 months → order_placed >= 1 in 180 days where amount >= 300
at least 3 purchases in the last year → order_placed >= 3 in 365 days
customers with a lifetime value above 2000 → lifetime_value > 2000
people with ltv > 5k → lifetime_value > 5000
customers who bought more than 3 times in 2025 → order_placed > 3 where occurred_at between 2025-01-01, 2025-12-31
top 10% of customers by spend → total_spend >= 900
recent buyers → last_order_at in_last_days 30
loyal customers → order_count >= 5
exactly 1 order → order_count = 1
orders > 5 → order_count > 5
3 orders or more → order_count >= 3
customers that spent at least 200 on Coffee this year → order_placed sum:amount >= 200 where category = Coffee, occurred_at after 2025-12-31
spent between $50 and $100 on Shoes last month → order_placed sum:amount between 50, 100 where category = Shoes, occurred_at between 2026-10-01, 2026-10-31
who bought hats or socks in the last 3 months → order_placed >= 1 in 90 days where product in Hat, Socks
total spend exactly 500 → total_spend = 500
customers with at least a dozen orders → order_count >= 12
half a million in revenue → total_spend >= 500000
customers who spent 2.5k+ → total_spend >= 2500
no fewer than two orders → order_count >= 2
not more than 5 orders → order_count <= 5
ordered today → order_placed >= 1 where occurred_at on 2026-11-21
ordered yesterday → order_placed >= 1 where occurred_at on 2026-11-20
bought on 2025-03-01 → order_placed >= 1 where occurred_at on 2025-03-01
ordered between 1 March 2025 and 30 June 2025 → order_placed >= 1 where occurred_at between 2025-03-01, 2025-06-30
bought between January and March 2025 → order_placed >= 1 where occurred_at between 2025-01-01, 2025-03-31
last purchase in 2025 → last_order_at between 2025-01-01, 2025-12-31
last order within 30 days → last_order_at in_last_days 30
last order date is before 2025-01-01 → last_order_at before 2025-01-01
zero orders → order_count = 0
customers with just one order → order_count = 1
only one order → order_count = 1
AOV over $75 → average_order_value > 75
average basket over 60 euros → average_order_value > 60
average order value between 20 and 40 → average_order_value between 20, 40
spend on average more than 50 per order → average_order_value > 50
who bought Books at least 3 times → order_placed >= 3 where category = Books
who bought Coffee twice in the last 60 days → order_placed = 2 in 60 days where category = Coffee
bought more than 5 products → order_placed sum:quantity > 5
bought at least 2 hats → order_placed sum:quantity >= 2 where product = Hat
People that haven't purchased anything for half a year → last_order_at inactive_days 183
our best customers → total_spend >= 900
customers with 5 to 10 orders → order_count between 5, 10
total spend: 100-200 → total_spend between 100, 200
total_spend > 500 → total_spend > 500
last_order_at in the last 30 days → last_order_at in_last_days 30
people with more than $300 in orders last month → order_placed sum:amount > 300 where occurred_at between 2026-10-01, 2026-10-31
customers who made a purchase last quarter → order_placed >= 1 where occurred_at between 2026-07-01, 2026-09-30
customers who made their last purchase in September → last_order_at between 2026-09-01, 2026-09-30
customers that last bought in 2025 → last_order_at between 2025-01-01, 2025-12-31
have bought Outdoor products more than once → order_placed > 1 where category = Outdoor
buyers of Books → purchased_categories contains Books
Book buyers → purchased_categories contains Books
customers who purchased from both Books and Electronics → purchased_categories contains_all Books, Electronics
lifetime value between 1000 and 5000 → lifetime_value between 1000, 5000
ltv under 100 → lifetime_value < 100
top 5% spenders → total_spend >= 900
Custmers who bougth Books → purchased_categories contains Books
spent more then $500 → total_spend > 500
clients with at least 4 transactions in the past 12 months → order_placed >= 4 in 365 days
customers who spent $1k-$2k in 2025 → order_placed sum:amount between 1000, 2000 where occurred_at between 2025-01-01, 2025-12-31
customers whose last order was between 30 and 90 days ago → last_order_at between 2026-08-23, 2026-10-22
last order 30 to 90 days ago → last_order_at between 2026-08-23, 2026-10-22
customers who have purchased a Burr hand grinder in the last 6 months → order_placed >= 1 in 180 days where product = Burr hand grinder
anyone who's bought at least 3 times this year → order_placed >= 3 where occurred_at after 2025-12-31
lifetime spend of at least $2,500 → total_spend >= 2500
ltv of 1k+ → lifetime_value >= 1000
customer lifetime value greater than 300 → lifetime_value > 300
order value above 150 → average_order_value > 150
placed exactly two orders → order_count = 2
have 2 orders → order_count = 2
at most 1 order → order_count <= 1
single-order customers → order_count = 1
who spent between $200 and $800 in the past year → order_placed sum:amount between 200, 800 in 365 days
bought either Books or Electronics → purchased_categories contains_any Books, Electronics
ordered more than once in the past 30 days → order_placed > 1 in 30 days
people who recently bought Coffee → order_placed >= 1 in 30 days where category = Coffee
five or more orders → order_count >= 5
two hundred dollars or more total spend → total_spend >= 200
a hundred orders → order_count = 100
half a dozen orders or more → order_count >= 6
spent more than 1.5 million → total_spend > 1500000
$1,234.56 or more spent → total_spend >= 1234.56
bought in the last quarter → last_order_at in_last_days 90
bought last year → order_placed >= 1 where occurred_at between 2025-01-01, 2025-12-31
spent over 100 last week → order_placed sum:amount > 100 where occurred_at between 2026-11-09, 2026-11-15
bought Harrow products → order_placed >= 1 where brand = Harrow
bought from Harrow in the last year → order_placed >= 1 in 365 days where brand = Harrow
purchased Hat and Socks → purchased_products contains_all Hat, Socks
bought a hat → purchased_products contains Hat
bought the Burr hand grinder twice → order_placed = 2 where product = Burr hand grinder
spent at least 50 on Hat → order_placed sum:amount >= 50 where product = Hat
show me everyone that bought at least twice in 6 months → order_placed >= 2 in 180 days
no orders since January → NOT (last_order_at after 2025-12-31)
haven't shopped in 90 days → last_order_at inactive_days 90
spent more than 2.5k in Q3 2025 → order_placed sum:amount > 2500 where occurred_at between 2025-07-01, 2025-09-30
customers who bought Coffee or Books in the last two weeks → order_placed >= 1 in 14 days where category in Coffee, Books
last order before 1 May → last_order_at before 2026-05-01
bought nothing this year → order_placed = 0 where occurred_at after 2025-12-31
customers who have never bought anything → order_count = 0
one-time buyers → order_count = 1
people who have ordered exactly once → order_count = 1
at least $500 in purchases → total_spend >= 500
big spenders → total_spend >= 900
"""
)


@pytest.mark.parametrize(("phrase", "rules"), PHRASES)
def test_a_phrase_is_understood_to_the_last_word(phrase: str, rules: str) -> None:
    understood = read(phrase)

    assert line(understood.rules) == rules
    assert understood.unparsed == []
