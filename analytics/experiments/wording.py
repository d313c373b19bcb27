"""Word the result of an experiment in one or two sentences."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from analytics.experiments.report import Arm, Report
from crm.adminkit import display
from marketing.statistics import Mean, Measure


def verdict(report: Report) -> str:
    """Return the verdict; after a sample ratio mismatch nothing else, because nothing else can be trusted."""
    sizes = _sizes(report)
    if sizes and report.declared:
        return sizes
    return " ".join(filter(None, [_comparison(report), sizes]))


def _comparison(report: Report) -> str:
    if not report.base or not any(arm.measure.customers for arm in report.arms):
        return _("Nothing to compare yet: an experiment needs two variants with recipients.")
    if not any(arm.measure.count for arm in report.arms):
        return _("No conversions yet, in any variant.")
    base = next(arm for arm in report.arms if arm.name == report.base)
    if base.is_holdout:
        return " ".join(filter(None, [_against_holdout(report, base), _among(report)]))
    return _among(report)


def _against_holdout(report: Report, holdout: Arm) -> str:
    significant = [arm for arm in report.contenders if report.is_significant(arm, holdout)]
    better = [arm for arm in significant if arm.measure.value > holdout.measure.value]
    worse = [arm for arm in significant if arm not in better]
    sentences = []
    if better:
        sentences.append(
            _("Better than the holdout: %s.")
            % "; ".join(_compared(report, arm, holdout) for arm in better)
        )
    if worse:
        sentences.append(
            _("Worse than the holdout: %s.")
            % "; ".join(_compared(report, arm, holdout) for arm in worse)
        )
    if not significant:
        sentences.append(_("No significant difference to the holdout%s.") % _so_far(report))
    return " ".join(sentences)


def _among(report: Report) -> str:
    if len(report.contenders) < 2:
        return ""
    best, *others = report.contenders
    beaten = [arm for arm in others if report.is_significant(best, arm)]
    if len(beaten) == len(others):
        return _("“%(best)s” is the best: %(value)s, against %(others)s.") % {
            "best": best.name,
            "value": format_measure(best.measure),
            "others": _enumerated(
                [f"{format_measure(arm.measure)} (“{arm.name}”)" for arm in others]
            ),
        }
    if beaten:
        return _(
            "“%(best)s” is better than %(beaten)s; its lead over the others may be chance%(so_far)s."
        ) % {
            "best": best.name,
            "beaten": _enumerated([f"“{arm.name}”" for arm in beaten]),
            "so_far": _so_far(report),
        }
    return _("No significant difference between the variants%s.") % _so_far(report)


def _sizes(report: Report) -> str:
    if not report.has_mismatch:
        return ""
    if report.declared:
        return _(
            "Sample ratio mismatch (p = %s): the variants do not have their intended sizes, so do not trust this result."
        ) % _p(report.sample_ratio_p or 0.0)
    return _("The variants differ in size. Check that they were meant to.")


def _compared(report: Report, arm: Arm, base: Arm) -> str:
    lift = arm.comparison.lift if arm.comparison else None
    return _("“%(name)s” (%(value)s against %(base)s%(lift)s, p %(p)s)") % {
        "name": arm.name,
        "value": format_measure(arm.measure),
        "base": format_measure(base.measure),
        "lift": "" if lift is None else f", {lift:+.0%}",
        "p": _p_sign(report.p_between(arm, base)),
    }


def format_measure(measure: Measure) -> str:
    """Format a rate as a percentage, a mean as money."""
    if isinstance(measure, Mean):
        return display.money(round(Decimal(measure.value), 2))
    return f"{measure.value:.2%}" if measure.value < 0.1 else f"{measure.value:.1%}"


def _p_sign(p: float) -> str:
    return f"< {_p(0.001)}" if p < 0.001 else f"= {_p(p)}"


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"


def _so_far(report: Report) -> str:
    return "" if report.is_over else " " + _("(so far)")


def _enumerated(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return _("%(most)s and %(last)s") % {"most": ", ".join(parts[:-1]), "last": parts[-1]}
