"""What people did with the messages that they were sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from customers import events
from customers.models.consent import Channel
from customers.segments.from_text.amounts import ZERO, Amount, times
from customers.segments.from_text.clauses.purchases import did_not_buy
from customers.segments.from_text.clauses.reading import (
    count_said,
    each_of,
    listed,
    period_alone,
    remember,
)
from customers.segments.from_text.conditions import all_of, any_of, attribute, happened, one_of
from customers.segments.from_text.periods import Period, lately, period
from customers.segments.from_text.phrase import Phrase, Rule

_VERBS = {
    events.MESSAGE_OPENED: "open|opens|opened|opening|read(?= )",
    events.MESSAGE_CLICKED: "click|clicks|clicked|clicking|clicked through|tapped",
    events.MESSAGE_SENT: "receive|receives|received|receiving|sent|got|gotten",
    events.MESSAGE_CONVERTED: "convert|converts|converted|converting",
    events.MESSAGE_BOUNCED: "bounced",
    events.UNSUBSCRIBED: "unsubscribe|unsubscribes|unsubscribed|opted out(?! of (?:email|sms|push|whatsapp|text))",
}
_NOUNS = {
    events.MESSAGE_OPENED: "(?:email |message )?opens?|opened (?:emails?|messages?)|(?:emails?|messages?) opened|openers?",
    events.MESSAGE_CLICKED: "(?:email |link |message )?clicks?|clickers?|(?:emails?|links?|messages?) clicked",
    events.MESSAGE_SENT: "(?:emails?|messages?) (?:received|sent)",
    events.MESSAGE_CONVERTED: "conversions?",
}
_CHANNELS = {
    "emails?|mails?|newsletters?(?! campaign)": Channel.EMAIL,
    "sms|smses|texts?|text messages?": Channel.SMS,
    "whatsapps?|whatsapp messages?": Channel.WHATSAPP,
    "push|pushes|push notifications?|notifications?": Channel.PUSH,
}
_MESSAGES = "(?:marketing )?(?:emails?|mails?|messages?|campaigns?|links?|newsletters?|sms|texts?|push|whatsapps?|notifications?|mailings?)"
_ABOUT = (
    "(?:on|in|of|from|through|to|a|an|any|our|the|my|your|every|some|one|single|marketing|of our|even) "
    "|messages?|campaigns?|mailings?|links?|anything|something|at all|whatsoever|us|ever|it|a thing"
)


@dataclass
class _Said:
    count: Amount | None = None
    when: Period | None = None
    channel: str = ""
    campaigns: tuple[list[str], bool] | None = None


def acted(phrase: Phrase) -> Rule | None:
    """Opened nothing in 60 days; opened or clicked any e-mail this month; received but did not open the Spring campaign."""
    recent = lately(phrase)
    count = times(phrase)
    verbs, wants_all = _verbs(phrase)
    if not verbs:
        return None
    said = _Said(count, recent)
    negated = _negated_after(phrase)
    _tail(phrase, said)
    missed = None
    if negated is not None:
        missed = _missed(negated, said, _Said())
    elif (negated := _negated_after(phrase)) is not None:
        own = _Said()
        _tail(phrase, own)
        said.when = said.when or own.when
        missed = _missed(negated, said, own)
    elif (not_bought := did_not_buy(phrase, said.when)) is not None:
        missed, said.when = not_bought
    rules = [
        each_of(_rules(verb, said), wants_all=bool(said.campaigns and said.campaigns[1]))
        for verb in verbs
    ]
    found = all_of(rules) if wants_all else any_of(rules)
    return all_of([found, missed]) if missed else remember(phrase, _again(verbs, said), found)


def counted(phrase: Phrase) -> Rule | None:
    """At least 3 clicks in the last month; no opens; openers; 5 e-mails opened."""
    for event, noun in _NOUNS.items():
        with phrase.attempt() as attempt:
            count = count_said(phrase, noun)
            if count is None and not phrase.take(f"(?:any |an? )?(?:{noun})"):
                continue
            said = _Said(count)
            _tail(phrase, said)
            attempt.keep()
            return remember(
                phrase, _again([event], said), each_of(_rules(event, said), wants_all=False)
            )
    return None


def _verbs(phrase: Phrase) -> tuple[list[str], bool]:
    """Opened or clicked; and whether both are meant."""
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


def _missed(negated: tuple[str, bool], said: _Said, own: _Said) -> Rule:
    """What was not done: of the same message and in the same period, unless others are said; "never" has no period."""
    event, is_never = negated
    when = own.when or (None if is_never else said.when)
    channel, campaigns = own.channel or said.channel, own.campaigns or said.campaigns
    return any_of(_rules(event, _Said(ZERO, when, channel, campaigns)))


def _verb(phrase: Phrase) -> str | None:
    phrase.take(
        f"(?:have|has|had|who|been|were|was)(?= (?:been |were )?(?:{'|'.join(_VERBS.values())})(?: |$))"
    )
    for event, verb in _VERBS.items():
        if event == events.MESSAGE_SENT and not _speaks_of_messages(phrase, verb):
            continue
        if phrase.take(verb):
            return event
    return None


def _speaks_of_messages(phrase: Phrase, verb: str) -> bool:
    """To receive can be said of other things than messages."""
    if phrase.sees(
        f"(?:{verb})(?= (?:(?:and|but|or|nor|nothing|anything)|(?:\\S+ ){{0,4}}(?:{_MESSAGES}))(?: |$))"
    ):
        return True
    ahead = (phrase.names.get(phrase.at + step, ()) for step in range(1, 4))
    return bool(phrase.sees(verb)) and any(
        name.kind == "campaign" for names in ahead for name in names
    )


def _negated_after(phrase: Phrase) -> tuple[str, bool] | None:
    """The open of "received but did not open", and whether it is said to be never."""
    with phrase.attempt() as attempt:
        lead = phrase.take(
            "(?:, )?(?:but|and|yet)(?: (?:have|has|did|do|does|had|who))* (?P<word>not|never)(?: (?:yet|even|ever))?"
        )
        verb = _verb(phrase) if lead else None
        if lead and verb is not None:
            attempt.keep()
            return verb, lead["word"] == "never"
    return None


def _tail(phrase: Phrase, said: _Said) -> None:
    while not phrase.is_over:
        if said.count is None and phrase.take("nothing|none|zero"):
            said.count = ZERO
        elif said.count is None and (count := times(phrase) or _number_of_messages(phrase, said)):
            said.count = count
        elif said.when is None and (when := period(phrase)):
            said.when = when
        elif said.campaigns is None and (campaigns := _campaigns(phrase)):
            said.campaigns = campaigns
        elif not said.channel and (channel := _channel(phrase)):
            said.channel = channel
        elif not phrase.take(_ABOUT):
            return


def _number_of_messages(phrase: Phrase, said: _Said) -> Amount | None:
    """The 3 of "opened at least 3 e-mails"."""
    with phrase.attempt() as attempt:
        found = count_said(phrase, f"(?:of )?(?:our )?{_MESSAGES}")
        if found is None:
            return None
        phrase.at -= 1
        said.channel = said.channel or _channel(phrase) or ""
        phrase.take(_MESSAGES)
        attempt.keep()
        return found


def _channel(phrase: Phrase) -> str | None:
    return next((channel.value for words, channel in _CHANNELS.items() if phrase.take(words)), None)


def _campaigns(phrase: Phrase) -> tuple[list[str], bool] | None:
    def one(phrase: Phrase) -> str | None:
        phrase.take("(?:(?:the|our|campaign|campaigns|email|emails|message) )+(?=.)")
        found = phrase.take_name("campaign")
        if found is not None:
            phrase.take("campaigns?|emails?|messages?|mailings?")
        return found.value if found else None

    return listed(phrase, one)


def _rules(event: str, said: _Said) -> list[Rule]:
    where = _of_channel(said.channel)
    if said.campaigns is None:
        return [happened(event, said.count, said.when, where=where)]
    names, wants_all = said.campaigns
    groups = [[name] for name in names] if wants_all else [names]
    return [
        happened(event, said.count, said.when, where=[*where, one_of("campaign", group)])
        for group in groups
    ]


def _of_channel(channel: str) -> list[Rule]:
    """What does not say its channel came by e-mail, as most messages do."""
    if channel == Channel.EMAIL:
        return [
            attribute(
                "channel", "not_in", [each.value for each in Channel if each != Channel.EMAIL]
            )
        ]
    return [attribute("channel", "=", channel)] if channel else []


def _again(verbs: list[str], before: _Said) -> Callable[[Phrase], Rule | None]:
    def read(phrase: Phrase) -> Rule | None:
        """The second campaign of "opened the Spring campaign but not the Summer one"."""
        said = _Said(count=times(phrase))
        if said.count is None:
            said.campaigns = _campaigns(phrase)
        if said.count is None and said.campaigns is None:
            said.when = period_alone(phrase)
            said.campaigns = before.campaigns
        if said.count is None and said.campaigns is None and said.when is None:
            return None
        _tail(phrase, said)
        said.channel = said.channel or before.channel
        return any_of([rule for verb in verbs for rule in _rules(verb, said)])

    return read


CLAUSES = (counted, acted)
