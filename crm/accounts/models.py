"""Users, API tokens and the audit trail."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.accounts.devices import RecoveryCodes as RecoveryCodes
from crm.accounts.devices import TOTPDevice as TOTPDevice


class UserManager(BaseUserManager["User"]):
    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the address in lower case, as allauth looks it up."""
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=self.normalize_email(username))

    @transaction.atomic
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user with a confirmed address, unlike a sign-up.

        Raises ValueError without an e-mail, IntegrityError for a duplicate in any case.
        """
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        user.confirm_email()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # django-otp has no types
    """A user who signs in by e-mail; permissions come from is_staff, groups and permissions."""

    email = models.EmailField(_("e-mail"))
    name = models.CharField(_("name"), max_length=150, blank=True)
    is_staff = models.BooleanField(
        _("staff"), default=False, help_text=_("Can sign in to this site and its API.")
    )
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Deactivate accounts instead of deleting them."),
    )
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = [("grant_roles", _("Can grant roles and permissions"))]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique",
                violation_error_message=_("A user with this e-mail already exists."),
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the user; a new password and the deactivation end the API tokens."""
        is_password_new = self.pk is not None and getattr(self, "_password", None) is not None
        super().save(*args, **kwargs)
        if is_password_new or not self.is_active:
            self.api_tokens.all().delete()

    def clean(self) -> None:
        super().clean()
        self.email = User.objects.normalize_email(self.email)

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name.partition(" ")[0] or self.email

    def confirm_email(self) -> None:
        """Make the present address the only confirmed address of this user."""
        EmailAddress.objects.filter(user=self).exclude(email=self.email).delete()
        EmailAddress.objects.update_or_create(
            user=self, email=self.email, defaults={"verified": True, "primary": True}
        )


class Scope(models.TextChoices):
    READ = "read", _("read")
    WRITE = "write", _("write")
    INGEST = "ingest", _("ingest")
    ADMIN = "admin", _("admin")


class ApiToken(models.Model):
    """A bearer token of the API, stored as SHA-256; users recognise it by its prefix."""

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="api_tokens",
        verbose_name=_("user"),
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    prefix = models.CharField(_("prefix"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=10, choices=Scope.choices), verbose_name=_("scopes")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    with_second_factor = models.BooleanField(
        _("created with a second factor"), default=False, editable=False
    )

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="api_token_digest_unique"),
            models.CheckConstraint(
                condition=models.Q(scopes__len__gt=0), name="api_token_has_a_scope"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}".strip()


class AuditEntry(models.Model):
    """An action of a user, stored by id and address so that it outlives the user; the database refuses changes."""

    at = models.DateTimeField(_("when"), db_default=Now(), editable=False)
    actor_id = models.BigIntegerField(_("user id"), null=True)
    actor = models.CharField(_("user"), max_length=254, blank=True)
    via = models.CharField(_("via"), max_length=40, blank=True)
    address = models.CharField(_("IP address"), max_length=45, blank=True)
    action = models.CharField(_("action"), max_length=100)
    kind = models.CharField(_("object type"), max_length=100, blank=True)
    object_id = models.CharField(_("object id"), max_length=64, blank=True)
    label = models.CharField(_("object name"), max_length=200, blank=True)
    changes = models.JSONField(
        _("before and after"), default=dict, encoder=DjangoJSONEncoder, blank=True
    )

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-id"]
        indexes = [
            # the entries of one object, newest first
            models.Index(fields=["kind", "object_id", "-id"], name="audit_of_object"),
            # the entries of one user
            models.Index(fields=["actor", "-id"], name="audit_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor or '–'}: {self.action}"


class SavedView(models.Model):
    """Filters, order and columns of a list under a name, private or shared."""

    user = models.ForeignKey(
        User,
        models.CASCADE,
        related_name="saved_views",
        verbose_name=_("user"),
        db_index=False,
    )
    model = models.CharField(
        _("list"), max_length=100, help_text=_("The model of the list: customers.customer")
    )
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("query string"), max_length=2000, blank=True)
    is_shared = models.BooleanField(_("shared"), default=False, db_default=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "model", "name"], name="saved_view_name_unique")
        ]
        indexes = [
            # the views above a list
            models.Index(fields=["model", "name"], name="saved_view_of_list")
        ]

    def __str__(self) -> str:
        return self.name
