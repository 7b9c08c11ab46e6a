// How one message looks.

import { attachmentView } from "./chat_files.js";
import { h, icon } from "./dom.js";
import { avatar, dayOf, timeOf } from "./people.js";

const GROUP = 5 * 60 * 1000;
const LINK = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/g;

/** Return whether a message follows another one of the same sender so closely that it needs no name. */
function continues(message, previous) {
  return (
    previous &&
    previous.sender_id === message.sender_id &&
    message.type !== "system" &&
    previous.type !== "system" &&
    new Date(message.inserted_at) - new Date(previous.inserted_at) < GROUP &&
    sameDay(message, previous)
  );
}

const sameDay = (a, b) => new Date(a.inserted_at).toDateString() === new Date(b.inserted_at).toDateString();

/** Return what the look of a message depends on: while all of it is the same, its node is kept. */
export function lookOf(room, message, previous, readers, root = null) {
  const sender = message.sender_external_id ?? room.externalId(message.sender_id);
  const name = room.session.app.nameOf(sender);
  const own = message.sender_id === room.session.me.id;
  const { readBefore } = room;
  const firstNew = Boolean(previous) && !own && message.sequence > readBefore && previous.sequence <= readBefore;
  return {
    message,
    name,
    own,
    firstNew,
    day: (previous ?? root) && sameDay(message, previous ?? root) ? null : dayOf(message.inserted_at),
    grouped: !firstNew && Boolean(continues(message, previous)),
    readers: readers.join("\n"),
    // The names of those who reacted come with the members.
    members: Object.keys(message.reactions ?? {}).length ? room.members.size : 0,
  };
}

/** Return the children and classes of the list item of a message. */
export function messageView(room, look, actions) {
  const { message, name, own, day, grouped, readers, firstNew } = look;
  const children = [];
  if (firstNew) children.push(h("p", { class: "day new" }, h("span", {}, "New")));
  if (day) children.push(h("p", { class: "day" }, h("span", {}, day)));
  if (message.type === "system") {
    children.push(h("p", { class: "system" }, message.body ?? "Message deleted"));
    return { className: "message", children };
  }
  const time = h(
    "time",
    { datetime: message.inserted_at, title: new Date(message.inserted_at).toLocaleString() },
    timeOf(message.inserted_at),
  );
  const content = [
    grouped ? h("span", { class: "hidden-text" }, `${name}, `) : h("p", { class: "sender" }, h("b", {}, name), time),
    bubble(room, message, actions),
    reactions(room, message, actions),
  ];
  if (message.reply_count) {
    const text = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
    content.push(h("button", { class: "replies", onclick: () => actions.openThread(message) }, icon("reply"), text));
  }
  if (message.state === "failed") {
    content.push(
      h(
        "p",
        { class: "failed" },
        `Not sent. ${message.problem} `,
        h("button", { class: "link", onclick: () => actions.retry(message) }, "Retry"),
        " ",
        h("button", { class: "link", onclick: () => actions.discard(message) }, "Discard"),
      ),
    );
  }
  children.push(
    h(
      "div",
      { class: "line" },
      grouped ? h("span", { class: "gap" }) : avatar(name),
      h("div", { class: "content" }, content),
    ),
  );
  if (readers) {
    const names = readers.split("\n");
    children.push(
      h(
        "p",
        { class: "readers", title: `Read by ${names.join(", ")}` },
        h("span", { class: "hidden-text" }, `Read by ${names.join(", ")}`),
        names.map((reader) => avatar(reader, { small: true })),
      ),
    );
  }
  const className = ["message", own && "own", grouped && "grouped", message.state].filter(Boolean).join(" ");
  return { className, children };
}

function bubble(room, message, actions) {
  if (message.deleted_at) return h("p", { class: "bubble deleted" }, "Message deleted");
  const parts = [];
  const quoted = message.quoted_message ?? message.quoted;
  if (quoted) {
    const sender = room.session.app.nameOf(quoted.sender_external_id ?? room.externalId(quoted.sender_id));
    parts.push(
      h(
        "button",
        { class: "quoted", onclick: () => actions.goTo(quoted) },
        h("b", {}, h("span", { class: "hidden-text" }, "Quoted message of "), sender),
        h("span", {}, quoted.deleted_at ? "Message deleted" : quoted.body || "Attachment"),
      ),
    );
  }
  if (message.body)
    parts.push(
      h("p", { class: "body" }, linked(message.body), message.edited_at && h("small", { class: "edited" }, " edited")),
    );
  const files = message.attachments ?? [];
  if (files.length) {
    parts.push(
      h(
        "div",
        { class: "files" },
        files.map((file) =>
          message.state ? h("p", { class: "note" }, file.original_filename) : attachmentView(room.session, file),
        ),
      ),
    );
  }
  if (message.type === "custom") parts.push(h("small", { class: "edited" }, "custom"));
  return h("div", { class: "bubble" }, parts);
}

/** Split a text into strings and links. */
function linked(text) {
  const parts = [];
  let end = 0;
  for (const { 0: url, index } of text.matchAll(LINK)) {
    parts.push(text.slice(end, index), h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url));
    end = index + url.length;
  }
  return [...parts, text.slice(end)];
}

function reactions(room, message, actions) {
  const entries = Object.entries(message.reactions ?? {});
  if (!entries.length || message.deleted_at) return null;
  const me = room.session.me.id;
  return h(
    "div",
    { class: "reactions" },
    entries.map(([emoji, users]) => {
      const names = users.map((user) => room.session.app.nameOf(room.externalId(user))).join(", ");
      return h(
        "button",
        {
          class: "reaction",
          "aria-pressed": String(users.includes(me)),
          "aria-label": `${emoji} ${users.length}, by ${names}`,
          title: names,
          onclick: () => actions.react(message, emoji),
        },
        emoji,
        " ",
        h("span", {}, String(users.length)),
      );
    }),
  );
}
