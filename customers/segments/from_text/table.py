"""The table of patterns: every condition on a customer, in order of preference.

    pattern → rule                  `age >= 18`, the name of a meaning, or nothing: the last slot is the rule; `NOT` negates it
    pattern → rule ~ default        a default for words without a measure of their own, which the explanation names
    name := pattern                 to be used as {name}
    each group: pattern → rule      a row for each {field} and {noun} of a group

A pattern is a regular expression of whole words, with slots between: `<number:age>` reads a number and compares the field with it
(slots.py lists them). A group in brackets captures nothing; `(?P<name>…)` is passed to the meaning. An indented line continues the
one before. The first row that reads the phrase decides.
"""

from __future__ import annotations

from customers.segments.from_text import events, person, purchases  # noqa: F401  register meanings
from customers.segments.from_text.patterns import after, read_table
from customers.segments.from_text.vocabulary import IS, PEOPLE, TEXT_FIELDS

_SCORES = {
    "engagement_score": "((score|level) of )?engagement( scores?| levels?)?",
    "churn_risk": "(churn( risks?| probability| scores?| likelihood)|(risk|chance|likelihood|probability) of churn(ing)?"
    "|likelihood to churn|risk to churn)( scores?)?",
    "satisfaction": "(customer )?satisfaction( scores?| ratings?)?|csat",
    "recency_score": "recency( scores?)?|r score",
    "frequency_score": "frequency( scores?)?|f score",
    "monetary_score": "monetary( value)?( scores?)?|m score",
}
_LISTS = {
    "tags": "tags?",
    "interests": "interests?",
    "segment": "segments?",
    "subscribed": "anything|any channel|channels?",
}

_TABLE = r"""
# Customers
who := customers?|buyers?|shoppers?|people|users?|clients?|members?|contacts?|ones
at_risk := (in danger|at (high )?risk) of (churn|churning|leaving)( {who})?
{at_risk} → churn_risk >= 0.7 ~ a churn risk of at least 0.7

(speak|speaks|speaking|language|languages|whose language|preferred language|prefer)( (is|=|:|are|of))?(?= ) <choice:language>
<choice:language> (- )?(speaking|speakers?|language|speak)

domain := [\w-]+(\.[\w-]+)+
(with |using |use |have |has )*(an? )?(?P<host>gmail|hotmail|outlook|yahoo|icloud|aol)
  ( (address(es)?|accounts?|users?|emails?( addresse?s?)?))+ → email ends_with "@{host}.com"
((with|using|use|have|has|an?|whose|their) )*email(s)?( addresse?s?| domains?)? ((is|are) )?(at|from|on|@) @?(?P<domain>{domain})
   → email ends_with "@{domain}"
((with|using|use|have|has|an?) )*@?(?P<domain>{domain}) (addresse?s?|accounts?|emails?)( addresse?s?)? → email ends_with "@{domain}"
@(?P<domain>{domain}) → email ends_with "@{domain}"
each texts: ((whose|with|having|their|the|an?|have|has) )*{noun} <text:{field}>
(called|named) <value> → called
each texts: (who are |are |is |with |whose |have |has |an? )*(missing|lacking|lack|lacks|unknown|no known)( both)?( (an?|any|their|the))*
   {noun} → {field} is_not_set

its := ((whose|with|their|an?|the) )?((average|avg|mean|overall) )?((whose|with|their|an?|the|having) )*
level := (?P<level>high|higher|low|lower|medium|moderate|good|great|bad|poor)
each scores: ((with|an?|whose|having|at|of|very) )*{level} {its}{noun} → level_of
each scores: {its}{noun} <score:{field}>
each scores: <amount> (points? )?(of |in |out of \d+ )?{noun} → compared_score

birthday := ((whose|with|have|having|has|celebrat(e|ing|es)|their|an?|upcoming|is|are) )*(birth ?days?|anniversary of (their )?birth)
  |(are )?turning( a year older)?(?= (today|this|next|in))
falls := is|are|falls?|coming up|come up|on|happening|that is
soon := ((in|within|during) )?(the )?(next|coming|upcoming|following) (week|7 days|seven days)|(in |within )?this (coming )?week|soon
  |(within|in) (a|one|1) week
{birthday}( {falls})? {soon} → birthday_soon
{birthday}( {falls})? today → date_of_birth anniversary_in_days 0
{birthday}( {falls})? tomorrow
   → date_of_birth anniversary_in_days 1 AND NOT date_of_birth anniversary_in_days 0
{birthday}( {falls})? (exactly )?in (exactly )?(?P<days>\d{1,3}) days?( from (now|today))?( time)? → birthday_on
{birthday}( {falls})? <period> → birthday_in
upcoming (birth ?days?) → birthday_soon
born := (born|date of birth|birth ?date|dob|birth year|year of birth)( is| was)?
{born} (in )?(the )?(19)?(?P<decade>[3-9])0s → date_of_birth between "19{decade}0-01-01", "19{decade}9-12-31"
{born} (in )?(the )?20(?P<decade>[01])0s → date_of_birth between "20{decade}0-01-01", "20{decade}9-12-31"
{born} → born_when
(turn|turns|turning|turned|will be|reach|reaching) (?P<age>\d{1,3})( years old)? (this year|in (?P<year>\d{4})) → turning

\A((show|me|give|list|find|target|all|our|my|the|of|every|entire|whole|full) )*({people}|customer base|database|list)
  ( (we have|in the database|there are|there is|i have|please))?$ → everyone
gen(eration)? ?z(ers?)?|zoomers? → date_of_birth between "1997-01-01", "2012-12-31" ~ born from 1997 to 2012
millennials?|gen(eration)? ?y → date_of_birth between "1981-01-01", "1996-12-31" ~ born from 1981 to 1996
gen(eration)? ?x(ers?)? → date_of_birth between "1965-01-01", "1980-12-31" ~ born from 1965 to 1980
(baby )?boomers? → date_of_birth between "1946-01-01", "1964-12-31" ~ born from 1946 to 1964
teenagers?|teens → age between 13, 19
adults? → age >= 18
minors?|under ?age → age <= 17
pensioners|seniors?( citizens?)?|retirees|elderly → age >= 65

whose := (whose |their |the |with )*
{whose}(registration|sign ?up|registered at)( date)? <date:registered_at>
registered := registered|register|joined|join|signed up|sign up|enrolled|became (a )?(customers?|members?|leads?)
  |(were|was) (created|added|acquired)|created( an account)?|acquired|opened an account|added|came on board|onboarded
  |(customers?|members?)(?= since)|been (a )?(customers?|members?|with us)
  |(customers?|members?|clients?)(?= for (at least|over|more than|longer than))
with_us := with us|to us|us|as (a )?(customers?|members?)|for an account|on the (site|website)|an account
(?=(?P<long>((have |has )?been|(customers?|members?|clients?) for)(?= |$))?)((first|newly|recently) )?(have |has )?{registered}
  ( {with_us})? <period> → registered
sign_ups := {people}|sign ?ups?|registrations?
(new|newest|newly (registered|acquired)|recent)(?= ({sign_ups}|subscribers?)( |$))( {sign_ups})? → new
new(?= (in|since|within|this|last|during) ) <period> → new_when
{whose}(last|latest|most recent) (activity|interaction|interacted|active|contact|engagement|touch ?point|seen)( at)?
   <date:last_interaction_at>
→ activity

aged := (whose |with |an? |their )*(aged?|ages)( group| range)?( (is|of|=|:|are|in))?( the)?
bounded := (({is}|those) (?=over|under|between|older|younger|above|below|more|at|less|\d))?
{aged} <age:named>
{aged} <number:age>
in (their|his|her) (?P<ten>[2-9])0s → age between {ten}0, {ten}9
in (their|his|her) early (?P<ten>[2-9])0s → age between {ten}0, {ten}3
in (their|his|her) mid (?P<ten>[2-9])0s → age between {ten}4, {ten}6
in (their|his|her) late (?P<ten>[2-9])0s → age between {ten}7, {ten}9
(?P<ten>[2-9])0 (- )?somethings? → age between {ten}0, {ten}9
over (- )?(the age of |age )?(?P<age>[1-9]\d)s → age > {age}
under (- )?(the age of |age )?(?P<age>[1-9]\d)s → age < {age}
→ registered_than
{bounded}(older|over|above)( than)?( the)? age( of)? <amount> → age > {amount}
{bounded}(younger|under|below)( than)?( the)? age( of)? <amount> → age < {amount}
{bounded}(?=(no |not )?(older|younger)( |$)) <age:named>
{bounded} <age>
((with|whose|have|has|in|an?|the|their|is) )*(lifecycle|life cycle)?( ?(status|stage|state))?( (is|of|=|:|equals))?( (set to|either))?
   <choice:lifecycle_status>

# Messages, visits and service
messages := marketing|messages?|notifications?|communications?|newsletters?|campaigns?
may := ((who|that|whom) )?(can|could|may|might|(are |is )?(able|allowed|permitted|happy|willing) to)( still)?
wants := (want|wants|wanted|wish|wishes|agree|agrees|agreed|like|likes|happy|willing) to
({may} |{wants} )?be <verbs:subscribed>
({may}|{wants}) (receive|get)(?= ) <choice:subscribed> {messages}?
((that|who|whom) )?(we|you|i) (can|may|could|should|must|are)( allowed)? not( to)?(?= ) <verbs:subscribed> → NOT
emailable|mailable → subscribed contains "email"
textable → subscribed contains "sms"
({may} )?be (called|phoned|reached (by|on|over) (the |their )?(tele)?phone) → phone is_set ~ a phone number
each nouns: → counted
→ acted
→ open_ticket
→ contact
(rated (us|our (service|support))( with| as)?|(gave|left)( us)?( an?)?( rating| score)( of)?
  |(gave|left)( us)?(?= (\S+ ){1,5}(stars?|out of))) <amount> → rated
visit := visit|visited|visits|visiting|browse|browsed|browsing|came to|come to|came back to|c[ao]me by|dropp?(ed)? (by|in)|been on
  |been to|stopped by
site := ((on|to|of|at|in) )?((the|our|my|any) )?(web ?sites?|sites?|stores?|shops?|pages?|online (store|shop)|us)
{visit}( {site})? (but|and|yet)( (did|have|has|who))* not {buy}( anything)? <period> → visited_but_did_not_buy
({visit} (?P<a>or|and|nor) {buy}|{buy} (?P<b>or|and|nor) {visit})( anything| something)?( {site})? <period> → bought_or_visited

# Purchases
→ took_back
of_whose := (whose |their |an? |the |with |date of )*
orders := orders?|purchases?|transactions?
ordered := (order|purchase|transaction)( date| day| at)?|ordered|bought|purchased|shopped
total := ((total|lifetime|overall|all ?time|cumulative|whose|their|a|the) )*
  (spend|spends|spending|spent|revenue|sales|expenditure|purchase value)( total)?
buyers := buyers?|purchasers?|customers?|shoppers?|clients?
{of_whose}(made |placed )?(their |an? |the )?(very )?first( ever)? {ordered}( (is|was|were|has been))? <period> → first_purchase
{of_whose}(last|latest|most recent|newest) {ordered} <date:last_order_at>
orders? (value|size) <number:average_order_value> → value_of_orders
{of_whose}((average|avg|mean|typical)( (order|basket|cart|purchase))?( (value|size|amount|total|spend|spending))?( per order)?
  |aov|(basket|cart) (size|value)) <number:average_order_value>
(whose |their |an? |the |predicted |customer )*(life ?time value|clv|cltv|ltv) <number:lifetime_value>
(have |has )?{total} → spent
{of_whose}((order|purchase) count|(total )?(number|count) of {orders}) <number:order_count>
(repeat|returning|multiple|recurring|multi) (- )?(time |order |purchase )?{buyers} → repeat_buyers
((one|single|1) (- )?(time|order|purchase|off)|first (- )?time) {buyers} → one_time_buyers
→ buyers_of_goods
buyers?|purchasers?|paying (customers?|users?) → buyers
→ bought
→ ordered
<amount> ((worth )?(of|in|on) )?(total )?({total}|spenders?|purchases|orders|transactions) → spent_amount
<amount> → money_alone
{of_whose}(last|latest|most recent) (visit(ed)?|seen|browsed)( date| at)?( (the|our) (web ?site|site|store|shop))? <date:last_visit_at>
→ page_views
(number of visits|visit count|visits count) <number:visit_count>
→ visits
→ visited

# Lists
by := (by|to|on|via|for|both|either)(?= )
subscribed := (are |is |been |have |has )*(subscribed|subscribe|subscribes|opted (- )?in(to)?|opt in|signed up|consented|agreed|said yes)
  ( to| for| on| by| via)?( (receive|receiving|get|our|the|marketing|be reached))*
  |(can |could |may |who )*(be )?(reachable|reached|contacted|contactable|emailable|messaged|written to)( (by|on|via|through|with|over))?
  |(allow|allows|accept|accepts|permit|want|wants|get|gave consent (to|for)
  |(have |has |with )?(given )?(consent|permission|opt ins?)( (to|for|on))?)( (us|marketing|our|the))*
opted_out := (have |has |are |is )*(unsubscribed from|opted (- )?out of|opted out from|not reachable (by|on)|unreachable (by|on))
  ( (our|the|marketing|receiving))*
we_can := ((that|who|whom) )?(we|you|i) (can|may|could|are allowed to)
each lists: ((in|subscribed to|opted in to|reachable (on|by|via)) (?=any|a |segment))?{after_having}((an?|any|some|at least one|the) )?
  {noun}( at all| set)?(?= (and|or|but|who|that|,|from|except|\)|with|have)( |$)|$) → {field} is_set
{opted_out}( {by})? <choice:subscribed> {messages}? → NOT
{subscribed}( {by})? <list:subscribed> {messages}?
(reachable|contactable) (at all|somehow|on any channel|by any channel) → subscribed is_set
<choice:subscribed> (- )?(subscribers?|opt (- )?ins?|opted in|consent|reachable|permission)
{we_can} (reach|contact|write to|message|talk to)( (by|on|via|through|over))( to)?(?= ) <choice:subscribed>
{we_can}(?= ) <verbs:subscribed>
(whose |with |their )*(prefer|prefers|preferred channel|preferring|favou?rite channel)
  ( (is|of|=|:|to be (reached|contacted) (by|on|via)|being contacted (by|via)))? <choice:preferred_channel>
favourite := (whose |with |their |an? )*(favou?rite|preferred|top|main)
{favourite} category( (is|of|=|:|are))? <choice:favourite_category>
{favourite} brand( (is|of|=|:|are))? <choice:favourite_brand>
with := ((with|have|has|having|are|carrying|whose|an?|the|any of|all|both|either|one of) )*
{with}(tagged|labell?ed|marked|tags?)( (as|with|is|are|=|:|include|includes|contain|contains|of|either|both|any of))*
  ( (as|with|is|the|either|both)(?= ))? <new:tags> (tags?)?
{with}(tagged|labell?ed)(?= (and|or|but|who|that|,|from|in|except|with|have|\))( |$)|$) → tags is_set
((with|have|has|the|an?) )* <list:tags> (- )?(tags?|label|(- )?tagged(?= {people}( |$)|$))
((are|with|have|has|is|an?|whose|showed|shown|expressed|show) )*
  (interested|interests?|into|(fans?|lovers?)(?= of)|likes?|loves?|enjoys?|keen|fond)(?= )
  ( (in|on|of|is|are|include|includes|contain|contains|=|:))*( (both|either))?( (in|the)(?= ))? <new:interests>
<list:interests> (- )?(lovers?|fans?|enthusiasts?|interests?|addicts|aficionados)
(((who|are|is|those|the|already|currently|being|both|either|part|belong|belongs|belonging|{people}) )*(in|of|to|from|within|inside)
  ( (the|our|my|both|either|any of))*( segments?)?( (called|named))?|(the )?segments?( (is|=|:|called|named))?|(the|our)(?= ))?
   <list:segment>
(?P<lead>((who|that|were|was|have|has) )*(came|come|coming|acquired|arrived|sourced|found us|signed up|joined|referred|registered)? ?
  (to us )?(from|via|through|by|over|on|thanks to)( (a|an|the|our))?) <choice:source> → came_from
((whose|with|in|the|an?|their) )*rfm( (segments?|groups?|class))?( (is|of|=|:|equals))? <choice:rfm_segment>
<choice:rfm_segment>
→ presence
→ gender
→ attribute_with_key
((with|having|have|has|got|own|owns|hold|holds|collected|earned) )* <amount> → counted_attribute

# Words without a measure of their own
(frequent|loyal|regular|heavy) (buyers?|customers?|shoppers?|purchasers?|clients?)|regulars → order_count >= 5 ~ at least 5 orders
recent (buyers?|shoppers?|purchasers?|orders?) → last_order_at in_last_days 30 ~ an order in the last 30 days
(lapsed|dormant|sleeping)( {who})?
   → order_count >= 1 AND last_order_at inactive_days 180 ~ bought before, but not in the last 180 days
((are |is |who are )?(most |very |highly )?(likely|going|about) to (churn|leave|cancel)|high (- )?churn( risk)?)( {who})?
   → churn_risk >= 0.7 ~ a churn risk of at least 0.7
{at_risk} → churn_risk >= 0.7 ~ a churn risk of at least 0.7
(unlikely|not likely) to (churn|leave) → churn_risk <= 0.3 ~ a churn risk of at most 0.3
(highly|very|most|super) (- )?engaged( {who})? → engagement_score >= 70 ~ an engagement score of at least 70
engaged( {who})? → engagement_score >= 50 ~ an engagement score of at least 50
(disengaged|unengaged|barely engaged)( {who})? → engagement_score <= 20 ~ an engagement score of at most 20
(happy|satisfied)( {who})? → satisfaction >= 4 ~ a satisfaction of at least 4
(unhappy|dissatisfied|unsatisfied|angry)( {who})? → satisfaction <= 2 ~ a satisfaction of at most 2
(the |our )?(top|best)(?= ) <amount> → top_spenders
(the |our )?((top|best) (spenders?|customers?|buyers?|clients?)( by (spend|revenue|spending|value))?
  |((big|high|biggest|highest|heavy|largest) (- )?(spenders?|spend|spending|value|rollers?)|whales|high value|most valuable)
  ( (customers?|buyers?|clients?|people|ones))?|best$) → top_spenders

# Places, and names alone
lives := live|lives|living|lived|based|located|residing|reside|resides|situated|resident|residents|come|comes|coming|are|is|somewhere
  |anywhere|people
({lives} )?(outside|not from|not in)( of)?( the)? <places:new> → NOT
((who|that) )?({lives} )*(in|from|within|of|at|across|inside)( (the|either|both|any of))*
  ( (city|cities|town|country|countries|state|region|area|regions) of)? <places:new>
→ from_place
(our |the |my )?subscribers? → subscribed is_set ~ subscribed to at least one channel
→ segment_alone
→ tag_alone
→ attribute_value
→ own_event
"""
CLAUSES = read_table(
    _TABLE,
    names={
        "after_having": after("with|without|no|have|has|having|not|in|to|on|by|via"),
        "buy": purchases.VERB,
        "is": IS,
        "people": PEOPLE,
    },
    groups={
        "lists": _LISTS,
        "nouns": events.NOUNS,
        "scores": _SCORES,
        "texts": TEXT_FIELDS,
    },
)
