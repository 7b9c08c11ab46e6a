// What the tabs Faults and API share: cards, buttons, and inputs for JSON values.

import { copyText, h } from "./dom.js";

let count = 0;

/** Return an ID that no other element of the page has. */
export const newId = () => `form-${++count}`;

/** Make a button with a text. */
export const textButton = (text, onclick, attributes = {}) =>
  h("button", { type: "button", class: "quiet", onclick, ...attributes }, text);

/** Return the children of an element that shows text with `code` in backticks. */
export const prose = (text) => text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

/** Make a button that copies a text. */
export const copyButton = (app, text) =>
  textButton("Copy", async () => {
    await copyText(text);
    app.notify("Copied");
  });

/**
 * Make an input for a JSON value, with its label and description. `read()` returns null for an empty
 * input if the value may be null, or undefined, so that it is left out and the server's default applies.
 */
export function field({ name, type, nullable, required, value, description, choices, list }) {
  const id = newId();
  const about = description ? newId() : null;
  const numeric = type === "integer" || type === "number";
  const common = { id, name, "aria-describedby": about };
  const hint = about && h("small", { id: about }, prose(description));
  const title = h("code", {}, name);

  if (type === "boolean") {
    const input = h("input", { ...common, type: "checkbox", checked: value === true });
    return {
      element: h("div", { class: "field" }, h("label", { class: "switch" }, input, title), hint),
      read: () => (input.checked === (value === true) ? undefined : input.checked),
    };
  }
  const options = (choices ?? []).map((one) => h("option", { value: one }, one));
  const attributes = {
    list,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: nullable ? "none" : null,
  };
  const input = choices
    ? h("select", common, !required && h("option", { value: "" }, "–"), ...options)
    : h("input", { ...common, ...attributes, type: numeric ? "number" : "text" });
  if (type === "number") input.step = "any";
  input.required = Boolean(required && !nullable);
  input.value = value ?? "";
  const label = h("label", { for: id }, title, input.required && h("small", {}, " required"));
  return {
    element: h("div", { class: "field" }, label, input, hint),
    read() {
      if (input.value === "") return nullable ? null : undefined;
      return numeric ? input.valueAsNumber : input.value;
    },
  };
}
