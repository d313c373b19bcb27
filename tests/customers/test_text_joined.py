"""Descriptions with and, or, but, except, brackets and commas."""

from __future__ import annotations

import pytest

from tests.customers.text_world import line, read, table
from tests.factories.customers import make_customer

pytestmark = [pytest.mark.usefixtures("text_world"), pytest.mark.django_db]

PHRASES = table(
    """
VIPs tagged gold with 3+ orders → tags contains vip AND tags contains gold AND order_count >= 3
opened the Summer Sale campaign but didn't click → message_opened >= 1 where campaign = Summer Sale AND message_clicked = 0 where campaign = Summer Sale
ordered or visited in the last 30 days → last_order_at in_last_days 30 OR last_visit_at in_last_days 30
people tagged vip but not staff → tags contains vip AND tags contains_none staff
people who've opened at least 3 emails in the past 30 days but never clicked → message_opened >= 3 in 30 days where by e-mail AND message_clicked = 0 where by e-mail
customers who bought Books or Coffee but not Shoes → purchased_categories contains_any Books, Coffee AND purchased_categories contains_none Shoes
who are subscribed to sms but not to email → subscribed contains sms AND subscribed contains_none email
customers older than 50 in Berlin → age > 50 AND city = Berlin
lives in Berlin and speaks German → city = Berlin AND language = de
RFM champions or loyal customers → rfm_segment = Champions OR order_count >= 5
customers with a phone number but no email → phone is_set AND email is_not_set
more than ten orders or more than $1000 total spend → order_count > 10 OR total_spend > 1000
VIP customers in Paris who haven't bought in three months → tags contains vip AND city = Paris AND last_order_at inactive_days 90
churned customers who spent more than 2k → lifecycle_status = churned AND total_spend > 2000
inactive leads → lifecycle_status = inactive AND lifecycle_status = lead
received Black Friday but did not open it → message_sent >= 1 where campaign = Black Friday AND message_opened = 0 where campaign = Black Friday
neither opened nor clicked anything in 90 days → message_opened = 0 in 90 days AND message_clicked = 0 in 90 days
customers who have not opened or clicked any email in 90 days → message_opened = 0 in 90 days where by e-mail AND message_clicked = 0 in 90 days where by e-mail
hasn't bought or visited in 6 months → last_order_at inactive_days 180 AND last_visit_at inactive_days 180
lapsed customers → order_count >= 1 AND last_order_at inactive_days 180
customers who spent over 1000 unless they are tagged staff → total_spend > 1000 AND tags contains_none staff
having more than 20 visits and fewer than 2 orders → visit_count > 20 AND order_count < 2
people interested in yoga or hiking but not Coffee → interests contains_any yoga, hiking AND interests contains_none Coffee
Everyone in Lyon or Paris aged between 30 and 45 who has ordered in the past month → city in Lyon, Paris AND age between 30, 45 AND last_order_at in_last_days 30
I want all customers with a total spend over 10k who have not visited in 30 days → total_spend > 10000 AND last_visit_at inactive_days 30
Customers who have not placed an order in the last 6 months but opened an email in the last 30 days → last_order_at inactive_days 180 AND message_opened >= 1 in 30 days where by e-mail
people who clicked at least twice in the last 30 days but haven't ordered → message_clicked >= 2 in 30 days AND order_count = 0
women in Paris over 30 → attributes.gender in female, f, woman, w AND city = Paris AND age > 30
men under 40 who like hiking → attributes.gender in male, m, man AND age < 40 AND interests contains hiking
Spanish or Italian customers with 2 or more orders → country in ES, IT AND order_count >= 2
customers who ordered Books but haven't bought Electronics → purchased_categories contains Books AND purchased_categories contains_none Electronics
tag is gold or tag is silver → tags contains gold OR tags contains silver
customers who visited but did not buy in the last week → last_visit_at in_last_days 7 AND last_order_at inactive_days 7
people who bought in the last 7 days, visited at least twice this month and live in France → last_order_at in_last_days 7 AND page_viewed >= 2 where occurred_at after 2026-10-31 AND country = FR
customers in Paris, tagged vip, with more than 3 orders → city = Paris AND tags contains vip AND order_count > 3
live in Paris, or spent more than 500, or are tagged vip → city = Paris OR total_spend > 500 OR tags contains vip
(tagged vip or spent over 1000) and (in France or in Germany) → (tags contains vip OR total_spend > 1000) AND country in FR, DE
not (in Paris or tagged vip) → city != Paris AND tags contains_none vip
customers with high engagement but low satisfaction → engagement_score >= 70 AND satisfaction <= 2
customers likely to churn with total spend above 1,000 → churn_risk >= 0.7 AND total_spend > 1000
signed up via referral in the last 90 days → source = referral AND registered_at in_last_days 90
under $100 total spend and no orders in the last year → total_spend < 100 AND last_order_at inactive_days 365
first-time buyers this month → order_count = 1 AND last_order_at after 2026-10-31
never ordered but visited more than 5 times → order_count = 0 AND visit_count > 5
Give me the folks who purchased something in the last 2 weeks and live in the UK → last_order_at in_last_days 14 AND country = GB
newsletter subscribers in Germany → segment contains newsletter AND country = DE
preferred channel is email and engagement over 50 → preferred_channel = email AND engagement_score > 50
Everybody who purchased in the last six weeks and whose average order value exceeds $80 → last_order_at in_last_days 42 AND average_order_value > 80
customers whose total spend is at least 1.5k and who ordered within the past 45 days → total_spend >= 1500 AND last_order_at in_last_days 45
Shoppers from Berlin with two or more orders, but not staff → city = Berlin AND order_count >= 2 AND tags contains_none staff
Anyone aged 30 or older with an engagement score below 40 → age >= 30 AND engagement_score < 40
customers who live in Germany but don't speak German → country = DE AND language != de
leads who registered in the past two weeks → lifecycle_status = lead AND registered_at in_last_days 14
leads that have not opened any email → lifecycle_status = lead AND message_opened = 0 where by e-mail
spend >= 1000 and orders >= 3 → total_spend >= 1000 AND order_count >= 3
country = FR and city != Paris → country = FR AND city != Paris
bought Outdoor or Coffee items in the past year, and live in New York → order_placed >= 1 in 365 days where category in Outdoor, Coffee AND city = New York
Coffee buyers in Paris → purchased_categories contains Coffee AND city = Paris
bought Books and Shoes but never Electronics → purchased_categories contains_all Books, Shoes AND purchased_categories contains_none Electronics
opened Summer Sale and Black Friday → message_opened >= 1 where campaign = Summer Sale AND message_opened >= 1 where campaign = Black Friday
who opened the Summer Sale email but not the Black Friday one → message_opened >= 1 where campaign = Summer Sale AND message_opened = 0 where campaign = Black Friday
subscribed to email or sms but not whatsapp → subscribed contains_any email, sms AND subscribed contains_none whatsapp
reachable by email and tagged vip → subscribed contains email AND tags contains vip
customers over 18 and under 30 → age > 18 AND age < 30
adults in France → age >= 18 AND country = FR
High Value customers who are not At Risk → segment contains high-value AND segment contains_none at-risk
members of the Newsletter segment who haven't bought this year → segment contains newsletter AND NOT (last_order_at after 2025-12-31)
customers in New Leads excluding those from instagram → segment contains new-leads AND source != instagram
spent over 1k or (ordered at least 5 times and live in Paris) → total_spend > 1000 OR (order_count >= 5 AND city = Paris)
either tagged vip or gold and living in Lyon → tags contains_any vip, gold AND city = Lyon
customers from Paris and customers from Lyon → city = Paris OR city = Lyon
those who spent more than 100 but less than 200 → total_spend > 100 AND total_spend < 200
who spent more than 1000 except VIPs → total_spend > 1000 AND tags contains_none vip
has phone but not opted in to sms → phone is_set AND subscribed contains_none sms
have both phone and email → phone is_set AND email is_set
happy customers with more than 2 orders → satisfaction >= 4 AND order_count > 2
frequency score 4 or 5 → frequency_score = 4 OR frequency_score = 5
rfm champions in Berlin → rfm_segment = Champions AND city = Berlin
people in Paris aged 30+ → city = Paris AND age >= 30
All VIPs who live in France and haven't placed an order since the beginning of the year → tags contains vip AND country = FR AND NOT (last_order_at after 2025-12-31)
anyone in the Newsletter segment with churn risk over 0.5 → segment contains newsletter AND churn_risk > 0.5
customers in Lyon; spent over 100 → city = Lyon AND total_spend > 100
women aged 25 to 34 → attributes.gender in female, f, woman, w AND age between 25, 34
high value customers at risk of churning → segment contains high-value AND churn_risk >= 0.7
contacts who are not tagged gold and are not in Berlin → tags contains_none gold AND city != Berlin
customers from the US or Canada with an average order above $75 → country in US, CA AND average_order_value > 75
people who bought Electronics in the last year but not in the last 3 months → order_placed >= 1 in 365 days where category = Electronics AND order_placed = 0 in 90 days where category = Electronics
people who bought in 2025 but not in 2026 → order_placed >= 1 where occurred_at between 2025-01-01, 2025-12-31 AND NOT (last_order_at after 2025-12-31)
ordered in March but not in April → order_placed >= 1 where occurred_at between 2026-03-01, 2026-03-31 AND order_placed = 0 where occurred_at between 2026-04-01, 2026-04-30
bought Coffee before but not in the last 60 days → purchased_categories contains Coffee AND order_placed = 0 in 60 days where category = Coffee
ordered in the last 90 days but not in the last 30 days → last_order_at in_last_days 90 AND last_order_at inactive_days 30
registered over a year ago but never ordered → registered_at is_set AND registered_at inactive_days 365 AND order_count = 0
French customers who are subscribed to email and have not been sent anything in 14 days → country = FR AND subscribed contains email AND message_sent = 0 in 14 days
new customers who have not ordered yet → registered_at in_last_days 30 AND order_count = 0
spent over 300 on Books or over 200 on Coffee → order_placed sum:amount > 300 where category = Books OR order_placed sum:amount > 200 where category = Coffee
customers with spend over 1,000 or at least 10 orders, but not staff → (total_spend > 1000 OR order_count >= 10) AND tags contains_none staff
lapsed VIPs → order_count >= 1 AND last_order_at inactive_days 180 AND tags contains vip
customers who bought Socks but never bought a Hat → purchased_products contains Socks AND purchased_products contains_none Hat
total spend below 100 or no orders at all → total_spend < 100 OR order_count = 0
visited in the last 7 days but did not order → last_visit_at in_last_days 7 AND last_order_at inactive_days 7
satisfaction score under 3 and at least one complaint → satisfaction < 3 AND service_contact >= 1 where type = complaint
monetary score 5 and frequency score at least 4 → monetary_score = 5 AND frequency_score >= 4
email subscribers in Paris or Lyon → subscribed contains email AND city in Paris, Lyon
registered in the last month via instagram → registered_at in_last_days 30 AND source = instagram
people in Germany, Austria and Switzerland who spent at least 100 → country in DE, AT, CH AND total_spend >= 100
customers whose total spend exceeds 1000 and have visited in the last month → total_spend > 1000 AND last_visit_at in_last_days 30
customers from Germany with at least 2 orders in the last 6 months → country = DE AND order_placed >= 2 in 180 days
opened at least one email in the last week but have not bought anything in the last month → message_opened >= 1 in 7 days where by e-mail AND last_order_at inactive_days 30
customers with more than 3 visits but no orders → visit_count > 3 AND order_count = 0
customers who never clicked but opened at least twice → message_clicked = 0 AND message_opened >= 2
VIPs or customers who spent more than 2000 → tags contains vip OR total_spend > 2000
email subscribers who opened nothing since September → subscribed contains email AND message_opened = 0 where occurred_at after 2026-08-31
male customers over 50 → attributes.gender in male, m, man AND age > 50
customers with 10 orders or more and average order value under 30 → order_count >= 10 AND average_order_value < 30
hasn't opened or clicked an email this year → message_opened = 0 where by e-mail, occurred_at after 2025-12-31 AND message_clicked = 0 where by e-mail, occurred_at after 2025-12-31
clicked but didn't buy in the last 14 days → message_clicked >= 1 in 14 days AND last_order_at inactive_days 14
received the Summer Sale campaign and bought in the last 30 days → message_sent >= 1 where campaign = Summer Sale AND last_order_at in_last_days 30
got Black Friday but didn't click → message_sent >= 1 where campaign = Black Friday AND message_clicked = 0 where campaign = Black Friday
French speaking customers in Paris → language = fr AND city = Paris
interested in yoga but not hiking → interests contains yoga AND interests contains_none hiking
tagged gold and not vip → tags contains gold AND tags contains_none vip
churned leads → lifecycle_status = churned AND lifecycle_status = lead
prospects from referral → lifecycle_status = lead AND source = referral
customers who joined more than 30 days ago and have not ordered → registered_at is_set AND registered_at inactive_days 30 AND order_count = 0
customers in Paris who are VIP or gold → city = Paris AND tags contains_any vip, gold
in Paris and either VIP or gold → city = Paris AND tags contains_any vip, gold
people who live in Paris or who live in Lyon and spent over 100 → city = Paris OR (city = Lyon AND total_spend > 100)
people in Paris or Lyon who spent > 500 → city in Paris, Lyon AND total_spend > 500
French customers over 40 except those in At Risk → country = FR AND age > 40 AND segment contains_none at-risk
bought shoes but not socks → purchased_categories contains Shoes AND purchased_products contains_none Socks
customers with more than 5 orders and total spend between $1,000 and $5k → order_count > 5 AND total_spend between 1000, 5000
leads from instagram → lifecycle_status = lead AND source = instagram
who live in Germany or Austria and have an engagement score over 70 → country in DE, AT AND engagement_score > 70
active customers in New York → lifecycle_status = active AND city = New York
either in Paris or spent over 1k → city = Paris OR total_spend > 1000
customers in the High Value segment but not in At Risk → segment contains high-value AND segment contains_none at-risk
repeat customers who haven't visited since 2025-06-01 → order_count >= 2 AND NOT (last_visit_at after 2025-05-31)
younger than 30 and living in the UK → age < 30 AND country = GB
(in Paris or in New York) and tagged vip → city in Paris, New York AND tags contains vip
customers who spent between 100 and 500 and live in France → total_spend between 100, 500 AND country = FR
spent over 50 but under 100 → total_spend > 50 AND total_spend < 100
people who have not bought since Christmas and are over 40 → NOT (last_order_at after 2025-12-24) AND age > 40
customers in Paris with no phone number → city = Paris AND phone is_not_set
who live in the United States and are aged between 18 and 30 → country = US AND age between 18, 30
VIP or gold customers outside France → tags contains_any vip, gold AND country != FR
"""
)


@pytest.mark.parametrize(("phrase", "rules"), PHRASES)
def test_a_phrase_is_understood_to_the_last_word(phrase: str, rules: str) -> None:
    understood = read(phrase)

    assert line(understood.rules) == rules
    assert understood.unparsed == []


@pytest.mark.parametrize(
    ("phrase", "rules", "unparsed"),
    [
        (
            "from Berlin or Munich who spent over 200",
            "city in Berlin, Munich AND total_spend > 200",
            [],
        ),
        ("from Berlin, Munich or Paris", "city in Berlin, Munich, Paris", []),
        ("from Munich and who spent over 200", "city = Munich AND total_spend > 200", []),
        (
            "people in Berlin or blorf who spent over 200",
            "city = Berlin AND total_spend > 200",
            ["or", "blorf"],
        ),
        ("from Berlin, blorf or Paris", "city in Berlin, Paris", ["blorf"]),
        ("vip or blorf and from Berlin", "tags contains vip AND city = Berlin", ["or", "blorf"]),
        (
            "vip, or blorf, who spent over 200",
            "tags contains vip AND total_spend > 200",
            ["or", "blorf"],
        ),
        (
            "blorf or spent over 200 and from Berlin",
            "total_spend > 200 AND city = Berlin",
            ["blorf"],
        ),
        ("vip or near Paris", "tags contains vip OR city = Paris", ["near"]),
        ("people not in Munich who spent over 100", "city != Munich AND total_spend > 100", []),
        ("not from Munich or Berlin", "city not_in Munich, Berlin", []),
        ("people who are not blorf who spent over 100", "total_spend > 100", ["not", "blorf"]),
        ("did not frobnicate or buy anything", "order_count = 0", ["not", "frobnicate"]),
        ("in Munich or spent over 100", "city = Munich OR total_spend > 100", []),
        ("tagged vip or from Munich", "tags contains vip OR city = Munich", []),
        (
            "from Newcastle upon Tyne or Rio de Janeiro",
            "city in Newcastle upon Tyne, Rio de Janeiro",
            [],
        ),
        ("Customers From Munich Who Spent Over 200", "city = Munich AND total_spend > 200", []),
        (
            "order count of at least 80%",
            "nothing OR",
            ["order", "count", "of", "at", "least", "80", "%"],
        ),
        (
            "opened 50% of our emails and from Paris",
            "city = Paris",
            ["opened", "50", "%", "emails"],
        ),
        (
            "spent more than average and from Paris",
            "city = Paris",
            ["spent", "more", "than", "average"],
        ),
        ("under-30s", "age < 30", []),
        (
            "bought Socks but not Hat in the last 90 days",
            "order_placed >= 1 in 90 days where product = Socks AND order_placed = 0 in 90 days where product = Hat",
            [],
        ),
        ("from Facebook", "nothing OR", ["Facebook"]),
        ("from St. Gallen or The Hague", "city in St. Gallen, The Hague", []),
        ("bought neither Books nor Coffee", "purchased_categories contains_none Books, Coffee", []),
        (
            "bought neither Books nor Coffee this year",
            "order_placed = 0 where category in Books, Coffee, occurred_at after 2025-12-31",
            [],
        ),
    ],
)
def test_a_word_not_understood_changes_no_connective(
    phrase: str, rules: str, unparsed: list[str]
) -> None:
    understood = read(phrase)

    assert (line(understood.rules), understood.unparsed) == (rules, unparsed)


def test_a_city_is_found_by_its_other_names() -> None:
    for city in ("München", "Munich", "Köln"):
        make_customer(city=city)

    assert set(read("from Munich or Cologne").rules["conditions"][0]["value"]) == {
        "Munich",
        "München",
        "Köln",
    }
    assert read("city is not Munich").rules["conditions"][0]["operator"] == "not_in"
    assert read("people in munchen").rules["conditions"][0]["operator"] == "in"
