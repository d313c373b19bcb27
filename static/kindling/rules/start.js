// The field of a form in which rules are written: a builder and JSON as two views of the text that the form sends, and beside them
// the matching customers, a moment after each change.
import { builder } from "./builder.js";
import { History } from "./history.js";
import { Language } from "./language.js";
import { pathOf, withoutDrafts } from "./tree.js";

const WAIT_MS = 350;
const EVERYONE = { operator: "AND", conditions: [] };
const dataOf = (root, name) => JSON.parse(root.querySelector(`[data-${name}] script`).textContent);

const start = (root) => {
  const text = root.querySelector("textarea[data-rules]");
  const answer = root.querySelector("[data-answer]");
  const note = root.querySelector("[data-drafts]");
  const panes = { builder: root.querySelector("[data-pane=builder]"), json: root.querySelector("[data-pane=json]") };
  const steps = { undo: root.querySelector("[data-undo]"), redo: root.querySelector("[data-redo]") };
  const words = dataOf(root, "words");
  const language = new Language(dataOf(root, "language"));
  const isOptional = !text.required;
  let rules = null;
  let timer = 0;
  let asked = 0;

  const parse = () => {
    if (isOptional && ["", "null"].includes(text.value.trim())) return structuredClone(EVERYONE);
    try {
      return JSON.parse(text.value);
    } catch {
      return null;
    }
  };

  const post = (url, fields) => fetch(url, {
    method: "POST", body: new URLSearchParams(fields), headers: { "X-CSRFToken": text.form.elements.csrfmiddlewaretoken.value },
  });

  const preview = async (fields) => {
    try {
      const response = await post(root.dataset.preview, { ...fields, segment: root.dataset.segment });
      return response.ok ? await response.text() : null;
    } catch {
      return null;
    }
  };

  const suggest = async (about, query) => {
    try {
      const response = await fetch(`${root.dataset.suggest}?${new URLSearchParams({ ...about, q: query })}`);
      return response.ok ? (await response.json()).results : [];
    } catch {
      return [];
    }
  };

  const look = async () => {
    const turn = ++asked;
    const isTree = Array.isArray(rules?.conditions);
    const whole = { rules, origins: {}, drafts: 0 };
    const pruned = isTree ? withoutDrafts(rules, (rule) => language.isComplete(rule)) : whole;
    note.hidden = !pruned.drafts;
    note.textContent = words.drafts.replace("%s", pruned.drafts);
    const asking = { rules: rules === null ? text.value : JSON.stringify(pruned.rules) };
    const seen = await preview(asking);
    if (turn !== asked) return; // a newer request is pending
    if (seen === null) answer.textContent = words.failed;
    else answer.innerHTML = seen;
    const errors = [...answer.querySelectorAll("[data-path]")].map((error) => [pruned.origins[pathOf(error.dataset.path)] ?? [], error.textContent]);
    drawn.complain(errors);
    answer.classList.remove("is-stale");
    await countOn(turn, asking);
  };

  /** Ask for the next step of a count until it is exact; a change of the rules ends it. */
  const countOn = async (turn, asking) => {
    for (let step = answer.querySelector("[data-progress]"); step; step = answer.querySelector("[data-progress]")) {
      const seen = await preview({ ...asking, progress: step.dataset.progress });
      if (turn !== asked) return;
      if (seen === null) {
        step.textContent = words.failed;
        return;
      }
      const isStep = seen.trimStart().startsWith("<p class=\"rules-progress\"");
      if (isStep) step.outerHTML = seen;
      else answer.innerHTML = seen;
    }
  };

  const lookSoon = () => {
    asked += 1; // what is under way is out of date
    answer.classList.add("is-stale");
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MS);
  };

  const write = () => {
    const isNothing = isOptional && !rules.conditions.length && !rules.negate && rules.operator === "AND";
    text.value = isNothing ? "" : JSON.stringify(rules, null, 2);
    text.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const showSteps = () => {
    steps.undo.disabled = !history.canUndo;
    steps.redo.disabled = !history.canRedo;
  };

  const drawn = builder({
    pane: panes.builder, language, words, suggest,
    edit: (alter, { redraw, mark }) => {
      alter(rules);
      write();
      history.push(JSON.stringify(rules), mark);
      showSteps();
      if (redraw) drawn.draw(rules);
      lookSoon();
    },
  });

  const become = (state) => {
    rules = JSON.parse(state);
    write();
    showSteps();
    drawn.draw(rules);
    lookSoon();
  };

  const readText = () => {
    rules = parse();
    if (rules !== null) history.push(JSON.stringify(rules), "json");
    showSteps();
    drawn.draw(rules);
    lookSoon();
  };

  const show = (name) => root.querySelectorAll("[data-tab]").forEach((tab) => {
    tab.setAttribute("aria-selected", tab.dataset.tab === name);
    panes[tab.dataset.tab].hidden = tab.dataset.tab !== name;
  });

  rules = parse();
  const history = new History(JSON.stringify(rules ?? EVERYONE));
  text.addEventListener("input", readText);
  root.querySelectorAll("[data-tab]").forEach((tab) => tab.addEventListener("click", () => show(tab.dataset.tab)));
  root.querySelectorAll("[data-example]").forEach((example) => example.addEventListener("click", () => {
    history.push(example.dataset.example);
    become(example.dataset.example);
    show("builder");
  }));
  steps.undo.addEventListener("click", () => become(history.undo()));
  steps.redo.addEventListener("click", () => become(history.redo()));
  root.addEventListener("keydown", (event) => {
    const key = (event.ctrlKey || event.metaKey) && event.target !== text && event.key.toLowerCase();
    const step = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[key];
    if (!step) return;
    event.preventDefault();
    become(history[step]());
    panes.builder.focus();
  });
  showSteps();
  drawn.draw(rules);
  if (rules === null) show("json");
  look();
};

document.querySelectorAll("[data-segment-rules]").forEach(start);
