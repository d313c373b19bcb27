"""The addresses in messages: without login, with short paths."""

from django.urls import path

from marketing import images
from marketing.tracking import push, views, webhooks

urlpatterns = [
    path("media/<slug:key>.<slug:suffix>", images.show, name="image"),
    path("t/o/<str:token>.gif/", views.opened, name="track-open"),
    path("t/c/<str:token>/", views.clicked, name="track-click"),
    path("push/worker.js/", push.worker, name="push-worker"),
    path("push/<str:sender>/subscribe.js/", push.script, name="push-script"),
    path("push/<str:sender>/subscriptions/", push.subscriptions, name="push-subscriptions"),
    path("u/confirm/<str:token>/", views.confirm, name="confirm-consent"),
    path("hooks/<str:provider>/", webhooks.receive, name="provider-receipts"),
    path("hooks/<str:provider>/<str:sender>/", webhooks.receive, name="sender-receipts"),
    path("u/preview/", views.unsubscribe_of_preview, name="unsubscribe-preview"),
    path("u/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
