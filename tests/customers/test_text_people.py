"""Descriptions of age, place, registration and activity."""

from __future__ import annotations

import pytest

from tests.customers.text_world import line, read, table

pytestmark = [pytest.mark.usefixtures("text_world"), pytest.mark.django_db]

PHRASES = table(
    """
customers from France, Germany or Italy → country in FR, DE, IT
Berliners who spent more than 300 → city = Berlin AND total_spend > 300
customers with more than 1,000 loyalty points who live in Paris → attributes.loyalty_points > 1000 AND city = Paris
on the platinum loyalty tier → attributes.loyalty_tier = platinum
people whose churn risk is between 0.4 and 0.7 → churn_risk between 0.4, 0.7
engagement score of at least 80 → engagement_score >= 80
satisfaction below 3 → satisfaction < 3
customers that registered this year → registered_at after 2025-12-31
joined last month → registered_at between 2026-10-01, 2026-10-31
customers who joined in the last 7 days → registered_at in_last_days 7
customers who have been with us for more than two years → registered_at is_set AND registered_at inactive_days 730
birthday in the next 14 days → date_of_birth anniversary_in_days 14
birthday this month → date_of_birth anniversary_in_days 9 OR (date_of_birth anniversary_in_days 364 AND NOT (date_of_birth anniversary_in_days 344))
birthday in May → date_of_birth anniversary_in_days 191 AND NOT (date_of_birth anniversary_in_days 160)
born in 1990 → date_of_birth between 1990-01-01, 1990-12-31
born in the 80s → date_of_birth between 1980-01-01, 1989-12-31
between 25 and 35 years old → age between 25, 35
18 to 24 year olds → age between 18, 24
customers with unknown city → city is_not_set
last name is "van Dyke" → last_name = van Dyke
last visit more than 30 days ago → last_visit_at is_set AND last_visit_at inactive_days 30
last seen over 6 months ago → last_interaction_at is_set AND last_interaction_at inactive_days 180
active in the last 7 days → last_interaction_at in_last_days 7
everyone except people in Germany → country != DE
Germans → country = DE
customers in the US → country = US
not from France → country != FR
customers in the EU → country in AT, BE, BG, HR, CY, CZ, DK, EE, FI, FR, DE, GR, HU, IE, IT, LV, LT, LU, MT, NL, PL, PT, RO, SK, SI, ES, SE
new customers → registered_at in_last_days 30
visited the website in the last week → last_visit_at in_last_days 7
hasn't visited since March → NOT (last_visit_at after 2026-02-28)
never visited → visit_count = 0
recency score at least 4 → recency_score >= 4
who are neither leads nor churned → lifecycle_status not_in lead, churned
not active → lifecycle_status != active
customers in Paris, Lyon or Berlin → city in Paris, Lyon, Berlin
churn risk of 70% or more → churn_risk >= 0.7
most engaged customers → engagement_score >= 70
people in new york → city = New York
customers whose city is Berlin or Lyon → city in Berlin, Lyon
city starts with B → city starts_with B
language is English → language = en
who speak French or German → language in fr, de
external id starts with C- → external_id starts_with C-
email contains example → email contains example
email does not end with example.com → NOT (email ends_with example.com)
name is Ada Lindqvist → name = Ada Lindqvist
last name starts with "Mc" → last_name starts_with Mc
birthday tomorrow → date_of_birth anniversary_in_days 1 AND NOT (date_of_birth anniversary_in_days 0)
birthday within 30 days → date_of_birth anniversary_in_days 30
birthdays coming up in the next two weeks → date_of_birth anniversary_in_days 14
turning a year older next week → date_of_birth anniversary_in_days 7
50+ visits → visit_count >= 50
joined in Q1 → registered_at between 2026-01-01, 2026-03-31
0 visits → visit_count = 0
customers whose last visit was more than 60 days ago → last_visit_at is_set AND last_visit_at inactive_days 60
customers with 5-10 visits → visit_count between 5, 10
lifecycle_status = churned → lifecycle_status = churned
aged over 65 → age > 65
over 50s → age > 50
teenagers → age between 13, 19
born in May → date_of_birth anniversary_in_days 191 AND NOT (date_of_birth anniversary_in_days 160)
birthdays in December → date_of_birth anniversary_in_days 40 AND NOT (date_of_birth anniversary_in_days 9)
have a birthday this week → date_of_birth anniversary_in_days 7
birthday in the next month → date_of_birth anniversary_in_days 30
whose birthday is today → date_of_birth anniversary_in_days 0
joined us before 2025-01-01 → registered_at before 2025-01-01
signed up more than a year ago → registered_at is_set AND registered_at inactive_days 365
registered within the last quarter → registered_at in_last_days 90
new customers this month → registered_at after 2026-10-31
joined between 2024-01-01 and 2024-12-31 → registered_at between 2024-01-01, 2024-12-31
no activity in 120 days → last_interaction_at inactive_days 120
idle for more than 60 days → last_interaction_at inactive_days 60
inactive since June → NOT (last_interaction_at after 2026-05-31)
inactive customers → lifecycle_status = inactive
all people other than leads → lifecycle_status != lead
no leads → lifecycle_status != lead
customers who are neither French nor German → country not_in FR, DE
contacts with no phone number → phone is_not_set
at risk of churning → churn_risk >= 0.7
risk of churn over 80 percent → churn_risk > 0.8
engagement between 40 and 60 → engagement_score between 40, 60
people in Pariss → city = Paris
customers not seen in 45 days → last_interaction_at inactive_days 45
customers with birthday in the next 7 days who can be reached by sms → date_of_birth anniversary_in_days 7 AND subscribed contains sms
people with a gmail address → email ends_with @gmail.com
with emails ending in example.com → email ends_with example.com
customers who speak English → language = en
score of engagement at least 60% → engagement_score >= 60
churn risk between 30% and 60% → churn_risk between 0.3, 0.6
has a birthday this month → date_of_birth anniversary_in_days 9 OR (date_of_birth anniversary_in_days 364 AND NOT (date_of_birth anniversary_in_days 344))
born between 1980 and 1990 → date_of_birth between 1980-01-01, 1990-12-31
born on 1 May 1985 → date_of_birth on 1985-05-01
not older than 30 → age <= 30
no younger than 21 → age >= 21
customers since last year → registered_at after 2024-12-31
signed up today → registered_at on 2026-11-21
state is California → region = California
living in Berlin, Paris or New York → city in Berlin, Paris, New York
not living in Paris → city != Paris
customers in the Nordics → country in DK, FI, IS, NO, SE
customers without a birthday → date_of_birth is_not_set
recently active customers → last_interaction_at in_last_days 30
customers not in Germany or Austria → country not_in DE, AT
signed up in the first quarter of 2025 → registered_at between 2025-01-01, 2025-03-31
registered in 2024 → registered_at between 2024-01-01, 2024-12-31
joined in March 2025 → registered_at between 2025-03-01, 2025-03-31
not visited since last month → NOT (last_visit_at after 2026-09-30)
haven't been active since 2026-01-01 → NOT (last_interaction_at after 2025-12-31)
active or inactive customers → lifecycle_status in active, inactive
lifecycle stage inactive → lifecycle_status = inactive
everyone but the French and the Germans → country not_in FR, DE
everyone not in Paris → city != Paris
customers over the age of 60 → age > 60
likely to churn → churn_risk >= 0.7
engaged → engagement_score >= 50
over 60 → age > 60
people who signed up since March 2025 → registered_at after 2025-02-28
neither in Paris nor in Lyon → city not_in Paris, Lyon
whose first name is Anna → first_name = Anna
Londoners who never bought → city = London AND order_count = 0
Parisians and Berliners → city in Paris, Berlin
New Yorkers → city = New York
a Viennese → city = Vienna
London shoppers who spent over 100 → city = London AND total_spend > 100
people who gave us their phone number → phone is_set
gmail users → email ends_with @gmail.com
"""
)


@pytest.mark.parametrize(("phrase", "rules"), PHRASES)
def test_a_phrase_is_understood_to_the_last_word(phrase: str, rules: str) -> None:
    understood = read(phrase)

    assert line(understood.rules) == rules
    assert understood.unparsed == []
