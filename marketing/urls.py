"""The public links of messages: no login, short paths."""

from django.urls import path

from marketing.tracking import views

urlpatterns = [
    path("t/o/<str:token>.gif/", views.opened, name="track-open"),
    path("t/c/<str:token>/", views.clicked, name="track-click"),
    path("u/confirm/<str:token>/", views.confirm, name="confirm-consent"),
    path("u/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
