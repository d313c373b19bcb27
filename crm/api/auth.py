"""Sign-in over the API with allauth: a session for browsers, a bearer token for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.account.utils import has_verified_email
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django_otp import login as note_device
from django_otp.models import Device
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.fields import empty
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from crm.accounts import second_factor, tokens
from crm.accounts.current_user import user_of
from crm.accounts.models import ApiToken, Scope, User
from crm.accounts.sign_in_limits import Locked
from crm.api.authentication import SessionAuthentication, TokenAuthentication
from crm.api.parameters import KnownParameters
from crm.api.problems import SecondFactorRequired
from crm.api.throttles import SIGN_IN


class CredentialsSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(required=False)
    username = serializers.EmailField(
        required=False, write_only=True, help_text="The e-mail address under another name."
    )
    password = serializers.CharField(
        trim_whitespace=False, style={"input_type": "password"}, write_only=True
    )
    otp = serializers.CharField(
        required=False,
        write_only=True,
        max_length=20,
        help_text="The code of the second factor, if the account has one.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Read a user name as the e-mail address: accounts have no other name."""
        username = attrs.pop("username", None)
        email = attrs.setdefault("email", username)
        if not email:
            raise serializers.ValidationError({"email": _("Enter the e-mail address.")})
        if username and username != email:
            raise serializers.ValidationError(
                {"username": _("This is not the address given as email.")}
            )
        return attrs


class Scopes(serializers.MultipleChoiceField):
    """A multiple choice whose default applies to forms without the field; DRF would take an empty choice."""

    def get_value(self, dictionary: Any) -> Any:
        return super().get_value(dictionary) if self.field_name in dictionary else empty


class TokenRequestSerializer(CredentialsSerializer):
    scopes = Scopes(
        choices=Scope.choices,
        default=lambda: {Scope.READ.value, Scope.WRITE.value},
        allow_empty=False,
        help_text="By default read and write.",
    )
    name = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)
    lifetime_days = serializers.IntegerField(
        min_value=1, max_value=tokens.LONGEST_LIFETIME.days, default=tokens.LIFETIME.days
    )


class UserSerializer(serializers.ModelSerializer[User]):
    roles: serializers.SlugRelatedField[Group] = serializers.SlugRelatedField(
        source="groups", slug_field="name", many=True, read_only=True
    )

    class Meta:
        model = User
        fields = ["email", "name", "is_staff", "is_superuser", "roles"]


class SignInView(KnownParameters):
    """A view for credentials; wrong ones are a 401 with a challenge (RFC 9110, 11.6.1)."""

    throttle_scope = SIGN_IN

    def get_authenticate_header(self, request: Request) -> str:
        return TokenAuthentication().authenticate_header(request)


class LoginView(SignInView):
    """Sign in with a session cookie.

    Only JSON is accepted: a page of another site cannot post it, and so cannot sign a browser in.
    """

    parser_classes = (JSONParser,)
    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = CredentialsSerializer

    @extend_schema(request=CredentialsSerializer, responses=UserSerializer)
    def post(self, request: Request) -> Response:
        given = CredentialsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user, device = _check(request._request, given.validated_data)
        _open_session(request._request, user)
        if device is not None:
            note_device(request._request, device)
        return Response(UserSerializer(user).data)


class LogoutView(KnownParameters):
    """End the session; signing out again has no effect."""

    permission_classes = (AllowAny,)
    authentication_classes = (SessionAuthentication,)

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        get_adapter().logout(request._request)
        return Response(status=204)


class MeView(KnownParameters):
    """Return the current user and the roles."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(responses=UserSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(user_of(request)).data)


class TokenView(SignInView):
    """POST creates a bearer token for an e-mail and a password; DELETE revokes the current token."""

    serializer_class = TokenRequestSerializer

    def get_authenticators(self) -> list[Any]:
        posting = self.request is not None and self.request.method == "POST"
        return [] if posting else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        return [AllowAny()] if self.request.method == "POST" else [IsAuthenticated()]

    @extend_schema(
        auth=[],
        request=TokenRequestSerializer,
        responses={
            201: inline_serializer(
                "IssuedToken",
                {
                    "token": serializers.CharField(),
                    "expires_at": serializers.DateTimeField(),
                    "scopes": serializers.ListField(child=serializers.CharField()),
                },
            )
        },
    )
    def post(self, request: Request) -> Response:
        given = TokenRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        user, device = _check(request._request, wanted)
        if not user.is_staff:
            raise PermissionDenied(_("Only staff can use the API."))
        token, text = tokens.issue(
            user,
            scopes=wanted["scopes"],
            lifetime=timedelta(days=wanted["lifetime_days"]),
            name=wanted["name"],
            with_second_factor=device is not None,
        )
        answer = {"token": text, "expires_at": token.expires_at, "scopes": token.scopes}
        return Response(answer, status=201)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        if not isinstance(request.auth, ApiToken):
            raise PermissionDenied(_("Send the token to revoke as the bearer token."))
        request.auth.delete()
        return Response(status=204)


def _check(request: HttpRequest, given: dict[str, Any]) -> tuple[User, Device | None]:
    """Return the user with these credentials and the device of the code, if any."""
    adapter = get_adapter(request)
    try:
        user = adapter.authenticate(request, email=given["email"], password=given["password"])
    except Locked as error:
        raise Throttled(error.seconds, error.message) from error
    if user is None:
        raise AuthenticationFailed(_("The e-mail or the password is wrong."))
    if not has_verified_email(user, user.email):
        raise AuthenticationFailed(_("Confirm your e-mail address first."))
    return cast(User, user), _second_factor(user, given.get("otp", ""))


def _second_factor(user: User, code: str) -> Device | None:
    if not second_factor.has_device(user):
        if second_factor.must_enrol(user):
            raise PermissionDenied(_("Set up a second factor on the sign-in page first."))
        return None
    if not code:
        raise SecondFactorRequired
    try:
        device = second_factor.check(user, code)
    except Locked as error:
        raise Throttled(error.seconds, error.message) from error
    if device is None:
        raise SecondFactorRequired(_("This code is wrong. Wait for the next code."))
    return device


def _open_session(request: HttpRequest, user: User) -> None:
    """Sign in through allauth's stages, as on the sign-in page."""
    try:
        login = Login(user=user, email=user.email)
        second_factor.mark_passed(login)
        perform_password_login(request, {"email": user.email}, login)
    except ImmediateHttpResponse as error:
        raise AuthenticationFailed(_("This account cannot sign in here.")) from error
    if not request.user.is_authenticated:
        raise AuthenticationFailed(
            _("This sign-in needs another step. Continue on the sign-in page.")
        )
