// Changes of an object by keys, where undefined deletes one.

export const put = (target, changes) => {
  Object.entries(changes).forEach(([key, value]) => {
    if (value === undefined) delete target[key];
    else target[key] = value;
  });
  return target;
};
