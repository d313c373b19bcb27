// The controls of settings, one for each kind. A control reads `object` and writes by `edit({key: value, …}, {redraw?, mark?})`, where
// undefined deletes a key. What stands within a value is changed in place: without a redraw, the controls beside it hold the same value.
import { combobox, tokens } from "../rules/combobox.js";
import { button, element, select } from "../rules/elements.js";
import { put } from "../rules/put.js";
import { where } from "../rules/where.js";

const UNITS = ["m", "h", "d", "w"];
const EVERYONE = { operator: "AND", conditions: [] };
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const contains = (text, query) => text.toLocaleLowerCase().includes(query.toLocaleLowerCase());

const input = (properties, written) => element("input", { ...properties, oninput: ({ target }) => written(target) });

const among = (options) => (query) => options.filter(({ value, label }) => contains(`${label ?? value} ${value}`, query));

/** One of the names that the site has, or with `free` any other. */
const named = (kind, { free = false } = {}) => ({ setting, object, edit, context }) => {
  const all = context.choices[kind] ?? [];
  const options = kind === "template" || kind === "sender" ? all.filter((each) => each.channel === (object.channel ?? "email")) : all;
  const value = object[setting.name] ?? "";
  const shown = options.find((each) => each.value === value)?.label ?? value;
  const box = combobox({
    label: setting.label, role: setting.name, shown, find: among(options), free, placeholder: free ? "" : context.words.choose,
    pick: (option) => edit({ [setting.name]: option.value || undefined }, { mark: setting.name, redraw: !option.typing }),
  });
  const link = context.links[kind];
  const found = options.find((each) => each.value === value);
  const more = element("a", { href: found?.link ?? link ?? "#", target: "_blank", textContent: found?.link ? context.words.open : context.words.new });
  return element("span", { className: "wf-named" }, box, ...(link || found?.link ? [more] : []));
};

const text = ({ setting, object, edit }) => input(
  { type: "text", value: object[setting.name] ?? "", dataset: { role: setting.name }, aria: { label: setting.label } },
  ({ value }) => edit({ [setting.name]: value.trim() || undefined }, { mark: setting.name, redraw: false }),
);

const number = ({ setting, object, edit }) => input(
  { type: "number", step: "any", value: object[setting.name] ?? "", dataset: { role: setting.name }, aria: { label: setting.label } },
  ({ value }) => edit({ [setting.name]: value === "" ? undefined : Number(value) }, { mark: setting.name, redraw: false }),
);

const flag = ({ setting, object, edit }) => element(
  "label", { className: "wf-flag" },
  element("input", { type: "checkbox", checked: object[setting.name] === true, dataset: { role: setting.name }, onchange: ({ target }) => edit({ [setting.name]: target.checked || undefined }, { redraw: false }) }),
  setting.label,
);

const choice = ({ setting, object, edit }) => select({
  label: setting.label, role: setting.name, options: Object.entries(setting.choices), chosen: object[setting.name] ?? Object.keys(setting.choices)[0],
  choose: (value) => edit({ [setting.name]: value || undefined }),
});

const longText = ({ setting, object, edit }) => element("textarea", {
  value: object[setting.name] ?? "", rows: 5, dataset: { role: setting.name }, aria: { label: setting.label },
  oninput: ({ target }) => edit({ [setting.name]: target.value || undefined }, { mark: setting.name, redraw: false }),
});

/** A length of time: a number and its unit, or as it is written where it has several. */
const span = ({ setting, object, edit, context }) => {
  const value = object[setting.name] ?? "";
  const [, amount, unit] = /^(\d+)([mhdw])$/.exec(value) ?? [];
  if (value && !amount) return text({ setting, object, edit });
  const write = (one, other) => edit({ [setting.name]: one ? `${one}${other}` : undefined }, { mark: setting.name, redraw: false });
  const units = select({ label: context.words.unit, role: `${setting.name}-unit`, options: UNITS.map((each) => [each, context.words.units[each]]), chosen: unit ?? "h", choose: (other) => write(amounts.value, other) });
  const amounts = input({ type: "number", min: 1, value: amount ?? "", dataset: { role: setting.name }, aria: { label: setting.label } }, ({ value: one }) => write(one, units.value));
  return element("span", { className: "wf-row" }, amounts, units);
};

const clockInput = (label, value, written, role) => input({ type: "time", value: value ?? "09:00", dataset: { role }, aria: { label } }, ({ value: time }) => { if (time) written(time); });

const clock = ({ setting, object, edit }) => clockInput(setting.label, object[setting.name], (time) => edit({ [setting.name]: time }, { mark: setting.name, redraw: false }), setting.name);

const weekdayBoxes = (setting, chosen, written) => element(
  "span", { className: "wf-days", aria: { role: "group", label: setting.label } },
  ...Object.entries(setting.choices).map(([day, label]) => button({
    label, text: label.slice(0, 2), role: `${setting.name}-${day}`, pressed: chosen.includes(day),
    act: () => written(Object.keys(setting.choices).filter((each) => (each === day) !== chosen.includes(each))),
  })),
);

const weekdays = ({ setting, object, edit }) => weekdayBoxes(setting, object[setting.name] ?? [], (days) => edit({ [setting.name]: days.length ? days : undefined }));

const inner = ({ setting, object, edit }) => {
  const value = isObject(object[setting.name]) ? object[setting.name] : {};
  return [value, (changes, options) => edit({ [setting.name]: put(value, changes) }, options)];
};

const localTime = (given) => {
  const [value, change] = inner(given);
  return element(
    "span", { className: "wf-column" },
    weekdayBoxes(given.setting, value.weekdays ?? [], (days) => change({ weekdays: days.length ? days : undefined })),
    clockInput(given.setting.label, value.at, (time) => change({ at: time }, { mark: "at", redraw: false }), "at"),
  );
};

const window_ = (given) => {
  const [value, change] = inner(given);
  const { words } = given.context;
  return element(
    "span", { className: "wf-column" },
    weekdayBoxes(given.setting, value.weekdays ?? [], (days) => change({ weekdays: days.length ? days : undefined })),
    element(
      "span", { className: "wf-row" },
      clockInput(words.from, value.from, (time) => change({ from: time }, { mark: "from", redraw: false }), "from"), "–",
      clockInput(words.to, value.to ?? "17:00", (time) => change({ to: time }, { mark: "to", redraw: false }), "to"),
    ),
  );
};

/** A number of days before or after; the sign is a choice. */
const daysFrom = (value, written, words, role) => {
  const way = select({ label: words.before_or_after, role: `${role}-way`, options: [["-1", words.days_before], ["1", words.days_after]], chosen: value < 0 ? "-1" : "1", choose: () => write() });
  const amount = input({ type: "number", min: 0, max: 366, value: Math.abs(value ?? 0), dataset: { role }, aria: { label: words.days } }, () => write());
  const write = () => written(Number(amount.value) * Number(way.value) || 0);
  return element("span", { className: "wf-row" }, amount, way);
};

const days = ({ setting, object, edit, context }) => daysFrom(object[setting.name] ?? 0, (value) => edit({ [setting.name]: value || undefined }, { mark: setting.name, redraw: false }), context.words, setting.name);

const dateOf = (given) => {
  const [value, change] = inner(given);
  const { context } = given;
  const date = { name: "date_of", label: given.setting.label };
  const yearly = { name: "every_year", label: context.words.every_year };
  return element(
    "span", { className: "wf-column" },
    named("date", { free: true })({ setting: date, object: value, edit: change, context }),
    daysFrom(value.days ?? 0, (days_) => change({ days: days_ || undefined }, { mark: "days", redraw: false }), context.words, "days"),
    clockInput(context.words.at, value.at, (time) => change({ at: time }, { mark: "at", redraw: false }), "at"),
    flag({ setting: yearly, object: value, edit: change }),
  );
};

const moment = ({ setting, object, edit }) => {
  const written = typeof object[setting.name] === "string" ? object[setting.name] : "";
  const shown = written ? new Date(new Date(written).getTime() - new Date(written).getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : "";
  return input({ type: "datetime-local", value: shown, dataset: { role: setting.name }, aria: { label: setting.label } }, ({ value }) => {
    if (value) edit({ [setting.name]: new Date(value).toISOString() }, { mark: setting.name, redraw: false });
  });
};

const tags = ({ setting, object, edit, context }) => tokens({
  label: setting.label, role: setting.name, removeLabel: context.words.remove, values: object[setting.name] ?? [], shown: (value) => value,
  find: among(context.choices.tag ?? []), placeholder: context.words.add_tag,
  change: (values, { typing }) => edit({ [setting.name]: values.length ? values : undefined }, { mark: setting.name, redraw: !typing }),
});

/** An object of names and values; numbers, true and false are read as what they are. */
const pairs = ({ setting, object, edit, context }) => {
  const rows = Object.entries(object[setting.name] ?? {});
  const write = (changed, options) => edit({ [setting.name]: changed.length ? Object.fromEntries(changed) : undefined }, options);
  const read = (written) => (/^(true|false|null|-?\d+(\.\d+)?)$/.test(written) ? JSON.parse(written) : written);
  const change = (index, place, value) => { rows[index][place] = value; write(rows, { mark: `${setting.name} ${index} ${place}`, redraw: false }); };
  const box = (index, place, label, value) => {
    const made = element("input", { type: "text", value, dataset: { role: `${setting.name}-${index}-${place}` }, aria: { label } });
    made.onchange = () => change(index, place, place ? read(made.value) : made.value.trim());
    return made;
  };
  return element(
    "span", { className: "wf-column" },
    ...rows.map(([name, value], index) => element(
      "span", { className: "wf-row" }, box(index, 0, context.words.name, name), "=", box(index, 1, context.words.value, value ?? "null"),
      button({ label: context.words.remove, icon: "close", role: `${setting.name}-${index}-remove`, act: () => write(rows.toSpliced(index, 1)) }),
    )),
    button({ label: context.words.add, text: context.words.add, icon: "add", role: `${setting.name}-add`, act: () => write([...rows, [`name_${rows.length + 1}`, ""]]) }),
  );
};

const ruleTree = (label, rules, changed, context) => context.ruleBuilder({ label, rules: rules ?? structuredClone(EVERYONE), changed });

const rules = ({ setting, object, edit, context }) => {
  const value = object[setting.name];
  const isWritten = isObject(value);
  if (!isWritten && setting.optional) {
    return button({ label: context.words.add_rules, text: context.words.add_rules, icon: "add", role: `${setting.name}-add`, act: () => edit({ [setting.name]: structuredClone(EVERYONE) }) });
  }
  const made = ruleTree(setting.label, value, (tree) => edit({ [setting.name]: tree }, { mark: setting.name, redraw: false }), context);
  const drop = button({ label: context.words.remove_rules, text: context.words.remove_rules, icon: "close", role: `${setting.name}-drop`, act: () => edit({ [setting.name]: undefined }) });
  return element("span", { className: "wf-column" }, made, ...(setting.optional ? [drop] : []));
};

/** An event with conditions on its properties, and what they must equal in the event of the entry. */
const event = ({ setting, object, edit, context, matches = true }) => {
  const { words } = context;
  const all = object.where ?? [];
  const write = (changed, options) => edit({ where: changed.length ? changed : undefined }, options);
  const conditions = all.map((rule, index) => where({
    rule, event: object.event, role: `where-${index}-`, language: context.language, words: context.ruleWords, suggest: context.suggest,
    edit: (alter, options) => {
      alter(all[index]);
      write(all, { mark: options?.redraw === false ? `where ${index}` : null, ...options });
    },
    gone: () => write(all.toSpliced(index, 1)),
  }));
  const match = { name: "match", label: words.match };
  return element(
    "span", { className: "wf-column" },
    named("event", { free: true })({ setting, object, edit, context }),
    ...conditions,
    button({ label: words.add_condition, text: words.add_condition, icon: "add", role: "where-add", act: () => write([...all, { field: "", operator: "=" }]) }),
    ...(matches ? [element("details", { open: Boolean(object.match) }, element("summary", { textContent: words.match, title: words.match_hint }), pairs({ setting: match, object, edit, context }))] : []),
  );
};

const listed = (items, { draw, add, remove }, words) => element(
  "span", { className: "wf-column" },
  ...items.map((item, index) => element("div", { className: "wf-listed" }, draw(item, index), button({ label: words.remove, text: words.remove, icon: "close", role: `remove-${index}`, act: () => remove(index) }))),
  button({ label: words.add, text: words.add, icon: "add", role: "add-item", act: add }),
);

/** Branches with a name each, and rules or a weight. New ones lead to where the last branch leads. */
const branches = (kind) => ({ setting, object, edit, context }) => {
  const all = object.branches ?? [];
  const write = (changed, options) => edit({ branches: changed }, options);
  const change = (index, changes, options) => { put(all[index], changes); write(all, options); };
  const name = (branch, index) => {
    const made = element("input", { type: "text", value: branch.name ?? "", dataset: { role: `branch-${index}` }, aria: { label: context.words.name } });
    made.onchange = () => change(index, { name: made.value.trim() });
    return made;
  };
  const weight = (branch, index) => input({ type: "number", min: 1, max: 1000, value: branch.weight ?? 1, dataset: { role: `weight-${index}` }, aria: { label: context.words.weight } }, ({ value }) => change(index, { weight: Number(value) || 1 }, { mark: `weight ${index}`, redraw: false }));
  const ruled = (branch, index) => ruleTree(context.words.rules, branch.rules, (tree) => change(index, { rules: tree }, { mark: `rules ${index}`, redraw: false }), context);
  const own = kind === "weight" ? { weight: 1 } : { rules: structuredClone(EVERYONE) };
  return listed(all, {
    draw: (branch, index) => element("span", { className: "wf-column" }, element("span", { className: "wf-row" }, name(branch, index), ...(kind === "weight" ? [weight(branch, index)] : [])), ...(kind === "weight" ? [] : [ruled(branch, index)])),
    add: () => write([...all, { name: context.words.branch.replace("%s", all.length + 1), ...own, next: all.at(-1)?.next ?? object.next ?? null }]),
    remove: (index) => write(all.toSpliced(index, 1)),
  }, context.words);
};

const variants = ({ setting, object, edit, context }) => {
  const all = object.variants ?? [];
  const write = (changed, options) => edit({ variants: changed.length ? changed : undefined }, options);
  const change = (index, changes, options) => { put(all[index], changes); write(all, options); };
  const template = { name: "template", label: context.words.template };
  return listed(all, {
    draw: (variant, index) => element(
      "span", { className: "wf-column" },
      element(
        "span", { className: "wf-row" },
        input({ type: "text", value: variant.name ?? "", dataset: { role: `variant-${index}` }, aria: { label: context.words.name } }, ({ value }) => change(index, { name: value }, { mark: `variant ${index}`, redraw: false })),
        input({ type: "number", min: 1, value: variant.weight ?? 1, dataset: { role: `variant-weight-${index}` }, aria: { label: context.words.weight } }, ({ value }) => change(index, { weight: Number(value) || 1 }, { mark: `weight ${index}`, redraw: false })),
      ),
      named("template")({ setting: template, object: { ...variant, channel: object.channel }, edit: (changes) => change(index, changes), context }),
    ),
    add: () => write([...all, { name: String.fromCharCode(65 + all.length), template: object.template ?? "", weight: 1 }]),
    remove: (index) => write(all.toSpliced(index, 1)),
  }, context.words);
};

const step = ({ setting, object, edit, context }) => select({
  label: setting.label, role: setting.name, options: Object.keys(context.definition().steps).map((key) => [key, key]), chosen: object[setting.name] ?? "",
  choose: (value) => edit({ [setting.name]: value }),
});

const reentry = ({ setting, object, edit, context }) => {
  const after = object.reentry?.after_days;
  return element(
    "span", { className: "wf-row" }, context.words.again_after,
    input({ type: "number", min: 0, value: after ?? "", dataset: { role: setting.name }, aria: { label: setting.label } }, ({ value }) => edit({ reentry: value === "" ? undefined : { after_days: Number(value) } }, { mark: "reentry", redraw: false })),
    context.words.days,
  );
};

const exits = ({ object, edit, context }) => {
  const all = object.exit_when ?? [];
  const write = (changed, options) => edit({ exit_when: changed.length ? changed : undefined }, options);
  const change = (index, changes, options) => { put(all[index], changes); write(all, options); };
  const kinds = { event: context.words.an_event, rules: context.words.rules_true };
  return listed(all, {
    draw: (exit, index) => element(
      "span", { className: "wf-column" },
      select({ label: context.words.exit_by, role: `exit-${index}`, options: Object.entries(kinds), chosen: "rules" in exit ? "rules" : "event", choose: (kind) => write(all.with(index, kind === "rules" ? { rules: structuredClone(EVERYONE) } : { event: "" })) }),
      "rules" in exit
        ? rules({ setting: { name: "rules", label: context.words.rules }, object: exit, edit: (changes, options) => change(index, changes, options), context })
        : event({ setting: { name: "event", label: context.words.an_event }, object: exit, edit: (changes, options) => change(index, changes, options), context }),
    ),
    add: () => write([...all, { event: "" }]),
    remove: (index) => write(all.toSpliced(index, 1)),
  }, context.words);
};

const goal = ({ object, edit, context }) => {
  const { words } = context;
  if (!object.goal) return button({ label: words.add_goal, text: words.add_goal, icon: "add", role: "goal-add", act: () => edit({ goal: { event: "order_placed", window_days: 14 } }) });
  const [value, change] = inner({ setting: { name: "goal" }, object, edit });
  return element(
    "span", { className: "wf-column" },
    event({ setting: { name: "event", label: words.an_event }, object: value, edit: change, context, matches: false }),
    element("label", { className: "wf-row" }, words.within, number({ setting: { name: "window_days", label: words.days }, object: value, edit: change }), words.days),
    element("label", { className: "wf-row" }, words.worth, named("property", { free: true })({ setting: { name: "value", label: words.worth }, object: value, edit: change, context })),
    button({ label: words.remove_goal, text: words.remove_goal, icon: "close", role: "goal-remove", act: () => edit({ goal: undefined }) }),
  );
};

const fits = {
  local_time: (value) => isObject(value) && !("date_of" in value),
  date_of: (value) => isObject(value) && "date_of" in value,
  moment: (value) => typeof value === "string" && value !== "best_hour",
  best_hour: (value) => value === "best_hour",
};
const first = {
  span: "1d", local_time: { at: "09:00" }, date_of: { date_of: "date_of_birth", at: "09:00", every_year: true }, window: { from: "09:00", to: "17:00" }, best_hour: "best_hour", rules: EVERYONE, event: "",
  get moment() { return new Date(Date.now() + 86_400_000).toISOString(); },
};

/** One of several settings: choosing another replaces its keys. */
const oneOf = ({ setting, object, edit, context }) => {
  const holds = ({ settings }) => settings.every(({ name, kind }) => name in object && (fits[kind]?.(object[name]) ?? true));
  const chosen = Math.max(setting.options.findIndex(holds), 0);
  const names = setting.options.flatMap(({ settings }) => settings.flatMap(({ name, kind }) => (kind === "event" ? [name, "where", "match"] : [name])));
  const choose = (index) => edit({
    ...Object.fromEntries(names.map((name) => [name, undefined])),
    ...Object.fromEntries(setting.options[index].settings.map(({ name, kind }) => [name, structuredClone(first[kind])])),
  });
  return element(
    "span", { className: "wf-column" },
    select({ label: setting.label, role: "one-of", options: setting.options.map(({ label }, index) => [String(index), label]), chosen: String(chosen), choose: (index) => choose(Number(index)) }),
    ...setting.options[chosen].settings.map((each) => control({ setting: each, object, edit, context })),
  );
};

const nothing = () => element("span");

const CONTROLS = {
  text, number, flag, choice, span, clock, weekdays, days, moment, tags, pairs, rules, event, variants, step, reentry, exits, goal,
  local_time: localTime, window: window_, date_of: dateOf, one_of: oneOf, best_hour: nothing, long_text: longText, webhook: named("webhook"),
  template: named("template"), sender: named("sender"), topic: named("topic"), segment: named("segment"), static_segment: named("static_segment"),
  workflow: named("workflow"), date: named("date", { free: true }), property: named("property", { free: true }),
  ruled_branches: branches("rules"), weighted_branches: branches("weight"),
};

export const control = (given) => (CONTROLS[given.setting.kind] ?? text)(given);
