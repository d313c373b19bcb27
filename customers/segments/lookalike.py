"""Lookalikes: a static segment of the customers outside a segment who are most similar to its members.

A logistic regression separates members from others by their features, so its weights are the explanation. It is evaluated on
customers it was not trained on, by the area under the ROC curve: 0.5 is random, 1 is perfect.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection, transaction
from django.utils.translation import gettext as _

from crm import masking
from crm.adminkit.display import number, people
from crm.api import places
from customers.models import Customer, Segment
from customers.models.segment import free_slug
from customers.segments.language.personal import DERIVED
from customers.segments.lookalike_features import NUMBERS, CustomerFeatures, features_of, label
from customers.segments.membership import members

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FEWEST = 50
MOST_MEMBERS, MOST_OTHERS = 20_000, 40_000
OTHERS_A_MEMBER = 5
FOLDS = 4
LEAST_AUC = 0.6
BATCH = 20_000
MOST_DRIVERS = 8
SEED = 0

_IN_SEGMENT = """
    EXISTS (SELECT FROM customers_segmentmembership member
            WHERE member.segment_id = %(segment)s AND member.customer_id = customer.id)
"""


class NoLookalike(ValueError):
    """There is no lookalike; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A feature that separates members from others: its weight (standardised; below 0 if members have less) and both means.

    Means of numbers are geometric, means of other features are shares from 0 to 1.
    """

    feature: str
    weight: float
    members: float
    others: float


@dataclass(frozen=True, slots=True)
class Lookalike:
    """The new segment, how well members differ from others, and the features that decide."""

    segment: Segment
    auc: float
    drivers: list[Driver]


def find_lookalikes(
    base: Segment, *, size: int | None = None, percent: float | None = None, name: str = ""
) -> Lookalike:
    """Create a static segment of the customers outside `base` most similar to its members: `size`, or `percent` of all outside.

    Raises NoPlace in a request, and NoLookalike if there are too few customers inside or outside, or no difference between them.
    """
    places.count()
    inside = _sample(base, are_members=True, most=MOST_MEMBERS)
    outside_count = Customer.objects.present().count() - base.memberships.count()
    _refuse_too_few(base, len(inside), outside_count)
    most = min(max(len(inside) * OTHERS_A_MEMBER, FEWEST * 20), MOST_OTHERS)
    outside = _sample(base, are_members=False, most=most)
    known = list(features_of([*inside, *outside]))
    model, auc = _learn(known, set(inside))
    if auc < LEAST_AUC:
        raise NoLookalike(
            _(
                "The members of “%(segment)s” do not differ from other customers"
                " (AUC %(auc).2f, where 0.5 is random). Choose a more specific segment."
            )
            % {"segment": base, "auc": auc}
        )
    wanted = size if size is not None else max(round(outside_count * (percent or 0) / 100), 1)
    drivers = _drivers(model, known, set(inside))
    similar = _most_similar(base, model, min(wanted, outside_count))
    return Lookalike(_store(base, similar, auc, drivers, name), auc, drivers)


def _refuse_too_few(base: Segment, inside: int, outside: int) -> None:
    if inside < FEWEST:
        raise NoLookalike(
            _("“%(segment)s” has %(size)s members; a lookalike takes at least %(fewest)s.")
            % {"segment": base, "size": people(inside), "fewest": FEWEST}
        )
    if outside < FEWEST:
        raise NoLookalike(
            _("Only %(size)s customers are outside “%(segment)s”: too few for a lookalike.")
            % {"segment": base, "size": people(outside)}
        )


def _sample(base: Segment, *, are_members: bool, most: int) -> list[int]:
    """Return keys of members or others, at most `most` at random, the same at every call."""
    condition = _IN_SEGMENT if are_members else f"NOT {_IN_SEGMENT}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM customers_customer customer WHERE erased_at IS NULL AND {condition} ORDER BY hashint8(id), id LIMIT %(most)s",
            {"segment": base.pk, "most": most},
        )
        return [row[0] for row in cursor.fetchall()]


def _learn(known: Sequence[CustomerFeatures], inside: set[int]) -> tuple[Pipeline, float]:
    """Return the model of all sampled customers, and its AUC by cross-validation."""
    from sklearn.metrics import roc_auc_score  # heavy: not for every process
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    features = [person.features for person in known]
    is_member = np.array([person.pk in inside for person in known])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    unseen = cross_val_predict(_model(), features, is_member, cv=folds, method="decision_function")
    return _model().fit(features, is_member), float(roc_auc_score(is_member, unseen))


def _model() -> Pipeline:
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        DictVectorizer(dtype=np.float32),
        StandardScaler(with_mean=False),
        LogisticRegression(class_weight="balanced", C=0.1, max_iter=300),
    )


def _drivers(model: Pipeline, known: Sequence[CustomerFeatures], inside: set[int]) -> list[Driver]:
    """Return the features with the largest weights, without those of masked data."""
    vectorizer, _scaler, regression = (step for _name, step in model.steps)
    names: list[str] = list(vectorizer.feature_names_)
    weights: Any = regression.coef_[0]
    means = [
        np.asarray(
            vectorizer.transform([p.features for p in known if (p.pk in inside) is among]).mean(
                axis=0
            )
        ).ravel()
        for among in (True, False)
    ]
    heaviest = [
        at
        for at in np.argsort(-np.abs(weights))
        if not (masking.is_on() and names[at].partition("=")[0] in DERIVED)
    ][:MOST_DRIVERS]
    return [
        Driver(
            label(names[at]),
            round(float(weights[at]), 3),
            *(round(_readable(names[at], float(mean[at])), 2) for mean in means),
        )
        for at in heaviest
        if weights[at]
    ]


def _readable(feature: str, mean: float) -> float:
    return float(np.expm1(mean)) if feature in NUMBERS else mean


def _most_similar(base: Segment, model: Pipeline, wanted: int) -> list[int]:
    """Return keys of the customers outside with the highest scores, the most similar first."""
    best: list[tuple[float, int]] = []
    for batch in _outside_in_batches(base):
        found = list(features_of(batch))
        scores = model.decision_function([person.features for person in found])
        scored = zip(map(float, scores), (-person.pk for person in found), strict=True)
        best = heapq.nlargest(wanted, [*best, *scored])
    return [-pk for _score, pk in best]


def _outside_in_batches(base: Segment) -> Iterator[list[int]]:
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT id FROM customers_customer customer
                WHERE id > %(after)s AND erased_at IS NULL AND NOT {_IN_SEGMENT} ORDER BY id LIMIT {BATCH}
                """,
                {"segment": base.pk, "after": after},
            )
            batch = [row[0] for row in cursor.fetchall()]
        if not batch:
            return
        yield batch
        after = batch[-1]


def _store(
    base: Segment, similar: Sequence[int], auc: float, drivers: Sequence[Driver], name: str
) -> Segment:
    name = name or _("Like %s") % base.name
    with transaction.atomic():
        segment = Segment.objects.create(
            name=name,
            slug=free_slug(name),
            kind=Segment.Kind.STATIC,
            description=_description(base, auc, drivers),
        )
        members.add(segment, similar)
    return segment


def _description(base: Segment, auc: float, drivers: Sequence[Driver]) -> str:
    listed = "; ".join(
        _("%(feature)s (%(members)s, others %(others)s)")
        % {
            "feature": driver.feature,
            "members": number(driver.members),
            "others": number(driver.others),
        }
        for driver in drivers
    )
    return _(
        "Customers most similar to “%(segment)s” (AUC %(auc).2f in cross-validation). Main differences: %(drivers)s."
    ) % {
        "segment": base,
        "auc": auc,
        "drivers": listed,
    }
