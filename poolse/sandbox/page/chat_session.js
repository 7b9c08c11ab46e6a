// One user of the chat: its socket, which reconnects with a fresh token, and its conversations.
// Comes back after a restart of the sandbox, even if user, token and conversations are gone.

import { Emitter } from "./backend.js";
import { Room } from "./chat_room.js";

const { Socket } = globalThis.Phoenix;
const RETRY = 2000;
const AFTER = [100, 300, 700, 1500];

/** Emits `status`, `conversations`, and `room` when another conversation is opened or closed. */
export class Session extends Emitter {
  status = "connecting";
  /** The signed-in user, or null before it is known. */
  me = null;
  conversations = [];
  /** The open conversation, or null. */
  room = null;
  #token = "";
  #channel = null;
  #closed = false;
  #wasLost = false;
  #retry = null;

  constructor(app, user) {
    super();
    this.app = app;
    this.user = user;
    this.socket = new Socket(app.socketUrl, {
      params: () => ({ token: this.#token }),
      reconnectAfterMs: (tries) => AFTER[tries - 1] ?? RETRY,
      rejoinAfterMs: () => RETRY,
    });
    this.socket.onOpen(() => this.#opened());
    this.socket.onClose(() => this.#lost());
    this.#start();
  }

  /** Call the chat API as this user; throws an Error for a refused request. */
  request(method, path, options) {
    return this.app.request(this.user, method, path, options);
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.leave();
    this.socket.disconnect();
  }

  /** Open a conversation in place of the one that is open. */
  enter(id) {
    if (this.room?.id === id) return;
    this.leave({ silent: true });
    this.room = new Room(this, id);
    this.emit("room");
  }

  leave({ silent = false } = {}) {
    this.room?.close();
    this.room = null;
    if (!silent) this.emit("room");
  }

  find(id) {
    return this.conversations.find((conversation) => conversation.id === id);
  }

  /** Return the title of a conversation: its name, or the other members. */
  titleOf(conversation) {
    const others = (conversation.member_external_ids ?? []).filter((member) => member !== this.user);
    return conversation.name || others.map((member) => this.app.nameOf(member)).join(", ") || "Only you";
  }

  async createConversation({ name, members, direct }) {
    const body = { type: direct ? "direct" : "group", member_external_ids: members };
    if (name) body.name = name;
    const conversation = await this.request("POST", "/v1/conversations", { body });
    await this.#loadConversations();
    this.enter(conversation.id);
    this.app.refresh();
  }

  /** Replace fields of a conversation in the list. */
  update(id, fields) {
    this.#set(this.conversations.map((one) => (one.id === id ? { ...one, ...fields } : one)));
  }

  /** Show a message in the list of conversations, in case that no event says so. */
  note({ conversation_id: id, sequence, body, inserted_at }) {
    if (!(this.find(id)?.last_sequence < sequence)) return;
    this.update(id, {
      last_sequence: sequence,
      last_message_at: inserted_at,
      last_message_preview: body?.slice(0, 80),
    });
  }

  async #start() {
    while (!this.#closed) {
      try {
        this.#token = await this.app.token(this.user);
        await this.#identify();
        break;
      } catch {
        this.#setStatus("offline");
        await new Promise((resolve) => setTimeout(resolve, RETRY));
      }
    }
    if (!this.#closed) this.socket.connect();
  }

  /** Learn who the user is, and join its topic: its poolse ID is another one in a new sandbox. */
  async #identify() {
    const me = await this.request("GET", "/v1/me");
    if (me.id === this.me?.id) return;
    const old = this.#channel;
    this.me = me;
    this.#joinTopic();
    old?.leave();
  }

  #joinTopic() {
    const channel = this.socket.channel(`user:${this.me.id}`);
    channel.on("conversation:created", () => this.#loadConversations());
    channel.on("conversation:updated", ({ conversation }) => {
      if (this.find(conversation.id)) this.update(conversation.id, conversation);
      else this.#loadConversations();
    });
    // Also after each reconnect: what happened meanwhile was not sent to us.
    channel.join().receive("ok", () => this.#loadConversations());
    // Closed by the server: joined again, unless there is another one by now.
    channel.onClose(() => setTimeout(() => channel === this.#channel && !this.#closed && this.#joinTopic(), RETRY));
    this.#channel = channel;
  }

  /** The server has closed the channel of the room: the user was removed, or it is to be joined again. */
  async rejoin(room) {
    await this.#loadConversations();
    if (this.room !== room) return;
    this.leave({ silent: true });
    this.enter(room.id);
  }

  async #opened() {
    this.#setStatus("online");
    if (!this.#wasLost) return;
    try {
      await this.#identify();
    } catch {
      // The socket will be closed again, if the sandbox is gone.
    }
  }

  async #lost() {
    if (this.#closed) return;
    this.#wasLost = true;
    this.#setStatus("offline");
    try {
      this.#token = await this.app.token(this.user, { fresh: true });
    } catch {
      // The next attempt fails, too, and asks again.
    }
  }

  async #loadConversations() {
    try {
      const { data } = await this.request("GET", "/v1/conversations");
      if (this.#closed) return;
      this.#set(data);
      if (this.room && !this.find(this.room.id)) this.leave();
    } catch (error) {
      this.app.notify(`Conversations of ${this.user}: ${error.message}`, { error: true });
      clearTimeout(this.#retry);
      if (!this.#closed && !(error.status < 500)) this.#retry = setTimeout(() => this.#loadConversations(), RETRY);
    }
  }

  #set(conversations) {
    const time = (one) => one.last_message_at ?? one.inserted_at;
    this.conversations = conversations.sort((a, b) => (time(a) < time(b) ? 1 : -1));
    this.emit("conversations");
  }

  #setStatus(status) {
    if (status === this.status) return;
    this.status = status;
    this.emit("status");
  }
}
