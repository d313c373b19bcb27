from django.apps import AppConfig


class AdminKitConfig(AppConfig):
    name = "crm.adminkit"
    label = "adminkit"
