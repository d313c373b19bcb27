// One rule in the builder: on a field of the customer, or on events of the customer.
import { combobox } from "./combobox.js";
import { comparison } from "./comparison.js";
import { button, element, select } from "./elements.js";
import { put } from "./put.js";
import { where } from "./where.js";

const EVENT = "event:";

/**
 * The controls of a rule. `edit(change, options)` changes the rule itself; `suggest({field?, event?, property?}, query)` looks
 * values up in the data.
 */
export const controls = ({ rule, language, words, edit, suggest }) => {
  const change = (changes, options) => edit((target) => put(target, changes), options);

  const replace = (made, options) => edit((target) => {
    Object.keys(target).forEach((key) => delete target[key]);
    Object.assign(target, made);
  }, options);

  const subjects = async (query) => {
    const wanted = query.toLowerCase();
    const fits = ({ label, value }) => `${label} ${value}`.toLowerCase().includes(wanted);
    const fields = language.fields.map(({ name, label, group }) => ({ value: name, label, group }));
    const events = language.events.map(({ name, label }) => ({ value: `${EVENT}${name}`, label, group: words.behaviour }));
    const keys = await suggest({ field: language.attribute }, query);
    const free = keys.map(({ value }) => ({ value: `${language.attribute}${value}`, label: value, group: words.attributes }));
    if (query && !keys.some(({ value }) => value === query)) {
      free.push({ value: `${language.attribute}${query}`, label: `“${query}”`, group: words.attributes });
    }
    return [...fields.filter(fits), ...events.filter(fits), ...free];
  };

  const subject = (shown) => combobox({
    label: words.field, role: "field", shown, find: subjects, placeholder: words.choose_field,
    pick: ({ value }) => {
      const made = value.startsWith(EVENT)
        ? { event: value.slice(EVENT.length), operator: ">=", value: 1 }
        : { field: value, operator: language.operators[language.field(value).type][0] };
      replace(made, { role: "operator" });
    },
  });

  const attribute = () => {
    const field = language.field(rule.field);
    if (!rule.field) return [subject("")];
    return [subject(field.label), ...comparison({
      rule, field, operators: language.operators[field.type], language, words, put: change,
      suggest: (query) => suggest({ field: field.name }, query),
    })];
  };

  const amount = () => {
    const summed = language.event(rule.event).properties.filter(({ type }) => ["number", "money", "integer"].includes(type));
    const options = [["count", words.times], ...summed.map(({ name, label }) => [`sum:${name}`, words.sum_of.replace("%s", label)])];
    const measure = select({
      label: words.measure, role: "aggregate", options, chosen: rule.aggregate ?? "count",
      choose: (chosen) => change({ aggregate: chosen === "count" ? undefined : chosen }, { role: "aggregate" }),
    });
    const field = { name: "", type: "number", choices: {} };
    return [measure, ...comparison({ rule, field, operators: language.countOperators, language, words, put: change, suggest: () => [] })];
  };

  const period = () => {
    const days = element("input", {
      type: "number", min: 1, value: rule.within_days ?? "", placeholder: words.ever, dataset: { role: "within" }, aria: { label: words.within },
    });
    days.oninput = () => change({ within_days: days.value === "" ? undefined : Number(days.value) }, { redraw: false });
    return element("label", { className: "rules-period" }, words.in_last, days, words.days);
  };

  const condition = (each, index) => {
    const alterWhere = (alter, options) => edit((target) => alter(target.where), options);
    const gone = () => edit((target) => {
      target.where.splice(index, 1);
      if (!target.where.length) delete target.where;
    }, { role: "where-add" });
    return where({ rule: each, event: rule.event, role: `where-${index}-`, language, words, suggest, edit: (alter, options) => alterWhere((all) => alter(all[index]), options), gone });
  };

  const behaviour = () => {
    const listed = rule.where ?? [];
    const add = () => edit((target) => { target.where = [...listed, { field: "", operator: "=" }]; }, { role: `where-${listed.length}-field` });
    return [
      subject(language.event(rule.event).label), ...amount(), period(),
      button({ label: words.add_where, text: words.where, icon: "add", role: "where-add", act: add }),
      ...listed.map(condition),
    ];
  };

  return "event" in rule ? behaviour() : attribute();
};
