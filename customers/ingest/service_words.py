"""The words of service desks for the type of a ticket and for its end, in six languages.

After the types and states of Zendesk, Freshdesk and HubSpot, and the files of shops.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from customers import clean
from customers.models import ServiceInteraction

Type = ServiceInteraction.Type

_TYPES: dict[str, str] = {
    Type.COMPLAINT: """
        complaint, complaints, beschwerde, reklamation, mängelrüge, réclamation, plainte, queja, reclamación, reclamo, lamentela,
        reclamação, queixa, klacht
    """,
    Type.INQUIRY: """
        inquiry, inquiries, enquiry, query, question, request, support, service request, information, anfrage, frage, rückfrage,
        auskunft, information request, demande, question client, renseignement, consulta, pregunta, solicitud, richiesta, domanda,
        pergunta, solicitação, vraag, aanvraag
    """,
    Type.FEEDBACK: """
        feedback, review, suggestion, compliment, praise, rating, rückmeldung, lob, anregung, bewertung, avis, retour client,
        commentaire, compliment client, opinión, sugerencia, comentario, opinione, suggerimento, recensione, opinião, sugestão,
        terugkoppeling, beoordeling, suggestie
    """,
}
_RESOLVED = """
    resolved, closed, solved, done, completed, complete, fixed, gelöst, geschlossen, erledigt, abgeschlossen, behoben, beantwortet,
    résolu, résolue, fermé, fermée, clos, clôturé, traité, resuelto, resuelta, cerrado, cerrada, solucionado, risolto, risolta, chiuso,
    chiusa, resolvido, resolvida, fechado, fechada, encerrado, opgelost, gesloten, afgehandeld, afgerond
"""


def _key(written: str) -> str:
    return re.sub(r"[\W_]+", " ", written).strip().casefold()


_TYPE = {_key(word): name for name, words in _TYPES.items() for word in words.split(",")}
RESOLVED = frozenset(map(_key, _RESOLVED.split(",")))


def ticket_type(value: object) -> str:
    """Return the type that a word means. Raises ValueError for an unknown one."""
    written = clean.text(value)
    if found := _TYPE.get(_key(written)):
        return str(found)
    known = ", ".join(Type.values)
    raise ValueError(
        _("“%(value)s” must be one of %(known)s.") % {"value": written[:60], "known": known}
    )


def is_resolved(resolution: str) -> bool:
    """Return whether a ticket with this resolution or state is at its end."""
    return _key(resolution) in RESOLVED
