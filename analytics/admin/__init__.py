"""Admin pages of analytics."""

from analytics.admin import campaign_panel
from analytics.admin.cost import CampaignCostAdmin
from analytics.admin.model_run import ModelRunAdmin
from analytics.admin.results import CampaignResultsAdmin
from analytics.admin.shared_dashboards import SharedDashboardAdmin
from crm.adminkit import panels

panels.register("marketing.campaign", campaign_panel.results)
panels.register("marketing.campaign.before", campaign_panel.sample_size)
panels.register_figures("marketing.campaign", campaign_panel.list_figures)
