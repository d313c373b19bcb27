"""Words that mean the same everywhere in a description."""

from __future__ import annotations

PEOPLE = (
    "customers?|people|persons?|users?|contacts?|everyone|everybody|anyone|anybody|someone|somebody|those|ones?"
    "|folks?|shoppers?|individuals?|guys|clients?|consumers?|recipients?|members?|profiles?|accounts?|audience"
    "|population|households?|they|them"
)
"""Nouns for customers."""

GLUE = (
    "a|an|the|all|any|each|every|both|me|us|our|my|your|their|his|her|its|i|we|you|he|she|it|to|for|of|at|on|in|by|from|as|also|then"
    "|that|who|whom|which|whose|this|these|with|having|has|have|had|is|are|was|were|am|be|been|being|do|does|did|will|would|can|could"
    "|there|here|ever|already|yet|so far|still|currently|now|please|show|find|give|list|get"
    "|select|see|build|make|made|create|pick|fetch|pull"
    "|want|wants|need|like to|target|reach|send|email to|let|only those|just those|where|when|whenever"
    "|segment of|list of|group of|audience of|set of|place|placed|placing|completed|did|filed"
    "|raised|lodged|submitted|anything|something|some|total number of|number of"
    "|in total|altogether|in all|overall|at all|"
    "their lifetime|kind of|sort of|type of|and|or|but|,|-|&|/"
)
"""Words without a meaning of their own."""

NEGATION = (
    "(?:(?:who|that|which|and|but|they|also) )*(?:(?:have|has|had|do|does|did|are|is|were|was|will|would|can|could|be) )?"
    "(?:not yet|not(?! (?:more|less|fewer|over|above|under|below|exactly|equal|exceeding))|never(?: ever)?"
    "|no(?! (?:more|fewer|less|later|higher|lower|older|younger))(?: longer)?|without(?: ever)?(?: having)?(?: been)?"
    "|none(?: of)?|neither|haven ?t|non|un(?= ))"
)
"""Negates the next condition."""

EXCEPTION = (
    "except(?:ing|ion of)?(?: for)?|excluding|exclude|excludes|other than|apart from|aside from|leaving out|leave out"
    "|but not (?=(?:those|people|customers|anyone|the ones|if|when|the|in|from)(?: |$))|unless|minus|save for|bar(?:ring)?"
    "|(?<=anyone )but|(?<=everyone )but|(?<=everybody )but|(?<=all )but|omit(?:ting)?"
    "|not counting|not including|but exclude|but without (?=those|people|customers|anyone)"
    "|with the exception of"
)
"""Excludes the next conditions from all before."""

SUBJECT = f"(?:{PEOPLE}|who|that|have|has|had|are|is|were|was|did|do|does|whose|with|they|in|from|bought|ordered|spent|visited|tagged)"
"""Words after "or" that begin a new condition, which a "not" before no longer negates."""

IS = "(?:which |that |who )?(?:is|are|was|were|of|at(?! (?:least|most|or|a |the ))|has been|=|:|equals|as)"
"""Words between a field and its value."""

TEXT_FIELDS = {
    "email": "email(?:s)?(?: addresse?s?| domains?)?",
    "first_name": "(?:first|given) names?",
    "last_name": "(?:last|family) names?|surnames?",
    "name": "(?:full )?names?",
    "phone": "(?:phone|mobile|telephone|cell)(?: ?numbers?| phones?)?",
    "city": "city|cities|town",
    "region": "region|state|province|county",
    "country": "country|countries",
    "language": "language|preferred language",
    "timezone": "time ?zone",
    "external_id": "external id|customer id|customer number",
    "source": "source|acquisition source|acquisition channel|signup source",
    "date_of_birth": "birth ?days?|date of birth|birth ?date|dob",
    "registered_at": "registration date|sign ?up date",
}
"""Fields that hold texts, and what they are called."""
