// The template editor: the code, the message beside it, and the library.
import { Code } from "./code.js";
import { Library } from "./library.js";
import { Preview } from "./preview.js";

const PARTS = ["subject", "preheader", "body_format", "body", "plain_text", "link"];
const dataOf = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

const pane = document.getElementById("template-preview");
const codes = new Map([...document.querySelectorAll("[data-code]")].map((root) => {
  const code = new Code(root);
  return [code.text.name, code];
}));

const startTemplate = () => {
  const form = document.getElementById("campaigntemplate_form");
  const fields = ["channel", ...PARTS].map((name) => form.elements[name]).filter(Boolean);
  const csrf = form.elements.csrfmiddlewaretoken.value;
  const partsOf = dataOf("template-parts");
  const starters = dataOf("template-starters");

  const post = async (url, more = {}) => {
    const body = new URLSearchParams(more);
    fields.forEach((field) => body.set(field.name, field.value));
    try {
      return await (await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrf } })).json();
    } catch {
      return { error: pane.dataset.failed };
    }
  };
  const wrong = (part, line) => codes.forEach((code, name) => code.mark(name === part ? line : 0));
  const preview = new Preview(pane, { post, wrong });
  const library = new Library({ csrf, variables: () => preview.variables, format: () => form.elements.body_format.value });

  const showParts = () => PARTS.forEach((part) => {
    const row = form.elements[part]?.closest(".field-row, .form-row, .field-line");
    if (row) row.hidden = !partsOf[form.elements.channel.value].includes(part);
  });

  document.querySelectorAll("[data-code]").forEach((root) => {
    const code = codes.get(root.querySelector("textarea").name);
    root.querySelectorAll("[data-open]").forEach((opener) => opener.addEventListener("click", () => library.open(opener.dataset.open, code)));
  });
  document.querySelectorAll("[data-starter]").forEach((opener) => opener.addEventListener("click", () => {
    const starter = starters[opener.dataset.starter];
    form.elements.channel.value = "email";
    form.elements.body_format.value = "mjml";
    form.elements.subject.value = starter.subject;
    form.elements.preheader.value = starter.preheader;
    if (!form.elements.name.value) form.elements.name.value = starter.name;
    codes.get("body").become(starter.body);
    showParts();
  }));
  fields.forEach((field) => field.addEventListener("input", () => preview.lookSoon()));
  form.elements.channel.addEventListener("change", showParts);
  showParts();
  preview.look();
};

if (pane) startTemplate();
