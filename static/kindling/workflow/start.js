// The editor of a workflow's draft, and the view of the published version with its figures. The draft is saved a moment after each
// change; the server answers with its words and what is wrong with it.
import { builder } from "../rules/builder.js";
import { button, element, icon } from "../rules/elements.js";
import { History } from "../rules/history.js";
import { Language } from "../rules/language.js";
import { put } from "../rules/put.js";
import { connect, copy, cut, insert, move, opened, paste, placesOf, prune, remove, rename, targetOf, Types } from "./document.js";
import { drawPanel } from "./panel.js";
import { drawCard, drawTree } from "./tree.js";

const WAIT_MS = 500;
const CLIPBOARD = "kindling:workflow-steps";
const ZOOMS = [0.4, 0.5, 0.6, 0.75, 0.9, 1, 1.15, 1.3];
const ENTRY = "entry";
const STEP_DRAGGED = "application/x-kindling-step";

const start = (root) => {
  const data = JSON.parse(root.querySelector("[data-editor] script").textContent);
  const { words, choices, links } = data;
  const types = new Types(data.description.steps);
  const entries = Object.fromEntries(data.description.entries.map((each) => [each.on, each]));
  const tree = root.querySelector("[data-tree]");
  const panel = root.querySelector("[data-panel]");
  const state = root.querySelector("[data-state]");
  const steps = { undo: root.querySelector("[data-undo]"), redo: root.querySelector("[data-redo]") };
  const isEdited = Boolean(data.save);
  let definition = opened(data.definition, types);
  const history = new History(JSON.stringify(definition));
  let checked = { problems: data.problems ?? [], words: data.words_of };
  let seen = data.seen;
  let selected = null;
  let timer = 0;
  let turn = 0;
  let zoom = 1;

  // ---- saving

  const csrf = () => root.querySelector("[name=csrfmiddlewaretoken]").value;

  const say = (text, isWrong = false) => {
    state.textContent = text;
    state.classList.toggle("is-wrong", isWrong);
  };

  const save = async () => {
    const mine = ++turn;
    const body = new URLSearchParams({ definition: JSON.stringify(definition), seen });
    try {
      const response = await fetch(data.save, { method: "POST", body, headers: { "X-CSRFToken": csrf() } });
      const answer = await response.json();
      if (!response.ok) { say(answer.message ?? words.not_saved, true); return; }
      seen = answer.seen;
      if (mine !== turn) return;
      checked = answer;
      say(answer.problems.length ? words.problems.replace("%s", answer.problems.length) : words.saved);
      draw({ keepsPanel: panel.contains(document.activeElement) });
    } catch {
      say(words.not_saved, true);
    }
  };

  const saveSoon = () => {
    say(words.saving);
    turn += 1;
    clearTimeout(timer);
    timer = setTimeout(save, WAIT_MS);
  };

  window.addEventListener("beforeunload", (event) => { if (isEdited && state.textContent === words.saving) event.preventDefault(); });

  // ---- changes

  const change = (alter, { mark = null, redraw = true } = {}) => {
    const found = alter(definition);
    history.push(JSON.stringify(definition), mark);
    draw({ keepsPanel: !redraw });
    saveSoon();
    return found;
  };

  const become = (text) => {
    definition = JSON.parse(text);
    if (selected && selected !== ENTRY && !(selected in definition.steps)) selected = null;
    draw();
    saveSoon();
  };

  const clipboard = () => {
    try { return JSON.parse(localStorage.getItem(CLIPBOARD)); } catch { return null; }
  };
  const toClipboard = (key, options) => localStorage.setItem(CLIPBOARD, JSON.stringify(copy(definition, key, types, options)));

  const focusCard = (key) => tree.querySelector(`[data-card="${CSS.escape(key ?? ENTRY)}"]`)?.focus();

  const add = (place, type) => {
    const key = change((each) => insert(each, place, { type: type.type, ...structuredClone(type.initial) }, types));
    open(key);
  };

  const gone = (key) => {
    if (selected === key) selected = null;
    focusCard(change((each) => remove(each, key, types)));
  };

  const pasted = (place) => {
    const held = clipboard();
    if (held) open(change((each) => paste(each, place, held, types)));
  };

  // ---- the menu of a place

  const menu = element("div", { className: "wf-menu", popover: "auto", aria: { role: "menu", label: words.add_step } });
  root.append(menu);

  const item = (symbol, text, act) => {
    const made = element("button", { type: "button", aria: { role: "menuitem" }, onclick: () => { menu.hidePopover(); act(); } }, icon(symbol), text);
    return made;
  };

  const openMenu = (place, at) => {
    const others = Object.keys(definition.steps).filter((key) => key !== place.key && key !== targetOf(definition, place));
    const joins = others.map((key) => item("subdirectory_arrow_right", key, () => change((each) => connect(each, place, key))));
    menu.replaceChildren(
      ...types.all.map((type) => item(type.icon, type.label, () => add(place, type))),
      ...(clipboard() ? [item("content_paste", words.paste, () => pasted(place))] : []),
      ...(targetOf(definition, place) ? [item("stop_circle", words.end_here, () => change((each) => { cut(each, place, types); }))] : []),
      ...(joins.length ? [element("details", {}, element("summary", { textContent: words.continue_at }), ...joins)] : []),
    );
    menu.showPopover();
    const { left, bottom, width } = at.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(left + width / 2 - menu.offsetWidth / 2, window.innerWidth - menu.offsetWidth - 8))}px`;
    menu.style.top = `${Math.max(8, Math.min(bottom + 4, window.innerHeight - menu.offsetHeight - 8))}px`;
    menu.querySelector("button").focus();
    menu.ontoggle = ({ newState }) => { if (newState === "closed" && document.activeElement === document.body) at.focus(); };
  };

  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("button, summary")].filter((each) => each.offsetParent);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  });

  const plus = (place) => {
    if (!isEdited) return null;
    const made = button({ label: words.add_step, icon: "add", role: "plus", act: () => openMenu(place, made) });
    made.setAttribute("aria-haspopup", "menu");
    made.dataset.place = JSON.stringify([place.key, ...place.path]);
    made.ondragover = (event) => { event.preventDefault(); made.classList.add("is-target"); };
    made.ondragleave = () => made.classList.remove("is-target");
    made.ondrop = (event) => {
      event.preventDefault();
      const dropped = JSON.parse(event.dataTransfer.getData(STEP_DRAGGED) || "null");
      if (dropped?.type) add(place, types.byName[dropped.type]);
      else if (dropped?.key) open(change((each) => move(each, dropped.key, place, types)));
    };
    return made;
  };

  // ---- drawing

  const faultsAt = (path) => checked.problems.filter((each) => each.path === path || each.path.startsWith(`${path}.`) || each.path.startsWith(`${path}[`));
  const within = (path) => faultsAt(path).map((each) => ({ path: each.path.slice(path.length).replace(/^\./, ""), message: each.message }));

  const figuresOf = (key) => data.figures?.steps[key]?.shown ?? (data.figures ? [] : null);

  const card = (key, step) => {
    const type = types.of(step);
    const made = drawCard({
      key, title: type.label, symbol: type.icon, words, summary: checked.words.steps[key] || key, selected: selected === key, open: () => open(key),
      faults: faultsAt(`steps.${key}`).map(({ message }) => message), figures: figuresOf(key),
    });
    const goesStraight = placesOf(definition, key, types, words).length === 1;
    if (isEdited && goesStraight) {
      made.draggable = true;
      made.ondragstart = (event) => event.dataTransfer.setData(STEP_DRAGGED, JSON.stringify({ key }));
    }
    return made;
  };

  const entryCard = () => {
    const kind = entries[definition.entry?.on];
    return drawCard({
      key: ENTRY, title: kind?.label ?? words.entry, symbol: "login", words, summary: checked.words.entry || words.say_entry, selected: selected === ENTRY, open: () => open(ENTRY),
      faults: faultsAt("entry").map(({ message }) => message), figures: data.figures?.entry ?? null,
    });
  };

  const figure = data.figures ? (key, branch) => element("span", { className: "wf-left", textContent: data.figures.steps[key]?.left[branch] ?? "0" }) : null;

  const drawSteps = () => {
    const focused = tree.contains(document.activeElement) ? document.activeElement.dataset : null;
    const drawn = drawTree({ definition, types, words, card, plus, figure, jump: (key) => open(key) });
    tree.replaceChildren(entryCard(), drawn);
    tree.style.zoom = zoom;
    if (focused?.card) focusCard(focused.card);
    else if (focused?.place) [...tree.querySelectorAll("[data-place]")].find(({ dataset }) => dataset.place === focused.place)?.focus();
  };

  const ruleLanguage = data.language ? new Language(data.language) : null;
  const suggest = async (about, query) => {
    try {
      const response = await fetch(`${data.suggest}?${new URLSearchParams({ ...about, q: query })}`);
      return response.ok ? (await response.json()).results : [];
    } catch {
      return [];
    }
  };
  const ruleBuilder = ({ label, rules, changed }) => {
    const own = structuredClone(rules);
    const pane = element("div", { className: "rules-builder", tabIndex: -1, aria: { role: "group", label } });
    const drawn = builder({
      pane, language: ruleLanguage, words: data.rule_words, suggest,
      edit: (alter, { redraw }) => {
        alter(own);
        changed(structuredClone(own));
        if (redraw) drawn.draw(own);
      },
    });
    drawn.draw(own);
    return pane;
  };
  const context = { words, choices, links, ruleBuilder, suggest, language: ruleLanguage, ruleWords: data.rule_words, definition: () => definition };

  const editOf = (object) => (changes, options) => change(() => { put(object(), changes); }, { ...options, mark: options?.mark ? `${selected} ${options.mark}` : null });

  const stepPanel = (key) => {
    const step = definition.steps[key];
    const type = types.of(step);
    const name = element("input", { type: "text", value: key, maxLength: 100, pattern: "[\\p{L}\\p{N}_\\-]+", aria: { label: words.key }, dataset: { role: "key" } });
    name.onchange = () => { selected = change((each) => rename(each, key, name.value.trim(), types)); draw(); };
    const ways = Object.keys(type.branches);
    const together = type.joins && ways.length
      ? [element("label", { className: "wf-flag" }, element("input", {
        type: "checkbox", checked: step.next !== null && typeof step.next === "object", dataset: { role: "apart" },
        onchange: ({ target }) => change(() => { step.next = target.checked ? Object.fromEntries(ways.map((way) => [way, step.next ?? null])) : step.next[ways[0]]; prune(definition, types); }),
      }), words.apart.replace("%s", Object.values(type.branches).join(" / ")))]
      : [];
    return drawPanel({
      title: type.label, context, form: type.form, object: step, edit: editOf(() => definition.steps[key]), faults: within(`steps.${key}`), close,
      head: [element("label", { className: "wf-field" }, element("span", { className: "wf-label", textContent: words.key }), name), ...together],
      tools: [
        button({ label: words.copy, text: words.copy, icon: "content_copy", role: "copy", act: () => { toClipboard(key); say(words.copied); } }),
        button({ label: words.copy_branch, text: words.copy_branch, icon: "account_tree", role: "copy-branch", act: () => { toClipboard(key, { whole: true }); say(words.copied); } }),
        button({ label: words.delete, text: words.delete, icon: "delete", role: "delete", act: () => gone(key) }),
      ],
    });
  };

  const entryPanel = () => {
    const entry = definition.entry ?? {};
    const kind = element("select", { aria: { label: words.entry }, dataset: { role: "on" } }, ...Object.values(entries).map(({ on, label }) => new Option(label, on, false, on === entry.on)));
    kind.onchange = () => change(() => { definition.entry = { on: kind.value, ...entries[kind.value].initial, ...(entry.audience ? { audience: entry.audience } : {}) }; });
    const more = data.description.workflow.map((setting) => drawPanel({ title: "", context, form: [setting], object: definition, edit: editOf(() => definition), faults: within("").filter(({ path }) => path.startsWith(setting.name)), close }).slice(1)).flat();
    return [
      ...drawPanel({
        title: words.entry, context, form: entries[entry.on]?.form ?? [], object: entry, edit: editOf(() => definition.entry), faults: within("entry"), close,
        head: [element("label", { className: "wf-field" }, element("span", { className: "wf-label", textContent: words.enter_when }), kind)],
      }),
      element("h3", { textContent: words.whole }), ...more,
    ];
  };

  const draw = ({ keepsPanel = false } = {}) => {
    drawSteps();
    if (isEdited) {
      steps.undo.disabled = !history.canUndo;
      steps.redo.disabled = !history.canRedo;
    }
    if (keepsPanel || !isEdited) return;
    const focused = panel.contains(document.activeElement) ? document.activeElement.dataset.role : null;
    panel.hidden = selected === null;
    panel.replaceChildren(...(selected === null ? [] : selected === ENTRY ? entryPanel() : stepPanel(selected)));
    if (focused) panel.querySelector(`[data-role="${CSS.escape(focused)}"]`)?.focus();
  };

  function open(key) {
    if (!isEdited) {
      const link = data.figures?.steps[key]?.link;
      if (link) window.location.assign(link);
      return;
    }
    selected = key;
    draw();
    focusCard(key);
    tree.querySelector(`[data-card="${CSS.escape(key)}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function close() {
    const was = selected;
    selected = null;
    draw();
    if (was) focusCard(was in definition.steps ? was : ENTRY);
  }

  // ---- keys

  const stops = () => [...tree.querySelectorAll("[data-card], [data-role=plus]")];
  const beside = (from, by) => {
    const branch = from.closest(".wf-branch");
    const next = by > 0 ? branch?.nextElementSibling : branch?.previousElementSibling;
    return next?.querySelector("[data-card], [data-role=plus]");
  };

  tree.addEventListener("keydown", (event) => {
    const all = stops();
    const here = all.indexOf(event.target);
    if (here < 0) return;
    const key = event.target.dataset.card;
    const isStep = key && key !== ENTRY;
    const to = { ArrowDown: all[here + 1], ArrowUp: all[here - 1], ArrowRight: beside(event.target, 1), ArrowLeft: beside(event.target, -1), Home: all[0], End: all.at(-1) }[event.key];
    const command = (event.ctrlKey || event.metaKey) && event.key.toLowerCase();
    if (to) { event.preventDefault(); to.focus(); }
    else if (event.key === "Enter" && key && isEdited) { event.preventDefault(); open(key); panel.querySelector("input, select, button:not([data-role=close])")?.focus(); }
    else if (["Delete", "Backspace"].includes(event.key) && isStep && isEdited) { event.preventDefault(); gone(key); }
    else if (command === "c" && isStep) { toClipboard(key, { whole: event.shiftKey }); say(words.copied); }
    else if (command === "x" && isStep && isEdited) { toClipboard(key); gone(key); }
    else if (command === "v" && event.target.dataset.place) { const [holder, ...path] = JSON.parse(event.target.dataset.place); pasted({ key: holder, path }); }
  });

  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.contains(event.target)) close();
    if (!isEdited || event.target.matches("input, textarea")) return;
    const command = (event.ctrlKey || event.metaKey) && event.key.toLowerCase();
    const way = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[command];
    if (way) { event.preventDefault(); become(history[way]()); }
  });

  // ---- the bar above

  const scale = (to) => { zoom = to; tree.style.zoom = zoom; };
  root.querySelector("[data-zoom-in]")?.addEventListener("click", () => scale(ZOOMS.find((each) => each > zoom) ?? zoom));
  root.querySelector("[data-zoom-out]")?.addEventListener("click", () => scale(ZOOMS.findLast((each) => each < zoom) ?? zoom));
  const fit = () => {
    tree.style.zoom = 1;
    const room = tree.parentElement.clientWidth - 32;
    scale(Math.max(ZOOMS[0], Math.min(1, room / tree.scrollWidth)));
  };
  root.querySelector("[data-fit]")?.addEventListener("click", fit);
  root.querySelectorAll("[data-type]").forEach((chip) => {
    chip.ondragstart = (event) => event.dataTransfer.setData(STEP_DRAGGED, JSON.stringify({ type: chip.dataset.type }));
  });
  if (isEdited) {
    steps.undo.addEventListener("click", () => become(history.undo()));
    steps.redo.addEventListener("click", () => become(history.redo()));
    say(checked.problems.length ? words.problems.replace("%s", checked.problems.length) : words.saved);
  }
  draw();
  fit();
};

document.querySelectorAll("[data-workflow]").forEach(start);
