"""Lifetime value: BG/NBD and gamma-gamma, fitted on the purchase histories of customers."""

from analytics.lifetime.bg_nbd import BgNbd, TooLittleData
from analytics.lifetime.bg_nbd import fit as fit_bg_nbd
from analytics.lifetime.gamma_gamma import GammaGamma
from analytics.lifetime.gamma_gamma import fit as fit_gamma_gamma
from analytics.lifetime.purchase_history import DAYS_A_WEEK, History, purchases
