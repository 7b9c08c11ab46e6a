// Writes an entry of the traffic as code that does the same again: Python, or curl. Secrets are not
// in the traffic; the code reads them from the environment variables that the chat copies.

const KEPT_HEADERS = ["content-type", "range", "if-range"];

/** Return Python code: httpx for a request, poolse for a frame. */
export function asPython(entry) {
  return entry.kind === "request" ? requestAsPython(entry) : realtimeAsPython(entry);
}

export function asCurl(entry) {
  const { credential, headers, body, url, notes } = requestOf(entry);
  const lines = [`curl -X ${entry.method} "$POOLSE_API_URL"${quoted(url)}`];
  if (credential) lines.push(`  -H "Authorization: Bearer $${credential}"`);
  for (const [name, value] of Object.entries(headers)) lines.push(`  -H ${quoted(`${name}: ${value}`)}`);
  if (body) lines.push(`  --data-raw ${quoted(body)}`);
  return `${notes.map((note) => `# ${note}\n`).join("")}${lines.join(" \\\n")}\n`;
}

function requestAsPython(entry) {
  const { credential, headers, body, url, notes } = requestOf(entry);
  const json = headers["content-type"]?.startsWith("application/json") ? parsed(body) : undefined;
  const lines = [`    ${python(entry.method)},`, `    os.environ["POOLSE_API_URL"] + ${python(url)},`];
  const pairs = Object.entries(headers)
    .filter(([name]) => json === undefined || name !== "content-type")
    .map(([name, value]) => `${python(name)}: ${python(value)}`);
  if (credential) pairs.unshift(`"authorization": f"Bearer {os.environ['${credential}']}"`);
  if (pairs.length) lines.push(`    headers={${pairs.join(", ")}},`);
  if (json !== undefined) lines.push(`    json=${python(json, 1)},`);
  else if (body) lines.push(`    content=${python(body)}.encode(),`);
  return `import os

import httpx

${notes.map((note) => `# ${note}\n`).join("")}response = httpx.request(
${lines.join("\n")}
)
print(response.status_code, response.text)
`;
}

/** Return what both languages need to repeat a request. */
function requestOf(entry) {
  const notes = [];
  if (entry.user) notes.push(`as ${entry.user}`);
  const authorized = "authorization" in entry.request_headers;
  const credential = !authorized ? null : entry.path.startsWith("/v1/users") ? "POOLSE_API_KEY" : "POOLSE_TOKEN";
  const headers = Object.fromEntries(
    KEPT_HEADERS.filter((name) => name in entry.request_headers).map((name) => [name, entry.request_headers[name]]),
  );
  const body = entry.request_body;
  if (entry.path.includes("…")) notes.push("a secret in the URL is hidden: … stands for it");
  if (body === null) notes.push("the body is binary and left out");
  else if (body.includes("…")) notes.push("the body may have secrets that are hidden: … stands for them");
  if (entry.truncated) notes.push("only the start of the body is here");
  return { credential, headers, body, url: entry.path, notes };
}

function realtimeAsPython(entry) {
  const { channel, note } = channelOf(entry);
  const head = `from poolse import Poolse\n\n${entry.user ? `# as ${entry.user}\n` : ""}`;
  if (!channel) return `${head}with Poolse() as chat:\n    chat.realtime.connect()\n    print(chat.realtime.status)\n`;
  return `${head}with Poolse() as chat, ${channel} as live:\n    ${note}\n`;
}

function channelOf({ topic, event, kind, payload }) {
  const [, scope, id] = /^(conversation|voice:conversation|user):(.*)$/.exec(topic ?? "") ?? [];
  if (!scope) return {};
  const channel = {
    conversation: `chat.realtime.conversation(${python(id)})`,
    "voice:conversation": `chat.realtime.voice_channel(${python(id)})`,
    user: "chat.realtime.me()",
  }[scope];
  const listen = "for event in live.events(timeout=10):\n        print(event)";
  if (kind === "sent" || event.startsWith("phx_")) return { channel, note: listen };
  if (event === "typing") return { channel, note: "live.send_typing()" };
  const fields = payload && typeof payload === "object" ? payload : {};
  if (event.startsWith("voice:")) {
    const values = Object.entries(fields).map(([name, value]) => `${name}=${python(value, 1)}`);
    return { channel, note: `live.send_${event.slice(6)}(${values.join(", ")})` };
  }
  return { channel, note: `print(live.push(${python(event)}, ${python(fields, 1)}))` };
}

/** Return JSON as a literal of Python. */
function python(value, depth = 0) {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]/g, escaped);
  if (typeof value !== "object") return String(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const items = Array.isArray(value)
    ? value.map((item) => python(item, depth + 1))
    : Object.entries(value).map(([name, item]) => `${python(name)}: ${python(item, depth + 1)}`);
  const line = `${open}${items.join(", ")}${close}`;
  if (line.length < 70 && !line.includes("\n")) return line;
  const indent = "    ".repeat(depth + 1);
  return `${open}\n${items.map((item) => `${indent}${item},\n`).join("")}${"    ".repeat(depth)}${close}`;
}

const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Return a word for a shell. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
