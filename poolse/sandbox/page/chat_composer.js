// Writes a message "as bob": text, files that are uploaded meanwhile, a quote; or edits one.

import { isImage, sizeOf, upload } from "./chat_files.js";
import { h, icon, iconButton } from "./dom.js";

const MOST_FILES = 10;

export class Composer {
  #files = [];
  #quoted = null;
  #editing = null;

  /** `onSend` is called with a draft, `onEdit` with a message and its new text. */
  constructor(room, { label, onSend, onEdit }) {
    this.room = room;
    this.onSend = onSend;
    this.onEdit = onEdit;
    this.text = h("textarea", { rows: "1", "aria-label": label, placeholder: label, autocomplete: "off" });
    this.picker = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      "aria-label": "Files to attach",
      tabindex: "-1",
    });
    this.context = h("div", { class: "composer-context", hidden: true });
    this.fileList = h("ul", { class: "drafts", "aria-label": "Files to send", hidden: true });
    this.sendButton = h("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send" }, icon("send"));
    this.attachButton = iconButton("attach", "Attach files", () => this.picker.click());
    this.element = h(
      "form",
      { class: "composer" },
      this.context,
      this.fileList,
      h("div", { class: "composer-line" }, this.picker, this.attachButton, this.text, this.sendButton),
    );
    this.element.addEventListener("submit", (event) => (event.preventDefault(), this.#submit()));
    this.text.addEventListener("input", () => this.#typed());
    this.text.addEventListener("keydown", (event) => this.#onKey(event));
    this.text.addEventListener(
      "paste",
      (event) => event.clipboardData.files.length && (event.preventDefault(), this.attach(event.clipboardData.files)),
    );
    this.picker.addEventListener("change", () => (this.attach(this.picker.files), (this.picker.value = "")));
    this.#update();
  }

  focus() {
    this.text.focus();
  }

  close() {
    for (const file of this.#files) file.discard();
  }

  quote(message) {
    this.#editing = null;
    this.#quoted = message;
    const name = this.room.session.app.nameOf(message.sender_external_id ?? this.room.externalId(message.sender_id));
    this.#showContext(`Quote of ${name}`, message.body || "Attachment");
    this.focus();
  }

  edit(message) {
    this.#editing = message;
    this.#quoted = null;
    this.#setText(message.body ?? "");
    this.#showContext("Edit message", "");
    this.focus();
  }

  attach(files) {
    if (this.#editing) return;
    for (const file of [...files].slice(0, MOST_FILES - this.#files.length)) this.#addFile(file);
    if (files.length > MOST_FILES)
      this.room.session.app.notify(`A message has at most ${MOST_FILES} files.`, { error: true });
    this.#update();
    this.focus();
  }

  #addFile(file) {
    const progress = h("progress", { max: "1", value: 0, "aria-label": `Upload of ${file.name}` });
    const state = h("small", {}, sizeOf(file.size));
    const preview = isImage(file.type) ? h("img", { alt: "" }) : icon("file");
    const address = isImage(file.type) ? URL.createObjectURL(file) : null;
    if (address) preview.src = address;
    const { promise, cancel } = upload(this.room.session, file, (part) => (progress.value = part));
    const entry = { attachment: null, failed: false };
    entry.release = () => address && URL.revokeObjectURL(address);
    entry.discard = () => (cancel(), entry.release());
    entry.element = h(
      "li",
      { class: "draft" },
      preview,
      h("span", { class: "draft-text" }, h("span", { class: "file-name" }, file.name), state, progress),
      iconButton("close", `Remove ${file.name}`, () => {
        entry.discard();
        this.#files = this.#files.filter((other) => other !== entry);
        this.#update();
        this.focus();
      }),
    );
    this.#files.push(entry);
    promise
      .then(
        (attachment) => (entry.attachment = attachment),
        (error) => ((entry.failed = true), (state.textContent = error.message), entry.element.classList.add("failed")),
      )
      .finally(() => (progress.remove(), this.#update()));
  }

  #submit() {
    const body = this.text.value.trim();
    if (this.#editing) {
      if (body) this.onEdit(this.#editing, body);
    } else {
      if (this.sendButton.disabled) return;
      const attachments = this.#files.filter((file) => file.attachment).map((file) => file.attachment);
      if (!body && !attachments.length) return;
      for (const file of this.#files) file.release();
      this.#files = [];
      this.onSend({ id: newId(), body, quoted: this.#quoted, attachments });
    }
    this.#setText("");
    this.#clearContext();
    this.#update();
  }

  #typed() {
    this.#update();
    if (this.text.value && !this.#editing) this.room.type();
  }

  #onKey(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && (this.#editing || this.#quoted)) {
      event.stopPropagation();
      if (this.#editing) this.#setText("");
      this.#clearContext();
    }
  }

  #setText(text) {
    this.text.value = text;
    this.#update();
  }

  #showContext(title, text) {
    this.context.replaceChildren(
      h("p", {}, h("b", {}, title), " ", text),
      iconButton("close", "Cancel", () => {
        if (this.#editing) this.#setText("");
        this.#clearContext();
        this.focus();
      }),
    );
    this.context.hidden = false;
    this.#update();
  }

  #clearContext() {
    this.#editing = this.#quoted = null;
    this.context.hidden = true;
    this.#update();
  }

  #update() {
    // The height of the text; the style sheet limits it.
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
    this.fileList.hidden = !this.#files.length;
    const elements = this.#files.map((file) => file.element);
    if (
      elements.length !== this.fileList.children.length ||
      elements.some((one, at) => one !== this.fileList.children[at])
    ) {
      this.fileList.replaceChildren(...elements);
    }
    this.attachButton.disabled = Boolean(this.#editing);
    // Disabled only while a file is on its way: an empty message is simply not sent.
    this.sendButton.disabled = this.#files.some((file) => !file.attachment && !file.failed);
    this.sendButton.setAttribute("aria-label", this.#editing ? "Save" : "Send");
    this.sendButton.title = this.#editing ? "Save" : "Send";
  }
}

/** Return a random UUID; `crypto.randomUUID` is missing on plain http of another host. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
