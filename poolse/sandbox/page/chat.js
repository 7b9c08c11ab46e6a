// The tab Chat: two panes side by side, each with its own user, so that one sees both ends. On a
// phone there is one.

import { Pane } from "./chat_pane.js";
import { h, icon, iconButton, showForm } from "./dom.js";

const STORED = "poolse-panes";
const phone = matchMedia("(max-width: 719px)");

export function mount(element, app) {
  const stored = read();
  let two = stored.two ?? true;
  const panes = ["left", "right"].map((place) => new Pane(app, { place, onChoose: save }));
  const panesElement = h(
    "div",
    { class: "panes" },
    panes.map((pane) => pane.element),
  );
  const twoButton = iconButton("panes", "Two panes", () => {
    two = !two;
    showTwo();
    save();
  });
  const start = h(
    "div",
    { class: "start", hidden: true },
    h("h2", {}, "Nobody is here yet"),
    h("p", {}, "Create a user, or begin with two and a conversation."),
    h("button", { class: "primary", onclick: begin }, "Create alice and bob"),
  );
  element.append(
    h(
      "div",
      { class: "chat-bar" },
      h("button", { class: "quiet", onclick: createUser }, icon("add"), "Create user"),
      h("span", { class: "spacer" }),
      twoButton,
    ),
    start,
    panesElement,
  );
  phone.addEventListener("change", showTwo);
  showTwo();

  let chosen = false;
  app.onUsers((users) => {
    const none = !users.length && !panes.some((pane) => pane.user);
    start.hidden = !none;
    panesElement.hidden = none;
    if (chosen || !users.length) return;
    chosen = true;
    const ids = users.map((user) => user.external_id);
    const [left, right] = (stored.users ?? []).map((user) => (ids.includes(user) ? user : null));
    panes[0].choose(left ?? ids.find((id) => id !== right) ?? null);
    panes[1].choose(right ?? ids.find((id) => id !== panes[0].user) ?? null);
  });

  function showTwo() {
    const visible = two && !phone.matches;
    panes[1].setHidden(!visible);
    panesElement.classList.toggle("two", visible);
    twoButton.setAttribute("aria-pressed", String(two));
  }

  function save() {
    const users = panes.map((pane) => pane.user);
    try {
      localStorage.setItem(STORED, JSON.stringify({ two, users }));
    } catch {
      // Storage may be turned off.
    }
  }

  function createUser() {
    showForm({
      title: "Create user",
      action: "Create",
      fields: [
        h(
          "label",
          { class: "field" },
          "External ID",
          h("input", { name: "external_id", required: true, autocomplete: "off", placeholder: "carol" }),
        ),
        h(
          "label",
          { class: "field" },
          "Display name",
          h("input", { name: "display_name", autocomplete: "off", placeholder: "Optional" }),
        ),
      ],
      submit: async (form) => {
        const { external_id, display_name } = form.elements;
        const user = await app.createUser(external_id.value.trim(), display_name.value.trim());
        const shown = panes.some((pane) => pane.user === user.external_id);
        const free = shown ? null : panes.find((pane) => !pane.user);
        free?.choose(user.external_id);
        app.notify(
          free || shown
            ? `${user.external_id} was created`
            : `${user.external_id} was created: choose the user above a pane`,
        );
      },
    });
  }

  async function begin() {
    try {
      await app.createUser("alice");
      await app.createUser("bob");
      panes[0].choose("alice");
      panes[1].choose("bob");
      await app.request("alice", "POST", "/v1/conversations", {
        body: { type: "group", name: "Team", member_external_ids: ["bob"] },
      });
    } catch (error) {
      app.notify(error.message, { error: true });
    }
  }

  return {
    show: () => panes.forEach((pane) => pane.shown()),
    hide() {},
  };
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(STORED)) ?? {};
  } catch {
    return {};
  }
}
