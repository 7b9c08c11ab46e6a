// The tab API: the operations of the chat API, printed from its OpenAPI document, to try each one.

import { h } from "./dom.js";
import { copyButton, field, newId, prose } from "./forms.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
/** Stands for the API key in the list of users: no external ID is empty. */
const API_KEY = "";

/** Values for a body, by the names of its fields. */
const SAMPLES = {
  body: "Hello",
  byte_size: 12,
  content_type: "text/plain",
  display_name: "Carol",
  emoji: "👍",
  external_id: "carol",
  name: "Team",
  platform: "android",
  token: "device-token",
  type: "group",
};

const code = (text) => h("code", {}, text);
const size = (bytes) => (bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`);
const methodBadge = (method) => h("span", { class: `method ${method.toLowerCase()}` }, method);
const option = (value, text = value) => h("option", { value }, text);
const labelled = (text, input, ...more) =>
  h("div", { class: "field" }, h("label", { for: input.id }, text), input, more);

/** Make a list of terms and their descriptions that is shown on demand. */
function folded(title, entries) {
  const terms = entries.map(([term, about]) => [h("dt", {}, term), h("dd", {}, about)]);
  return h("details", {}, h("summary", {}, title), h("dl", {}, ...terms));
}

/** Reads the document: follows `$ref`, lists the operations, and makes up bodies. */
class Spec {
  constructor(document) {
    this.document = document;
  }

  resolve(node = {}) {
    const { $ref, ...own } = node;
    if (!$ref) return node;
    const keys = $ref.split("/").slice(1);
    return { ...this.resolve(keys.reduce((at, key) => at[key], this.document)), ...own };
  }

  operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map((method) => {
        const node = item[method];
        const content = this.resolve(node.requestBody).content ?? {};
        const parameters = [...(item.parameters ?? []), ...(node.parameters ?? [])];
        const security = node.security ?? this.document.security ?? [];
        return {
          path,
          method: method.toUpperCase(),
          name: node.operationId ?? `${method} ${path}`,
          texts: [node.summary, node.description].filter(Boolean),
          tag: node.tags?.[0] ?? path.split("/")[2],
          parameters: parameters.map((one) => this.resolve(one)),
          body: content["application/json"] && this.resolve(content["application/json"].schema),
          needsKey: security.some((scheme) => "apiKey" in scheme),
        };
      }),
    );
  }

  /** The names of the JSON types of a schema. */
  types(schema) {
    const { type, anyOf, oneOf } = this.resolve(schema);
    return type ? [type].flat() : (anyOf ?? oneOf ?? []).flatMap((one) => this.types(one));
  }

  /** The type of a field, in words. */
  typeName(schema) {
    const { enum: choices, format, items } = this.resolve(schema);
    if (choices) return choices.join(", ");
    const word = (type) =>
      type === "array" ? `list of ${this.typeName(items)}` : type === "string" && format ? format : type;
    return this.types(schema).map(word).join(" or ") || "any";
  }

  /** A value that a field could have. */
  sample(name, schema, users) {
    const { default: usual, enum: choices } = this.resolve(schema);
    if (name.endsWith("external_ids")) return users;
    if (usual !== undefined) return usual;
    if (name in SAMPLES && (choices ?? [SAMPLES[name]]).includes(SAMPLES[name])) return SAMPLES[name];
    const values = { array: [], boolean: false, integer: 1, number: 1, object: {} };
    return choices?.[0] ?? values[this.types(schema)[0]] ?? "";
  }

  /** A body with the fields that are required, or that most requests have. */
  body({ properties = {}, required = [] }, users) {
    const isUsual = ([name, { default: usual }]) =>
      required.includes(name) || (usual === undefined && (name in SAMPLES || name.endsWith("external_ids")));
    const fields = Object.entries(properties).filter(isUsual);
    return Object.fromEntries(fields.map(([name, schema]) => [name, this.sample(name, schema, users)]));
  }
}

/** IDs that responses had, newest first, by the name of the parameter that takes them. */
class SeenIds {
  #ids = {};

  of(name) {
    return this.#ids[name] ?? [];
  }

  /** Collect those of the response to a request for a path such as `/v1/conversations`. */
  read(path, body) {
    const [resource] = path.match(/[\w-]+(?!.*\/\w)/);
    const others = { me: "user", replies: "message", reactions: "message" };
    const own = others[resource] ?? resource.replace(/s$/, "");
    for (const found of [body?.data ?? body].flat().reverse()) {
      this.#add(`${own}_id`, found?.id);
      this.#add("attachment_id", found?.attachment?.id);
      for (const name of ["conversation_id", "user_id"]) this.#add(name, found?.[name]);
    }
  }

  #add(name, id) {
    if (id) this.#ids[name] = [...new Set([id, ...this.of(name)])].slice(0, 20);
  }
}

export function mount(element, app) {
  const seen = new SeenIds();
  let spec = null;
  let entries = [];
  let opened = null;
  let sender = null;
  const as = h("select", { id: newId(), onchange: () => (sender = as.value || sender) });

  const filter = h("input", {
    id: newId(),
    type: "search",
    placeholder: "messages, POST …",
    oninput: narrow,
  });
  const groups = h("div", { class: "operations" });
  const none = h("p", { class: "note", role: "status" });
  const swagger = h("a", { href: "/_sandbox/swagger/", hidden: true }, "Open in Swagger UI");
  const panel = h(
    "section",
    { class: "card", "aria-label": "Operation" },
    h("p", { class: "note" }, "Choose an operation."),
  );
  const list = h("nav", { class: "card", "aria-label": "Operations" });
  list.append(labelled("Filter", filter), none, groups, swagger);
  element.append(h("div", { class: "tool api" }, list, panel));

  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/);
    for (const { text, item } of entries) item.hidden = !words.every((word) => text.includes(word));
    for (const group of groups.children) group.hidden = !group.querySelector("li:not([hidden])");
    none.textContent = entries.every(({ item }) => item.hidden) ? "No operation matches." : "";
  }

  function showOperations() {
    entries = spec.operations().map((operation) => {
      const { method, path, name, texts, tag } = operation;
      const button = h("button", { type: "button", onclick: () => open(operation, button) });
      button.append(methodBadge(method), " ", code(path));
      const text = [method, path, name, ...texts].join(" ").toLowerCase();
      return { tag, text, button, item: h("li", {}, button) };
    });
    for (const [tag, group] of Map.groupBy(entries, (entry) => entry.tag)) {
      groups.append(h("section", {}, h("h2", {}, tag), h("ul", {}, ...group.map(({ item }) => item))));
    }
    narrow();
  }

  /** Offer the users and the API key, and choose who was chosen last unless the key is needed. */
  function showSenders(needsKey) {
    const users = app.users.map((user) => user.external_id);
    as.replaceChildren(...users.map((user) => option(user)), option(API_KEY, "API key"));
    as.value = needsKey || !users.length ? API_KEY : users.includes(sender) ? sender : users[0];
  }

  function open(operation, button) {
    for (const entry of entries) entry.button.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
    const { method, path, name, texts, body, needsKey } = (opened = operation);
    showSenders(needsKey);
    const fields = operation.parameters.filter(({ in: place }) => place !== "header").map(parameter);
    const json = h("textarea", { id: newId(), spellcheck: "false" });
    const others = app.users.map((user) => user.external_id).filter((user) => user !== as.value);
    if (body) json.value = JSON.stringify(spec.body(body, others), null, 2);
    json.rows = json.value.split("\n").length + 1;
    const key = field({
      name: "Idempotency-Key",
      type: "string",
      description: "A request with the same key is executed once.",
    });
    const problem = h("p", { class: "problem", role: "alert" });
    const response = h("section", { class: "response", "aria-label": "Response", "aria-live": "polite" });

    async function submit(event) {
      event.preventDefault();
      const query = {};
      let target = path;
      for (const { name: field, place, read } of fields) {
        if (place === "path") target = target.replace(`{${field}}`, encodeURIComponent(read()));
        else query[field] = read();
      }
      const headers = key.read() ? { "idempotency-key": key.read() } : {};
      problem.textContent = "";
      response.replaceChildren();
      try {
        const content = body && parsed(json.value);
        const start = performance.now();
        const received = await app.call(as.value || null, method, target, { query, headers, body: content });
        show(response, received, performance.now() - start);
        if (received.status < 300) seen.read(path, received.body);
      } catch (error) {
        problem.textContent = error.message;
      }
    }

    panel.replaceChildren(
      h("h2", {}, methodBadge(method), " ", code(path)),
      h("p", {}, code(name)),
      ...texts.map((text) => h("p", {}, prose(text))),
      h(
        "form",
        { onsubmit: submit, "aria-label": name },
        labelled("Send as", as),
        fields.map((one) => one.element),
        body && labelled("Body (JSON)", json, folded("Fields", fieldsOf(body))),
        method !== "GET" && key.element,
        problem,
        h("button", { type: "submit", class: "primary" }, "Send"),
      ),
      response,
    );
    // On a phone it is below the list.
    if (panel.offsetLeft === list.offsetLeft) panel.scrollIntoView();
  }

  function parameter({ name, in: place, required, schema, description }) {
    const ids = seen.of(name);
    const list = ids.length ? newId() : null;
    const value = ids[0] ?? (required ? SAMPLES[name] : undefined);
    const { enum: choices } = spec.resolve(schema);
    const one = field({ name, type: spec.types(schema)[0], required, value, description, choices, list });
    if (list) one.element.append(h("datalist", { id: list }, ...ids.map((id) => option(id))));
    return { name, place, ...one };
  }

  /** The fields of a body, with their types. */
  function fieldsOf({ properties = {}, required = [] }) {
    return Object.entries(properties).map(([name, schema]) => {
      const text = [spec.typeName(schema), spec.resolve(schema).description].filter(Boolean).join(". ");
      return [[code(name), required.includes(name) && h("small", {}, " required")], prose(text)];
    });
  }

  function show(place, { status, headers, body }, milliseconds) {
    const text = typeof body === "string" ? body : JSON.stringify(body, null, 2);
    const bytes = headers["content-length"] ?? new Blob([text]).size;
    const outcome = h("b", { class: status < 400 ? "passed" : "failed" }, `Status ${status}`);
    place.replaceChildren(
      h("p", {}, outcome, ` · ${Math.round(milliseconds)} ms · ${size(bytes)}`),
      folded("Headers", Object.entries(headers)),
      ...(body === null
        ? [h("p", { class: "note" }, "No content")]
        : [h("pre", { tabindex: "0", "aria-label": "Body of the response" }, text), copyButton(app, text)]),
    );
  }

  app.onUsers(() => opened && showSenders(opened.needsKey && as.value === API_KEY));
  return {
    async show() {
      try {
        swagger.hidden = !(await app.environment()).swagger;
        if (spec) return;
        spec = new Spec(await app.control("GET", "/_sandbox/api.json"));
        showOperations();
      } catch (error) {
        app.notify(error.message, { error: true });
      }
    },
    hide() {},
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The body is not JSON: ${error.message}`);
  }
}
