// Rules as nested groups or as JSON: two views of the text that the form sends, and a look at who they are a moment after a change.
(() => {
  const WAIT_MS = 350;
  const MANY = new Set(["in", "not_in", "contains_any", "contains_all", "contains_none"]);
  const DAYS = new Set(["in_last_days", "inactive_days", "anniversary_in_days"]);
  const NUMBERS = new Set(["number", "money", "integer"]);

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const start = (root) => {
    const text = root.querySelector("textarea[data-rules]");
    const answer = root.querySelector("[data-answer]");
    const panes = { builder: root.querySelector("[data-pane=builder]"), json: root.querySelector("[data-pane=json]") };
    const { fields, operators, attribute } = JSON.parse(root.querySelector("#rule-language").textContent);
    const words = JSON.parse(root.querySelector("#rule-words").textContent);
    const known = Object.fromEntries(fields.map((field) => [field.name, field]));
    let rules = null;
    let timer = 0;
    let asked = 0;

    const look = async () => {
      const turn = ++asked;
      const body = new URLSearchParams({ rules: text.value });
      const headers = { "X-CSRFToken": text.form.elements.csrfmiddlewaretoken.value };
      let seen;
      try {
        const response = await fetch(answer.dataset.url, { method: "POST", body, headers });
        seen = response.ok ? await response.text() : null;
      } catch {
        seen = null;
      }
      if (turn !== asked) return; // a newer question is on its way
      if (seen === null) answer.textContent = answer.dataset.failed;
      else answer.innerHTML = seen;
      answer.classList.remove("is-stale");
    };

    const lookSoon = () => {
      answer.classList.add("is-stale");
      clearTimeout(timer);
      timer = setTimeout(look, WAIT_MS);
    };

    const keep = () => {
      text.value = JSON.stringify(rules, null, 2);
      lookSoon();
    };

    const redraw = () => {
      keep();
      draw();
    };

    const icon = (name) => element("span", { className: "material-symbols-outlined", textContent: name });

    const button = (content, label, act, pressed) => {
      const made = element("button", { type: "button", title: label, onclick: act }, ...content);
      made.setAttribute("aria-label", label);
      if (pressed !== undefined) made.setAttribute("aria-pressed", pressed);
      return made;
    };

    const select = (label, options, chosen, choose) => {
      const made = element("select", { onchange: () => choose(made.value) });
      made.setAttribute("aria-label", label);
      options.forEach(([value, name]) => made.append(new Option(name, value, false, value === chosen)));
      if (!options.some(([value]) => value === chosen)) made.prepend(new Option(chosen ?? "", chosen ?? "", true, true));
      return made;
    };

    const typeOf = (rule) => known[rule.field]?.type ?? "any";

    const read = (written, rule) => {
      const number = NUMBERS.has(typeOf(rule)) || DAYS.has(rule.operator) || (typeOf(rule) === "any" && written.trim() !== "");
      return number && written.trim() !== "" && Number.isFinite(Number(written)) ? Number(written) : written;
    };

    const input = (rule, value, change) => {
      const type = typeOf(rule);
      const kind = DAYS.has(rule.operator) || NUMBERS.has(type) ? "number" : type === "date" ? "date" : "text";
      const shown = kind === "date" ? String(value ?? "").slice(0, 10) : Array.isArray(value) ? value.join(", ") : (value ?? "");
      const made = element("input", { type: kind, value: shown, step: "any", placeholder: MANY.has(rule.operator) ? words.many : "" });
      made.setAttribute("aria-label", words.value);
      made.oninput = () => { change(made.value); keep(); };
      return made;
    };

    const valueOf = (rule) => {
      const choices = Object.entries(known[rule.field]?.choices ?? {});
      if (rule.operator === "is_set" || rule.operator === "is_not_set") return [];
      if (rule.operator === "between") {
        const both = Array.isArray(rule.value) ? rule.value : ["", ""];
        return [0, 1].map((at) => input(rule, both[at], (written) => { both[at] = read(written, rule); rule.value = both; }));
      }
      if (MANY.has(rule.operator)) {
        const split = (written) => written.split(",").map((part) => part.trim()).filter(Boolean).map((part) => read(part, rule));
        return [input(rule, rule.value, (written) => { rule.value = split(written); })];
      }
      if (choices.length && !Array.isArray(rule.value)) {
        return [select(words.value, choices, rule.value ?? "", (chosen) => { rule.value = chosen; keep(); })];
      }
      const given = input(rule, rule.value, (written) => { rule.value = read(written, rule); });
      return DAYS.has(rule.operator) ? [given, element("span", { textContent: words.days })] : [given];
    };

    const choose = (rule, operator) => {
      const shape = (name) => (name === "between" ? 2 : MANY.has(name) ? 3 : name.startsWith("is_") ? 0 : DAYS.has(name) ? 4 : 1);
      if (shape(operator) !== shape(rule.operator)) delete rule.value;
      rule.operator = operator;
      redraw();
    };

    const comparison = (rule) => {
      const free = String(rule.field).startsWith(attribute);
      const options = [...fields.map((field) => [field.name, field.label]), [attribute, words.attribute]];
      const parts = [
        select(words.field, options, free ? attribute : rule.field, (name) => {
          rule.field = name;
          rule.operator = operators[typeOf(rule)][0];
          delete rule.value;
          redraw();
        }),
      ];
      if (free) {
        const key = element("input", { type: "text", value: rule.field.slice(attribute.length), placeholder: words.key });
        key.setAttribute("aria-label", words.key);
        key.oninput = () => { rule.field = attribute + key.value.trim(); keep(); };
        parts.push(key);
      }
      const own = operators[typeOf(rule)].map((name) => [name, words.operators[name]]);
      parts.push(select(words.operator, own, rule.operator, (name) => choose(rule, name)), ...valueOf(rule));
      return parts;
    };

    const row = (rule, remove) => {
      const parts = "field" in rule ? comparison(rule) : [element("code", { textContent: JSON.stringify(rule) })];
      return element("div", { className: "rules-row" }, ...parts, button([icon("close")], words.remove, remove));
    };

    const group = (rule, remove) => {
      const connect = (operator) => button(
        [words[operator]], words[operator], () => { rule.operator = operator; redraw(); }, String(rule.operator).toUpperCase() === operator,
      );
      const negate = button([words.not], words.not, () => { rule.negate ? delete rule.negate : (rule.negate = true); redraw(); }, !!rule.negate);
      const add = (made) => () => { rule.conditions.push(made()); redraw(); };
      const head = element(
        "div",
        { className: "rules-head" },
        element("span", { className: "rules-switch" }, connect("AND"), connect("OR")),
        element("span", { className: "rules-switch" }, negate),
        button([icon("add"), words.rule], words.rule, add(() => ({ field: "total_spend", operator: ">", value: 100 }))),
        button([icon("account_tree"), words.group], words.group, add(() => ({ operator: "AND", conditions: [] }))),
      );
      if (remove) head.append(button([icon("delete")], words.remove, remove));
      const inner = rule.conditions.map((each, at) => {
        const gone = () => { rule.conditions.splice(at, 1); redraw(); };
        return Array.isArray(each?.conditions) ? group(each, gone) : row(each ?? {}, gone);
      });
      return element("div", { className: "rules-group" }, head, ...inner);
    };

    const draw = () => {
      panes.builder.replaceChildren(
        Array.isArray(rules?.conditions) ? group(rules) : element("p", { textContent: words.unreadable }),
      );
    };

    const readText = () => {
      try {
        rules = JSON.parse(text.value);
      } catch {
        rules = null;
      }
      draw();
      lookSoon();
    };

    const show = (name) => root.querySelectorAll("[data-tab]").forEach((tab) => {
      tab.setAttribute("aria-selected", tab.dataset.tab === name);
      panes[tab.dataset.tab].hidden = tab.dataset.tab !== name;
    });

    text.addEventListener("input", readText);
    root.querySelectorAll("[data-tab]").forEach((tab) => tab.addEventListener("click", () => show(tab.dataset.tab)));
    root.querySelectorAll("[data-example]").forEach((example) => example.addEventListener("click", () => {
      text.value = JSON.stringify(JSON.parse(example.dataset.example), null, 2);
      readText();
    }));
    readText();
    if (rules === null) show("json");
    look();
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-segment-rules]").forEach(start));
})();
