"""Settings of Kindling: one file, read from the typed environment in crm.env."""

from __future__ import annotations

from typing import Any

from corsheaders.defaults import default_headers
from django.utils.translation import gettext_lazy as _

from crm import env
from crm.queues import Queue
from crm.unfold import UNFOLD as UNFOLD

BASE_DIR = env.BASE_DIR
STATE_DIR = env.STATE_DIR
DEBUG = env.DEBUG
SECRET_KEY = env.SECRET_KEY
SECRET_KEY_FALLBACKS = env.SECRET_KEY_FALLBACKS
ALLOWED_HOSTS = env.hosts()
SITE_URL = env.SITE_URL
PROXIES = env.proxies()
SITE_NAME = env.SITE_NAME
CURRENCY = env.CURRENCY
PHONE_COUNTRY = env.PHONE_COUNTRY
DATE_ORDER = env.DATE_ORDER

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "django.contrib.sites",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    *(["allauth.socialaccount.providers.google"] if env.GOOGLE_CLIENT_ID else []),
    "allauth.usersessions",
    "django_otp",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "csp",
    "corsheaders",
    "crm.outbound",
    "crm.events",
    "crm.accounts",
    "crm.adminkit",
    "customers",
    "marketing",
    "analytics",
    "crm",
    "crm.apps.KindlingAdminConfig",
]

MIDDLEWARE = [
    "crm.health.HealthMiddleware",
    "crm.client_address.ClientAddressMiddleware",
    "crm.absolute_urls.AbsoluteUrlsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "crm.headers.PolicyByArea",
    "crm.headers.PermissionsPolicy",
    "crm.headers.CompressPages",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "crm.api.slashes.OptionalTrailingSlash",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crm.api.body_limits.BodyLimitMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "crm.accounts.middleware.SecondFactorMiddleware",
    "crm.accounts.middleware.PersonalDataMiddleware",
    "crm.api.places.CountsMiddleware",
    "crm.accounts.audit.AuditMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crm.site.branding",
            ],
        },
    },
]

DATABASES = {
    "default": {
        **env.database(),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": (env.REDIS_URL or "redis://localhost:6379/0").replace(
            "redis+socket://", "unix://", 1
        ),
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
ACCOUNT_ADAPTER = "crm.accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # here; everywhere else it does
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login_failed": None}  # crm.accounts.sign_in_limits counts them
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_FORMS = {
    "login": "crm.accounts.forms.LoginForm",
    "signup": "crm.accounts.forms.SignupForm",
    "add_email": "crm.accounts.forms.AddEmailForm",
    "change_password": "crm.accounts.forms.ChangePasswordForm",
    "set_password": "crm.accounts.forms.SetPasswordForm",
    "reset_password": "crm.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "crm.accounts.forms.ResetPasswordKeyForm",
    "reauthenticate": "crm.accounts.forms.ReauthenticateForm",
}
SOCIALACCOUNT_ADAPTER = "crm.accounts.adapters.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
GOOGLE_CLIENT_SECRET = env.GOOGLE_CLIENT_SECRET
GOOGLE_DOMAINS = [domain.lower() for domain in env.GOOGLE_DOMAINS]
SIGN_IN_ELSEWHERE = ["https://accounts.google.com"] if env.GOOGLE_CLIENT_ID else []
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {
    "google": {
        "APPS": [{"client_id": env.GOOGLE_CLIENT_ID, "secret": GOOGLE_CLIENT_SECRET}],
        "SCOPE": ["openid", "email", "profile"],
        "OAUTH_PKCE_ENABLED": True,
    }
}
SIGNUP_OPEN = env.SIGNUP_OPEN
REQUIRE_SECOND_FACTOR = env.REQUIRE_SECOND_FACTOR
DEMO = env.DEMO
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # the address is unique by an expression constraint, which this check does not see
    "security.W019",  # the preview of a message is a frame of our own
]
SITE_ID = 1

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
TIME_ZONE = env.time_zone()
USE_I18N = True
FORMAT_MODULE_PATH = "crm.formats"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = env.STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = (
    env.STATE_DIR / "media"
)  # without a MEDIA_URL: views check permissions, and images are the only public files
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

vars().update(env.email())
EMAIL_TIMEOUT = env.EMAIL_TIMEOUT_SECONDS
DEFAULT_FROM_EMAIL = env.DEFAULT_FROM_EMAIL

CELERY_BROKER_URL = env.broker()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 3600
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
DJANGO_CELERY_BEAT_TZ_AWARE = True
CELERY_TASK_QUEUES: dict[str, dict[str, Any]] = {name: {} for name in Queue}
CELERY_TASK_DEFAULT_QUEUE = Queue.DEFAULT
CELERY_TASK_ROUTES = "crm.queues.route"

SEGMENT_REFRESH_MINUTES = env.SEGMENT_REFRESH_MINUTES
SENDING_SWEEP_SECONDS = env.SENDING_SWEEP_SECONDS
SENDING_LEASE_SECONDS = env.SENDING_LEASE_SECONDS
SENDING_MAX_ATTEMPTS = env.SENDING_MAX_ATTEMPTS
SENDING_FIRST_RETRY_SECONDS = env.SENDING_FIRST_RETRY_SECONDS
SENDING_FIRST_PROBE_SECONDS = env.SENDING_FIRST_PROBE_SECONDS
SENDING_WORKERS_PER_RUN = env.SENDING_WORKERS_PER_RUN
SENDING_BREAKER_FAILURES = env.SENDING_BREAKER_FAILURES
PAUSE_BOUNCE_RATE = env.PAUSE_BOUNCE_RATE
PAUSE_COMPLAINT_RATE = env.PAUSE_COMPLAINT_RATE
PAUSE_RATES_FROM = env.PAUSE_RATES_FROM
CAMPAIGN_APPROVAL = env.CAMPAIGN_APPROVAL
CAMPAIGN_APPROVAL_TOLERANCE = env.CAMPAIGN_APPROVAL_TOLERANCE
PREFLIGHT_REQUIRED = env.PREFLIGHT_REQUIRED
WEEKLY_REPORT_TO = env.WEEKLY_REPORT_TO
GOAL_WINDOW_DAYS = env.GOAL_WINDOW_DAYS
MACHINE_NETWORKS = env.MACHINE_NETWORKS

SENDER_SECRETS_PREFIX = env.sender_secrets_prefix()
OUTBOUND_ALLOW_PRIVATE = env.OUTBOUND_ALLOW_PRIVATE
OUTBOUND_LOG_BODIES = env.OUTBOUND_LOG_BODIES

EVENT_STREAM = env.EVENT_STREAM
EVENT_CHANNEL = env.EVENT_CHANNEL
EVENT_STREAM_LENGTH = env.EVENT_STREAM_LENGTH
WEBHOOK_TIMEOUT_SECONDS = env.WEBHOOK_TIMEOUT_SECONDS
WEBHOOK_SWITCH_OFF_HOURS = env.WEBHOOK_SWITCH_OFF_HOURS

LLM_BASE_URL = env.LLM_BASE_URL
LLM_API_KEY = env.LLM_API_KEY
LLM_MODEL = env.LLM_MODEL
LLM_TIMEOUT_SECONDS = env.LLM_TIMEOUT_SECONDS

DOUBLE_OPT_IN = env.DOUBLE_OPT_IN
IMPORT_MAX_FILE_MB = env.IMPORT_MAX_FILE_MB
IMPORT_MAX_UNPACKED_MB = env.IMPORT_MAX_UNPACKED_MB
IMPORT_MAX_ROWS = env.IMPORT_MAX_ROWS
IMPORT_MAX_COLUMNS = env.IMPORT_MAX_COLUMNS
IMPORT_MAX_ROW_MB = env.IMPORT_MAX_ROW_MB
IMPORT_MAX_MINUTES = env.IMPORT_MAX_MINUTES
IMPORT_MAX_MEMORY_MB = env.IMPORT_MAX_MEMORY_MB
IDEMPOTENCY_HOURS = env.IDEMPOTENCY_HOURS
API_CALLS_PER_MINUTE = {
    "read": env.API_READS_PER_MINUTE,
    "write": env.API_WRITES_PER_MINUTE,
    "ingest": env.API_INGESTS_PER_MINUTE,
    "sign_in": env.API_SIGN_INS_PER_MINUTE,
}
RETENTION_INTERACTIONS_DAYS = env.RETENTION_INTERACTIONS_DAYS
RETENTION_EVENTS_DAYS = env.RETENTION_EVENTS_DAYS
RETENTION_IMPORT_FILES_DAYS = env.RETENTION_IMPORT_FILES_DAYS
RETENTION_EXPORT_FILES_DAYS = env.RETENTION_EXPORT_FILES_DAYS
RETENTION_REJECTED_ROWS_DAYS = env.RETENTION_REJECTED_ROWS_DAYS
RETENTION_MESSAGE_IDS_DAYS = env.RETENTION_MESSAGE_IDS_DAYS
RETENTION_WAITING_DAYS = env.RETENTION_WAITING_DAYS
RETENTION_RECEIPTS_DAYS = env.RETENTION_RECEIPTS_DAYS
RETENTION_LINKS_DAYS = env.RETENTION_LINKS_DAYS
RETENTION_OUTGOING_CALLS_DAYS = env.RETENTION_OUTGOING_CALLS_DAYS
RETENTION_AUDIT_DAYS = env.RETENTION_AUDIT_DAYS
RETENTION_WEBHOOK_DELIVERIES_DAYS = env.RETENTION_WEBHOOK_DELIVERIES_DAYS

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "crm.api.authentication.TokenAuthentication",
        "crm.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["crm.api.permissions.HasRight"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "crm.api.browsable.BrowsableApi",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["crm.api.throttles.Throttle"],
    "NUM_PROXIES": 0,  # REMOTE_ADDR is the client's
    "DEFAULT_PAGINATION_CLASS": "crm.api.paging.Pages",
    "DEFAULT_FILTER_BACKENDS": [
        "crm.api.search.Filters",
        "crm.api.search.Search",
        "crm.api.ordering.Ordering",
    ],
    "DEFAULT_SCHEMA_CLASS": "crm.api.schema.Description",
    "EXCEPTION_HANDLER": "crm.api.problems.problem_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME} API",
    "DESCRIPTION": _("Customers, segments, campaigns and their results."),
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "DEFAULT_GENERATOR_CLASS": "crm.api.parameters.Generator",
    "SERVE_PERMISSIONS": ["crm.api.permissions.IsStaff"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/|/(?=v1/)",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "crm.api.schema.complete",
    ],
    "ENUM_NAME_OVERRIDES": {
        "InterestSourceEnum": "customers.models.CustomerInterest.Source",
        "ChannelEnum": "customers.models.consent.Channel",
        "OrderKindEnum": "customers.models.Order.Kind",
        "SegmentKindEnum": "customers.models.Segment.Kind",
        "WriteKeyKindEnum": "customers.models.WriteKey.Kind",
        "ServiceInteractionTypeEnum": "customers.models.ServiceInteraction.Type",
        "SuppressionReasonEnum": "customers.models.Suppression.Reason",
        "DuplicateReasonEnum": "customers.models.LikelyDuplicate.Reason",
        "MergeReasonEnum": "customers.models.Merge.Reason",
        "CampaignStatusEnum": "marketing.models.Campaign.State",
        "RunStatusEnum": "marketing.models.CampaignRun.State",
        "MessageStateEnum": "marketing.models.CampaignExecution.State",
        "WorkflowStateEnum": "marketing.models.Workflow.State",
        "EnrollmentStateEnum": "marketing.models.Enrollment.State",
    },
}

CSRF_TRUSTED_ORIGINS = [env.SITE_URL]
# pages of other origins call the API by token; without credentials, no page acts for a session
CORS_ALLOWED_ORIGINS = env.CORS_ALLOWED_ORIGINS
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = (*default_headers, "idempotency-key", "if-match", "if-none-match")
CORS_EXPOSE_HEADERS = ("etag", "retry-after")
SESSION_COOKIE_SECURE = env.HTTPS
CSRF_COOKIE_SECURE = env.HTTPS
SECURE_SSL_REDIRECT = env.HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if env.HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.HTTPS
SECURE_HSTS_PRELOAD = env.HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
CSRF_COOKIE_HTTPONLY = False  # htmx and the browsable API read it
SESSION_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 50 * 1024 * 1024  # a batch of 10,000 customers; files go to disk
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
DATA_UPLOAD_MAX_NUMBER_FILES = 20

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"faults": {"()": "crm.health.FaultsOnly"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["faults"]},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
}
