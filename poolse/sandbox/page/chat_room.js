// One open conversation of a session: messages, members, presence, typing, read markers, and the
// thread that is open in it. Events of its channel and responses of REST meet here.

import { Emitter } from "./backend.js";
import { History, Thread } from "./chat_log.js";

const { Presence } = globalThis.Phoenix;
const PAGE = 50;
const TYPING_EVERY = 2000;
const TYPING_ENDS = 7000;
const RETRY = 3000;
const REJOIN = 500;

/**
 * Emits `members` (also for presence), `typing`, `thread` (opened or closed), `received` with each
 * message that another user sent, and `error`.
 */
export class Room extends Emitter {
  log;
  /** The open thread, a log of its own with a `root`, or null. */
  thread = null;
  /** Memberships by user ID. */
  members = new Map();
  /** The sequence up to which the user had read when the conversation was opened. */
  readBefore = Infinity;
  /** IDs of the users who are present. */
  online = new Set();
  /** External IDs of the users who are typing, by user ID. */
  typing = new Map();
  #channel;
  #typedAt = 0;
  #rootOfReply = new Map();
  #deletedReplies = new Set();
  #latest = null;
  #marked = 0;
  #timers = new Map();
  #closed = false;

  constructor(session, id) {
    super();
    this.session = session;
    this.id = id;
    this.path = `/v1/conversations/${id}`;
    this.log = new History(this);
    this.#channel = session.socket.channel(`conversation:${id}`);
    this.#listen(this.#channel);
    this.#channel.onClose(() => this.#closed || this.#later("rejoin", REJOIN, () => session.rejoin(this)));
    this.#channel.join().receive("ok", () => this.#load());
  }

  get conversation() {
    return this.session.find(this.id);
  }

  close() {
    this.#closed = true;
    this.#channel.leave();
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  request(method, path, options) {
    return this.session.request(method, path, options);
  }

  /** Return the external ID of a user, or a short form of the ID if it is not known. */
  externalId(userId) {
    const known = this.session.app.users.find((user) => user.id === userId) ?? this.members.get(userId);
    return known?.external_id ?? userId?.slice(0, 8) ?? "system";
  }

  /** Return the log that a message is in. */
  logOf(id) {
    return this.thread?.find(id) ? this.thread : this.log;
  }

  // What the user does

  /** Send a draft `{id, body, quoted, attachments}` to the conversation, or to the open thread. */
  async send(log, draft) {
    const pending = {
      ...draft,
      sender_id: this.session.me.id,
      state: "sending",
      inserted_at: new Date().toISOString(),
    };
    log.setPending(pending);
    const body = { id: draft.id, body: draft.body };
    if (log.root) body.reply_to_id = log.root.id;
    if (draft.quoted) body.quoted_message_id = draft.quoted.id;
    if (draft.attachments.length) body.attachment_ids = draft.attachments.map((attachment) => attachment.id);
    const mentioned = [...this.members.values()].filter((member) => draft.body.includes(`@${member.external_id}`));
    if (mentioned.length) body.mentions = mentioned.map((member) => member.user_id);
    this.#typedAt = 0;
    try {
      this.#receive(await this.request("POST", `${this.path}/messages`, { body }));
    } catch (error) {
      log.setPending({ ...pending, state: "failed", problem: error.message });
    }
  }

  edit(id, body) {
    return this.#change(id, "PATCH", `/v1/messages/${id}`, { body });
  }

  async delete(id) {
    await this.request("DELETE", `/v1/messages/${id}`);
    this.#deleted({ id, deleted_at: new Date().toISOString() });
  }

  /** Add a reaction of one's own, or take it back. */
  toggleReaction(message, emoji) {
    const path = `/v1/messages/${message.id}/reactions`;
    const mine = message.reactions[emoji]?.includes(this.session.me.id);
    if (mine) return this.#change(message.id, "DELETE", `${path}/${encodeURIComponent(emoji)}`);
    return this.#change(message.id, "POST", path, { emoji });
  }

  async addMembers(externalIds) {
    await this.request("POST", `${this.path}/members`, { body: { external_ids: externalIds } });
    await this.#loadMembers();
    this.session.app.refresh();
  }

  /** Tell the others that the user is typing, at most every two seconds. */
  type() {
    if (Date.now() - this.#typedAt < TYPING_EVERY || this.#channel.state !== "joined") return;
    this.#typedAt = Date.now();
    this.#channel.push("typing", {});
  }

  /** Mark everything as read that has arrived. */
  async markRead() {
    const latest = this.#latest;
    if (!latest || latest.sequence <= this.#marked) return;
    const before = this.#marked;
    this.#marked = latest.sequence;
    try {
      await this.request("POST", `${this.path}/read`, { body: { message_id: latest.id } });
      if (this.#latest === latest) this.session.update(this.id, { unread_count: 0 });
    } catch {
      this.#marked = before;
    }
  }

  openThread(root) {
    this.thread = new Thread(this, root);
    this.thread.load().catch((error) => this.emit("error", error));
    this.emit("thread");
  }

  closeThread() {
    this.thread = null;
    this.emit("thread");
  }

  // What happens

  #listen(channel) {
    channel.on("message:new", (message) => this.#receive(message, true));
    channel.on("message:updated", (message) => this.#updated(message));
    channel.on("message:deleted", (event) => this.#deleted(event));
    channel.on("reaction:added", ({ message_id, emoji, user_id }) =>
      this.#react(message_id, emoji, (users) => [...users.filter((user) => user !== user_id), user_id]),
    );
    channel.on("reaction:removed", ({ message_id, emoji, user_id }) =>
      this.#react(message_id, emoji, (users) => users.filter((user) => user !== user_id)),
    );
    channel.on("member:read", (event) => this.#read(event));
    channel.on("typing:start", ({ user_id }) => this.#typing(user_id, this.externalId(user_id)));
    channel.on("typing:stop", ({ user_id }) => this.#typing(user_id, null));
    const presence = new Presence(channel);
    presence.onSync(() => {
      this.online = new Set(presence.list((userId) => userId));
      // A user whom nobody announced: added by another member.
      if ([...this.online].some((userId) => !this.members.has(userId))) this.#loadMembers();
      this.emit("members");
    });
  }

  /** After each join: what happened before it was not sent to us. */
  async #load() {
    try {
      const [{ data }] = await Promise.all([
        this.request("GET", `${this.path}/messages`, { query: { limit: PAGE } }),
        this.#loadMembers(),
      ]);
      const oldest = data.at(-1);
      const gap = oldest && this.log.newest && oldest.sequence > this.log.newest.sequence;
      if (gap) this.log.forgetBelow(oldest.sequence);
      // A page may be shorter than asked for, so only the first message of all is the end.
      if (!oldest || oldest.sequence === 1) this.log.complete = true;
      this.#noteLatest(data[0]);
      if (!this.log.loaded) this.readBefore = this.members.get(this.session.me.id)?.last_read_sequence ?? 0;
      this.log.loaded = true;
      this.log.put(data);
      if (!data.length) this.log.emit("change");
      if (this.thread) await this.thread.load();
    } catch (error) {
      this.emit("error", error);
      // A refusal is final, a failure is not.
      if (!(error.status < 500)) this.#later("load", RETRY, () => this.#load());
    }
  }

  async #loadMembers() {
    const { data } = await this.request("GET", `${this.path}/members`);
    // The API of 1.1 does not name the members.
    const named = (member) => ({ external_id: this.externalId(member.user_id), ...member });
    this.members = new Map(data.map((member) => [member.user_id, named(member)]));
    const mine = this.members.get(this.session.me.id);
    this.#marked = Math.max(this.#marked, mine?.last_read_sequence ?? 0);
    const names = [...this.members.values()].map((member) => member.external_id);
    this.session.update(this.id, { member_external_ids: names });
    this.emit("members");
  }

  /** A message that was sent, by an event or in the response to our own request. */
  #receive(message, isEvent = false) {
    const { id, thread_root_id: rootId, sender_id: sender } = message;
    const log = rootId ? this.thread?.root.id === rootId && this.thread : this.log;
    const isNew = rootId ? !this.#rootOfReply.has(id) : !this.log.find(id);
    if (rootId && isNew) {
      this.#rootOfReply.set(id, rootId);
      const root = this.log.find(rootId);
      if (root) this.log.patch(rootId, { reply_count: (root.reply_count ?? 0) + 1 });
    }
    if (log && !log.find(id)) log.put([message]);
    this.#noteLatest(message);
    this.session.note(message);
    // Sending moves the read marker of the sender, and no other event says so.
    this.#setRead(sender, { last_read_message_id: id, last_read_sequence: message.sequence });
    if (sender === this.session.me.id) this.#marked = Math.max(this.#marked, message.sequence);
    else if (isNew && isEvent) this.emit("received", message);
    this.#typing(sender, null);
  }

  #updated(message) {
    // Events do not count replies.
    const known = this.logOf(message.id).find(message.id);
    if (known) this.logOf(message.id).put([{ ...message, reply_count: known.reply_count }]);
  }

  #deleted({ id, deleted_at }) {
    for (const log of [this.log, this.thread]) {
      log?.patch(id, { deleted_at, body: null, attachments: [] });
      for (const { id: other, quoted_message } of log?.messages ?? []) {
        if (quoted_message?.id === id)
          log.patch(other, { quoted_message: { ...quoted_message, body: null, deleted_at } });
      }
    }
    const rootId = this.#rootOfReply.get(id);
    if (!rootId || this.#deletedReplies.has(id)) return;
    this.#deletedReplies.add(id);
    const root = this.log.find(rootId);
    if (root) this.log.patch(rootId, { reply_count: Math.max(0, root.reply_count - 1) });
  }

  #react(id, emoji, change) {
    for (const log of [this.log, this.thread]) {
      const message = log?.find(id);
      if (!message) continue;
      const { [emoji]: users = [], ...others } = message.reactions;
      const now = change(users);
      log.patch(id, { reactions: now.length ? { ...message.reactions, [emoji]: now } : others });
    }
  }

  #read({ user_id, last_read_message_id, last_read_at }) {
    const message = this.log.find(last_read_message_id) ?? this.thread?.find(last_read_message_id);
    const sequence = message?.sequence ?? (this.#latest?.id === last_read_message_id ? this.#latest.sequence : null);
    if (sequence === null) this.#loadMembers().catch(() => {});
    else this.#setRead(user_id, { last_read_message_id, last_read_at, last_read_sequence: sequence });
  }

  #setRead(userId, marker) {
    const member = this.members.get(userId);
    if (!member || (member.last_read_sequence ?? 0) >= marker.last_read_sequence) return;
    this.members.set(userId, { ...member, ...marker });
    this.emit("members");
  }

  #typing(userId, externalId) {
    this.#later(userId, 0, null);
    if (externalId !== null && userId !== this.session.me.id) {
      this.typing.set(userId, externalId);
      // In case that the end of it is lost.
      this.#later(userId, TYPING_ENDS, () => this.#typing(userId, null));
    } else if (!this.typing.delete(userId)) {
      return;
    }
    this.emit("typing");
  }

  /** Do something later, in place of what was to be done under this name. */
  #later(name, delay, action) {
    clearTimeout(this.#timers.get(name));
    if (action && !this.#closed) this.#timers.set(name, setTimeout(action, delay));
  }

  /** Send a change of one message, and keep the message that is returned. */
  async #change(id, method, path, body) {
    this.#updated(await this.request(method, path, { body }));
  }

  #noteLatest(message) {
    if (message && message.sequence > (this.#latest?.sequence ?? 0)) this.#latest = message;
  }

  /** Remember the replies of a thread that was loaded: they are counted already. */
  noteReplies(replies, rootId) {
    for (const reply of replies) {
      this.#rootOfReply.set(reply.id, rootId);
      if (reply.deleted_at) this.#deletedReplies.add(reply.id);
      this.#noteLatest(reply);
    }
    const count = replies.filter((reply) => !reply.deleted_at).length;
    if (this.log.find(rootId)?.reply_count !== count) this.log.patch(rootId, { reply_count: count });
  }
}
