// The traffic of the sandbox as it comes: the last 5,000 entries, newest first when they are read.

import { Emitter } from "./backend.js";

const MOST = 5000;

/** Emits `change`, at most 20 times per second. */
export class TrafficLog extends Emitter {
  newestId = 0;
  connected = false;
  #entries = new Map();
  #scheduled = false;
  #app;

  constructor(app) {
    super();
    this.#app = app;
    // The browser reconnects by itself, and says from which entry on.
    const source = new EventSource(app.url("/_sandbox/traffic/events"));
    source.onopen = () => this.#connected(true);
    source.onerror = () => this.#connected(false);
    source.onmessage = (event) => this.#add(JSON.parse(event.data));
  }

  get size() {
    return this.#entries.size;
  }

  get(id) {
    return this.#entries.get(id);
  }

  /** Return the entries that a function accepts, the newest first. */
  select(accept) {
    return [...this.#entries.values()].filter(accept).reverse();
  }

  async clear() {
    await this.#app.control("DELETE", "/_sandbox/traffic");
    this.#entries.clear();
    this.#changed();
  }

  #add(entry) {
    const known = this.#entries.get(entry.id);
    // A sandbox that was started again counts from 1.
    if (known && known.at !== entry.at) this.#entries.clear();
    this.newestId = this.#entries.size ? Math.max(this.newestId, entry.id) : entry.id;
    entry.text = searchText(entry);
    this.#entries.set(entry.id, entry);
    if (this.#entries.size > MOST) this.#entries.delete(this.#entries.keys().next().value);
    this.#changed();
  }

  #connected(connected) {
    this.connected = connected;
    if (connected && this.size) this.#dropForgotten();
    this.#changed();
  }

  /** After a reset of the sandbox, entries of before are not there any more. */
  async #dropForgotten() {
    try {
      const { data } = await this.#app.control("GET", "/_sandbox/traffic?after=0&limit=1");
      const oldest = data[0]?.id ?? Infinity;
      for (const id of [...this.#entries.keys()]) if (id < oldest) this.#entries.delete(id);
      this.#changed();
    } catch {
      // The connection is gone again, and will come back.
    }
  }

  #changed() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Not requestAnimationFrame, which stands still in a hidden tab.
    setTimeout(() => {
      this.#scheduled = false;
      this.emit("change");
    }, 50);
  }
}

function searchText({ method, path, user, status, topic, event, socket }) {
  const socketName = socket === null ? null : `#${socket}`;
  return [method, path && decoded(path), event, topic, user, status, socketName]
    .filter((part) => part !== null)
    .join(" ")
    .toLowerCase();
}

/** Return a path as people read it: emojis and names of other scripts are not in percents. */
export function decoded(path) {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

export const isHeartbeat = (entry) => entry.topic === "phoenix";
export const isFrame = (entry) => entry.kind === "received" || entry.kind === "sent";

/** Return the outcome of an entry in one word for filters and colors. */
export function outcomeOf({ kind, status, cut }) {
  if (cut) return "cut";
  if (status === null) return kind === "request" || kind === "handshake" ? "pending" : "frame";
  return `${Math.floor(status / 100)}xx`;
}
