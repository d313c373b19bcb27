// A definition as a tree of steps: where each leads, and changes that keep it whole. Nothing here touches the page.
//
// A place is what a step can be put at: {key, path}, the path of a next step within the step of that key, or within the definition.

export const START = { key: null, path: ["start"] };
const KEY_LENGTH = 100;

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const at = (object, path) => path.reduce((found, name) => found?.[name], object) ?? null;

const putAt = (object, path, value) => {
  const inner = path.slice(0, -1).reduce((found, name) => found[name], object);
  inner[path.at(-1)] = value;
};

export const holderOf = (definition, { key }) => (key === null ? definition : definition.steps[key]);
export const targetOf = (definition, place) => {
  const target = at(holderOf(definition, place), place.path);
  return target in definition.steps ? target : null;
};
const lead = (definition, place, target) => putAt(holderOf(definition, place), place.path, target);

export class Types {
  constructor(types) {
    this.all = types;
    this.byName = Object.fromEntries(types.map((type) => [type.type, type]));
  }

  of(step) {
    return this.byName[step.type] ?? { type: step.type, label: step.type, icon: "help", form: [], branches: {} };
  }

  #has(step, kind) {
    return this.of(step).form.some((setting) => setting.kind === kind);
  }

  /** The branches of a step with their places within it: [{branch, label, path}]; a step that goes straight on has one without label. */
  branches(step, words) {
    if (this.#has(step, "ruled_branches") || this.#has(step, "weighted_branches")) {
      const own = (step.branches ?? []).map(({ name }, index) => ({ branch: name, label: name || words.unnamed, path: ["branches", index, "next"] }));
      return this.#has(step, "ruled_branches") ? [...own, { branch: "else", label: words.else, path: ["next"] }] : own;
    }
    const named = Object.entries(this.of(step).branches);
    if (isObject(step.next)) return named.map(([branch, label]) => ({ branch, label, path: ["next", branch] }));
    return [{ branch: named[0]?.[0] ?? "", label: "", path: ["next"] }];
  }

  /** Give each branch a place of its own, where the step does not take all by one way. */
  spread(step) {
    const { branches, joins } = this.of(step);
    const names = Object.keys(branches);
    if (!names.length || isObject(step.next) || joins) return;
    step.next = Object.fromEntries(names.map((name, index) => [name, index ? null : step.next ?? null]));
  }
}

/** A definition as the editor works on it: with a start and with steps whose branches are all written. */
export const opened = (document, types) => {
  const definition = { ...structuredClone(document), start: document.start ?? null, steps: structuredClone(document.steps ?? {}) };
  Object.values(definition.steps).forEach((step) => types.spread(step));
  return definition;
};

export const placesOf = (definition, key, types, words) => types.branches(definition.steps[key], words).map((branch) => ({ ...branch, key }));

const targetsOf = (definition, key, types) => placesOf(definition, key, types, {}).map((place) => targetOf(definition, place)).filter((target) => target !== null);

/** The steps that are reached from one, itself included, nearest first. */
const reached = (definition, key, types) => {
  const found = [key];
  for (const each of found) targetsOf(definition, each, types).forEach((target) => { if (!found.includes(target)) found.push(target); });
  return found;
};

/** The nearest step at which branches come together, if two or more do. */
export const joinOf = (definition, targets, types) => {
  const given = targets.filter((target) => target !== null);
  if (given.length < 2) return null;
  const [first, ...others] = given.map((target) => reached(definition, target, types));
  const common = first.filter((key) => others.every((each) => each.includes(key)));
  return common.find((key) => !common.some((other) => other !== key && reached(definition, other, types).includes(key))) ?? null;
};

export const freeKey = (definition, wanted) => {
  const base = wanted.replace(/[^\p{L}\p{N}_-]+/gu, "_").slice(0, KEY_LENGTH - 4) || "step";
  for (let number = 1; ; number += 1) {
    const key = number > 1 ? `${base}_${number}` : base;
    if (!(key in definition.steps)) return key;
  }
};

const placesLeadingTo = (definition, key, types) => [
  START, ...Object.keys(definition.steps).flatMap((each) => placesOf(definition, each, types, {})),
].filter((place) => targetOf(definition, place) === key);

/** Put a step at a place; all its branches lead on to what followed there. Returns its key. */
export const insert = (definition, place, step, types, wanted = step.type) => {
  const key = freeKey(definition, wanted);
  const made = structuredClone(step);
  const after = targetOf(definition, place);
  types.spread(made);
  types.branches(made, {}).forEach(({ path }) => putAt(made, path, after));
  definition.steps[key] = made;
  lead(definition, place, key);
  return key;
};

/** Delete the steps that nothing leads to. */
export const prune = (definition, types) => {
  const kept = definition.start in definition.steps ? reached(definition, definition.start, types) : [];
  Object.keys(definition.steps).filter((each) => !kept.includes(each)).forEach((each) => { delete definition.steps[each]; });
};

/** End a way at a place. */
export const cut = (definition, place, types) => {
  lead(definition, place, null);
  prune(definition, types);
};

export const connect = (definition, place, target) => lead(definition, place, target);

/** Remove a step and those that only it leads to; what led to it leads to what follows it. Returns the key of that, or null. */
export const remove = (definition, key, types) => {
  const targets = targetsOf(definition, key, types).filter((target) => target !== key);
  const after = joinOf(definition, targets, types) ?? targets[0] ?? null;
  placesLeadingTo(definition, key, types).forEach((place) => lead(definition, place, after));
  delete definition.steps[key];
  prune(definition, types);
  return after;
};

/** Copy a step, or with `whole` all that follows it until its branch joins another. */
export const copy = (definition, key, types, { whole = false } = {}) => {
  if (!whole) return { start: key, steps: { [key]: structuredClone(definition.steps[key]) } };
  const keys = reached(definition, key, types).filter((each) => isOnlyReachedBy(definition, key, each, types));
  return { start: key, steps: Object.fromEntries(keys.map((each) => [each, structuredClone(definition.steps[each])])) };
};

const isOnlyReachedBy = (definition, key, each, types) => {
  const without = structuredClone(definition);
  placesLeadingTo(without, key, types).forEach((place) => lead(without, place, null));
  return without.start === null || !reached(without, without.start, types).includes(each);
};

/** Put copied steps at a place, under new keys; their ends lead on to what followed there. Returns the key of the first. */
export const paste = (definition, place, { start, steps }, types) => {
  const after = targetOf(definition, place);
  const names = {};
  Object.keys(steps).forEach((key) => {
    names[key] = freeKey(definition, key);
    definition.steps[names[key]] = structuredClone(steps[key]);
  });
  Object.keys(steps).forEach((key) => types.branches(definition.steps[names[key]], {}).forEach(({ path }) => {
    const target = at(steps[key], path);
    putAt(definition.steps[names[key]], path, names[target] ?? after);
  }));
  lead(definition, place, names[start]);
  return names[start];
};

/** Move a step that goes straight on to another place. Returns its key. */
export const move = (definition, key, place, types) => {
  if (place.key === key || targetOf(definition, place) === key) return key;
  const step = structuredClone(definition.steps[key]);
  const after = targetsOf(definition, key, types)[0] ?? null;
  placesLeadingTo(definition, key, types).forEach((each) => lead(definition, each, after));
  delete definition.steps[key];
  return insert(definition, place, step, types, key);
};

export const rename = (definition, key, wanted, types) => {
  if (wanted === key || !wanted) return key;
  const name = freeKey(definition, wanted);
  const places = placesLeadingTo(definition, key, types);
  definition.steps = Object.fromEntries(Object.entries(definition.steps).map(([each, step]) => [each === key ? name : each, step]));
  places.forEach((place) => lead(definition, place.key === key ? { ...place, key: name } : place, name));
  Object.values(definition.steps).forEach((step) => { if (step.step === key) step.step = name; });
  return name;
};
