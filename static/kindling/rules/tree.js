// Places in a tree of rules. A path is a list of indices: [] is the root, [1, 0] the first condition of the second one.

export const isGroup = (rule) => Array.isArray(rule?.conditions);

export const at = (root, path) => path.reduce((rule, index) => rule.conditions[index], root);

const siblings = (root, path) => at(root, path.slice(0, -1)).conditions;

export const insert = (root, path, rule) => siblings(root, path).splice(path.at(-1), 0, rule);

export const remove = (root, path) => siblings(root, path).splice(path.at(-1), 1)[0];

const isWithin = (path, outer) => outer.every((index, depth) => path[depth] === index);

/** Moves a rule before the rule at `to` and returns its new path. A group cannot move into itself. */
export const move = (root, from, to) => {
  if (isWithin(to, from)) return from;
  const last = from.length - 1;
  const target = [...to];
  if (isWithin(to, from.slice(0, last)) && to[last] > from[last]) target[last] -= 1;
  insert(root, target, remove(root, from));
  return target;
};

/** Returns the path one step up: before the rule above, to the end of the group above, or out of its own group. */
export const above = (root, path) => {
  const outer = path.slice(0, -1);
  const index = path.at(-1);
  if (index === 0) return outer.length ? outer : null;
  const before = siblings(root, path)[index - 1];
  return isGroup(before) ? [...outer, index - 1, before.conditions.length] : [...outer, index - 1];
};

/** Returns the path one step down: behind the rule below, to the start of the group below, or out of its own group. */
export const below = (root, path) => {
  const outer = path.slice(0, -1);
  const index = path.at(-1);
  const after = siblings(root, path)[index + 1];
  if (after) return isGroup(after) ? [...outer, index + 1, 0] : [...outer, index + 2];
  return outer.length ? [...outer.slice(0, -1), outer.at(-1) + 1] : null;
};

/** Returns the tree without incomplete rules, the original path of each remaining rule, and the number of incomplete ones. */
export const withoutDrafts = (root, isComplete) => {
  const origins = {};
  let drafts = 0;
  const isDraft = (rule) => rule !== null && typeof rule === "object" && !isGroup(rule) && !isComplete(rule);
  const copy = (group, from, to) => {
    const conditions = [];
    group.conditions.forEach((rule, index) => {
      if (isDraft(rule)) {
        drafts += 1;
        return;
      }
      const here = [...to, conditions.length];
      origins[here] = [...from, index];
      conditions.push(isGroup(rule) ? copy(rule, [...from, index], here) : rule);
    });
    return { ...group, conditions };
  };
  return { rules: copy(root, [], []), origins, drafts };
};

/** "conditions[1].conditions[0].value" → [1, 0] */
export const pathOf = (written) => [...written.matchAll(/conditions\[(\d+)\]/g)].map(([, index]) => Number(index));
