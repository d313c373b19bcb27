"""The words of shops for the state of an order and the type of a row, by what they mean for money.

After the financial and order states of Shopify, WooCommerce, Stripe, BigCommerce, Magento, PrestaShop, Square and Etsy, and
what their German, French, Spanish, Italian, Dutch and Portuguese versions export.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from customers.models import Order

Kind = Order.Kind

PARTLY = "partly"
"""A part of the order was taken back; the amount stands elsewhere."""
UNPAID = "unpaid"
"""The order never became one."""
AWAITING = "awaiting"
"""The order is not paid, or not in full; a later file says so when it is."""

_STATES: dict[str, str] = {
    Kind.ORDER: """
        paid, processing, in progress, open, new, placed, confirmed, accepted, approved, complete, completed, closed, done, finished,
        succeeded, success, successful, captured, settled, invoiced, fulfilled, partially fulfilled, unfulfilled, unshipped,
        awaiting fulfillment, awaiting shipment, awaiting pickup, ready for pickup, packed, shipped, partially shipped, dispatched,
        in transit, sent, delivered, received, active, disputed, payment accepted, remote payment accepted,
        bezahlt, in bearbeitung, abgeschlossen, erledigt, versendet, versandt, geliefert,
        payé, payée, en cours, terminé, terminée, expédié, expédiée, livré, livrée, paiement accepté,
        pagado, procesando, completado, enviado, entregado,
        pagato, in lavorazione, completato, spedito, consegnato,
        betaald, in behandeling, afgerond, voltooid, verzonden, geleverd,
        pago, processando, concluído, enviada, entregue
    """,
    AWAITING: """
        pending, payment pending, pending payment, awaiting payment, waiting for payment, unpaid, not paid, partially paid, partial payment,
        on hold, on backorder not paid, holded, authorized, authorised, uncaptured, requires capture, payment review, past due, overdue,
        manual verification required, awaiting check payment, awaiting bank wire payment, awaiting cash on delivery validation,
        offen, ausstehend, zahlung ausstehend, unbezahlt, teilweise bezahlt, in wartestellung, wartend, autorisiert,
        en attente, en attente de paiement, en attente du paiement, attente paiement, impayé, impayée, partiellement payé, autorisé,
        pendiente, pendiente de pago, en espera, sin pagar, impago, parcialmente pagado, autorizado,
        in attesa, in attesa di pagamento, in sospeso, non pagato, parzialmente pagato, autorizzato,
        in de wacht, wacht op betaling, wachtend op betaling, wachten op betaling, openstaand, onbetaald, deels betaald,
        pendente, pagamento pendente, aguardando, aguardando pagamento, em espera, não pago, parcialmente pago
    """,
    Kind.REFUND: """
        refunded, fully refunded, full refund, refund, reversed, reversal, chargeback, charged back, chargeback lost, lost, money back,
        rückerstattet, erstattet, remboursé, remboursée, reembolsado, rimborsato, terugbetaald, gerestitueerd
    """,
    Kind.CANCELLATION: """
        cancelled, canceled, cancelled by customer, canceled by customer, cancelled by merchant, void, voided, annulled, revoked,
        storniert, abgebrochen, annulé, annulée, cancelado, anulado, annullato, geannuleerd
    """,
    Kind.RETURN: """
        returned, fully returned, return, zurückgesendet, retourniert, retourné, retournée, devuelto, reso, geretourneerd, devolvido
    """,
    PARTLY: """
        partially refunded, partial refund, partly refunded, partially returned, partial return, teilweise erstattet,
        partiellement remboursé, parcialmente reembolsado
    """,
    UNPAID: """
        failed, payment failed, payment error, declined, denied, expired, abandoned, draft, checkout draft, auto draft, trash, incomplete,
        incomplete expired, blocked, suspected fraud, fraud, requires payment method, requires action, requires confirmation,
        requires source, uncollectible, fehlgeschlagen, entwurf, abgelaufen, échoué, échouée, brouillon, expiré, expirée, fallido, borrador,
        caducado, fallito, bozza, scaduto, mislukt, concept, verlopen, malogrado, rascunho, expirado
    """,
}
_TYPES: dict[str, str] = {
    Kind.ORDER: """
        order, sale, sales, purchase, charge, payment, invoice, receipt, transaction, checkout, online, in store, in person, web, pos,
        standard, regular, subscription, renewal, subscription renewal, debit, shop order, s, o,
        bestellung, verkauf, rechnung, commande, vente, facture, pedido, venta, factura, ordine, vendita, fattura, verkoop, venda
    """,
    Kind.REFUND: """
        refund, refunds, payment refund, partial refund, full refund, credit, credit note, credit memo, reversal, chargeback,
        shop order refund, gutschrift, erstattung, rückerstattung, remboursement, avoir, reembolso, abono, rimborso, nota di credito,
        terugbetaling, creditnota
    """,
    Kind.CANCELLATION: """
        cancellation, cancelation, cancel, cancelled, canceled, void, storno, stornierung, annulation, cancelación, anulación,
        annullamento, annulering, cancelamento
    """,
    Kind.RETURN: """
        return, returns, returned, exchange return, retoure, rückgabe, retour, devolución, reso, devolução
    """,
}


def _by_word(table: dict[str, str]) -> dict[str, str]:
    return {word.strip(): meaning for meaning, words in table.items() for word in words.split(",")}


_STATE, _TYPE = _by_word(_STATES), _by_word(_TYPES)


def order_state(value: object) -> str:
    """Return what a state means: a kind of row that takes all back, ORDER, PARTLY, UNPAID or AWAITING.

    Raises ValueError for an unknown word.
    """
    return _find(
        value,
        _STATE,
        _("“%s” is not a known state of an order, such as paid, refunded or cancelled."),
    )


def row_type(value: object) -> str:
    """Return the kind of a row from its type. Raises ValueError for an unknown word."""
    return _find(
        value, _TYPE, _("“%s” is not a known type, such as order, refund, return or cancellation.")
    )


def _find(value: object, table: dict[str, str], unknown: str) -> str:
    word = re.sub(r"[\s_-]+", " ", str(value)).strip().removeprefix("wc ").casefold()
    if word not in table:
        raise ValueError(unknown % str(value)[:60])
    return str(table[word])
