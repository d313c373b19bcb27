// The preview beside a template: asks the server what a customer would see, a moment after the last key.
(() => {
  const WAIT_MS = 350;

  const start = () => {
    const pane = document.getElementById("template-preview");
    const form = document.getElementById("campaigntemplate_form");
    if (!pane || !form) return;

    const find = (name) => pane.querySelector(`[data-${name}]`);
    const fields = ["subject", "body", "plain_text"].map((name) => form.elements[name]).filter(Boolean);
    const customer = pane.querySelector("[name=customer]");
    let timer = 0;
    let asked = 0;
    let written = form.elements.body;

    const post = async (url, more = {}) => {
      const data = new URLSearchParams({ customer: customer.value, ...more });
      fields.forEach((field) => data.set(field.name, field.value));
      const token = form.elements.csrfmiddlewaretoken.value;
      try {
        const response = await fetch(url, { method: "POST", body: data, headers: { "X-CSRFToken": token } });
        return await response.json();
      } catch {
        return { error: pane.dataset.failed };
      }
    };

    const tell = (name, text) => {
      const box = find(name);
      box.hidden = !text;
      box.querySelector("[data-text]").textContent = text;
    };

    const look = async () => {
      const turn = ++asked;
      const seen = await post(pane.dataset.previewUrl);
      if (turn !== asked) return; // a newer question is on its way
      tell("error", seen.error || "");
      tell("unknown", (seen.unknown || []).join(", "));
      if (seen.error) return;
      find("subject").textContent = seen.subject;
      find("person").textContent = customer.value ? "" : seen.customer;
      find("pane=html").srcdoc = seen.html;
      find("pane=text").textContent = seen.text;
    };

    const lookSoon = () => {
      clearTimeout(timer);
      timer = setTimeout(look, WAIT_MS);
    };

    const show = (name) => {
      pane.querySelectorAll("[data-tab]").forEach((tab) => tab.setAttribute("aria-selected", tab.dataset.tab === name));
      pane.querySelectorAll("[data-pane]").forEach((each) => (each.hidden = each.dataset.pane !== name));
    };

    const insert = (variable) => {
      written.setRangeText(`{{ ${variable} }}`, written.selectionStart, written.selectionEnd, "end");
      written.focus();
      written.dispatchEvent(new Event("input", { bubbles: true }));
    };

    fields.forEach((field) => {
      field.addEventListener("input", lookSoon);
      field.addEventListener("focus", () => (written = field));
    });
    django.jQuery(customer).on("change", look); // select2 tells jQuery alone
    pane.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.tab) show(button.dataset.tab);
      if (button.dataset.variable) insert(button.dataset.variable);
      if ("again" in button.dataset) look();
    });
    find("test").addEventListener("submit", async (event) => {
      event.preventDefault();
      const test = event.target;
      const said = find("said");
      said.textContent = "…";
      const answer = await post(pane.dataset.testUrl, { to: test.elements.to.value, sender: test.elements.sender.value });
      said.textContent = answer.said || answer.error;
      said.classList.toggle("failed", Boolean(answer.error));
    });
    look();
  };

  document.addEventListener("DOMContentLoaded", start);
})();
