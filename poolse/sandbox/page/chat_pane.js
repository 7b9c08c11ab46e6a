// One pane of the chat: a user is chosen here, and sees conversations and one of them opened.

import { chosenMembers, memberFields, RoomView } from "./chat_room_view.js";
import { Session } from "./chat_session.js";
import { arrange, copyText, h, icon, iconButton, showForm } from "./dom.js";
import { avatar, shortTimeOf } from "./people.js";

const STATUS = { connecting: "Connecting", online: "Connected", offline: "Reconnecting" };

export class Pane {
  session = null;
  /** External ID of the chosen user, also while the pane is out of use; or null. */
  user = null;
  #view = null;
  /** List items by ID of the conversation. */
  #items = new Map();
  #stops = [];

  /** `onChoose` is called when another user is chosen. */
  constructor(app, { place, onChoose }) {
    this.app = app;
    this.place = place;
    this.onChoose = onChoose;
    this.chooser = h("select", {
      class: "chooser",
      "aria-label": `User in the ${place} pane`,
      onchange: () => this.choose(this.chooser.value || null),
    });
    this.face = h("span", { class: "face" });
    this.status = h("span", { class: "status" });
    this.tokenButton = iconButton("key", "Copy token", () => this.#copyToken());
    this.environmentButton = iconButton("terminal", "Copy environment", () => this.#copyEnvironment());
    this.list = h("ul", { class: "conversations", "aria-label": "Conversations" });
    this.empty = h("p", { class: "empty" });
    this.newButton = h(
      "button",
      { class: "quiet new-conversation", onclick: () => this.#createConversation() },
      icon("add"),
      "New conversation",
    );
    this.side = h("div", { class: "side" }, this.newButton, this.list, this.empty);
    this.main = h("div", { class: "main" });
    this.element = h(
      "section",
      { class: "pane", "aria-label": `Pane on the ${place}` },
      h(
        "header",
        { class: "pane-header" },
        this.face,
        this.chooser,
        this.status,
        h("span", { class: "spacer" }),
        this.tokenButton,
        this.environmentButton,
      ),
      h("div", { class: "pane-body" }, this.side, this.main),
    );
    app.onUsers((users) => this.#showUsers(users));
    this.#showRoom();
  }

  /** Choose a user by external ID, or none. */
  choose(user) {
    if (user === this.user) return;
    this.user = user;
    this.#leave();
    if (!this.element.hidden) this.#enterAs(user);
    this.element.setAttribute("aria-label", user ?? `Pane on the ${this.place}`);
    this.#showUsers(this.app.users);
    this.onChoose();
  }

  /** Show or hide the pane; a user whom nobody sees is not connected. */
  setHidden(hidden) {
    if (hidden === this.element.hidden) return;
    this.element.hidden = hidden;
    if (hidden) this.#leave();
    else this.#enterAs(this.user);
  }

  shown() {
    this.#view?.shown();
  }

  #enterAs(user) {
    if (user !== null) {
      this.session = new Session(this.app, user);
      this.#stops = [
        this.session.on("status", () => this.#showStatus()),
        this.session.on("conversations", () => this.#showConversations()),
        this.session.on("room", () => this.#showRoom()),
      ];
    }
    this.#showAll();
  }

  #leave() {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.session?.close();
    this.session = null;
    this.#showAll();
  }

  #showAll() {
    this.#showStatus();
    this.#showConversations();
    this.#showRoom();
  }

  #showUsers(users) {
    const chosen = this.user ?? "";
    const ids = users.map((user) => user.external_id);
    if (chosen && !ids.includes(chosen)) ids.push(chosen);
    const blocked = new Set(users.filter((user) => user.blocked).map((user) => user.external_id));
    const options = ids.map((id) => h("option", { value: id }, blocked.has(id) ? `${id} (blocked)` : id));
    this.chooser.replaceChildren(...(chosen ? [] : [h("option", { value: "" }, "Choose a user")]), ...options);
    this.chooser.value = chosen;
    this.face.replaceChildren(...(chosen ? [avatar(this.app.nameOf(chosen))] : []));
    this.tokenButton.disabled = this.environmentButton.disabled = this.newButton.disabled = !chosen;
    this.#showStatus();
    if (this.session) this.#showConversations();
  }

  #showStatus() {
    const { status } = this.session ?? {};
    const blocked = this.app.users.find((user) => user.external_id === this.user)?.blocked;
    // The sandbox refuses the socket of a blocked user, and leaves one that is open.
    const text = blocked && status !== "online" ? "Blocked" : STATUS[status];
    this.status.className = `status ${status ?? ""}`;
    this.status.replaceChildren(...(text ? [h("span", { class: "status-text" }, text)] : []));
    this.status.title = text ?? "";
  }

  #showConversations() {
    const { session } = this;
    const conversations = session?.conversations ?? [];
    const known = this.#items;
    this.#items = new Map(conversations.map(({ id }) => [id, known.get(id) ?? this.#item(id)]));
    for (const conversation of conversations) this.#fill(this.#items.get(conversation.id).firstChild, conversation);
    arrange(this.list, [...this.#items.values()]);
    this.list.hidden = !conversations.length;
    this.empty.hidden = conversations.length > 0;
    this.empty.textContent = session ? "No conversations yet." : "No user is chosen.";
  }

  #item(id) {
    const onclick = () => this.#enter(id);
    return h("li", {}, h("button", { class: "conversation", "data-id": id, onclick }));
  }

  /** Show a conversation in its button. */
  #fill(button, conversation) {
    const { session } = this;
    const title = session.titleOf(conversation);
    const open = session.room?.id === conversation.id;
    // What is open is read in a moment; no number should flash up for it.
    const unread = open && !document.hidden ? 0 : (conversation.unread_count ?? 0);
    const time = conversation.last_message_at;
    button.classList.toggle("unread", unread > 0);
    button.ariaCurrent = open ? "true" : null;
    button.replaceChildren(
      avatar(title),
      h(
        "span",
        { class: "conversation-text" },
        h(
          "span",
          { class: "conversation-top" },
          h("b", {}, title),
          time && h("time", { datetime: time }, shortTimeOf(time)),
        ),
        h(
          "span",
          { class: "conversation-top" },
          h("span", { class: "last" }, conversation.last_message_preview ?? (time ? "Attachment" : "No messages")),
          unread > 0 &&
            h(
              "span",
              { class: "badge" },
              unread > 99 ? "99+" : String(unread),
              h("span", { class: "hidden-text" }, " unread"),
            ),
        ),
      ),
    );
  }

  #enter(id) {
    this.session.enter(id);
    this.#view?.focus();
  }

  #showRoom() {
    const room = this.session?.room ?? null;
    if (this.#view && this.#view.room === room) return;
    this.#view?.close();
    this.#view = room && new RoomView(room, { onLeave: () => this.session.leave() });
    this.element.classList.toggle("in-room", Boolean(room));
    this.main.replaceChildren(this.#view ? this.#view.element : this.#hint());
    if (this.session) this.#showConversations();
  }

  #hint() {
    return h(
      "div",
      { class: "hint" },
      icon("chat"),
      h("p", {}, this.session ? "Choose a conversation, or create one." : "Choose a user above."),
    );
  }

  #createConversation() {
    const { app, session } = this;
    const others = app.users.filter((user) => user.external_id !== session.user);
    showForm({
      title: "New conversation",
      action: "Create",
      fields: [
        h("label", { class: "field" }, "Name", h("input", { name: "name", autocomplete: "off", placeholder: "Team" })),
        memberFields(others, app),
        h("label", { class: "choice" }, h("input", { type: "checkbox", name: "direct" }), "Direct conversation of two"),
      ],
      submit: async (form) => {
        const { name, direct } = form.elements;
        await session.createConversation({
          name: name.value.trim(),
          members: chosenMembers(form),
          direct: direct.checked,
        });
        this.#view?.focus();
      },
    });
  }

  async #copyToken() {
    await this.#copy((user) => this.app.token(user, { fresh: true }), "Token");
  }

  async #copyEnvironment() {
    await this.#copy(async (user) => {
      const { api_url, api_key, ca_file } = await this.app.environment();
      const token = await this.app.token(user, { fresh: true });
      const variables = {
        POOLSE_API_URL: api_url,
        POOLSE_API_KEY: api_key,
        POOLSE_TOKEN: token,
        SSL_CERT_FILE: ca_file,
      };
      const lines = Object.entries(variables).map(([name, value]) => value && `export ${name}=${value}\n`);
      return lines.filter(Boolean).join("");
    }, "Environment");
  }

  async #copy(make, what) {
    const { user } = this.session;
    try {
      await copyText(await make(user));
      this.app.notify(`${what} of ${user} copied`);
    } catch (error) {
      this.app.notify(error.message, { error: true });
    }
  }
}
