"""Rows with files: who deletes the row means the file, too."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.adminkit.base import ModelAdmin


class FilesGoToo(ModelAdmin):
    """Mixin for admins (put it first): say in `file_fields` which columns hold files."""

    file_fields: ClassVar[tuple[str, ...]] = ()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._delete_files([obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._delete_files(list(queryset))
        super().delete_queryset(request, queryset)

    def _delete_files(self, rows: list[Any]) -> None:
        for row in rows:
            for name in self.file_fields:
                if file := getattr(row, name):
                    transaction.on_commit(partial(file.storage.delete, file.name))
