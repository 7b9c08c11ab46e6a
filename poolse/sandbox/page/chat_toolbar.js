// What can be done with a message: one toolbar for all of them, which is in the message under the
// pointer, or in the one with the focus. Buttons in each message would be thousands of nodes, and
// hundreds of stops for the Tab key.

import { h, iconButton } from "./dom.js";

const EMOJIS = ["👍", "❤️", "😂", "🎉", "😮", "😢", "👀", "✅"];

export class MessageToolbar {
  /** The list item that has the toolbar. */
  #node = null;

  /** Each item of the list has its `message`. */
  constructor(list, { room, log, actions }) {
    this.list = list;
    this.room = room;
    this.log = log;
    this.actions = actions;
    this.element = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Message actions" });
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    list.addEventListener("pointerover", (event) => this.#moveTo(event.target.closest("li")));
    list.addEventListener("focusin", (event) => this.#moveTo(event.target.closest("li")));
    list.addEventListener("pointerleave", () => this.#hasFocus(this.#node) || this.#hide());
    // Later, because a button that is replaced by others loses the focus before they get it.
    list.addEventListener("focusout", () =>
      setTimeout(() => this.#hasFocus(list) || list.matches(":hover") || this.#hide()),
    );
  }

  /** Called after the children of an item were made again. */
  refresh(node, message) {
    if (node === this.#node) this.#show(message);
  }

  #hasFocus(element) {
    return Boolean(element?.contains(document.activeElement));
  }

  #moveTo(node) {
    // While the focus is in the toolbar, it stays there.
    if (!node || node === this.#node || this.#hasFocus(this.element)) return;
    this.#node = node;
    this.#show(node.message);
  }

  #hide() {
    this.#node = null;
    this.element.remove();
  }

  #show(message) {
    if (message.deleted_at || message.state || message.type === "system") {
      this.element.remove();
      return;
    }
    this.#offerActions(message);
    this.#node.append(this.element);
  }

  #offerActions(message) {
    const { actions } = this;
    const own = message.sender_id === this.room.session.me.id;
    this.element.replaceChildren(
      iconButton("react", "React", () => this.#offerEmojis(message)),
      this.log.root ? "" : iconButton("reply", "Reply in thread", () => actions.openThread(message)),
      iconButton("quote", "Quote", () => actions.quote(message)),
      own ? iconButton("edit", "Edit", () => actions.edit(message)) : "",
      own ? iconButton("trash", "Delete", () => actions.delete(message)) : "",
    );
  }

  #offerEmojis(message) {
    const choose = (emoji) => {
      this.actions.react(message, emoji);
      this.#back(message);
    };
    this.element.replaceChildren(
      ...EMOJIS.map((emoji) =>
        h(
          "button",
          {
            class: "icon-button",
            "aria-label": `React with ${emoji}`,
            onclick: () => choose(emoji),
          },
          emoji,
        ),
      ),
    );
    this.element.firstChild.focus();
  }

  /** Show the actions again, and give the focus back to the message. */
  #back(message) {
    this.#node.focus({ preventScroll: true });
    this.#offerActions(message);
  }

  #onKey(event) {
    const step = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      this.#back(this.#node.message);
    } else if (step) {
      event.target[step]?.focus();
    }
  }
}
