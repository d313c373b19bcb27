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

_STATES: dict[str, str] = {
    Kind.ORDER: """
        paid, partially paid, partial payment, pending, pending payment, awaiting payment, on hold, authorized, authorised, processing,
        in progress, open, new, placed, confirmed, accepted, approved, complete, completed, closed, done, finished, succeeded, success,
        successful, captured, settled, invoiced, fulfilled, partially fulfilled, unfulfilled, awaiting fulfillment, awaiting shipment,
        awaiting pickup, ready for pickup, packed, shipped, partially shipped, dispatched, in transit, sent, delivered, received, active,
        disputed, manual verification required, payment accepted, overdue, holded, payment review,
        bezahlt, offen, ausstehend, in bearbeitung, in wartestellung, wartend, abgeschlossen, erledigt, versendet, versandt, geliefert,
        payé, payée, en attente, en cours, terminé, terminée, expédié, expédiée, livré, livrée, paiement accepté,
        pagado, pendiente, pendiente de pago, procesando, en espera, completado, enviado, entregado,
        pagato, in attesa, in lavorazione, completato, spedito, consegnato,
        betaald, in behandeling, in de wacht, afgerond, voltooid, verzonden, geleverd,
        pago, pendente, processando, em espera, concluído, enviada, entregue
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
        failed, payment failed, payment error, declined, denied, expired, abandoned, draft, checkout draft, trash, incomplete, blocked,
        suspected fraud, fraud, requires payment method, requires action, fehlgeschlagen, entwurf, échoué, échouée, brouillon, fallido,
        borrador, fallito, bozza, mislukt, concept, malogrado, rascunho
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
    """Return what a state means: a kind of row that takes all back, ORDER, PARTLY or UNPAID. Raises ValueError for an unknown word."""
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
