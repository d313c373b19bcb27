// "City is one of Berlin, Paris": the operator and value of a field of a customer, or of a property of an event.
import { combobox, tokens } from "./combobox.js";
import { element, select } from "./elements.js";
import { shapeOf } from "./language.js";

/**
 * The controls of one comparison. `rule` is read; `put(changes, {redraw?, role?})` writes into it, where undefined deletes a key.
 * `suggest(query)` looks values up in the data; `prefix` distinguishes the roles of one row.
 */
export const comparison = ({ rule, field, operators, language, words, put, suggest, prefix = "" }) => {
  const role = (name) => `${prefix}${name}`;
  const choices = Object.entries(field.choices ?? {}).map(([value, label]) => ({ value, label }));
  const matching = (query) => choices.filter(({ label }) => label.toLowerCase().includes(query.toLowerCase()));
  const find = choices.length ? matching : suggest;
  const names = Object.fromEntries(choices.map(({ value, label }) => [value, label]));
  const read = (written) => (choices.length ? written : language.read(String(written), field, rule.operator));

  const choose = (operator) => {
    const isKept = shapeOf(operator) === shapeOf(rule.operator) && language.kindOfInput(field, operator) === language.kindOfInput(field, rule.operator);
    put({ operator, ...(isKept ? {} : { value: undefined }) }, { redraw: !isKept, role: role("operator") });
  };

  const plain = (value, write, name = "value") => {
    const kind = language.kindOfInput(field, rule.operator);
    const made = element("input", {
      type: kind, value: kind === "date" ? String(value ?? "").slice(0, 10) : (value ?? ""), step: "any",
      dataset: { role: role(name) }, aria: { label: words.value },
    });
    made.oninput = () => write(made.value === "" ? undefined : read(made.value));
    return made;
  };

  const nameOf = async (value) => (await suggest(value)).find((option) => option.value === value)?.label ?? value;

  const typed = (value) => put({ value }, { redraw: false });

  const one = () => {
    const value = Array.isArray(rule.value) ? undefined : rule.value;
    if (choices.length && language.kindOfInput(field, rule.operator) === "text" && field.type !== "any") {
      return [select({ label: words.value, role: role("value"), options: [["", words.choose], ...Object.entries(names)], chosen: value ?? "", choose: (chosen) => typed(chosen || undefined) })];
    }
    if (language.kindOfInput(field, rule.operator) !== "text") return [plain(value, typed)];
    const box = combobox({
      label: words.value, role: role("value"), shown: String(value ?? ""), find, free: true,
      pick: (option) => typed(option.value === "" ? undefined : read(option.value)),
    });
    if (value && field.type === "id") nameOf(value).then((name) => { box.querySelector("input").value = name; });
    return [box];
  };

  const two = () => {
    const both = [0, 1].map((at) => (Array.isArray(rule.value) ? rule.value[at] : undefined));
    const write = (at) => (written) => {
      both[at] = written;
      typed([...both]);
    };
    return [plain(both[0], write(0), "value"), element("span", { textContent: words.and }), plain(both[1], write(1), "value-2")];
  };

  const many = () => [tokens({
    label: words.value, role: role("value"), removeLabel: words.remove, placeholder: words.add_value, find,
    values: Array.isArray(rule.value) ? rule.value : [],
    shown: (value) => names[value] ?? String(value),
    change: (values, { typing }) => put(
      { value: values.length ? values.map(read) : undefined }, typing ? { redraw: false } : { role: role("value") },
    ),
  })];

  const days = () => [plain(rule.value, typed), element("span", { textContent: words.days })];
  const beside = { none: () => [], one, two, many, days }[shapeOf(rule.operator)]();
  const options = operators.map((name) => [name, words.operators[name] ?? name]);
  return [select({ label: words.operator, role: role("operator"), options, chosen: rule.operator, choose }), ...beside];
};
