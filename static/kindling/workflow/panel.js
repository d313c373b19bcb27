// The panel beside the tree: the form of what is selected, with what is wrong at its settings.
import { button, element } from "../rules/elements.js";
import { control } from "./controls.js";

const startsWith = (path, name) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`);

/** `faults` are [{path, message}] with paths within the object. */
const field = ({ setting, object, edit, context, faults }) => {
  const names = setting.kind === "one_of" ? setting.options.flatMap(({ settings }) => settings.map(({ name }) => name)) : [setting.name];
  const own = faults.filter(({ path }) => names.some((name) => startsWith(path, name)) || (setting.kind === "event" && /^(where|match)/.test(path)));
  const isLabelled = setting.kind === "flag";
  return element(
    "div", { className: `wf-field${own.length ? " is-wrong" : ""}` },
    ...(isLabelled ? [] : [element("span", { className: "wf-label", textContent: setting.label })]),
    control({ setting, object, edit, context }),
    ...(setting.hint ? [element("small", { textContent: setting.hint })] : []),
    ...own.map(({ message }) => element("p", { className: "wf-message", textContent: message, aria: { role: "alert" } })),
  );
};

/** Draw a form; faults of no setting stand above it. `head` are elements before the settings, `tools` buttons after them. */
export const drawPanel = ({ title, head = [], form, object, edit, context, faults, tools = [], close }) => {
  const fields = form.map((setting) => field({ setting, object, edit, context, faults }));
  const shown = new Set(fields.flatMap((each) => [...each.querySelectorAll(".wf-message")].map((message) => message.textContent)));
  const rest = faults.filter(({ message }) => !shown.has(message));
  return [
    element("header", {}, element("h2", { textContent: title, tabIndex: -1 }), button({ label: context.words.close, icon: "close", role: "close", act: close })),
    ...rest.map(({ message }) => element("p", { className: "wf-message", textContent: message, aria: { role: "alert" } })),
    ...head, ...fields,
    ...(tools.length ? [element("footer", {}, ...tools)] : []),
  ];
};
