// Talks to the sandbox: control of it under `_sandbox/`, and the chat API as one of its users. Keeps
// the list of users and their tokens, and notices when the sandbox is gone, back, or new.

const ROOT = new URL("../../", import.meta.url);
const POLL = 2500;

/** The one way in which state tells views that it has changed: a kind of change and its listeners. */
export class Emitter {
  #listeners = new Map();

  /** Call a function for a kind of change. Returns a function that ends it. */
  on(kind, callback) {
    if (!this.#listeners.has(kind)) this.#listeners.set(kind, new Set());
    this.#listeners.get(kind).add(callback);
    return () => this.#listeners.get(kind).delete(callback);
  }

  emit(kind, value) {
    for (const callback of [...(this.#listeners.get(kind) ?? [])]) callback(value);
  }
}

export function createBackend() {
  const tokens = new Map();
  const watchers = new Set();
  const reachWatchers = new Set();
  let reachable = null;
  let known = "";
  let asking = null;

  const backend = {
    users: [],
    /** The address of the socket, without `websocket`, as Phoenix wants it. */
    socketUrl: new URL("socket", ROOT).href.replace(/^http/, "ws"),
    url: (path) => new URL(path.replace(/^\//, ""), ROOT).href,

    /** Call the control API. Returns the JSON of the response; throws an Error with its message. */
    async control(method, path, body) {
      const response = await send(method, path, { body });
      if (response.status >= 400) throw new Error(messageOf(response));
      return response.body;
    },

    /**
     * Call the chat API as a user (external ID), or with the API key if the user is null. Returns
     * `{status, headers, body}` also for errors.
     */
    async call(user, method, path, { query, body, headers } = {}) {
      const once = async (fresh) => {
        const credential = user === null ? (await backend.environment()).api_key : await backend.token(user, { fresh });
        return send(method, path, {
          query,
          body,
          headers: { authorization: `Bearer ${credential}`, ...headers },
        });
      };
      const response = await once(false);
      // Tokens expire, and those of an earlier run of the sandbox are worth nothing.
      const stale = user !== null && response.body?.error?.code === "invalid_user_token";
      return stale ? once(true) : response;
    },

    /** As `call`, but returns the body, and throws an Error for a refused request. */
    async request(user, method, path, options) {
      const response = await backend.call(user, method, path, options);
      if (response.status < 400) return response.body;
      throw Object.assign(new Error(messageOf(response)), { status: response.status });
    },

    /** Return a token of a user, who is created if missing. */
    token(user, { fresh = false } = {}) {
      if (fresh || !tokens.has(user)) {
        const path = `/_sandbox/users/${encodeURIComponent(user)}/tokens`;
        const promise = backend.control("POST", path, {}).then((answer) => answer.token);
        // A failure is not kept: the next call asks again.
        promise.catch(() => tokens.get(user) === promise && tokens.delete(user));
        tokens.set(user, promise);
      }
      return tokens.get(user);
    },

    /** Return the name to show for a user: the display name, or the external ID. */
    nameOf: (externalId) => backend.users.find((user) => user.external_id === externalId)?.display_name || externalId,

    environment: () => backend.control("GET", "/_sandbox/environment"),

    async createUser(externalId, displayName) {
      const body = { external_id: externalId };
      if (displayName) body.display_name = displayName;
      const user = await backend.control("POST", "/_sandbox/users", body);
      await backend.refresh();
      return user;
    },

    /** Call a function with the list of users, now if it is known, and whenever it changes. */
    onUsers(callback) {
      watchers.add(callback);
      if (known) callback(backend.users);
      return () => watchers.delete(callback);
    },

    /** Call a function with whether the sandbox responds, whenever that changes. */
    onReach(callback) {
      reachWatchers.add(callback);
      if (reachable !== null) callback(reachable);
    },

    /** Read the list of users. It also tells whether the sandbox is there. */
    refresh() {
      asking ??= readUsers().finally(() => (asking = null));
      return asking;
    },
  };

  async function readUsers() {
    let users;
    try {
      users = (await backend.control("GET", "/_sandbox/users")).data;
    } catch {
      setReachable(false);
      return;
    }
    setReachable(true);
    const text = JSON.stringify(users);
    if (text === known) return;
    known = text;
    backend.users = users;
    for (const callback of watchers) callback(users);
  }

  function setReachable(value) {
    if (value === reachable) return;
    reachable = value;
    for (const callback of reachWatchers) callback(value);
  }

  backend.refresh();
  setInterval(() => document.hidden || backend.refresh(), POLL);
  document.addEventListener("visibilitychange", () => document.hidden || backend.refresh());
  return backend;
}

async function send(method, path, { query, body, headers = {} }) {
  const url = new URL(path.replace(/^\//, ""), ROOT);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  const options = { method, headers: { ...headers } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["content-type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    throw new Error("The sandbox did not respond.");
  }
  const text = await response.text();
  return { status: response.status, headers: Object.fromEntries(response.headers), body: parsed(text) };
}

function parsed(text) {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Return what went wrong, in the words of the server. */
function messageOf({ status, body }) {
  const error = body?.error;
  if (!error) return `The sandbox responded with ${status}.`;
  const details = Object.entries(error.details ?? {}).map(([field, text]) => `${field} ${[text].flat().join(", ")}`);
  return details.length ? `${error.message} (${details.join("; ")})` : error.message;
}
