"""Read events: messages, visits, contacts with service, and events of the site's own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from customers.models.consent import Channel
from customers.segments.from_text.amounts import ZERO, Amount, amount, times, with_afterthought
from customers.segments.from_text.conditions import (
    all_of,
    any_of,
    attribute,
    compared,
    happened,
    in_period,
    not_,
    one_of,
)
from customers.segments.from_text.patterns import meaning
from customers.segments.from_text.periods import Period, lately, period
from customers.segments.from_text.phrase import LeftOut, Phrase, RuleJSON
from customers.segments.from_text.purchases import did_not_buy
from customers.segments.from_text.slots import (
    Clause,
    count_before,
    each_of,
    listed,
    number_of,
    one_word,
    period_alone,
    remember,
)
from customers.timeline import types

# Messages

_TICKETS = "tickets?|cases?|complaints?|claims?"
_VERBS = {
    types.MESSAGE_OPENED: rf"(?:open|opens|opened|opening)(?! (?:\S+ ){{0,3}}(?:{_TICKETS})(?: |$))|read(?= )",
    types.MESSAGE_CLICKED: "click|clicks|clicked|clicking|clicked through|tapped",
    types.MESSAGE_SENT: "receive|receives|received|receiving|sent|got|gotten",
    types.MESSAGE_CONVERTED: "convert|converts|converted|converting",
    types.MESSAGE_BOUNCED: "bounced",
    types.UNSUBSCRIBED: "unsubscribe|unsubscribes|unsubscribed|opted out(?! of (?:email|sms|push|whatsapp|text))",
}
NOUNS = {
    types.MESSAGE_OPENED: "(?:email |message )?opens?|opened (?:emails?|messages?)|(?:emails?|messages?) opened|openers?",
    types.MESSAGE_CLICKED: "(?:email |link |message )?clicks?|clickers?|(?:emails?|links?|messages?) clicked",
    types.MESSAGE_SENT: "(?:emails?|messages?) (?:received|sent)",
    types.MESSAGE_CONVERTED: "conversions?",
}
_CHANNELS = {
    "emails?|mails?|newsletters?(?! campaign)": Channel.EMAIL.value,
    "sms|smses|texts?|text messages?": Channel.SMS.value,
    "whatsapps?|whatsapp messages?": Channel.WHATSAPP.value,
    "push|pushes|push notifications?|notifications?": Channel.PUSH.value,
}
_MESSAGES = "(?:marketing )?(?:emails?|mails?|messages?|campaigns?|links?|newsletters?|sms|texts?|push|whatsapps?|notifications?|mailings?)"
_FILLER = (
    "(?:on|in|of|from|through|to|a|an|any|our|the|my|your|every|some|one|single|marketing|of our|even) "
    "|messages?|campaigns?|mailings?|links?|anything|something|at all|whatsoever|us|ever|it|a thing"
)
_channel = one_word(_CHANNELS)
_WRITTEN_TO = {
    "emailed|mailed": Channel.EMAIL.value,
    "texted": Channel.SMS.value,
    "messaged|contacted|notified|reached out to|written to": "",
}
_WRITES = re.compile(
    r"(?:^|(?:.* )?(?:been|being|was|were|got|but|we|we have|we had|we did|i|i have)|.*,)"
    r"(?: (?:not|never|ever|already|just|recently))*$"
)
"""Words before “emailed” which say that the site wrote, and not the customer."""


_EVERY_MESSAGE = (
    "(?:(?:on|in|of|to) )*(?:every|each|all)(?: (?:one|of|the|our|my|your|single|last|these|\\d+))*"
    f"(?= (?:{_MESSAGES})(?: |$))"
)
"""No rule says that a customer opened all of the messages."""


@dataclass
class Messages:
    """Messages as described: how often, when, on which channel and of which campaigns."""

    count: Amount | None = None
    when: Period | None = None
    channel: str = ""
    campaigns: tuple[list[str], bool] | None = None

    def read(self, phrase: Phrase) -> Messages:
        """Read all that follows the verb."""
        while not phrase.is_over:
            if self.count is None and phrase.take(f"nothing|none|zero|no(?= {_MESSAGES})"):
                self.count = ZERO
            elif self.count is None and (count := times(phrase) or self._number(phrase)):
                self.count = count
            elif self.when is None and (when := period(phrase)):
                self.when = when
            elif self.campaigns is None and (campaigns := _campaigns(phrase)):
                self.campaigns = campaigns
            elif not self.channel and (channel := _channel(phrase)):
                self.channel = channel
            elif not phrase.take(_FILLER):
                break
        return self

    def _number(self, phrase: Phrase) -> Amount | None:
        """Read the 3 of "opened at least 3 e-mails"."""
        with phrase.attempt() as attempt:
            found = count_before(phrase, f"(?:of )?(?:our )?{_MESSAGES}")
            if found is None:
                return None
            phrase.at -= 1
            self.channel = self.channel or _channel(phrase) or ""
            phrase.take(_MESSAGES)
            attempt.keep()
            return found

    def rules(self, event: str) -> list[RuleJSON]:
        where = _of_channel(self.channel)
        if self.campaigns is None:
            return [happened(event, self.count, self.when, where=where)]
        names, wants_all = self.campaigns
        groups = [[name] for name in names] if wants_all else [names]
        return [
            happened(event, self.count, self.when, where=[*where, one_of("campaign", group)])
            for group in groups
        ]

    def missed(self, event: str, own: Messages, *, is_never: bool) -> RuleJSON:
        """Return the rule of not doing it: same messages and period, unless it has its own; "never" has no period."""
        when = own.when or (None if is_never else self.when)
        channel, campaigns = own.channel or self.channel, own.campaigns or self.campaigns
        return any_of(Messages(ZERO, when, channel, campaigns).rules(event))


@meaning
def counted(phrase: Phrase, field: str) -> RuleJSON | None:
    """At least 3 clicks in the last month; no opens; openers; 5 e-mails opened."""
    noun = NOUNS[field]
    count = count_before(phrase, noun)
    if count is None and not phrase.take(f"(?:any |an? )?(?:{noun})"):
        return None
    messages = Messages(count).read(phrase)
    return remember(phrase, _acted_again([field], messages), any_of(messages.rules(field)))


@meaning
def acted(phrase: Phrase) -> RuleJSON | None:
    """Opened nothing in 60 days; opened or clicked any e-mail; received but did not open the Spring campaign."""
    recent, count = lately(phrase), times(phrase)
    verbs, wants_all = _verbs(phrase)
    if not verbs:
        return None
    channel = next((each for word, each in _WRITTEN_TO.items() if phrase.before(word)), "")
    if phrase.sees(_EVERY_MESSAGE):
        phrase.take(_EVERY_MESSAGE)
        raise LeftOut
    messages, own = Messages(count, recent, channel), Messages()
    negated = _negated_after(phrase)
    messages.read(phrase)
    if negated is None and (negated := _negated_after(phrase)) is not None:
        own.read(phrase)
        messages.when = messages.when or own.when
    missed = None
    if negated is not None:
        missed = messages.missed(negated[0], own, is_never=negated[1])
    elif not_bought := did_not_buy(phrase, messages.when):
        missed, messages.when = not_bought
    every_campaign = bool(messages.campaigns and messages.campaigns[1])
    rules = [each_of(messages.rules(verb), wants_all=every_campaign) for verb in verbs]
    found = each_of(rules, wants_all=wants_all)
    return (
        all_of([found, missed])
        if missed
        else remember(phrase, _acted_again(verbs, messages), found)
    )


def _verbs(phrase: Phrase) -> tuple[list[str], bool]:
    """Read "opened or clicked"; return the events and whether both are meant."""
    first = _verb(phrase)
    found = [first] if first else []
    wants_all = False
    while found:
        with phrase.attempt() as attempt:
            joint = phrase.take("(?:, )?(?:or|and|nor)(?: (?:have|has|then|also))?|,")
            another = _verb(phrase) if joint else None
            if joint and another:
                attempt.keep()
                found.append(another)
                wants_all = wants_all or "and" in joint[0]
        if another is None:
            break
    return found, wants_all


def _is_written_to(phrase: Phrase) -> bool:
    """Read "been emailed" and the emailed of "we have not emailed", but not that of "who emailed us"."""
    verb = f"(?:{'|'.join(_WRITTEN_TO)})(?! (?:us|me|our|you|back|by|in to|the (?:support|help|shop|store|team)|support|customer)(?: |$))"
    with phrase.attempt() as attempt:
        phrase.take(
            f"(?:(?:have|has|had|were|was|been|being|got|gotten) )*(?:been|being|was|were|got)(?= {verb})"
        )
        before = " ".join(each.word for each in phrase.tokens[: phrase.at])
        if _WRITES.match(before) and phrase.take(verb):
            attempt.keep()
    return attempt.kept


def _verb(phrase: Phrase) -> str | None:
    if _is_written_to(phrase):
        return types.MESSAGE_SENT
    phrase.take(
        f"(?:have|has|had|who|been|were|was)(?= (?:been |were )?(?:{'|'.join(_VERBS.values())})(?: |$))"
    )
    for event, verb in _VERBS.items():
        if (event != types.MESSAGE_SENT or _is_of_messages(phrase, verb)) and phrase.take(verb):
            return event
    return None


def _is_of_messages(phrase: Phrase, verb: str) -> bool:
    """Return whether messages were received, and nothing else."""
    if phrase.sees(
        f"(?:{verb})(?= (?:(?:and|but|or|nor|nothing|anything)|(?:\\S+ ){{0,4}}(?:{_MESSAGES}))(?: |$))"
    ):
        return True
    ahead = (phrase.names.get(phrase.at + step, ()) for step in range(1, 4))
    return bool(phrase.sees(verb)) and any(
        name.kind == "campaign" for names in ahead for name in names
    )


def _negated_after(phrase: Phrase) -> tuple[str, bool] | None:
    """Read the open of "received but did not open"; return the event and whether it is "never"."""
    with phrase.attempt() as attempt:
        lead = phrase.take(
            "(?:, )?(?:but|and|yet)(?: (?:have|has|did|do|does|had|who))* (?P<word>not|never)(?: (?:yet|even|ever))?"
        )
        verb = _verb(phrase) if lead else None
        if lead and verb is not None:
            attempt.keep()
            return verb, lead["word"] == "never"
    return None


def _campaigns(phrase: Phrase) -> tuple[list[str], bool] | None:
    def one(phrase: Phrase) -> str | None:
        phrase.take("(?:(?:the|our|campaign|campaigns|email|emails|message) )+(?=.)")
        found = phrase.take_name("campaign")
        if found is not None:
            phrase.take("campaigns?|emails?|messages?|mailings?")
        return found.value if found else None

    return listed(phrase, one)


def _of_channel(channel: str) -> list[RuleJSON]:
    """Return conditions on the channel; an event without one came by e-mail."""
    if channel == Channel.EMAIL:
        others = [each.value for each in Channel if each != Channel.EMAIL]
        return [attribute("channel", "not_in", others)]
    return [attribute("channel", "=", channel)] if channel else []


def _acted_again(verbs: list[str], before: Messages) -> Clause:
    """Return a clause for the second campaign of "opened the Spring campaign but not the Summer one"."""

    def read(phrase: Phrase) -> RuleJSON | None:
        messages = Messages(count=times(phrase))
        if messages.count is None and (campaigns := _campaigns(phrase)):
            messages.campaigns = campaigns
        elif messages.count is None:
            messages.when, messages.campaigns = period_alone(phrase), before.campaigns
            if messages.when is None and messages.campaigns is None:
                return None
        messages.read(phrase)
        messages.channel = messages.channel or before.channel
        return any_of([rule for verb in verbs for rule in messages.rules(verb)])

    return read


# Contacts with service

_CONTACTS = {
    "complain(?:ed|s|ing)?|complaints?": "complaint",
    "inquir(?:y|ies|ed)|enquir(?:y|ies|ed)|asked (?:us )?(?:a )?questions?|questions?": "inquiry",
    "feedback|gave (?:us )?feedback|left feedback": "feedback",
}
_GOOD, _BAD = "positive|good|great", "negative|bad|poor|critical"
_CONTACTED = (
    "(?:contacted|called|reached out to|wrote to|phoned|got in touch with|talked to|been in touch with|spoke(?:n)? (?:to|with))"
    "(?: (?:our|the|customer|us))* ?(?:service|support|care|help ?desk|team|us)*"
    "|(?:customer )?(?:service|support) (?:contacts?|tickets?|requests?|interactions?|calls?)|support tickets?|tickets?"
)


@meaning
def contact(phrase: Phrase) -> RuleJSON | None:
    """Complained in the last month; filed at least two complaints; contacted support more than twice."""
    count = times(phrase)
    if count is None:
        with phrase.attempt() as attempt:
            count = amount(phrase)
            if count is not None and phrase.sees("|".join([*_CONTACTS, _CONTACTED])):
                attempt.keep()
            else:
                count = None
    phrase.take(
        "(?:(?:filed|made|sent|raised|submitted|left|gave|opened|lodged|have|has|an?|any|us|the) )+"
        "(?=complain|inquir|enquir|question|feedback|support|service|ticket|negative|positive|bad|good)"
    )
    mood = phrase.take(f"(?P<mood>{_GOOD}|{_BAD})(?= feedback)")
    kinds = listed(phrase, one_word(_CONTACTS))
    if kinds is None and not phrase.take(_CONTACTED):
        return None
    where = [one_of("type", kinds[0])] if kinds else []
    if mood:
        where.append(_of_mood(phrase, mood["mood"]))
    when = None
    for _turn in range(2):
        phrase.take("(?:to|with|about|at) (?:us|our service|support|our support|the service)")
        count = count or times(phrase) or count_before(phrase, "times")
        when = when or period(phrase)
    if phrase.take("(?:with|and)(?: an?)? (?:satisfaction|rating)(?: of)?"):
        rating = amount(phrase)
        if rating is not None:
            where.append(compared("satisfaction", rating))
    return happened(types.SERVICE_CONTACT, count, when, where=where)


@meaning
def rated(phrase: Phrase, amount: Amount) -> RuleJSON:
    phrase.take("stars?")
    phrase.take("out of (?:5|five)")
    found = with_afterthought(phrase, amount)
    return happened(types.SERVICE_CONTACT, where=[compared("satisfaction", found)])


def _of_mood(phrase: Phrase, mood: str) -> RuleJSON:
    is_good = re.fullmatch(_GOOD, mood)
    operator, bound = (">=", 4) if is_good else ("<=", 2)
    default = _("at least %s") % bound if is_good else _("at most %s") % bound
    phrase.note(_("“%(level)s” is read as %(default)s.") % {"level": mood, "default": default})
    return attribute("satisfaction", operator, bound)


# Visits and page views

_VISIT = (
    "(?:visit|visited|visits|visiting|browse|browsed|browsing|came to|come to|came back to|c[ao]me by|dropp?(?:ed)? (?:by|in)"
    "|been on|been to|stopped by)"
)
_VIEW = "(?:view|viewed|looked at|saw|seen|opened|landed on)"
_SITE = "(?:(?:on|to|of|at|in) )?(?:(?:the|our|my|any) )?(?:web ?sites?|sites?|stores?|shops?|pages?|online (?:store|shop)|us)"


@meaning
def visited_but_did_not_buy(phrase: Phrase, period: Period) -> RuleJSON:
    """Visited but did not buy in the last week: both are about that week."""
    return all_of([in_period("last_visit_at", period), not_(in_period("last_order_at", period))])


@meaning
def bought_or_visited(phrase: Phrase, period: Period, a: str | None, b: str | None) -> RuleJSON:
    """Ordered or visited in the last week: the period belongs to both verbs."""
    rules = [in_period("last_order_at", period), in_period("last_visit_at", period)]
    return each_of(rules, wants_all=(a or b) == "and")


@meaning
def visits(phrase: Phrase) -> RuleJSON | None:
    """More than 10 visits; visits since March; a visit this week."""
    count = count_before(phrase, "(?:(?:web ?site|site|store|shop|total) )?visits?(?: to)?")
    if count is None:
        if not phrase.take(
            "(?:an? |any )?visits?(?= (?:in|since|over|>|=|<|within|before|after|is|are|between|at least|this|last)(?: |$)|$)"
        ):
            return None
        if found := number_of("visit_count")(phrase):
            return found
    return remember(phrase, number_of("visit_count"), _visits(phrase, count)[0])


@meaning
def visited(phrase: Phrase) -> RuleJSON | None:
    """Visited more than 3 times last month, visited the site this week."""
    recent, count = lately(phrase), times(phrase)
    if not phrase.take(_VISIT):
        return None
    rule, when = _visits(phrase, count, recent)
    if missed := did_not_buy(phrase, when):
        return all_of([rule, missed[0]])
    return remember(phrase, _visited_again, rule)


def _visited_again(phrase: Phrase) -> RuleJSON | None:
    """But not in the last week."""
    when = period_alone(phrase)
    return in_period("last_visit_at", when) if when else None


def _visits(
    phrase: Phrase, count: Amount | None, when: Period | None = None
) -> tuple[RuleJSON, Period | None]:
    """Read all that follows; return the rule and its period."""
    for _turn in range(3):
        phrase.take(_SITE)
        if phrase.take("nothing"):
            count = ZERO
        count = count or times(phrase)
        when = when or period(phrase)
    if when is None:
        always = compared("visit_count", count) if count else attribute("visit_count", ">=", 1)
        return always, None
    if count is None and when.reaches_now:
        return in_period("last_visit_at", when), when
    return happened(types.PAGE_VIEWED, count, when), when


@meaning
def page_views(phrase: Phrase) -> RuleJSON | None:
    """More than 20 page views this month; viewed 3 pages; viewed the page /sale; visited the pricing page twice."""
    with phrase.attempt() as attempt:
        if found := _views_of_a_page(phrase):
            attempt.keep()
            return found
    count = count_before(phrase, "(?:page ?views?|page views|pages viewed|pages)")
    if count is None and not phrase.take(
        "(?:viewed|looked at|saw|seen|read)(?= (?:.* )?pages?)|page ?views?|viewed(?= at)"
    ):
        return None
    phrase.take("viewed")
    count = count or count_before(phrase, "pages?")
    phrase.take("(?:(?:on|the|a|any|our) )*pages?")
    count = count or times(phrase)
    return happened(types.PAGE_VIEWED, count, period(phrase))


def _views_of_a_page(phrase: Phrase) -> RuleJSON | None:
    count = times(phrase)
    page = "(?P<page>(?!an?|the|our|this|that|product|any|some|all|more|many|few|several|each|every|multiple)[^\\W\\d]+) (?:web ?)?page"
    named = phrase.take(
        f"(?:{_VIEW}|{_VISIT})(?: (?:the|our|a|an|any))* (?:{page}|(?:page |url )?(?P<path>/\\S*))"
    )
    if named is None:
        return None
    words = named["path"] or named["page"]
    if named["page"]:
        phrase.note(
            _("“%(page)s page” is read as a page with “%(page)s” in its path.") % {"page": words}
        )
    count = count or times(phrase)
    when = period(phrase)
    where = [attribute("path", "starts_with" if named["path"] else "contains", words)]
    return happened(types.PAGE_VIEWED, count or times(phrase), when, where=where)


# Orders that were taken back

_GOODS = "orders?|items?|products?|purchases?|goods|parcels?|articles?|something|anything"
_TAKEN_BACK = {
    types.ORDER_REFUNDED: (
        "returned|sent back|gave back|refunded",
        "(?:order )?(?:refunds?|returns?)|(?:returned|refunded) (?:orders?|items?|purchases?)",
    ),
    types.ORDER_CANCELLED: ("cancell?ed", "(?:order )?cancellations?|cancell?ed orders?"),
}
"""Event → its verbs and its nouns."""


@meaning
def took_back(phrase: Phrase) -> RuleJSON | None:
    """Returned an order in the last 90 days; got a refund; at least two returns; cancelled two orders."""
    often = times(phrase)
    for event, (verbs, nouns) in _TAKEN_BACK.items():
        is_said, count = _is_taken_back(phrase, verbs, nouns)
        if is_said:
            count = often or count or times(phrase)
            return happened(event, count, period(phrase))
    return None


def _is_taken_back(phrase: Phrase, verbs: str, nouns: str) -> tuple[bool, Amount | None]:
    """Read the verb with its object, or the noun; return whether one was there, and the number."""
    count = count_before(phrase, nouns)
    if count is not None:
        return True, count
    some = f"(?: (?:an?|any|the|their|some|of|at|least|more|than|\\d+|one|two|three))*(?= (?:{_GOODS})(?: |$))"
    if phrase.take(f"(?:(?:have|has|had) )*(?:{verbs})(?={some})"):
        count = count_before(phrase, _GOODS)
        phrase.take(f"(?:(?:an?|any|the|their|some|one of) )*(?:{_GOODS})")
        return True, count
    had = "got|received|requested|have|has|had|with|given|made|an?|any|some"
    is_said = phrase.take(nouns) if phrase.before("no|without") else phrase.take(f"(?:(?:{had}) )+(?:{nouns})")  # fmt: skip
    return bool(is_said), None


@meaning
def open_ticket(phrase: Phrase) -> None:
    """Have an open ticket: no rule knows which are open."""
    things = f"{_TICKETS}|requests?|issues?|orders?|carts?|invoices?|deals?|quotes?"
    if phrase.take(
        "(?:(?:with|having|have|has|an?|any|their) )*(?:two |three |\\d+ )?"
        f"(?:open|unresolved|outstanding|pending)(?: (?:support|service|customer))* (?:{things})"
    ):
        raise LeftOut


# The site's own events


@meaning
def own_event(phrase: Phrase) -> RuleJSON | None:
    """Webinar attended twice this month; logged in at least three times."""
    count = times(phrase)
    event = phrase.take_name("event")
    if event is None:
        return None
    count = count or times(phrase)
    when = period(phrase)
    return happened(event.value, count or times(phrase), when)
