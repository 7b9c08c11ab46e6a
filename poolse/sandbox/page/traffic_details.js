// The details of one entry: headers, bodies or payload, and the entry as code.

import { copyText, h, icon, iconButton } from "./dom.js";
import { asCurl, asPython } from "./traffic_code.js";
import { decoded, isFrame, outcomeOf } from "./traffic_log.js";
import { sizeOf } from "./chat_files.js";

const JSON_TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

const KINDS = {
  request: "Request",
  handshake: "Handshake",
  received: "Frame from the client",
  sent: "Frame to the client",
};

/** Show the details of an entry; `onClose` is called to close them. */
export function detailsView(app, entry, onClose) {
  const copy = async (text, what) => {
    await copyText(text);
    app.notify(`Copied as ${what}`);
  };
  const copyButton = (text, what) =>
    h("button", { class: "quiet", onclick: () => copy(text(), what) }, icon("copy"), `Copy as ${what}`);
  const frame = isFrame(entry);
  const facts = [
    ["Kind", KINDS[entry.kind]],
    ["Time", new Date(entry.at).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" })],
    ["User", entry.user],
    ["Status", entry.cut ? "The connection was cut" : (entry.status ?? (frame ? null : "Pending"))],
    ["Duration", entry.ms === null ? null : `${entry.ms} ms`],
    ["Size", sizeOf(entry.size)],
    ["Topic", entry.topic],
    ["Socket", entry.socket === null ? null : `#${entry.socket}`],
  ].filter(([, value]) => value !== null && value !== undefined);
  return [
    h(
      "header",
      { class: "details-header" },
      h(
        "h2",
        { class: "mono" },
        h("span", { class: `tag ${outcomeOf(entry)}` }, frame ? (entry.kind === "sent" ? "→" : "←") : entry.method),
        " ",
        frame ? (entry.event ?? "Malformed frame") : decoded(entry.path),
      ),
      iconButton("close", "Close details", onClose),
    ),
    h(
      "div",
      { class: "details-body" },
      h(
        "div",
        { class: "details-actions" },
        copyButton(() => asPython(entry), "Python"),
        entry.kind === "request" && copyButton(() => asCurl(entry), "curl"),
        copyButton(() => prettyJson(frame ? entry.payload : entry), "JSON"),
      ),
      h(
        "dl",
        { class: "facts" },
        facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))),
      ),
      frame
        ? part("Payload", entry.payload)
        : [
            headers("Request headers", entry.request_headers),
            part("Request body", entry.request_body),
            headers("Response headers", entry.response_headers),
            part("Response body", entry.response_body),
          ],
      entry.truncated && h("p", { class: "note" }, "Only the first 16 kB of a body are kept."),
    ),
  ];
}

function headers(title, values) {
  const rows = Object.entries(values ?? {});
  if (!rows.length) return null;
  return h(
    "details",
    { class: "part" },
    h("summary", {}, `${title} `, h("small", {}, String(rows.length))),
    h(
      "dl",
      { class: "headers" },
      rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ),
  );
}

function part(title, value) {
  if (value === "" || value === undefined) return null;
  const content = value === null ? h("p", { class: "note" }, "Binary") : jsonView(value, { "aria-label": title });
  return h("details", { class: "part", open: true }, h("summary", {}, title), content);
}

/** Show JSON as text nodes, pretty and colored; a text that is not JSON is shown as it is. */
function jsonView(value, attributes = {}) {
  return h("pre", { class: "json", tabindex: "0", ...attributes }, h("code", {}, colored(prettyJson(value))));
}

function prettyJson(value) {
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

function colored(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(JSON_TOKEN)) {
    const [all, string, colon, word] = match;
    const kind = colon ? "key" : string ? "string" : word ? "word" : "number";
    parts.push(text.slice(end, match.index), h("span", { class: `json-${kind}` }, string ?? all), colon ?? "");
    end = match.index + all.length;
  }
  return [...parts, text.slice(end)];
}
