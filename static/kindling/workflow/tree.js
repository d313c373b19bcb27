// The steps of a definition as nested lists: a branch beside the other, down to where they join. The lists are the outline that a
// screen reader reads.
import { button, element, icon } from "../rules/elements.js";
import { joinOf, placesOf, START, targetOf } from "./document.js";

/**
 * `plus(place)` and `card(key, step)` return the elements of a place and a step, `plus` null where nothing can be added;
 * `figure(key, branch)` what is shown beside the name of a branch.
 */
export const drawTree = ({ definition, types, words, card, plus, figure, jump }) => {
  const drawn = new Set();

  const end = () => element("li", { className: "wf-end" }, element("span", { textContent: words.end }));

  const further = (key) => element("li", { className: "wf-further" }, button({ label: words.continues.replace("%s", key), text: words.continues.replace("%s", key), icon: "subdirectory_arrow_right", act: () => jump(key) }));

  const added = (place) => {
    const made = plus(place);
    return made ? [element("li", { className: "wf-plus" }, made)] : [element("li", { className: "wf-line", aria: { hidden: true } })];
  };

  /** The items from a place on, until `stop`, where branches join; and whether the way goes on there. */
  const flow = (place, stop) => {
    const items = added(place);
    let key = targetOf(definition, place);
    while (key !== stop || stop === null) {
      if (key === null) return { items: [...items, end()], goesOn: false };
      if (drawn.has(key)) return { items: [...items, further(key)], goesOn: false };
      drawn.add(key);
      items.push(element("li", { className: "wf-item" }, card(key, definition.steps[key])));
      const places = placesOf(definition, key, types, words);
      if (places.length === 1) {
        items.push(...added(places[0]));
        key = targetOf(definition, places[0]);
      } else {
        const join = joinOf(definition, places.map((each) => targetOf(definition, each)).filter((each) => !drawn.has(each)), types);
        const { item, goesOn } = branches(places, join ?? stop, key);
        items.push(item);
        if (!goesOn) return { items, goesOn };
        if (join === null || join === stop) return { items, goesOn };
        items.push(element("li", { className: "wf-line", aria: { hidden: true } }));
        key = join;
      }
    }
    return { items, goesOn: true };
  };

  const branches = (places, stop, key) => {
    const columns = places.map((place) => {
      const { items, goesOn } = flow(place, stop);
      const name = element("span", { className: "wf-branch-name" }, element("b", { textContent: place.label }), ...(figure ? [figure(key, place.branch)] : []));
      return { goesOn, column: element("li", { className: `wf-branch${goesOn ? " goes-on" : ""}` }, name, element("ol", { className: "wf-flow" }, ...items)) };
    });
    const goesOn = columns.some((each) => each.goesOn);
    const list = element("ol", { className: "wf-branches", aria: { label: words.branches } }, ...columns.map((each) => each.column));
    return { goesOn, item: element("li", { className: `wf-split${goesOn ? " joins" : ""}` }, list) };
  };

  return element("ol", { className: "wf-flow" }, ...flow(START, null).items);
};

/** A card: the icon of the type, its name, what it does in words, and what is wrong with it. */
export const drawCard = ({ key, title, symbol, words, summary, faults, figures, selected, open }) => {
  const made = element(
    "button", { type: "button", className: `wf-card${selected ? " is-selected" : ""}${faults.length ? " is-wrong" : ""}`, dataset: { card: key }, onclick: open, aria: { pressed: selected } },
    element("span", { className: "wf-icon" }, icon(symbol)),
    element("span", { className: "wf-text" }, element("b", { textContent: title }), element("small", { textContent: summary })),
  );
  if (faults.length) {
    const label = words.faults.replace("%s", faults.length);
    made.append(element("span", { className: "wf-fault", title: faults.join("\n"), aria: { role: "img", label } }, icon("error"), String(faults.length)));
  }
  if (!figures) return made;
  const shown = figures.map(({ label, value, link }) => element("li", {}, link ? element("a", { href: link, textContent: value }) : element("b", { textContent: value }), ` ${label}`));
  return element("div", { className: "wf-counted" }, made, element("ul", { className: "wf-figures" }, ...shown));
};
