// Messages in the order of their sequence, as far as they are loaded, and those that are being sent.
// A message is never changed in place but replaced, so that views can compare by identity.

import { Emitter } from "./backend.js";

const OLDER = 100;
const REPLIES = 500;

/** Emits `change` when messages were added, replaced or taken away. */
class MessageLog extends Emitter {
  messages = [];
  /** Messages that are being sent, or that could not be: `{id, body, state: "sending" | "failed", …}`. */
  pending = [];
  /** Whether the newest messages are here. */
  loaded = false;
  /** Whether there is nothing older than what is loaded. */
  complete = false;
  #byId = new Map();

  get items() {
    return this.pending.length ? [...this.messages, ...this.pending] : this.messages;
  }

  get newest() {
    return this.messages.at(-1);
  }

  find(id) {
    return this.#byId.get(id);
  }

  /** Add messages, or replace them. Returns how many are new. */
  put(messages) {
    let added = 0;
    for (const message of messages) {
      if (this.#byId.has(message.id)) {
        this.messages[this.#indexOf(message.sequence)] = message;
      } else {
        this.messages.splice(this.#indexOf(message.sequence), 0, message);
        this.pending = this.pending.filter((other) => other.id !== message.id);
        added += 1;
      }
      this.#byId.set(message.id, message);
    }
    if (messages.length) this.emit("change");
    return added;
  }

  /** Replace fields of a message, if it is loaded. */
  patch(id, fields) {
    const message = this.find(id);
    if (message) this.put([{ ...message, ...fields }]);
  }

  setPending(draft) {
    const others = this.pending.filter((other) => other.id !== draft.id);
    // It may have arrived as an event before the response did.
    if (!this.find(draft.id)) this.pending = [...others, draft];
    this.emit("change");
  }

  dropPending(id) {
    this.pending = this.pending.filter((other) => other.id !== id);
    this.emit("change");
  }

  /** Forget all messages below a sequence, because some are missing in between. */
  forgetBelow(sequence) {
    for (const message of this.messages) if (message.sequence < sequence) this.#byId.delete(message.id);
    this.messages = this.messages.filter((message) => message.sequence >= sequence);
    this.complete = false;
  }

  /** Load older messages. Returns how many there were. */
  async loadOlder() {
    return 0;
  }

  /** The index of a sequence, or where it would be. */
  #indexOf(sequence) {
    let low = 0;
    let high = this.messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.messages[middle].sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The messages of a conversation, without replies: the newest page first, older ones on demand. */
export class History extends MessageLog {
  #loading = null;

  constructor(room) {
    super();
    this.room = room;
  }

  loadOlder() {
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #load() {
    const oldest = this.messages[0];
    if (this.complete || !oldest) return 0;
    const query = { limit: OLDER, before: oldest.sequence };
    const { data } = await this.room.request("GET", `${this.room.path}/messages`, { query });
    // The log may have been emptied meanwhile, after a reconnect.
    if (this.messages[0] !== oldest) return 0;
    if (!data.length || data.at(-1).sequence === 1) this.complete = true;
    this.put(data);
    return data.length;
  }
}

/** The replies to a message, all of them. */
export class Thread extends MessageLog {
  complete = true;

  constructor(room, root) {
    super();
    this.room = room;
    this.root = root;
  }

  async load() {
    let after = 0;
    for (;;) {
      const query = { limit: REPLIES, after };
      const { data } = await this.room.request("GET", `/v1/messages/${this.root.id}/replies`, { query });
      this.put(data);
      if (!data.length) break;
      after = data.at(-1).sequence;
    }
    this.loaded = true;
    this.room.noteReplies(this.messages, this.root.id);
    this.emit("change");
  }
}
