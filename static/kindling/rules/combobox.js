// A text input with a list of options, after the combobox pattern of the ARIA authoring practices.
import { button, element } from "./elements.js";

const WAIT_MS = 150;
const BAR_HEIGHT = 72;
let count = 0;

/**
 * `find(query)` returns [{value, label, hint?, group?}], at once or later; `pick(option)` is called with one option, and for a
 * `free` box also with {value} of the typed text. `shown` is the initial text.
 */
export const combobox = ({ label, role, shown, find, pick, free = false, placeholder = "" }) => {
  const id = `rules-options-${++count}`;
  const list = element("ul", { id, hidden: true, className: "rules-options", aria: { role: "listbox", label } });
  const input = element("input", {
    type: "text", value: shown, placeholder, autocomplete: "off", dataset: { role },
    aria: { role: "combobox", label, autocomplete: "list", expanded: false, controls: id },
  });
  let options = [];
  let active = -1;
  let typed = false;
  let turn = 0;
  let timer = 0;

  const close = () => {
    turn += 1;
    clearTimeout(timer);
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", false);
    input.removeAttribute("aria-activedescendant");
  };

  const point = (index) => {
    active = index;
    list.querySelectorAll("[role=option]").forEach((option, at) => option.setAttribute("aria-selected", at === index));
    const chosen = list.querySelector("[aria-selected=true]");
    chosen?.scrollIntoView({ block: "nearest" });
    if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
  };

  const take = (option) => {
    close();
    typed = false;
    input.value = option.label ?? option.value;
    pick(option);
  };

  /** Above the box where there is no room below it, over the bar with the buttons. */
  const place = () => {
    const { top, bottom } = input.getBoundingClientRect();
    const room = window.innerHeight - BAR_HEIGHT - bottom;
    list.classList.toggle("is-above", room < list.offsetHeight && top > room);
  };

  const show = (found) => {
    options = found;
    let group = null;
    list.replaceChildren(...found.flatMap((option, index) => {
      const heads = option.group && option.group !== group ? [element("li", { className: "rules-option-group", textContent: option.group, aria: { role: "presentation" } })] : [];
      group = option.group;
      const item = element("li", { id: `${id}-${index}`, aria: { role: "option", selected: false } }, option.label ?? option.value);
      if (option.hint) item.append(element("small", { textContent: option.hint }));
      item.onmousedown = (event) => { event.preventDefault(); take(option); };
      return [...heads, item];
    }));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", !list.hidden);
    place();
    point(typed && !free && found.length ? 0 : -1);
  };

  const open = (query, { takeFirst = false } = {}) => {
    const mine = ++turn;
    clearTimeout(timer);
    const answer = async () => {
      const found = await find(query);
      if (mine !== turn || document.activeElement !== input) return;
      if (takeFirst && found.length) take(found[0]);
      else show(found);
    };
    timer = setTimeout(answer, typed && !takeFirst ? WAIT_MS : 0);
  };

  input.oninput = () => {
    typed = true;
    open(input.value.trim());
    if (free) pick({ value: input.value.trim(), typing: true });
  };
  input.onfocus = () => input.select();
  input.onclick = () => { if (list.hidden) open(""); };
  input.onblur = () => {
    close();
    if (typed && !free) input.value = shown;
    typed = false;
  };
  input.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !event.altKey) {
      event.preventDefault();
      if (list.hidden) open(typed ? input.value.trim() : "");
      else point((active + step + options.length) % options.length);
    } else if (event.key === "Enter") {
      event.preventDefault(); // Enter would submit the form
      if (active >= 0) take(options[active]);
      else if (free) take({ value: input.value.trim() });
      else open(typed ? input.value.trim() : "", { takeFirst: typed }); // the list had not loaded yet
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close();
    }
  };
  return element("span", { className: "rules-combobox" }, input, list);
};

/** Multiple values: a removable token for each, and a box to add one. Typed text counts before it is confirmed. */
export const tokens = ({ label, role, removeLabel, values, shown, find, change, placeholder }) => {
  const withOne = (value) => (value === "" || values.includes(value) ? values : [...values, value]);
  const box = combobox({
    label, role, shown: "", find, free: true, placeholder,
    pick: ({ value, typing }) => change(withOne(value), { typing }),
  });
  const input = box.querySelector("input");
  const listen = input.onkeydown;
  input.onkeydown = (event) => {
    if (event.key === "," && input.value.trim()) {
      event.preventDefault();
      change(withOne(input.value.trim()), {});
    } else if (event.key === "Backspace" && !input.value && values.length) {
      change(values.slice(0, -1), {});
    } else listen(event);
  };
  const chips = values.map((value) => element(
    "span", { className: "rules-token" }, shown(value),
    button({ label: `${removeLabel}: ${shown(value)}`, icon: "close", act: () => change(withOne(input.value.trim()).filter((each) => each !== value), {}) }),
  ));
  return element("span", { className: "rules-tokens" }, ...chips, box);
};
