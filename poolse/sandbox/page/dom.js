// Makes elements. Everything on the page is made by `h` and `icon`, as nodes and text: no string is
// ever parsed as HTML, so no message can bring markup or code with it.

/**
 * Make an element: `h("button", {class: "quiet", onclick: close}, "Close")`.
 * Attributes that start with `on` are listeners; `true` is an empty attribute; `false`, `null` and
 * `undefined` are none. Children are nodes, strings, or (nested) lists of them; empty ones are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  // Only buttons that say so submit a form.
  if (tag === "button") element.type = "button";
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && child !== false && child !== ""),
  );
  return element;
}

/** Put nodes into an element, in this order. Those that are there already keep focus and clicks. */
export function arrange(element, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...element.children]) if (!wanted.has(child)) child.remove();
  let cursor = element.firstChild;
  for (const node of nodes) {
    if (node === cursor) cursor = cursor.nextSibling;
    else element.insertBefore(node, cursor);
  }
}

// Strokes on a grid of 24 by 24.
const SHAPES = {
  add: "M12 5v14M5 12h14",
  attach: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4L14.5 7",
  back: "M15 5l-7 7 7 7",
  chat: "M4 5h16v11H9l-5 4z",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  down: "M12 5v14M6 13l6 6 6-6",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  edit: "M4 20l1-4L16 5l3 3L8 19z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  key: "M8 19.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM11.2 11.8L20 3M16 7l3.5 3.5M13 10l2.5 2.5",
  moon: "M20 14A8 8 0 1 1 10 4a6.5 6.5 0 0 0 10 10z",
  panes: "M4 5h16v14H4zM12 5v14",
  pause: "M8 5v14M16 5v14",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-4 2.5-6 6-6s6 2 6 6M16 4.5a3.5 3.5 0 0 1 0 6M18 14.5c2 .8 3 2.6 3 5.5",
  play: "M7 5l12 7-12 7z",
  quote: "M10 7H5v6h5V7zM10 13c0 3-2 4-4 4M19 7h-5v6h5V7zM19 13c0 3-2 4-4 4",
  react: "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18zM8.5 14c1 2 6 2 7 0M9 9.5v.1M15 9.5v.1",
  reply: "M9 7l-5 5 5 5M4 12h9c4 0 7 2 7 7",
  send: "M4 12l16-8-5 16-3-7z",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  terminal: "M4 5h16v14H4zM8 10l2.5 2L8 14M13 15h4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
};

/** Make an icon, which is hidden from screen readers: the control around it has the label. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** Make a button that shows an icon; `label` is its name and its tooltip. */
export function iconButton(name, label, onclick, attributes = {}) {
  return h("button", { class: "icon-button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}

/** Copy text; also where the Clipboard API is missing, as on plain http of another host. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "hidden-text", value: text });
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/**
 * Show a dialog with a form until it is closed; Escape closes it. `submit` gets the form and may
 * throw an Error, whose message is shown in the dialog, which then stays open.
 */
export function showForm({ title, action, fields, submit }) {
  const problem = h("p", { class: "problem", role: "alert" });
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "dialog-title" }, title),
    fields,
    problem,
    h(
      "div",
      { class: "dialog-actions" },
      h("button", { class: "quiet", onclick: () => dialog.close() }, "Cancel"),
      h("button", { type: "submit", class: "primary" }, action),
    ),
  );
  const dialog = h("dialog", { "aria-labelledby": "dialog-title", onclose: () => dialog.remove() }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await submit(form);
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
  });
  document.body.append(dialog);
  dialog.showModal();
}
