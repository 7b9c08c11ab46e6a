// The list of messages as a window: of a log of any length, at most WINDOW items are in the document.
// They follow the scrolling, and the newest message if the end of the list is in view.

import { arrange, h, icon } from "./dom.js";
import { lookOf, messageView } from "./chat_message.js";
import { MessageToolbar } from "./chat_toolbar.js";

const WINDOW = 120;
const STEP = 40;
const NEAR = 400;

export class MessageList {
  #nodes = new Map();
  #start = 0;
  #firstId;
  #end = 0;
  #pinned = true;
  #top = 0;
  #place = null;
  #seen = null;
  #loading = false;

  /**
   * Show a log of a room.
   *
   * `actions` are `{react, openThread, quote, edit, delete, retry, discard, atEnd}`; `before` is a
   * node above the first message.
   */
  constructor(room, log, { actions, label, before = null }) {
    this.room = room;
    this.log = log;
    this.actions = { ...actions, goTo: (quoted) => this.#goTo(quoted) };
    this.list = h("ol", { class: "messages", "aria-label": label });
    this.head = h("p", { class: "list-head" });
    this.scroller = h(
      "div",
      { class: "scroller" },
      h("div", { class: "scroller-content" }, before, this.head, this.list),
    );
    this.jump = h("button", { class: "jump", hidden: true, onclick: () => this.toEnd() });
    this.element = h("div", { class: "message-area" }, this.scroller, this.jump);
    this.toolbar = new MessageToolbar(this.list, { room, log, actions });
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // Images get their height late.
    this.observer = new ResizeObserver(() => this.#pinned && this.#scrollToEnd());
    this.observer.observe(this.list);
    this.observer.observe(this.scroller);
    this.list.addEventListener("keydown", (event) => this.#onKey(event));
    this.stops = [log.on("change", () => this.#changed()), room.on("members", () => this.render())];
    this.render();
  }

  close() {
    for (const stop of this.stops) stop();
    this.observer.disconnect();
  }

  /** Keep the place while the list is out of the document. */
  suspend() {
    this.#place = this.#pinned ? null : this.#anchor();
  }

  resume() {
    this.render();
    this.#returnTo(this.#place);
    this.#place = null;
  }

  /** Whether the newest message is in view, or would be if the tab was. */
  get atEnd() {
    return this.#pinned;
  }

  toEnd() {
    this.#pinned = true;
    this.render();
  }

  /** The window stays on the messages that it shows, also if their indexes are others now. */
  #changed() {
    const index = this.log.items.findIndex((item) => item.id === this.#firstId);
    if (index < 0) {
      this.#pinned = true;
    } else {
      this.#end += index - this.#start;
      this.#start = index;
    }
    this.render();
  }

  render() {
    const { items } = this.log;
    if (this.#pinned) {
      this.#end = items.length;
      this.#start = Math.max(0, items.length - WINDOW);
    }
    this.#end = Math.min(this.#end, items.length);
    this.#start = Math.max(0, Math.min(this.#start, this.#end - 1));
    this.#firstId = items[this.#start]?.id;
    const anchor = this.#pinned || !this.scroller.clientHeight ? null : this.#anchor();
    this.#reconcile(items);
    this.head.textContent = this.#headText(items);
    this.#returnTo(anchor);
    if (this.#pinned) this.#scrollToEnd();
    this.#showJump(items);
    requestAnimationFrame(() => this.#fill());
  }

  #headText(items) {
    if (!this.log.loaded) return "Loading messages…";
    if (this.#start > 0 || !this.log.complete) return this.#loading ? "Loading older messages…" : "";
    if (this.log.root) return items.length ? "" : "No replies yet";
    return items.length ? "Start of the conversation" : "No messages yet. Say hello.";
  }

  #reconcile(items) {
    const readers = this.#readers(items);
    const shown = items.slice(this.#start, this.#end);
    const ids = new Set(shown.map((item) => item.id));
    for (const id of this.#nodes.keys()) if (!ids.has(id)) this.#nodes.delete(id);
    const nodes = shown.map((item, at) => {
      const index = this.#start + at;
      const look = lookOf(this.room, item, items[index - 1], readers.get(index) ?? [], this.log.root);
      return this.#node(item.id, look);
    });
    arrange(this.list, nodes);
    const focusable = this.list.querySelector("li[tabindex='0']");
    if (!focusable && this.list.lastChild) this.list.lastChild.tabIndex = 0;
  }

  /** Return the names of the other members by the index of the item up to which they have read. */
  #readers(items) {
    const { members, session } = this.room;
    const readers = new Map();
    if (this.log.root) return readers;
    for (const { user_id, external_id, last_read_sequence } of members.values()) {
      if (user_id === session.me.id || !last_read_sequence) continue;
      let index = this.#end - 1;
      while (index >= this.#start && !(items[index].sequence <= last_read_sequence)) index -= 1;
      if (index < this.#start) continue;
      readers.set(index, [...(readers.get(index) ?? []), session.app.nameOf(external_id)]);
    }
    return readers;
  }

  /** Return the node of a message, made or made again only if its look has changed. */
  #node(id, look) {
    const known = this.#nodes.get(id);
    if (known && Object.keys(look).every((key) => known.look[key] === look[key])) return known.node;
    const node = known?.node ?? h("li", { tabindex: "-1" });
    const { className, children } = messageView(this.room, look, this.actions);
    node.message = look.message;
    const hadFocus = node !== document.activeElement && node.contains(document.activeElement);
    node.className = className;
    node.replaceChildren(...children);
    this.toolbar.refresh(node, look.message);
    if (hadFocus) node.focus({ preventScroll: true });
    this.#nodes.set(id, { node, look });
    return node;
  }

  // Scrolling

  /** Return a node in view and its place, so that it can stay there. */
  #anchor() {
    const top = this.scroller.getBoundingClientRect().top;
    for (const node of this.list.children) {
      const box = node.getBoundingClientRect();
      if (box.bottom > top) return { node, top: box.top };
    }
    return null;
  }

  #returnTo(anchor) {
    if (anchor?.node.isConnected) this.scroller.scrollTop += anchor.node.getBoundingClientRect().top - anchor.top;
  }

  get #below() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
  }

  #scrollToEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#top = this.scroller.scrollTop;
    this.#seen = this.log.items.at(-1)?.id ?? null;
    this.actions.atEnd?.();
  }

  #scrolled() {
    const atEnd = this.#end === this.log.items.length && this.#below < 30;
    // Growing content takes the end out of view, too, but then the place has not moved up.
    const movedUp = this.scroller.scrollTop < this.#top - 1;
    this.#top = this.scroller.scrollTop;
    if (atEnd && !this.#pinned) this.#seen = this.log.items.at(-1)?.id ?? null;
    this.#pinned = atEnd || (this.#pinned && !movedUp);
    if (atEnd) this.actions.atEnd?.();
    this.#showJump(this.log.items);
    this.#fill();
  }

  /** Move the window, or load what is older, if the edge of the window is near. */
  #fill() {
    if (!this.element.isConnected || !this.scroller.clientHeight) return;
    const { items } = this.log;
    if (this.scroller.scrollTop < NEAR && this.#start > 0) {
      if (this.#pinned && this.#below < 30 && this.#end - this.#start >= WINDOW) return;
      this.#pinned = false;
      this.#start = Math.max(0, this.#start - STEP);
      this.#end = Math.min(this.#end, this.#start + WINDOW);
      this.render();
    } else if (this.scroller.scrollTop < NEAR && !this.log.complete && items.length) {
      this.#loadOlder();
    } else if (this.#below < NEAR && this.#end < items.length) {
      this.#end = Math.min(items.length, this.#end + STEP);
      this.#start = Math.max(0, this.#end - WINDOW);
      this.render();
    }
  }

  async #loadOlder() {
    if (this.#loading) return;
    this.#loading = true;
    this.head.textContent = this.#headText(this.log.items);
    try {
      await this.log.loadOlder();
    } catch (error) {
      this.room.emit("error", error);
      await new Promise((resolve) => setTimeout(resolve, 2000));
    } finally {
      this.#loading = false;
      this.render();
    }
  }

  #showJump(items) {
    const at = items.findIndex((item) => item.id === this.#seen);
    const fresh = this.#pinned || at < 0 ? 0 : items.length - 1 - at;
    this.jump.hidden = this.#pinned || (this.#below < 200 && !fresh);
    if (!this.jump.hidden) this.jump.replaceChildren(icon("down"), fresh ? `${fresh} new` : "Newest");
    if (!this.jump.hidden) this.jump.setAttribute("aria-label", fresh ? `${fresh} new messages` : "Newest messages");
  }

  /** Show a quoted message, and load the history back to it. */
  async #goTo({ id, inserted_at: time }) {
    while (!this.log.complete && this.log.messages[0].inserted_at > time) {
      if (!(await this.log.loadOlder())) break;
    }
    const index = this.log.messages.findIndex((message) => message.id === id);
    if (index < 0) return;
    this.#pinned = false;
    this.#start = Math.max(0, index - WINDOW / 2);
    this.#end = Math.min(this.log.items.length, this.#start + WINDOW);
    this.render();
    const { node } = this.#nodes.get(id);
    node.scrollIntoView({ block: "center" });
    node.focus({ preventScroll: true });
    node.classList.add("found");
    setTimeout(() => node.classList.remove("found"), 1500);
  }

  /** Up and down move between messages. */
  #onKey(event) {
    const step = { ArrowUp: "previousSibling", ArrowDown: "nextSibling" }[event.key];
    const node = event.target.closest("li");
    const next = step && node?.[step];
    if (!next || event.defaultPrevented) return;
    event.preventDefault();
    node.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
