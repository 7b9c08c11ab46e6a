// The tab Faults: what is in force, presets, and a form for each method of `sandbox.faults`.

import { h } from "./dom.js";
import { copyButton, field, newId, prose, textButton } from "./forms.js";

const FAULTS = "/_sandbox/faults";
const CLOCK = "/_sandbox/clock";
/** Milliseconds between two looks at what is in force: each request that fails uses faults up. */
const INTERVAL = 1000;

const PRESETS = [
  ["Fail 3 requests", "The next 3 requests fail with status 500.", { kind: "fail", status: 500, times: 3 }],
  ["Slow responses", "Every response comes 2 seconds late.", { kind: "latency", seconds: 2 }],
  ["Lose broadcasts", "20 % of all events never arrive.", { kind: "disturb_broadcasts", lost: 0.2 }],
  ["Drop all sockets", "Once, and without a close frame.", { kind: "drop_sockets" }],
  ["Refuse handshakes", "No new socket opens: status 403.", { kind: "refuse_handshakes", times: null }],
  ["Small pages", "Pages have at most 5 messages.", { kind: "cap_pages", rows: 5 }],
];
const FORWARD = [
  ["1 minute", 60],
  ["1 hour", 3600],
  ["1 day", 86400],
];

const userPath = (externalId) => `/_sandbox/users/${encodeURIComponent(externalId)}`;

const preset = (title, text, onclick, attributes) =>
  h(
    "button",
    { type: "button", class: "preset", onclick, ...attributes },
    h("b", {}, title),
    h("small", {}, text),
  );

const card = (title, ...children) => h("section", { class: "card" }, h("h2", {}, title), children);

const percent = (share) => `${Math.round(share * 1000) / 10} %`;

/** Return a duration as a person would say it. */
function duration(seconds) {
  const units = [
    [86400, "d"],
    [3600, "h"],
    [60, "min"],
    [0, "s"],
  ];
  const [size, unit] = units.find(([least]) => seconds >= least);
  return `${Math.round((seconds / (size || 1)) * 10) / 10} ${unit}`;
}

/** Return what an armed fault does, in a few words. */
function described({ times, path, method, arguments: values }) {
  const words = Object.entries(values ?? {})
    .filter(([name, value]) => value !== null && !["times", "path", "method"].includes(name))
    .map(([name, value]) => (value === true ? name : `${name} ${value}`).replaceAll("_", " "));
  const left = times === null ? "until removed" : times === 1 ? "once" : `${times} times`;
  return [...words, [method, path].filter(Boolean).join(" "), left].filter(Boolean).join(" · ");
}

/** Return what happens to broadcasts, in a few words; empty if nothing does. */
function disturbed({ lost, doubled, delayed, seconds }) {
  const words = [
    lost && `${percent(lost)} lost`,
    doubled && `${percent(doubled)} duplicated`,
    delayed && `${percent(delayed)} up to ${duration(seconds)} late`,
  ];
  return words.filter(Boolean).join(" · ");
}

/** Return all that is in force: a key, its name, what it does, and the request that removes it. */
function inForce(faults, clock) {
  const entries = faults.data.map((fault) => ({
    key: `fault ${fault.id}`,
    name: fault.kind,
    text: described(fault),
    remove: ["DELETE", `${FAULTS}/${fault.id}`],
  }));
  const add = (name, text, ...remove) => entries.push({ key: name, name, text, remove });
  const broadcasts = disturbed(faults.broadcasts);
  if (broadcasts) add("disturb_broadcasts", broadcasts, "POST", FAULTS, { kind: "disturb_broadcasts" });
  if (faults.muted) add("mute", "nothing is sent on sockets", "POST", FAULTS, { kind: "unmute" });
  const ahead = Math.abs(clock.offset);
  if (ahead >= 1)
    add("clock", `${duration(ahead)} ${clock.offset > 0 ? "ahead" : "behind"}`, "DELETE", CLOCK);
  return entries;
}

export function mount(element, app) {
  const attempt = async (action) => {
    try {
      await action();
    } catch (error) {
      app.notify(error.message, { error: true });
    }
  };
  const now = inForceCard();
  const arm = (body) =>
    attempt(async () => {
      await app.control("POST", FAULTS, body);
      await now.refresh();
    });
  const forward = (seconds) =>
    attempt(async () => {
      await app.control("PATCH", CLOCK, { forward: seconds });
      await now.refresh();
    });

  const kinds = h("div", { class: "kinds" });
  element.append(
    h(
      "div",
      { class: "tool faults" },
      h(
        "div",
        { class: "column" },
        now.element,
        card(
          "Presets",
          h(
            "div",
            { class: "presets" },
            PRESETS.map(([title, text, body]) => preset(title, text, () => arm(body))),
            now.mute,
          ),
        ),
        card(
          "Clock",
          h(
            "p",
            { class: "note" },
            "Tokens, signed URLs and rate limits expire by the clock of the sandbox.",
          ),
          h(
            "div",
            { class: "buttons" },
            FORWARD.map(([text, seconds]) => textButton(`Forward ${text}`, () => forward(seconds))),
          ),
        ),
        userCard(),
      ),
      card(
        "All faults",
        h(
          "p",
          { class: "note" },
          prose("Each is a method of `sandbox.faults` in Python, with the same arguments."),
        ),
        kinds,
      ),
    ),
  );

  /** The card that shows what is in force, and removes it. */
  function inForceCard() {
    const shown = new Map();
    const heading = h("h2", { tabindex: "-1" }, "In force");
    const list = h("ul", { class: "in-force", "aria-label": "Faults in force", hidden: true });
    const nothing = h(
      "p",
      { class: "note", hidden: true },
      "No faults. The sandbox behaves like the hosted API.",
    );
    const clearAll = textButton(
      "Clear all",
      () =>
        remove([
          ["DELETE", FAULTS],
          ["DELETE", CLOCK],
        ]),
      { hidden: true },
    );
    const mute = preset(
      "Mute sockets",
      "They stay open, but nothing is sent.",
      () => arm({ kind: mute.getAttribute("aria-pressed") === "true" ? "unmute" : "mute" }),
      { "aria-pressed": "false" },
    );

    const remove = (requests) =>
      attempt(async () => {
        for (const request of requests) await app.control(...request);
        await refresh();
      });

    async function refresh() {
      const entries = inForce(
        ...(await Promise.all([app.control("GET", FAULTS), app.control("GET", CLOCK)])),
      );
      const gone = new Set(shown.keys());
      for (const entry of entries) {
        gone.delete(entry.key);
        if (!shown.has(entry.key)) shown.set(entry.key, newItem(entry));
        shown.get(entry.key).update(entry);
      }
      for (const key of gone) {
        const { item } = shown.get(key);
        if (item.contains(document.activeElement)) heading.focus();
        item.remove();
        shown.delete(key);
      }
      if (!entries.length && document.activeElement === clearAll) heading.focus();
      nothing.hidden = entries.length > 0;
      list.hidden = clearAll.hidden = !entries.length;
      const muted = entries.some(({ name }) => name === "mute");
      mute.setAttribute("aria-pressed", String(muted));
    }

    /** An entry keeps its nodes while it changes, so that the focus stays on its button. */
    function newItem({ name, remove: request }) {
      const text = h("span", {});
      const button = textButton("Remove", () => remove([request]));
      const item = h("li", {}, h("code", {}, name), text, button);
      list.append(item);
      const update = (entry) => {
        if (text.textContent === entry.text) return;
        text.textContent = entry.text;
        button.setAttribute("aria-label", `Remove ${name}: ${entry.text}`);
      };
      return { item, update };
    }

    return {
      element: h("section", { class: "card" }, h("header", {}, heading, clearAll), nothing, list),
      refresh,
      mute,
    };
  }

  /** The card with what happens to one user. */
  function userCard() {
    const select = h("select", { id: newId(), onchange: showUser });
    const block = textButton("Block", () => attempt(toggleBlock));
    const token = h("output", { class: "token", hidden: true });
    const none = h("p", { class: "note" }, "There are no users yet.");
    const controls = h(
      "div",
      { class: "buttons" },
      h("label", { for: select.id }, "User"),
      select,
      textButton("Expired token", () => attempt(showToken)),
      block,
      textButton("Drop sockets", () => arm({ kind: "drop_sockets", external_id: select.value })),
    );
    const isBlocked = () => app.users.some((user) => user.external_id === select.value && user.blocked);

    async function showToken() {
      const issued = await app.control("POST", `${userPath(select.value)}/tokens`, { lifetime: -60 });
      token.replaceChildren(
        h("span", {}, `A token of ${select.value} that expired a minute ago:`),
        h("code", {}, issued.token),
        copyButton(app, issued.token),
      );
      token.hidden = false;
    }

    async function toggleBlock() {
      await app.control("PATCH", userPath(select.value), { blocked: !isBlocked() });
      await app.refresh();
    }

    function showUser() {
      token.hidden = true;
      block.textContent = isBlocked() ? "Unblock" : "Block";
    }

    app.onUsers((users) => {
      const before = select.value;
      const names = users.map((user) => user.external_id);
      select.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
      if (names.includes(before)) select.value = before;
      none.hidden = names.length > 0;
      controls.hidden = !names.length;
      showUser();
    });
    return card("One user", none, controls, token);
  }

  async function showKinds() {
    const { data } = await app.control("GET", `${FAULTS}/kinds`);
    kinds.replaceChildren(
      ...data.map((kind) => {
        const [first] = kind.description.split("\n");
        const details = h(
          "details",
          {},
          h("summary", {}, h("code", {}, kind.kind), h("small", {}, prose(first))),
        );
        // Twenty forms have a hundred inputs: each is made when it is opened.
        details.addEventListener("toggle", () => details.append(form(kind)), { once: true });
        return details;
      }),
    );
  }

  function form(kind) {
    const fields = kind.arguments.map((argument) => ({
      name: argument.name,
      ...field({ ...argument, value: argument.default }),
    }));
    const more = kind.description.split("\n").slice(1).join("\n").trim();
    const problem = h("p", { class: "problem", role: "alert" });

    async function submit(event) {
      event.preventDefault();
      const values = fields
        .map(({ name, read }) => [name, read()])
        .filter(([, value]) => value !== undefined);
      try {
        await app.control("POST", FAULTS, { kind: kind.kind, ...Object.fromEntries(values) });
        problem.textContent = "";
        app.notify(`${kind.kind}: done`);
        await now.refresh();
      } catch (error) {
        problem.textContent = error.message;
      }
    }

    return h(
      "form",
      { onsubmit: submit, "aria-label": kind.kind },
      more && h("p", { class: "note" }, prose(more)),
      h(
        "div",
        { class: "fields" },
        fields.map((one) => one.element),
      ),
      problem,
      h("button", { type: "submit", class: "primary" }, "Apply"),
    );
  }

  let timer = null;
  /** A sandbox that is gone is reported by the shell. */
  const look = () => now.refresh().catch(() => {});
  return {
    show() {
      timer ??= setInterval(() => document.hidden || look(), INTERVAL);
      look();
      if (!kinds.firstChild) attempt(showKinds);
    },
    hide() {
      clearInterval(timer);
      timer = null;
    },
  };
}
