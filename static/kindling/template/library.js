// Dialogs that insert a variable, a snippet or an image at the cursor.
const button = (label, more, choose) => {
  const made = document.createElement("button");
  made.type = "button";
  made.append(Object.assign(document.createElement("b"), { textContent: label }));
  if (more) made.append(Object.assign(document.createElement("span"), { textContent: more }));
  made.addEventListener("click", choose);
  return made;
};

const item = (child) => {
  const made = document.createElement("li");
  made.append(child);
  return made;
};

const escaped = (words) => words.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

export class Library {
  // `variables()` returns the variables of the previewed customer; `format()` the format of the body.
  constructor({ csrf, variables, format }) {
    this.csrf = csrf;
    this.variables = variables;
    this.format = format;
    this.code = null;
    this.dialogs = Object.fromEntries([...document.querySelectorAll("[data-dialog]")].map((each) => [each.dataset.dialog, each]));
    const filter = this.dialogs.variables.querySelector("[data-filter]");
    filter.addEventListener("input", () => this.listVariables(filter.value));
    this.dialogs.images.querySelector("[data-upload]").addEventListener("submit", (event) => this.upload(event));
  }

  open(name, code) {
    this.code = code;
    const dialog = this.dialogs[name];
    if (name === "variables") {
      dialog.querySelector("[data-filter]").value = "";
      this.listVariables("");
    } else {
      this.load(name, dialog);
    }
    dialog.showModal();
  }

  put(words) {
    Object.values(this.dialogs).forEach((dialog) => dialog.close());
    this.code.write(words);
  }

  listVariables(wanted) {
    const found = Object.entries(this.variables()).filter(([path]) => path.includes(wanted.trim().toLowerCase()));
    this.list("variables", found.map(([path, value]) => button(path, value, () => this.put(`{{ ${path} }}`))));
  }

  async load(name, dialog) {
    const known = await (await fetch(dialog.dataset.url)).json();
    const make = {
      snippets: (each) => button(each.name, each.description, () => this.put(`{% render '${each.name}' %}`)),
      images: (each) => this.imageButton(each),
    }[name];
    this.list(name, known[name].map(make));
    dialog.querySelector("[data-empty]").hidden = known[name].length > 0;
  }

  imageButton(image) {
    const made = button(image.name, image.alt, () => this.put(this.imageTag(image)));
    made.prepend(Object.assign(document.createElement("img"), { src: image.shown, alt: "" }));
    return made;
  }

  imageTag({ url, alt, width }) {
    const shown = Math.min(width, 600);
    return this.format() === "mjml"
      ? `<mj-image src="${url}" alt="${escaped(alt)}" width="${shown}px" />`
      : `<img src="${url}" alt="${escaped(alt)}" width="${shown}" style="max-width:100%;height:auto">`;
  }

  list(name, buttons) {
    this.dialogs[name].querySelector("[data-list]").replaceChildren(...buttons.map(item));
  }

  async upload(event) {
    event.preventDefault();
    const form = event.target;
    const said = form.querySelector("[data-said]");
    said.textContent = "…";
    const response = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-CSRFToken": this.csrf } });
    const answer = await response.json();
    said.textContent = answer.error || "";
    said.classList.toggle("failed", Boolean(answer.error));
    if (answer.image) this.put(this.imageTag(answer.image));
  }
}
