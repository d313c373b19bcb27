from django.urls import path

from crm.api import auth

urlpatterns = [
    path("login/", auth.LoginView.as_view(), name="api-login"),
    path("logout/", auth.LogoutView.as_view(), name="api-logout"),
    path("me/", auth.MeView.as_view(), name="api-me"),
    path("user/", auth.MeView.as_view(), name="api-user"),
    path("token/", auth.TokenView.as_view(), name="api-token"),
]
