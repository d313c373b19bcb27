from django.urls import path

from crm.accounts import second_factor_views, sessions

urlpatterns = [
    path("sessions/end/", sessions.end_everywhere, name="sessions_end_everywhere"),
    path("second-factor/", second_factor_views.ask, name="second_factor"),
    path("second-factor/enrol/", second_factor_views.enrol, name="second_factor_enrol"),
    path("second-factor/manage/", second_factor_views.manage, name="second_factor_manage"),
]
