// An open conversation: its header, the messages or the open thread, who is typing, the composer.

import { Composer } from "./chat_composer.js";
import { messageView, lookOf } from "./chat_message.js";
import { MessageList } from "./chat_messages.js";
import { h, icon, iconButton, showForm } from "./dom.js";
import { avatar } from "./people.js";

export class RoomView {
  #stops = [];
  #history;
  #thread = null;

  /** `onLeave` is called for the way back to the list of conversations. */
  constructor(room, { onLeave }) {
    this.room = room;
    this.title = h("h2", {});
    this.people = h("p", { class: "people" });
    this.backButton = iconButton("back", "Back to conversations", () => onLeave(), {
      class: "icon-button back",
    });
    this.addButton = iconButton("people", "Add members", () => this.#addMembers());
    this.header = h(
      "header",
      { class: "room-header" },
      this.backButton,
      h("div", { class: "room-title" }, this.title, this.people),
      this.addButton,
    );
    this.typing = h("p", { class: "typing", "aria-live": "off" });
    this.body = h("div", { class: "room-body" });
    this.element = h("div", { class: "room" }, this.header, this.body);
    this.#history = this.#part(room.log, "Messages", `Message as ${room.session.user}`);
    this.#show(this.#history);
    this.#stops.push(
      room.on("members", () => this.#showPeople()),
      room.on("typing", () => this.#showTyping()),
      room.on("thread", () => this.#threadChanged()),
      room.on("received", (message) => this.#received(message)),
      room.on("error", (error) => this.#notify(error)),
      room.session.on("conversations", () => this.#showPeople()),
      room.session.on("status", () => this.#showPeople()),
    );
    this.onVisible = () => this.#markRead();
    document.addEventListener("visibilitychange", this.onVisible);
    addEventListener("focus", this.onVisible);
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#thread) return;
      event.stopPropagation();
      room.closeThread();
    });
    this.#takeDrops();
    this.#showPeople();
  }

  close() {
    for (const stop of this.#stops) stop();
    for (const part of [this.#history, this.#thread]) part?.close();
    document.removeEventListener("visibilitychange", this.onVisible);
    removeEventListener("focus", this.onVisible);
  }

  focus() {
    this.#current.composer.focus();
  }

  /** Called when the tab is shown again. */
  shown() {
    this.#current.list.resume();
    this.#markRead();
  }

  /** What is shown: the thread, or else the history. */
  get #current() {
    return this.#thread ?? this.#history;
  }

  /** Return a list of messages with a composer, for the history or for a thread. */
  #part(log, listLabel, composerLabel, before = null) {
    const { room } = this;
    const attempt = (promise) => promise.catch((error) => this.#notify(error));
    const composer = new Composer(room, {
      label: composerLabel,
      onSend: (draft) => (list.toEnd(), room.send(log, draft)),
      onEdit: (message, body) => attempt(room.edit(message.id, body)),
    });
    const actions = {
      react: (message, emoji) => attempt(room.toggleReaction(message, emoji)),
      openThread: (message) => room.openThread(message),
      quote: (message) => composer.quote(message),
      edit: (message) => composer.edit(message),
      delete: (message) => attempt(room.delete(message.id)),
      retry: (message) => room.send(log, message),
      discard: (message) => log.dropPending(message.id),
      atEnd: () => this.#markRead(),
    };
    const list = new MessageList(room, log, { actions, label: listLabel, before });
    return { list, composer, close: () => (list.close(), composer.close()) };
  }

  #show({ list, composer }) {
    this.body.replaceChildren(list.element, this.typing, composer.element);
    list.resume();
  }

  #threadChanged() {
    const { room } = this;
    this.#current.list.suspend();
    this.#thread?.close();
    this.#thread = null;
    if (room.thread) {
      const { root } = room.thread;
      const before = h("div", { class: "thread-root" });
      const update = () => {
        const look = lookOf(room, { ...(room.log.find(root.id) ?? root), reply_count: 0 }, null, []);
        const noActions = {
          react: (message, emoji) => room.toggleReaction(message, emoji).catch((error) => this.#notify(error)),
        };
        const { className, children } = messageView(room, look, noActions);
        before.replaceChildren(h("div", { class: className }, children));
      };
      update();
      this.#thread = this.#part(room.thread, "Replies", `Reply as ${room.session.user}`, before);
      const stops = [room.log.on("change", update), room.on("members", update)];
      const { close } = this.#thread;
      this.#thread.close = () => (stops.forEach((stop) => stop()), close());
    }
    this.element.classList.toggle("in-thread", Boolean(room.thread));
    this.#show(this.#current);
    this.#showPeople();
    this.focus();
  }

  #showPeople() {
    const { room } = this;
    const { conversation, session } = room;
    if (!conversation) return;
    const title = session.titleOf(conversation);
    if (room.thread) {
      this.title.textContent = "Thread";
      this.people.replaceChildren(
        h("button", { class: "link", onclick: () => room.closeThread() }, icon("back"), `Back to ${title}`),
      );
    } else {
      this.title.textContent = title;
      const members = [...room.members.values()];
      // Without a connection nobody is known to be there.
      const isOnline = (member) => session.status === "online" && room.online.has(member.user_id);
      const online = members.filter(isOnline).length;
      const faces = members.slice(0, 5).map((member) => {
        const name = session.app.nameOf(member.external_id);
        return avatar(name, { small: true, online: isOnline(member) });
      });
      const names = members.map((member) => session.app.nameOf(member.external_id)).join(", ");
      const text = members.length === 1 ? "1 member" : `${members.length} members`;
      this.people.replaceChildren(
        h("span", { class: "faces" }, faces),
        h("span", { title: names }, `${text}, ${online} online`),
      );
    }
    const mayAdd = ["owner", "admin"].includes(room.members.get(session.me.id)?.role);
    this.addButton.hidden = Boolean(room.thread) || conversation.type === "direct" || !mayAdd;
  }

  #showTyping() {
    const { app } = this.room.session;
    const names = [...this.room.typing.values()].map((user) => app.nameOf(user));
    this.typing.replaceChildren(
      ...(names.length
        ? [
            h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
            names.length > 3
              ? "Several people are typing"
              : `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} typing`,
          ]
        : []),
    );
  }

  #received(message) {
    const { app } = this.room.session;
    app.announce(`${app.nameOf(message.sender_external_id ?? "system")}: ${message.body || "Attachment"}`);
  }

  /** What is in view is read, unless nobody looks at the page. */
  #markRead() {
    const seen = document.visibilityState === "visible" && this.element.checkVisibility();
    if (seen && this.#current.list.atEnd) this.room.markRead();
  }

  #addMembers() {
    const { room } = this;
    const { app } = room.session;
    const present = new Set([...room.members.values()].map((member) => member.external_id));
    const others = app.users.filter((user) => !present.has(user.external_id));
    showForm({
      title: "Add members",
      action: "Add",
      fields: memberFields(others, app),
      submit: async (form) => {
        const members = chosenMembers(form);
        if (!members.length) throw new Error("Choose at least one user.");
        await room.addMembers(members);
      },
    });
  }

  #takeDrops() {
    this.element.addEventListener("dragover", (event) => event.preventDefault());
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) this.#current.composer.attach(event.dataTransfer.files);
    });
  }

  #notify(error) {
    this.room.session.app.notify(error.message, { error: true });
  }
}

/** Return fields to choose users, also such as do not exist yet. */
export function memberFields(users, app) {
  return [
    users.length > 0 &&
      h(
        "fieldset",
        {},
        h("legend", {}, "Members"),
        h(
          "div",
          { class: "choices" },
          users.map((user) =>
            h(
              "label",
              { class: "choice" },
              h("input", { type: "checkbox", name: "member", value: user.external_id }),
              avatar(app.nameOf(user.external_id), { small: true }),
              user.external_id,
            ),
          ),
        ),
      ),
    h(
      "label",
      { class: "field" },
      users.length ? "Others" : "Members",
      h("input", {
        name: "others",
        placeholder: "carol, dave",
        autocomplete: "off",
        "aria-describedby": "others-hint",
      }),
      h("small", { id: "others-hint" }, "External IDs, separated by commas. Missing users are created."),
    ),
  ];
}

export function chosenMembers(form) {
  const data = new FormData(form);
  const others = data
    .get("others")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  return [...new Set([...data.getAll("member"), ...others])];
}
