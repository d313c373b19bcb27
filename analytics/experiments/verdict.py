"""What an experiment says, in one or two sentences that a person can act on."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from analytics.experiments.arms import Mean, Measure
from analytics.experiments.report import Arm, Report
from crm.adminkit import display


def verdict(report: Report) -> str:
    """The verdict; a mismatch of sizes comes first, because nothing else can be trusted then."""
    sizes = _sizes(report)
    if sizes and report.declared:
        return sizes
    return " ".join(filter(None, [_comparison(report), sizes]))


def _comparison(report: Report) -> str:
    if not report.base or not any(arm.measure.customers for arm in report.arms):
        return _("There is nothing to compare: it takes two arms with people in them.")
    if not any(arm.measure.count for arm in report.arms):
        return _("Nobody has done it yet, in any arm.")
    base = next(arm for arm in report.arms if arm.name == report.base)
    if base.is_holdout:
        return " ".join(filter(None, [_against_holdout(report, base), _among(report)]))
    return _among(report)


def _against_holdout(report: Report, holdout: Arm) -> str:
    sure = [arm for arm in report.contenders if report.is_sure(arm, holdout)]
    better = [arm for arm in sure if arm.measure.value > holdout.measure.value]
    worse = [arm for arm in sure if arm not in better]
    said = []
    if better:
        said.append(
            _("Better than writing nothing: %s.")
            % "; ".join(_told(report, arm, holdout) for arm in better)
        )
    if worse:
        said.append(
            _("Worse than writing nothing: %s.")
            % "; ".join(_told(report, arm, holdout) for arm in worse)
        )
    if not sure:
        said.append(_("No difference to the holdout that could not be chance%s.") % _yet(report))
    return " ".join(said)


def _among(report: Report) -> str:
    if len(report.contenders) < 2:
        return ""
    best, *others = report.contenders
    beaten = [arm for arm in others if report.is_sure(best, arm)]
    if len(beaten) == len(others):
        return _("“%(best)s” is the best: %(value)s, against %(others)s.") % {
            "best": best.name,
            "value": written(best.measure),
            "others": _listed([f"{written(arm.measure)} (“{arm.name}”)" for arm in others]),
        }
    if beaten:
        return _(
            "“%(best)s” is better than %(beaten)s; to the others its lead may be chance%(yet)s."
        ) % {
            "best": best.name,
            "beaten": _listed([f"“{arm.name}”" for arm in beaten]),
            "yet": _yet(report),
        }
    return _("Between the variants no difference that could not be chance%s.") % _yet(report)


def _sizes(report: Report) -> str:
    if not report.has_mismatch:
        return ""
    if report.declared:
        return _(
            "Do not trust this: the arms do not have the sizes that they should (p = %s), so people were put in the wrong arm or lost."
        ) % _p(report.sample_ratio_p or 0.0)
    return _("The arms differ in size; that is right only if they were meant to.")


def _told(report: Report, arm: Arm, base: Arm) -> str:
    lift = arm.comparison.lift if arm.comparison else None
    return _("“%(name)s” (%(value)s against %(base)s%(lift)s, p %(p)s)") % {
        "name": arm.name,
        "value": written(arm.measure),
        "base": written(base.measure),
        "lift": "" if lift is None else f", {lift:+.0%}",
        "p": _p_sign(report.p_between(arm, base)),
    }


def written(measure: Measure) -> str:
    """A rate as a percentage, a mean as money."""
    if isinstance(measure, Mean):
        return display.money(round(Decimal(measure.value), 2))
    return f"{measure.value:.2%}" if measure.value < 0.1 else f"{measure.value:.1%}"


def _p_sign(p: float) -> str:
    return f"< {_p(0.001)}" if p < 0.001 else f"= {_p(p)}"


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"


def _yet(report: Report) -> str:
    return "" if report.is_over else " " + _("(so far)")


def _listed(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return _("%(most)s and %(last)s") % {"most": ", ".join(parts[:-1]), "last": parts[-1]}
