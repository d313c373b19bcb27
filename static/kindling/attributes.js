/* Rows of attributes: add and remove them, and fit the input of the value to its type. */
"use strict";

const INPUTS = { date: { type: "date" }, number: { type: "text", inputMode: "decimal" } };

function fit(row) {
  const input = row.querySelector("[name$=-value]");
  const type = row.querySelector("select").value;
  Object.assign(input, { type: "text", inputMode: "text", placeholder: input.ariaLabel }, INPUTS[type]);
  if (type === "boolean") input.setAttribute("list", yesOrNo().id);
  else input.removeAttribute("list");
}

function yesOrNo() {
  const known = document.getElementById("yes-or-no");
  if (known) return known;
  const list = Object.assign(document.createElement("datalist"), { id: "yes-or-no" });
  list.append(...["yes", "no"].map((value) => Object.assign(document.createElement("option"), { value })));
  document.body.append(list);
  return list;
}

for (const rows of document.querySelectorAll("[data-attributes]")) {
  const add = rows.querySelector("[data-add]");
  rows.querySelectorAll(".attribute-row").forEach(fit);
  rows.addEventListener("change", ({ target }) => target.matches("select") && fit(target.closest(".attribute-row")));
  rows.addEventListener("click", ({ target }) => {
    const row = target.closest("[data-remove]")?.closest(".attribute-row");
    if (!row) return;
    if (rows.querySelectorAll(".attribute-row").length > 1) row.remove();
    else for (const input of row.querySelectorAll("input")) input.value = "";
  });
  add.addEventListener("click", () => {
    const row = add.previousElementSibling.cloneNode(true);
    for (const input of row.querySelectorAll("input")) input.value = "";
    row.querySelector("select").value = "text";
    add.before(row);
    fit(row);
    row.querySelector("input").focus();
  });
}
