"""Return on investment of campaigns: costs, ROI, payback and incremental revenue."""

from analytics.returns.costs import Cost, replace_costs
from analytics.returns.incremental import IncrementalRevenue, incremental_revenue
from analytics.returns.roi import Roi, combined, paid_back_on, payback, roi_by_campaign, roi_of
