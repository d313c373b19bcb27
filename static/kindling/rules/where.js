// A condition on a property of an event.
import { combobox } from "./combobox.js";
import { comparison } from "./comparison.js";
import { button, element } from "./elements.js";
import { put } from "./put.js";

/** The controls of one condition. `edit(change, options)` changes the condition itself, `gone()` removes it; `role` distinguishes it. */
export const where = ({ rule, event, role, language, words, suggest, edit, gone }) => {
  const change = (changes, options) => edit((target) => put(target, changes), options);
  const { properties } = language.event(event);
  const property = language.property(event, rule.field);
  const picker = combobox({
    label: words.property, role: `${role}field`, shown: property.label ?? "", placeholder: words.choose_property, free: true,
    find: (query) => properties.map(({ name, label }) => ({ value: name, label })).filter(({ label }) => label.toLowerCase().includes(query.toLowerCase())),
    pick: ({ value, typing }) => change(
      typing ? { field: value } : { field: value, operator: language.operators[language.property(event, value).type][0], value: undefined },
      typing ? { redraw: false } : { role: `${role}operator` },
    ),
  });
  const rest = rule.field
    ? comparison({
      rule, field: property, operators: language.operators[property.type], language, words, put: change, prefix: role,
      suggest: (query) => suggest({ event, property: property.name }, query),
    })
    : [];
  return element("div", { className: "rules-where", aria: { role: "group", label: words.where } },
    element("span", { textContent: words.where }), picker, ...rest, button({ label: words.remove, icon: "close", role: `${role}remove`, act: gone }));
};
