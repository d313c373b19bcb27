"""Descriptions in the words and spelling of marketers give the expected rules."""

from __future__ import annotations

import pytest

from tests.customers.text_world import line, read, table

pytestmark = [pytest.mark.usefixtures("text_world"), pytest.mark.django_db]

PHRASES = table(
    """
customers who have spent more than $500 → total_spend > 500
people with a lifetime spend over 2.5k → total_spend > 2500
everyone who's spent at least £1,000 → total_spend >= 1000
spent between 200 and 800 dollars → total_spend between 200, 800
total spend below 50 → total_spend < 50
average order value above $120 → average_order_value > 120
shoppers whose average basket is under 30 euros → average_order_value < 30
customers with more than five orders → order_count > 5
people who placed exactly 3 orders → order_count = 3
made fewer than two purchases → order_count < 2
bought at least twice in the past 6 months → order_placed >= 2 in 180 days
ordered 3 or more times in the last year → order_placed >= 3 in 365 days
people who haven't bought anything in 90 days → last_order_at inactive_days 90
customers who have not ordered since January 2026 → NOT (last_order_at after 2025-12-31)
hasn't visited in a month → last_visit_at inactive_days 30
no visit for 45 days → last_visit_at inactive_days 45
inactive for the last three weeks → last_interaction_at inactive_days 21
visited the site in the past 10 days → last_visit_at in_last_days 10
people who came by more than 20 times → visit_count > 20
registered this year → registered_at after 2025-12-31
signed up in the last two weeks → registered_at in_last_days 14
joined before 2024 → registered_at before 2024-01-01
customers who joined after 15 March 2025 → registered_at after 2025-03-15
registered between January and March 2025 → registered_at between 2025-01-01, 2025-03-31
signed up yesterday → registered_at on 2026-11-20
new customers from last month → registered_at between 2026-10-01, 2026-10-31
never ordered → order_count = 0
customers without any orders → order_count = 0
never opened an email → message_opened = 0 where by e-mail
opened nothing in the last 60 days → message_opened = 0 in 60 days
opened at least 3 emails in the last month → message_opened >= 3 in 30 days where by e-mail
clicked a link in the past week → message_clicked >= 1 in 7 days
clicked on the Summer Sale campaign → message_clicked >= 1 where campaign = Summer Sale
opened Black Friday but didn't click → message_opened >= 1 where campaign = Black Friday AND message_clicked = 0 where campaign = Black Friday
received at least 5 messages in the last 30 days → message_sent >= 5 in 30 days
people who unsubscribed this year → unsubscribed >= 1 where occurred_at after 2025-12-31
lives in Paris → city = Paris
customers from Germany → country = DE
people in France or Germany → country in FR, DE
based in New York → city = New York
anyone outside the United States → country != US
not in Berlin → city != Berlin
customers in Paris and Berlin → city in Paris, Berlin
from the UK → country = GB
American customers → country = US
women in Lyon → attributes.gender in female, f, woman, w AND city = Lyon
customers tagged vip → tags contains vip
tagged as wholesale but not gold → tags contains wholesale AND tags contains_none gold
without the tag staff → tags contains_none staff
members of the High Value segment → segment contains high-value
in the At Risk segment but not in New Leads → segment contains at-risk AND segment contains_none new-leads
not in newsletter segment → segment contains_none newsletter
interested in yoga → interests contains yoga
interested in hiking or coffee → interests contains_any hiking, Coffee
people who like coffee → interests contains Coffee
bought books → purchased_categories contains Books
purchased something from the Electronics category → purchased_categories contains Electronics
bought shoes or books → purchased_categories contains_any Shoes, Books
bought both coffee and books → purchased_categories contains_all Coffee, Books
never bought electronics → purchased_categories contains_none Electronics
bought Socks in the last month → order_placed >= 1 in 30 days where product = Socks
spent over 200 on books in the past 90 days → order_placed sum:amount > 200 in 90 days where category = Books
spent more than $100 on coffee this year → order_placed sum:amount > 100 where category = Coffee, occurred_at after 2025-12-31
older than 30 → age > 30
between 25 and 40 years old → age between 25, 40
people under 18 → age < 18
customers aged 65+ → age >= 65
30-something → age between 30, 39
has a birthday this week → date_of_birth anniversary_in_days 7
birthday in the next 14 days → date_of_birth anniversary_in_days 14
birthday this month → date_of_birth anniversary_in_days 9 OR (date_of_birth anniversary_in_days 364 AND NOT (date_of_birth anniversary_in_days 344))
churn risk above 70% → churn_risk > 0.7
at high risk of churning → churn_risk >= 0.7
churn probability over 0.8 → churn_risk > 0.8
low churn risk → churn_risk <= 0.3
engagement score of at least 60 → engagement_score >= 60
satisfaction below 3 → satisfaction < 3
unhappy customers → satisfaction <= 2
rated us 5 stars → service_contact >= 1 where satisfaction = 5
satisfied customers → satisfaction >= 4
customers who complained in the last 30 days → service_contact >= 1 in 30 days where type = complaint
filed at least two complaints this year → service_contact >= 2 where type = complaint, occurred_at after 2025-12-31
opted in to sms → subscribed contains sms
subscribed to email but not sms → subscribed contains email AND subscribed contains_none sms
can be reached by whatsapp → subscribed contains whatsapp
not subscribed to any channel → subscribed is_not_set
opted out of email → subscribed contains_none email
without a phone number → phone is_not_set
has no email address → email is_not_set
email ends with gmail.com → email ends_with gmail.com
people with a gmail address → email ends_with @gmail.com
phone number is known → phone is_set
name starts with A → name starts_with A
first name is Anna → first_name = Anna
last name contains berg → last_name contains berg
speaks French → language = fr
language is German → language = de
preferred channel is email → preferred_channel = email
prefers sms → preferred_channel = sms
favourite category is Books → favourite_category = Books
favorite brand Harrow → favourite_brand = Harrow
loyalty tier is platinum → attributes.loyalty_tier = platinum
household larger than 2 → attributes.household > 2
gender is female → attributes.gender = female
source is instagram → source = instagram
came from organic search → source = organic search
acquired via referral → source = referral
lifecycle status is churned → lifecycle_status = churned
leads → lifecycle_status = lead
active customers → lifecycle_status = active
churned customers who spent over 1000 → lifecycle_status = churned AND total_spend > 1000
lifetime value over $5k → lifetime_value > 5000
predicted lifetime value at least 300 → lifetime_value >= 300
recency score of 5 → recency_score = 5
monetary score 4 or higher → monetary_score >= 4
RFM segment champions → rfm_segment = Champions
spent over $1000 and visited in the last 30 days → total_spend > 1000 AND last_visit_at in_last_days 30
spent more than 500 or ordered at least 10 times → total_spend > 500 OR order_count >= 10
customers in Paris who spent over $500 this year but never opened an email → city = Paris AND order_placed sum:amount > 500 where occurred_at after 2025-12-31 AND message_opened = 0 where by e-mail
(from France or Germany) and more than 3 orders → country in FR, DE AND order_count > 3
VIPs who haven't ordered in 6 months → tags contains vip AND last_order_at inactive_days 180
customers from Paris or Lyon, except those tagged staff → city in Paris, Lyon AND tags contains_none staff
everyone except people in Germany → country != DE
all customers → nothing AND
all customers who are not tagged vip → tags contains_none vip
people who neither ordered nor visited in the last 90 days → last_order_at inactive_days 90 AND last_visit_at inactive_days 90
customers who visited more than 5 times but never purchased → visit_count > 5 AND order_count = 0
hasn't been emailed in 30 days → message_sent = 0 in 30 days where by e-mail
people we haven't emailed this month → message_sent = 0 where by e-mail, occurred_at after 2026-10-31
who has not been texted since June → message_sent = 0 where channel = sms, occurred_at after 2026-05-31
emailed last week but not opened → message_sent >= 1 where by e-mail, occurred_at between 2026-11-09, 2026-11-15 AND message_opened = 0 where by e-mail, occurred_at between 2026-11-09, 2026-11-15
customers that we've emailed at least 3 times this week → message_sent >= 3 where by e-mail, occurred_at after 2026-11-15
spent over 200 but not emailed this month → total_spend > 200 AND message_sent = 0 where by e-mail, occurred_at after 2026-10-31
people we have never contacted → message_sent = 0
haven't been reached out to in 60 days → message_sent = 0 in 60 days
customers who contacted support → service_contact >= 1
customers who opened a ticket → service_contact >= 1
anyone who returned an order in the last 90 days → order_refunded >= 1 in 90 days
customers who got a refund → order_refunded >= 1
people with at least two returns → order_refunded >= 2
no returns in the last year → order_refunded = 0 in 365 days
never returned anything → order_refunded = 0
cancelled an order last week → order_cancelled >= 1 where occurred_at between 2026-11-09, 2026-11-15
leads older than 90 days → lifecycle_status = lead AND registered_at is_set AND registered_at inactive_days 90
leads newer than two weeks → lifecycle_status = lead AND registered_at in_last_days 14
older than 30 years → age > 30
Californians → region = California
California shoppers over 40 → region = California AND age > 40
Catalan speakers → language = ca
opened any of our emails → message_opened >= 1 where by e-mail
loged in at least once in the last week → logged_in >= 1 in 7 days
customrs from Pariss → city = Paris
spent moer than 500 dolars → total_spend > 500
haven't shopped in ninety days → last_order_at inactive_days 90
shopped last week → order_placed >= 1 where occurred_at between 2026-11-09, 2026-11-15
last order more than a year ago → last_order_at is_set AND last_order_at inactive_days 365
last purchase within 30 days → last_order_at in_last_days 30
last visit before June 2026 → last_visit_at before 2026-06-01
last seen over 2 months ago → last_interaction_at is_set AND last_interaction_at inactive_days 60
ordered on Black Friday → order_placed >= 1 where occurred_at on 2025-11-28
their last order was between 1 and 15 October 2026 → last_order_at between 2026-10-01, 2026-10-15
bought in December 2025 → order_placed >= 1 where occurred_at between 2025-12-01, 2025-12-31
spent a grand or more → total_spend >= 1000
top 10% of spenders → total_spend >= 900
customers who viewed a page at least 10 times this month → page_viewed >= 10 where occurred_at after 2026-10-31
people who spent over €1.000,00 → total_spend > 1000
orders above 10 and satisfaction at least 4 → order_count > 10 AND satisfaction >= 4
either tagged gold or spent at least 2k → tags contains gold OR total_spend >= 2000
people who bought coffee but not books → purchased_categories contains Coffee AND purchased_categories contains_none Books
customers who bought coffee twice in the last quarter → order_placed = 2 in 90 days where category = Coffee
purchased more than 3 times since 1 June 2026 → order_placed > 3 where occurred_at after 2026-05-31
people who opened an email but did not buy anything in the last 30 days → message_opened >= 1 in 30 days where by e-mail AND last_order_at inactive_days 30
customers whose country is FR and whose age is over 21 → country = FR AND age > 21
people with 10 to 20 orders → order_count between 10, 20
big spenders in California who have not visited since the summer → total_spend >= 900 AND region = California AND NOT (last_visit_at after 2026-05-31)
customers who spend at least $2.5k and have fewer than 3 orders → total_spend >= 2500 AND order_count < 3
people from Paris, Lyon or Berlin aged 25-34 → city in Paris, Lyon, Berlin AND age between 25, 34
everyone in France that ordered more than once but is not tagged "staff" → country = FR AND order_count > 1 AND tags contains_none staff
customers with an average order value between $50 and $75.50 → average_order_value between 50, 75.5
folks who signed up within the past 3 months and haven't placed an order yet → registered_at in_last_days 90 AND order_count = 0
registered more than two years ago → registered_at is_set AND registered_at inactive_days 730
registered less than 6 months ago → registered_at in_last_days 180
customers for at least 2 years → registered_at is_set AND registered_at inactive_days 730
customers whose last order was over 120 days ago → last_order_at is_set AND last_order_at inactive_days 120
people who bought something in the last fortnight → last_order_at in_last_days 14
purchased at least 4 times in 2025 → order_placed >= 4 where occurred_at between 2025-01-01, 2025-12-31
made no purchase in 2026 → NOT (last_order_at after 2025-12-31)
customers whose total spend is more than 1 million → total_spend > 1000000
spent 1,500 or less → total_spend <= 1500
spent at most two hundred → total_spend <= 200
no more than 3 visits → visit_count <= 3
visited no fewer than 10 times → visit_count >= 10
more than a dozen orders → order_count > 12
a couple of orders → order_count = 2
several orders → order_count >= 3
single order only → order_count = 1
one-time buyers → order_count = 1
repeat customers → order_count >= 2
customers who have ordered only once → order_count = 1
people who ordered 5 times exactly → order_count = 5
people with zero orders → order_count = 0
didn't open any message in the past two months → message_opened = 0 in 60 days
haven't opened an email in 60 days → message_opened = 0 in 60 days where by e-mail
have not clicked anything since October → message_clicked = 0 where occurred_at after 2026-09-30
clicked at least one link in the last 7 days but never ordered → message_clicked >= 1 in 7 days AND order_count = 0
got the Black Friday email but didn't open it → message_sent >= 1 where campaign = Black Friday AND message_opened = 0 where campaign = Black Friday
were sent Summer Sale but not Black Friday → message_sent >= 1 where campaign = Summer Sale AND message_sent = 0 where campaign = Black Friday
converted from the Summer Sale campaign → message_converted >= 1 where campaign = Summer Sale
bounced emails in the last 30 days → message_bounced >= 1 in 30 days where by e-mail
people who contacted support in the last week → service_contact >= 1 in 7 days
complained more than twice → service_contact > 2 where type = complaint
no complaints in the last year → service_contact = 0 in 365 days where type = complaint
left negative feedback → service_contact >= 1 where type = feedback, satisfaction <= 2
gave us a rating of 4 or higher → service_contact >= 1 where satisfaction >= 4
average satisfaction over 4.5 → satisfaction > 4.5
email subscribers in Germany → subscribed contains email AND country = DE
people we can text → subscribed contains sms
reachable by email and sms → subscribed contains_all email, sms
anyone who agreed to receive SMS → subscribed contains sms
haven't opted in to email → subscribed contains_none email
unsubscribed from email → unsubscribed >= 1 where by e-mail
people without consent for whatsapp → subscribed contains_none whatsapp
tagged gold and vip → tags contains_all gold, vip
tagged gold, vip or wholesale → tags contains_any gold, vip, wholesale
not tagged → tags is_not_set
has any tag → tags is_set
have both the vip and gold tags → tags contains_all vip, gold
people in High Value or At Risk → segment contains_any high-value, at-risk
not a member of high value → segment contains_none high-value
High Value customers in France → segment contains high-value AND country = FR
at-risk customers who live in Berlin → segment contains at-risk AND city = Berlin
likes yoga and hiking → interests contains_all yoga, hiking
not interested in coffee → interests contains_none Coffee
interested in both yoga and coffee → interests contains_all yoga, Coffee
bought a Burr hand grinder → purchased_products contains Burr hand grinder
bought Harrow products → order_placed >= 1 where brand = Harrow
customers who bought shoes more than 3 times → order_placed > 3 where category = Shoes
bought outdoor gear in the past year but no shoes → order_placed >= 1 in 365 days where category = Outdoor AND order_placed = 0 in 365 days where category = Shoes
spent over $300 on electronics since March 2025 → order_placed sum:amount > 300 where category = Electronics, occurred_at after 2025-02-28
spent nothing on books → order_placed sum:amount = 0 where category = Books
spent between $100 and $200 on shoes this year → order_placed sum:amount between 100, 200 where category = Shoes, occurred_at after 2025-12-31
bought coffee within the last 30 days and books within the last 60 days → order_placed >= 1 in 30 days where category = Coffee AND order_placed >= 1 in 60 days where category = Books
never bought either shoes or books → purchased_categories contains_none Shoes, Books
people turning 40 this year → date_of_birth between 1986-01-01, 1986-12-31
born in 1990 → date_of_birth between 1990-01-01, 1990-12-31
born before 1980 → date_of_birth before 1980-01-01
born after 2000 → date_of_birth after 2000-12-31
birthday tomorrow → date_of_birth anniversary_in_days 1 AND NOT (date_of_birth anniversary_in_days 0)
birthday today → date_of_birth anniversary_in_days 0
whose birthday is next week → date_of_birth anniversary_in_days 7
born in May → date_of_birth anniversary_in_days 191 AND NOT (date_of_birth anniversary_in_days 160)
teenagers → age between 13, 19
seniors → age >= 65
over 65s → age > 65
pensioners → age >= 65
aged 18 to 24 → age between 18, 24
churn risk between 20% and 50% → churn_risk between 0.2, 0.5
churn risk below 0.2 → churn_risk < 0.2
likely to churn → churn_risk >= 0.7
engagement score under 20 → engagement_score < 20
engagement between 40 and 60 → engagement_score between 40, 60
highly engaged customers → engagement_score >= 70
disengaged customers → engagement_score <= 20
low satisfaction and high churn risk → satisfaction <= 2 AND churn_risk >= 0.7
customers without a date of birth → date_of_birth is_not_set
people whose city is unknown → city is_not_set
customers with a city → city is_set
country not set → country is_not_set
surname Smith → last_name = Smith
called John → first_name = John
emails containing "test" → email contains test
email at example.com → email ends_with @example.com
timezone is Europe/Paris → timezone = Europe/Paris
Spanish speakers → language = es
English-speaking customers in Germany → language = en AND country = DE
customers whose preferred language is not English → language != en
visited yesterday → page_viewed >= 1 where occurred_at on 2026-11-20
visited in the last 24 hours → last_visit_at in_last_days 1
ordered today → order_placed >= 1 where occurred_at on 2026-11-21
ordered this week → last_order_at after 2026-11-15
ordered last month → order_placed >= 1 where occurred_at between 2026-10-01, 2026-10-31
ordered this quarter → last_order_at after 2026-09-30
ordered in Q3 2026 → order_placed >= 1 where occurred_at between 2026-07-01, 2026-09-30
joined in 2024 → registered_at between 2024-01-01, 2024-12-31
joined in spring 2025 → registered_at between 2025-03-01, 2025-05-31
joined on 5 May 2025 → registered_at on 2025-05-05
joined on 2025-03-05 → registered_at on 2025-03-05
last order before 1st of July 2026 → last_order_at before 2026-07-01
last visit between 1 June 2026 and 31 August 2026 → last_visit_at between 2026-06-01, 2026-08-31
active in the last 48 hours → last_interaction_at in_last_days 2
(spent over 500 and from France) or (ordered more than 10 times and from Germany) → (total_spend > 500 AND country = FR) OR (order_count > 10 AND country = DE)
not (from France or Germany) → country not_in FR, DE
people in France who are either vip or spent over 1000, but not staff → country = FR AND (tags contains vip OR total_spend > 1000) AND tags contains_none staff
from Germany, spent over 1000, visited last 30 days → country = DE AND total_spend > 1000 AND last_visit_at in_last_days 30
customers who spent > 1000 and orders >= 3 → total_spend > 1000 AND order_count >= 3
total_spend > 100 and country = FR → total_spend > 100 AND country = FR
spent $10K+ → total_spend >= 10000
5+ orders → order_count >= 5
churn risk > 60 % → churn_risk > 0.6
lapsed customers → order_count >= 1 AND last_order_at inactive_days 180
dormant for 6 months → last_interaction_at inactive_days 180
new customers → registered_at in_last_days 30
loyal customers → order_count >= 5
best customers → total_spend >= 900
VIP customers → tags contains vip
customers who bought books but haven't opened an email for 3 months → purchased_categories contains Books AND message_opened = 0 in 90 days where by e-mail
users that viewed at least 5 pages last week → page_viewed >= 5 where occurred_at between 2026-11-09, 2026-11-15
customers who logged in during the last 5 days → logged_in >= 1 in 5 days
people who haven't logged in for 30 days → logged_in = 0 in 30 days
logged in at least 3 times this month → logged_in >= 3 where occurred_at after 2026-10-31
mobile number starts with +33 → phone starts_with +33
female customers over 30 in Paris → attributes.gender in female, f, woman, w AND age > 30 AND city = Paris
men under 25 → attributes.gender in male, m, man AND age < 25
whose loyalty tier isn't platinum → attributes.loyalty_tier != platinum
with a household of 4 or more → attributes.household >= 4
customers from instagram or referral → source in instagram, referral
not from instagram → source != instagram
came through Instagram and purchased → source = instagram AND order_count >= 1
customers who spent over 500 in Paris → total_spend > 500 AND city = Paris
everyone but VIPs → tags contains_none vip
spent half a million → total_spend >= 500000
spent 2.5 thousand euros or more → total_spend >= 2500
made their first purchase this year → order_placed >= 1 where occurred_at after 2025-12-31 AND order_placed = 0 where occurred_at before 2026-01-01
first order in the last 30 days → order_placed >= 1 in 30 days AND order_placed = 0 where occurred_at inactive_days 30
first-time buyers this month → order_count = 1 AND last_order_at after 2026-10-31
customers whose lifetime spend exceeds 750 euros → total_spend > 750
anybody that has spent upwards of $3k with us → total_spend > 3000
spent somewhere between 1k and 5k → total_spend between 1000, 5000
people who've placed more than ten orders since the start of the year → order_placed > 10 where occurred_at after 2025-12-31
customers who bought three or more times over the last 12 months → order_placed >= 3 in 365 days
hasn't bought since last Christmas → NOT (last_order_at after 2025-12-24)
no purchases in the past half year → last_order_at inactive_days 183
customers we haven't seen for 100 days → last_interaction_at inactive_days 100
people who stopped by the site within the last week → last_visit_at in_last_days 7
went quiet for 4 months → last_interaction_at inactive_days 120
enrolled in the past 6 weeks → registered_at in_last_days 42
people who became customers in 2023 → registered_at between 2023-01-01, 2023-12-31
registered on or after 1 February 2026 → registered_at after 2026-01-31
signed up before April 2026 but never bought anything → registered_at before 2026-04-01 AND order_count = 0
folks living in Lyon, Paris or New York → city in Lyon, Paris, New York
customers in the US or Canada who are over 50 → country in US, CA AND age > 50
German or Austrian customers → country in DE, AT
not based in France → country != FR
customers from Europe → country in AT, BE, BG, HR, CY, CZ, DK, EE, FI, FR, DE, GR, HU, IE, IT, LV, LT, LU, MT, NL, PL, PT, RO, SK, SI, ES, SE, AL, AD, BA, BY, CH, GB, IS, LI, MC, MD, ME, MK, NO, RS, SM, UA, VA, XK
tagged "coffee club" → tags contains coffee club
with the wholesale tag and at least 1 order → tags contains wholesale AND order_count >= 1
has vip tag but isn't in High Value → tags contains vip AND segment contains_none high-value
not vip, not staff → tags contains_none vip AND tags contains_none staff
customers belonging to the New Leads segment → segment contains new-leads
people who are in both High Value and At Risk → segment contains_all high-value, at-risk
fans of yoga → interests contains yoga
not interested in hiking or yoga → interests contains_none hiking, yoga
people who purchased electronics or shoes in the last 45 days → order_placed >= 1 in 45 days where category in Electronics, Shoes
bought a hat but never socks → purchased_products contains Hat AND purchased_products contains_none Socks
spent at least 250 on shoes in total → order_placed sum:amount >= 250 where category = Shoes
customers that ordered Outdoor products at least twice in the last 2 years → order_placed >= 2 in 730 days where category = Outdoor
bought nothing from Books in 2026 → order_placed = 0 where category = Books, occurred_at after 2025-12-31
people with an average order above 80 and at least 4 orders → average_order_value > 80 AND order_count >= 4
churn score over 65% → churn_risk > 0.65
risk of churn between 30 and 60 percent → churn_risk between 0.3, 0.6
customers with a low engagement score → engagement_score <= 30
engagement score at or above 75 → engagement_score >= 75
satisfaction of 2 or lower → satisfaction <= 2
CSAT under 3.5 → satisfaction < 3.5
people who reached out to support twice or more this year → service_contact >= 2 where occurred_at after 2025-12-31
made a complaint in the last 90 days but are still active → service_contact >= 1 in 90 days where type = complaint AND lifecycle_status = active
opened more than 5 emails in the past quarter → message_opened > 5 in 90 days where by e-mail
haven't clicked any link in the last 6 months → message_clicked = 0 in 180 days
opened the Summer Sale email more than once → message_opened > 1 where campaign = Summer Sale
never received Black Friday → message_sent = 0 where campaign = Black Friday
people who got an email in the last 7 days but did not open it → message_sent >= 1 in 7 days where by e-mail AND message_opened = 0 in 7 days where by e-mail
clicked Summer Sale but didn't purchase → message_clicked >= 1 where campaign = Summer Sale AND order_count = 0
unsubscribed in the last 30 days → unsubscribed >= 1 in 30 days
not opted in for sms but opted in for email → subscribed contains_none sms AND subscribed contains email
can't be reached by email → subscribed contains_none email
opted out of whatsapp → subscribed contains_none whatsapp
whose email contains "shop" → email contains shop
last name starts with Mc → last_name starts_with Mc
customers named Anna from Paris → first_name = Anna AND city = Paris
age 45-54 → age between 45, 54
older than 21 but younger than 30 → age > 21 AND age < 30
at least 60 years old → age >= 60
whose birthday falls in the next month → date_of_birth anniversary_in_days 30
birthday within 10 days and spent over 200 → date_of_birth anniversary_in_days 10 AND total_spend > 200
born between 1985 and 1995 → date_of_birth between 1985-01-01, 1995-12-31
language is either French or Spanish → language in fr, es
leads from instagram who joined this month → lifecycle_status = lead AND source = instagram AND registered_at after 2026-10-31
platinum members → attributes.loyalty_tier = platinum
household of two → attributes.household = 2
women between 20 and 35 who bought shoes → attributes.gender in female, f, woman, w AND age between 20, 35 AND purchased_categories contains Shoes
logged in more than 10 times in the last month → logged_in > 10 in 30 days
ordered on 3 March 2026 → order_placed >= 1 where occurred_at on 2026-03-03
bought between 1 May and 31 July 2026 → order_placed >= 1 where occurred_at between 2026-05-01, 2026-07-31
ordered in the first half of 2026 → order_placed >= 1 where occurred_at between 2026-01-01, 2026-06-30
last order in October → last_order_at between 2026-10-01, 2026-10-31
hasn't ordered in over a year but visited in the last 30 days → last_order_at inactive_days 365 AND last_visit_at in_last_days 30
customers with more than 3 visits and no orders → visit_count > 3 AND order_count = 0
customers who have spent over $1000, live in Berlin and are tagged vip → total_spend > 1000 AND city = Berlin AND tags contains vip
(tagged gold or in High Value) but not (from Germany or without email) → (tags contains gold OR segment contains high-value) AND country != DE AND email is_set
everyone who spent 500+ excluding staff and wholesale → total_spend >= 500 AND tags contains_none staff, wholesale
either never ordered or haven't ordered for 2 years → order_count = 0 OR last_order_at inactive_days 730
people who did not spend more than 100 → total_spend <= 100
customers whose order count is not zero → order_count != 0
high spenders with low engagement → total_spend >= 900 AND engagement_score <= 30
loyal customers at high risk of churning → order_count >= 5 AND churn_risk >= 0.7
customers who visited at least once this week yet have not bought in 60 days → page_viewed >= 1 where occurred_at after 2026-11-15 AND last_order_at inactive_days 60
order count between 2 and 4 inclusive → order_count between 2, 4
spent two and a half thousand or more → total_spend >= 2500
people who love jazz → interests contains jazz
"""
)


@pytest.mark.parametrize(("phrase", "rules"), PHRASES)
def test_a_description_has_these_rules(phrase: str, rules: str) -> None:
    understood = read(phrase)

    assert line(understood.rules) == rules
    assert understood.unparsed == []


SENTENCES = table(
    """
birthday next month → Customers whose birthday is 10 to 40 days from now
birthday in the next 14 days → Customers whose birthday is in the next 14 days
bought Socks but not Hat in the last 90 days → Customers who bought Socks in the last 90 days and did not buy Hat in the last 90 days
clicked an email → Customers who clicked a link in an e-mail
opened no sms in 60 days → Customers who opened no SMS in the last 60 days
ordered this year → Customers who ordered since 1 Jan 2026
ordered in March → Customers who placed an order between 1 Mar 2026 and 31 Mar 2026
orders over $200 since May → Customers who placed an order worth more than $200.00 since 1 May 2026
registered more than a year ago → Customers who registered more than 365 days ago
has not visited in 30 days → Customers who did not visit in the last 30 days
last ordered before 2025 → Customers who last ordered before 1 Jan 2025
loyalty tier gold → Customers whose loyalty tier is gold
from Berlin or Munich who never ordered → Customers who live in Berlin or Munich and never ordered
in France and not in Paris → Customers who live in France and do not live in Paris
speaks German → Customers who speak German
birthday tomorrow → Customers whose birthday is tomorrow
birthday in 3 days → Customers whose birthday is in exactly 3 days
exactly 1 order → Customers who have exactly 1 order
has ordered → Customers who have ordered
spent nothing → Customers who spent nothing
tagged vip, gold or staff → Customers who have the tag vip, gold or staff
not tagged vip → Customers who do not have the tag vip
interested in yoga → Customers who are interested in yoga
in the High Value segment → Customers who are in the segment High Value
didn't open Black Friday → Customers who opened no message of the campaign Black Friday
never clicked an email → Customers who clicked no link in an e-mail
unsubscribed from email last month → Customers who unsubscribed from e-mails between 1 Oct 2026 and 31 Oct 2026
complained twice → Customers who contacted service exactly 2 times with the type complaint
bought more than 3 hats → Customers who bought more than 3 pieces: Hat
spent over 100 on Coffee → Customers who spent more than $100.00 in the category Coffee
never bought Coffee or Books → Customers who never bought from the category Coffee or Books
from Germany or Wakanda with 3 orders → Customers (who live in Germany or live in Wakanda) and who have exactly 3 orders
"""
)


@pytest.mark.parametrize(("phrase", "sentence"), SENTENCES)
def test_rules_are_described_as_people_speak(phrase: str, sentence: str) -> None:
    assert read(phrase).explanation.startswith(f"{sentence}.")


WORDS_NEW_TO_THE_DATA = table(
    """
Bavarians or Tyroleans who spent over 200 → region in Bavaria, Tyrol AND total_spend > 200
Texan women → region = Texas AND attributes.gender in female, f, woman, w
Scottish or Welsh customers → region in Scotland, Wales
Sicilians, Bretons and Berliners → region in Sicily, Brittany OR city = Berlin
South Tyrolean customers → region = South Tyrol
women over 40 in Bavaria or Tyrol → attributes.gender in female, f, woman, w AND age > 40 AND region in Bavaria, Tyrol
from Catalonia or Paris → region = Catalonia OR city = Paris
not from Bavaria → region != Bavaria
people in texas who spent over 200 → region = Texas AND total_spend > 200
customers from Bayern or Nordrhein-Westfalen → region in Bavaria, North Rhine-Westphalia
customers from berlin or munich who spent over 200 → city in Berlin, Munich AND total_spend > 200
customers from Berlin or MUNICH who spent over 200 → city in Berlin, MUNICH AND total_spend > 200
from munich or hamburg with 3 orders → city in Munich, Hamburg AND order_count = 3
Customers from Berlin/Munich who spent over 200 → city in Berlin, Munich AND total_spend > 200
from Berlin and/or Munich spending more than 200 → city in Berlin, Munich AND total_spend > 200
Berlin or Munich customers → city in Berlin, Munich
live in grand rapids → city = grand rapids
VIP customers from oslo or bergen → tags contains vip AND city in Oslo, Bergen
customers from Paris and VIPs → city = Paris AND tags contains vip
bought snowshoes in the last 30 days → order_placed >= 1 in 30 days where product = snowshoes
bought Socks but not Snowshoes in the last 90 days → order_placed >= 1 in 90 days where product = Socks AND order_placed = 0 in 90 days where product = Snowshoes
bought Socks, but not Hat, in the last 90 days → order_placed >= 1 in 90 days where product = Socks AND order_placed = 0 in 90 days where product = Hat
bought a grinder but no hat in the last 90 days → order_placed >= 1 in 90 days where product contains grinder AND order_placed = 0 in 90 days where product = Hat
bought Socks without Hat → purchased_products contains Socks AND purchased_products contains_none Hat
spent over 1000 this year but nothing last year → order_placed sum:amount > 1000 where occurred_at after 2025-12-31 AND order_placed = 0 where occurred_at between 2025-01-01, 2025-12-31
order over 100 → order_placed >= 1 where amount > 100
household size 3 → attributes.household = 3
new this year → registered_at after 2025-12-31
upcoming birthdays → date_of_birth anniversary_in_days 7
birthday in 3 days → date_of_birth anniversary_in_days 3 AND NOT (date_of_birth anniversary_in_days 2)
visited the pricing page 3 times this week → page_viewed = 3 where path contains pricing, occurred_at after 2026-11-15
viewed the page /sale → page_viewed >= 1 where path starts_with /sale
under 25 or over 60 → age < 25 OR age > 60
"""
)
NOT_READ = table(
    """
works at Acme → nothing OR
customers who came back → nothing OR
customers who returned → nothing OR
return customers → nothing OR
reactivated customers → nothing OR
customers who emailed us last week → nothing OR
customers who have not emailed us → nothing OR
people who opened every email this month → nothing OR
opened all our emails and spent over 200 → total_spend > 200
clicked every link in the last 30 days → nothing OR
customers with an open ticket → nothing OR
customers with two open orders or over 3 visits → visit_count > 3
New Englanders who spent over 200 → total_spend > 200
Midwesterners or Berliners → city = Berlin
people who pay by invoice or spent over 200 → total_spend > 200
customers who abandoned their cart yesterday → nothing OR
VIPs except employees → tags contains vip
customers who live near Berlin and spent over 200 → city = Berlin AND total_spend > 200
company size over 50 → nothing OR
ordered on a weekend → order_count >= 1
"""
)


def test_words_that_are_new_to_the_data_are_read() -> None:
    understood = {phrase: read(phrase) for phrase, _rules in WORDS_NEW_TO_THE_DATA}

    assert {phrase: line(found.rules) for phrase, found in understood.items()} == dict(
        WORDS_NEW_TO_THE_DATA
    )
    assert [found.unparsed for found in understood.values() if found.unparsed] == []


def test_words_without_a_rule_are_listed() -> None:
    understood = {phrase: read(phrase) for phrase, _rules in NOT_READ}

    assert {phrase: line(found.rules) for phrase, found in understood.items()} == dict(NOT_READ)
    assert all(found.unparsed for found in understood.values())


def test_the_value_of_orders_and_their_number_are_told_apart() -> None:
    assert "number of orders" in read("orders over 100 this year").explanation
    assert "number of orders" not in read("orders over $100 this year").explanation
