"""Descriptions with tags, interests, segments, channels and free attributes."""

from __future__ import annotations

import pytest

from tests.customers.text_world import line, read, table

pytestmark = [pytest.mark.usefixtures("text_world"), pytest.mark.django_db]

PHRASES = table(
    """
people tagged vip and newsletter → tags contains_all vip, newsletter
can be reached by sms or whatsapp → subscribed contains_any sms, whatsapp
favourite category is Coffee → favourite_category = Coffee
in At Risk or New Leads → segment contains_any at-risk, new-leads
customers not in the Newsletter segment → segment contains_none newsletter
source is referral → source = referral
household over 2 → attributes.household > 2
customers except those tagged staff or wholesale → tags contains_none staff, wholesale
all customers excluding staff → tags contains_none staff
customers without the tag vip → tags contains_none vip
anyone not tagged staff → tags contains_none staff
customers with no tags → tags is_not_set
customers acquired through instagram → source = instagram
VIPs → tags contains vip
sms subscribers → subscribed contains sms
consented to email → subscribed contains email
reachable by sms → subscribed contains sms
favourite brand is Harrow → favourite_brand = Harrow
subscribed to both email and sms → subscribed contains_all email, sms
sms opt-ins → subscribed contains sms
VIPs who can be texted → tags contains vip AND subscribed contains sms
customers who can be emailed → subscribed contains email
people who can receive SMS → subscribed contains sms
opted into SMS → subscribed contains sms
said yes to emails → subscribed contains email
cannot be texted → subscribed contains_none sms
don't want to be e-mailed → subscribed contains_none email
people we can't email → subscribed contains_none email
textable people in Berlin → subscribed contains sms AND city = Berlin
can be called → phone is_set
subscribers who bought twice → subscribed is_set AND order_count = 2
subscribers in Paris → subscribed is_set AND city = Paris
loyalty tier gold or silver → attributes.loyalty_tier in gold, silver
household of 3 or more → attributes.household >= 3
High Value → segment contains high-value
in High Value and Newsletter → segment contains_all high-value, newsletter
in both High Value and Newsletter → segment contains_all high-value, newsletter
anyone but staff → tags contains_none staff
people without any interests → interests is_not_set
customers whose favourite category is Books or Coffee → favourite_category in Books, Coffee
preferred channel sms → preferred_channel = sms
no consent for sms → subscribed contains_none sms
source instagram or referral → source in instagram, referral
customers with a household of at least 3 people → attributes.household >= 3
customers whose loyalty tier is platinum → attributes.loyalty_tier = platinum
not platinum → attributes.loyalty_tier != platinum
customers in the segment "High Value" → segment contains high-value
neither tagged staff nor wholesale → tags contains_none staff, wholesale
households of 4 → attributes.household = 4
interested in Coffee and hiking → interests contains_all Coffee, hiking
no interest in Coffee → interests contains_none Coffee
with the tag "coffee club" → tags contains coffee club
everyone tagged with newsletter → tags contains newsletter
in segment high-value → segment contains high-value
belongs to Newsletter → segment contains newsletter
customers in At Risk or in New Leads → segment contains_any at-risk, new-leads
preferred channel is sms or email → preferred_channel in sms, email
favourite brand Harrow → favourite_brand = Harrow
all customers except VIPs and staff → tags contains_none vip, staff
customers minus staff → tags contains_none staff
non-VIP customers → tags contains_none vip
women → attributes.gender in female, f, woman, w
not subscribed to email → subscribed contains_none email
household of at least 3 → attributes.household >= 3
interested in hiking → interests contains hiking
"""
)


@pytest.mark.parametrize(("phrase", "rules"), PHRASES)
def test_a_phrase_is_understood_to_the_last_word(phrase: str, rules: str) -> None:
    understood = read(phrase)

    assert line(understood.rules) == rules
    assert understood.unparsed == []
