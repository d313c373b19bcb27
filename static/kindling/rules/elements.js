// The elements of the builder. Each control has a `data-role`, by which focus finds it again after a redraw.

export const element = (tag, properties = {}, ...children) => {
  const { dataset, aria, ...own } = properties;
  const made = Object.assign(document.createElement(tag), own);
  Object.assign(made.dataset, dataset);
  Object.entries(aria ?? {}).forEach(([name, value]) => made.setAttribute(name === "role" ? name : `aria-${name}`, value));
  made.append(...children);
  return made;
};

export const icon = (name) => element("span", { className: "material-symbols-outlined", textContent: name, aria: { hidden: true } });

/** A button of an icon, words or both. `pressed` makes it a switch. */
export const button = ({ label, role, act, icon: symbol, text, pressed, disabled = false }) => {
  const made = element("button", { type: "button", title: label, disabled, onclick: act, dataset: { role }, aria: { label } });
  if (symbol) made.append(icon(symbol));
  if (text) made.append(text);
  if (pressed !== undefined) made.setAttribute("aria-pressed", pressed);
  return made;
};

export const select = ({ label, role, options, chosen, choose }) => {
  const made = element("select", { onchange: () => choose(made.value), dataset: { role }, aria: { label } });
  options.forEach(([value, name]) => made.append(new Option(name, value, false, value === chosen)));
  if (!options.some(([value]) => value === chosen)) made.prepend(new Option(chosen ?? "", chosen ?? "", true, true));
  return made;
};
