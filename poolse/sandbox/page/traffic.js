// The tab Traffic: every request and frame, newest on top, with filters and details. The list is a
// window: only the rows in view are in the document.

import { arrange, h, icon, iconButton } from "./dom.js";
import { detailsView } from "./traffic_details.js";
import { decoded, isFrame, isHeartbeat, outcomeOf, TrafficLog } from "./traffic_log.js";

const MARGIN = 8;
const narrow = matchMedia("(max-width: 719px)");
const rowHeight = () => (narrow.matches ? 54 : 32);

export function mount(element, app) {
  const log = new TrafficLog(app);
  const nodes = new Map();
  let entries = [];
  let selected = null;
  let paused = null;
  let visible = false;

  // Filters

  const search = h("input", {
    type: "search",
    "aria-label": "Filter traffic",
    placeholder: "Path, event, user, #socket",
    oninput: () => update(),
  });
  const kind = filter("Kind", {
    "": "All kinds",
    request: "Requests",
    handshake: "Handshakes",
    received: "From clients",
    sent: "To clients",
  });
  const user = filter("User", { "": "All users" });
  const status = filter("Status", {
    "": "Any status",
    "2xx": "2xx",
    "3xx": "3xx",
    "4xx": "4xx",
    "5xx": "5xx",
    cut: "Cut",
    pending: "Pending",
  });
  const heartbeats = h("input", { type: "checkbox", onchange: () => update() });

  function filter(label, options) {
    return h(
      "select",
      { "aria-label": label, onchange: () => update() },
      Object.entries(options).map(([value, text]) => h("option", { value }, text)),
    );
  }

  function accepts() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    return (entry) =>
      (heartbeats.checked || !isHeartbeat(entry)) &&
      (!kind.value || entry.kind === kind.value) &&
      (!user.value || entry.user === user.value) &&
      (!status.value || outcomeOf(entry) === status.value) &&
      words.every((word) => entry.text.includes(word));
  }

  app.onUsers((users) => {
    const chosen = user.value;
    user.replaceChildren(
      h("option", { value: "" }, "All users"),
      ...users.map(({ external_id: id }) => h("option", { value: id }, id)),
    );
    user.value = chosen;
    if (user.selectedIndex < 0) user.value = "";
  });

  // Elements

  const count = h("p", { class: "count", role: "status" });
  const pauseButton = h("button", {
    class: "quiet",
    onclick: () => setPaused(paused === null),
  });
  const list = h("ol", { class: "rows", "aria-label": "Traffic" });
  const scroller = h("div", { class: "traffic-scroller" }, list);
  const empty = h("p", { class: "hint" });
  const details = h("aside", { class: "details", "aria-label": "Details", hidden: true });
  element.append(
    h(
      "div",
      { class: "traffic-bar" },
      search,
      kind,
      user,
      status,
      h("label", { class: "choice" }, heartbeats, "Heartbeats"),
      h("span", { class: "spacer" }),
      count,
      pauseButton,
      h("button", { class: "quiet", onclick: clear }, icon("trash"), h("span", {}, "Clear")),
      h(
        "a",
        { class: "quiet", href: app.url("/_sandbox/traffic.har"), download: "poolse-sandbox.har" },
        icon("download"),
        h("span", {}, "Export HAR"),
      ),
    ),
    h(
      "div",
      { class: "traffic-body" },
      h(
        "div",
        { class: "traffic-list" },
        h(
          "div",
          { class: "row row-head", "aria-hidden": "true" },
          ["Time", "", "Request or event", "User", "Status", "Duration", "Size"].map((text) => h("span", {}, text)),
        ),
        scroller,
        empty,
      ),
      details,
    ),
  );
  scroller.addEventListener("scroll", () => render(), { passive: true });
  new ResizeObserver(() => render()).observe(scroller);
  narrow.addEventListener("change", () => (nodes.clear(), list.replaceChildren(), render()));
  list.addEventListener("keydown", onKey);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && selected !== null) close();
  });
  log.on("change", () => (paused === null ? update() : showCount()));
  setPaused(false);

  function setPaused(pause) {
    paused = pause ? log.newestId : null;
    pauseButton.replaceChildren(icon(pause ? "play" : "pause"), h("span", {}, pause ? "Resume" : "Pause"));
    update();
  }

  async function clear() {
    try {
      await log.clear();
      close();
      update();
    } catch (error) {
      app.notify(error.message, { error: true });
    }
  }

  // The list

  function update() {
    if (!visible) return;
    const accept = accepts();
    const before = entries;
    entries = log.select(paused === null ? accept : (entry) => entry.id <= paused && accept(entry));
    // What is in view stays there, unless it is the top.
    const at = scroller.scrollTop > 4 && before.length ? entries.findIndex((entry) => entry.id === before[0].id) : 0;
    list.style.height = `${entries.length * rowHeight()}px`;
    if (at > 0) scroller.scrollTop += at * rowHeight();
    render();
    showCount();
    const current = selected !== null && log.get(selected.id);
    if (current && current !== selected) show(current);
  }

  function showCount() {
    const [matching, all] = [entries.length, log.size].map((number) => number.toLocaleString("en"));
    const shown = matching === all ? all : `${matching} of ${all}`;
    const fresh = paused === null ? 0 : log.newestId - paused;
    count.textContent = `${shown} entries${fresh > 0 ? `, ${fresh} new` : ""}`;
    empty.hidden = entries.length > 0;
    empty.textContent = log.size
      ? "Nothing matches the filter."
      : log.connected
        ? "Nothing has passed yet. Requests and frames of your programs and of the chat appear here."
        : "Connecting…";
  }

  function render() {
    if (!visible) return;
    const height = rowHeight();
    const first = Math.max(0, Math.floor(scroller.scrollTop / height) - MARGIN);
    const last = Math.min(entries.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / height) + MARGIN);
    const shown = entries.slice(first, last);
    const ids = new Set(shown.map((entry) => entry.id));
    for (const id of nodes.keys()) if (!ids.has(id)) nodes.delete(id);
    const rows = shown.map((entry, at) => {
      const node = rowOf(entry);
      node.style.transform = `translateY(${(first + at) * height}px)`;
      node.setAttribute("aria-posinset", first + at + 1);
      node.setAttribute("aria-setsize", entries.length);
      return node;
    });
    // Screen readers follow the order of the document.
    arrange(list, rows);
    const stop = list.querySelector("button[tabindex='0']") ?? list.querySelector("button");
    if (stop) stop.tabIndex = 0;
  }

  function rowOf(entry) {
    const known = nodes.get(entry.id);
    if (known?.entry === entry) return known.node;
    const node =
      known?.node ??
      h(
        "li",
        {},
        h("button", {
          class: "row",
          tabindex: "-1",
          onclick: () => select(log.get(entry.id) ?? entry),
        }),
      );
    node.firstChild.replaceChildren(...cells(entry));
    node.firstChild.setAttribute("aria-expanded", String(selected?.id === entry.id));
    nodes.set(entry.id, { node, entry });
    return node;
  }

  function onKey(event) {
    const node = event.target.closest("li");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!node || !step) return;
    event.preventDefault();
    const index = Number(node.getAttribute("aria-posinset")) - 1 + step;
    if (index < 0 || index >= entries.length) return;
    const top = index * rowHeight();
    const bottom = top + rowHeight() - scroller.clientHeight;
    scroller.scrollTop = Math.min(top, Math.max(bottom, scroller.scrollTop));
    render();
    const button = nodes.get(entries[index].id).node.firstChild;
    node.firstChild.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
    if (!details.hidden) select(entries[index]);
  }

  // Details

  function select(entry) {
    mark(false);
    show(entry);
    mark(true);
  }

  async function show(entry) {
    selected = entry;
    try {
      const full = await app.control("GET", `/_sandbox/traffic/${entry.id}`);
      if (selected?.id !== entry.id) return;
      details.replaceChildren(...detailsView(app, full, close).flat());
      details.hidden = false;
      element.classList.add("with-details");
    } catch (error) {
      app.notify(error.message, { error: true });
    }
  }

  function close() {
    if (selected === null) return;
    const row = nodes.get(selected.id)?.node.firstChild;
    mark(false);
    selected = null;
    details.hidden = true;
    element.classList.remove("with-details");
    row?.focus({ preventScroll: true });
  }

  function mark(open) {
    nodes.get(selected?.id)?.node.firstChild.setAttribute("aria-expanded", String(open));
  }

  return {
    show() {
      visible = true;
      update();
    },
    hide() {
      visible = false;
    },
  };
}

const UUID = /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/;
const ARROWS = { received: "←", sent: "→" };
const ARROW_NAMES = { received: "from client", sent: "to client" };

function cells(entry) {
  const outcome = outcomeOf(entry);
  const what = isFrame(entry)
    ? [h("b", {}, entry.event ?? "Malformed frame"), " ", h("span", { class: "topic" }, shortened(entry.topic ?? ""))]
    : [h("b", {}, entry.method), " ", shortened(decoded(entry.path))];
  const mark = isFrame(entry)
    ? [
        h("span", { "aria-hidden": "true" }, ARROWS[entry.kind]),
        h("span", { class: "hidden-text" }, ARROW_NAMES[entry.kind]),
      ]
    : entry.kind === "handshake"
      ? [h("span", { "aria-hidden": "true" }, "⇄"), h("span", { class: "hidden-text" }, "handshake")]
      : "";
  return [
    h("span", { class: "at" }, clock(entry.at)),
    h("span", { class: "mark" }, mark),
    h("span", { class: "what" }, what),
    h("span", { class: "who" }, entry.user ?? ""),
    h("span", { class: `tag ${outcome}` }, { cut: "cut", pending: "…", frame: "" }[outcome] ?? String(entry.status)),
    h("span", { class: "ms" }, entry.ms === null ? "" : `${entry.ms < 10 ? entry.ms : Math.round(entry.ms)} ms`),
    h("span", { class: "size" }, entry.size ? `${entry.size} B` : ""),
  ];
}

/** Show only the start of each UUID: the names around it say more. */
function shortened(text) {
  return text.split(UUID).map((part, index) => (index % 2 ? h("span", { class: "uuid" }, part) : part));
}

function clock(timestamp) {
  const time = new Date(timestamp);
  const two = (number, length = 2) => String(number).padStart(length, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${two(time.getMilliseconds(), 3)}`;
}
