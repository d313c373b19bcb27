// The rule language as the server describes it: fields, events and operators.

const NUMERIC = new Set(["number", "money", "integer"]);
const SHAPES = {
  between: "two",
  in: "many", not_in: "many", contains_any: "many", contains_all: "many", contains_none: "many",
  in_last_days: "days", inactive_days: "days", anniversary_in_days: "days",
  is_set: "none", is_not_set: "none",
};

/** The number of operands of an operator: "none", "one", "two", "many" or "days". */
export const shapeOf = (operator) => SHAPES[operator] ?? "one";

const isGiven = (value) => value !== undefined && value !== null && value !== "";

export class Language {
  constructor({ fields, events, operators, attribute, count_operators: countOperators }) {
    this.fields = fields;
    this.events = events;
    this.attribute = attribute;
    this.operators = operators;
    this.countOperators = countOperators;
    this.byName = Object.fromEntries(fields.map((field) => [field.name, field]));
    this.eventsByName = Object.fromEntries(events.map((event) => [event.name, event]));
  }

  /** The field of a rule; an unknown name is a free attribute of any type. */
  field(name) {
    const known = this.byName[name];
    const label = String(name ?? "").startsWith(this.attribute) ? name.slice(this.attribute.length).replaceAll("_", " ") : name;
    return known ?? { name, label, type: "any", choices: {} };
  }

  event(name) {
    return this.eventsByName[name] ?? { name, label: name, properties: [] };
  }

  /** The property of an event; an unknown one has any type. */
  property(event, name) {
    const known = this.event(event).properties.find((property) => property.name === name);
    return known ?? { name, label: name, type: "any", choices: {} };
  }

  kindOfInput(field, operator) {
    if (shapeOf(operator) === "days" || NUMERIC.has(field.type)) return "number";
    if (field.type === "date" || ["before", "after", "on"].includes(operator)) return "date";
    return "text";
  }

  /** The typed text, converted to a number for numeric fields. */
  read(written, field, operator) {
    const text = written.trim();
    const number = this.kindOfInput(field, operator) === "number" || field.type === "any";
    return number && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  }

  isComplete(rule) {
    if ("event" in rule) {
      return isGiven(rule.event) && this.#hasValue(rule) && (rule.where ?? []).every((each) => this.#isFull(each));
    }
    return this.#isFull(rule);
  }

  #isFull(rule) {
    return isGiven(rule.field) && rule.field !== this.attribute && this.#hasValue(rule);
  }

  #hasValue({ operator, value }) {
    const shape = shapeOf(operator);
    if (shape === "none") return true;
    if (shape === "two") return Array.isArray(value) && value.length === 2 && value.every(isGiven);
    return shape === "many" ? Array.isArray(value) && value.length > 0 : isGiven(value);
  }
}
