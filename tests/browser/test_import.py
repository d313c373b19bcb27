from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from crm import jobs
from customers.models import Customer, ImportJob

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(tmp_path: Path, settings) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    path = tmp_path / "people.csv"
    path.write_text("id,email,shoe size\na,a@example.com,44\nb,nowhere,43\n")
    return path


def test_a_file_is_imported_and_rejected_rows_downloaded(
    page: Page, live_server, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.jobs.nudge", lambda *args: None)
    page.goto(f"{live_server.url}/admin/customers/customer/")
    page.get_by_role("link", name="Import a file").click()
    page.locator("input[type=file]").set_input_files(people)
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_label("shoe size")).to_have_value("attributes.shoe_size")
    page.get_by_label("shoe size").select_option("")
    assert not Customer.objects.exists()
    page.get_by_role("button", name="Start import").click()

    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    jobs.run(ImportJob.objects.get())
    expect(page.locator("#job-live")).to_contain_text("Finished")
    expect(page.locator("#job-live")).to_contain_text("rejected")
    with page.expect_download() as download:
        page.get_by_role("link", name="Rejected rows, with reasons").click()

    assert "nowhere" in Path(download.value.path()).read_text()
    assert Customer.objects.get().attributes == {}


def test_the_mapping_fits_a_phone(page: Page, live_server, people: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/admin/customers/importjob/add/?kind=customers")
    page.locator("input[type=file]").set_input_files(people)
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("button", name="Start import")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
