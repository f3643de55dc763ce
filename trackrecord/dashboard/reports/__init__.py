"""Pages of reports: trends, funnels and retention. Each shows what one call of the API answers."""

from ..visit import Page
from . import funnel, names, retention, trend

PAGES = (
    Page("GET", "reports", trend.show),
    Page("GET", "reports/trend", trend.show),
    Page("GET", "reports/funnel", funnel.show),
    Page("GET", "reports/retention", retention.show),
    Page("GET", "reports/names", names.suggest, piece=True),
)
