// The builder of nested rules, by mouse or keyboard. It redraws the tree after each change of its structure, and returns
// the focus to the control that had it.
import { button, element } from "./elements.js";
import { controls } from "./row.js";
import { above, at, below, insert, isGroup, move, remove } from "./tree.js";

const NEW_RULE = { field: "" };
const NEW_GROUP = { operator: "AND", conditions: [] };
const copyOf = (value) => structuredClone(value);

/**
 * `edit(change, {mark?, redraw?})` changes the tree, records it for undo and redraws it; the returned `draw(root)` draws it, and
 * `complain(errors)` marks the rules that the server rejects: [[path, message], …].
 */
export const builder = ({ pane, language, words, edit, suggest }) => {
  let dragged = null;

  const rowAt = (path) => pane.querySelector(`[data-path="${path}"]`);

  const focus = (path, role) => {
    const own = [...(rowAt(path)?.querySelectorAll("[data-role]") ?? [])].filter((control) => control.closest("[data-path]").dataset.path === String(path));
    (own.find((control) => control.dataset.role === role && !control.disabled) ?? own.find((control) => !control.disabled))?.focus();
  };

  const change = (alter, { path, role, redraw = true, mark = null }) => {
    let place = path;
    edit((root) => { place = alter(root) ?? path; }, { redraw, mark });
    if (redraw && place) focus(place, role);
  };

  const moveTo = (path, to, role) => change((root) => move(root, path, to), { path, role });

  const add = (path, made, role) => change((root) => {
    const group = at(root, path);
    group.conditions.push(copyOf(made));
    return [...path, group.conditions.length - 1];
  }, { path, role });

  const tools = (root, path, rule) => {
    const steps = [["up", "arrow_upward", above(root, path)], ["down", "arrow_downward", below(root, path)]];
    const next = [...path.slice(0, -1), path.at(-1) + 1];
    return element(
      "span", { className: "rules-tools" },
      ...steps.map(([name, icon, to]) => button({ label: words[name], icon, role: name, disabled: !to, act: () => moveTo(path, to, name) })),
      button({ label: words.duplicate, icon: "content_copy", role: "duplicate", act: () => change((tree) => { insert(tree, next, copyOf(rule)); return next; }, { path, role: "duplicate" }) }),
      button({
        label: words.remove, icon: "delete", role: "remove",
        act: () => change((tree) => { remove(tree, path); return path.slice(0, -1); }, { path, role: "add-rule" }),
      }),
    );
  };

  const grip = (path) => {
    const made = element("span", { className: "rules-grip material-symbols-outlined", textContent: "drag_indicator", title: words.drag, draggable: true, aria: { hidden: true } });
    made.ondragstart = (event) => {
      dragged = path;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", path.join());
      event.dataTransfer.setDragImage(rowAt(path), 12, 12);
    };
    made.ondragend = () => {
      dragged = null;
      pane.querySelectorAll(".is-target").forEach((target) => target.classList.remove("is-target", "is-after"));
    };
    return made;
  };

  /** A rule dropped on a rule goes before or behind it; dropped on the head of a group, into it. */
  const target = (made, path, { into = null } = {}) => {
    const isAfter = (event) => {
      const { top, height } = made.getBoundingClientRect();
      return !into && event.clientY > top + height / 2;
    };
    made.ondragover = (event) => {
      if (!dragged) return;
      event.preventDefault();
      event.stopPropagation();
      made.classList.add("is-target");
      made.classList.toggle("is-after", isAfter(event));
    };
    made.ondragleave = () => made.classList.remove("is-target", "is-after");
    made.ondrop = (event) => {
      if (!dragged) return;
      event.preventDefault();
      event.stopPropagation();
      const to = into ?? [...path.slice(0, -1), path.at(-1) + (isAfter(event) ? 1 : 0)];
      moveTo(dragged, to, "field");
    };
  };

  const byKey = (made, root, path) => made.addEventListener("keydown", (event) => {
    const to = event.altKey && { ArrowUp: above, ArrowDown: below }[event.key]?.(root, path);
    if (!to || event.target.closest("[data-path]") !== made) return;
    event.preventDefault();
    moveTo(path, to, event.target.dataset.role);
  });

  const row = (root, rule, path) => {
    const parts = controls({
      rule, language, words, suggest,
      edit: (alter, { redraw = true, role } = {}) => change((tree) => { alter(at(tree, path)); }, { path, role, redraw, mark: redraw ? null : `${path} ${role}` }),
    });
    const label = words.rule_number.replace("%s", path.map((index) => index + 1).join("."));
    const made = element(
      "div", { className: "rules-row", dataset: { path: String(path) }, aria: { role: "group", label } },
      grip(path), element("div", { className: "rules-controls" }, ...parts), tools(root, path, rule),
    );
    target(made, path);
    byKey(made, root, path);
    return made;
  };

  const group = (root, rule, path) => {
    const alter = (act, role) => change((tree) => { act(at(tree, path)); }, { path, role });
    const connect = (operator, role) => button({
      label: words[operator], text: words[operator], role, pressed: String(rule.operator).toUpperCase() === operator, act: () => alter((own) => { own.operator = operator; }, role),
    });
    const negate = button({
      label: words.not, text: words.not, role: "not", pressed: Boolean(rule.negate),
      act: () => alter((own) => { if (own.negate) delete own.negate; else own.negate = true; }, "not"),
    });
    const isRoot = path.length === 0;
    const head = element(
      "div", { className: "rules-head" },
      ...(isRoot ? [] : [grip(path)]),
      element("span", { className: "rules-switch", aria: { role: "group", label: words.connect } }, connect("AND", "and"), connect("OR", "or")),
      element("span", { className: "rules-switch" }, negate),
      button({ label: words.rule, text: words.rule, icon: "add", role: "add-rule", act: () => add(path, NEW_RULE, "field") }),
      button({ label: words.group, text: words.group, icon: "account_tree", role: "add-group", act: () => add(path, NEW_GROUP, "and") }),
      ...(isRoot ? [] : [tools(root, path, rule)]),
    );
    const readable = (each) => (each !== null && typeof each === "object" ? each : NEW_RULE);
    const inner = rule.conditions.map(readable).map((each, index) => (isGroup(each) ? group : row)(root, each, [...path, index]));
    const name = isRoot ? words.rules : words.group_number.replace("%s", path.map((index) => index + 1).join("."));
    const made = element(
      "div", { className: "rules-group", dataset: { path: String(path) }, aria: { role: "group", label: name } }, head, ...inner,
    );
    if (!inner.length) made.append(element("p", { className: "rules-empty", textContent: rule.operator === "OR" ? words.no_one : words.everyone }));
    target(head, path, { into: [...path, 0] });
    byKey(made, root, path);
    return made;
  };

  return {
    draw: (root) => pane.replaceChildren(isGroup(root) ? group(root, root, []) : element("p", { textContent: words.unreadable })),
    complain: (errors) => {
      pane.querySelectorAll(".is-wrong").forEach((each) => { each.classList.remove("is-wrong"); each.removeAttribute("title"); });
      errors.forEach(([path, message]) => {
        const wrong = rowAt(path);
        wrong?.classList.add("is-wrong");
        wrong?.setAttribute("title", message);
      });
    },
  };
};
