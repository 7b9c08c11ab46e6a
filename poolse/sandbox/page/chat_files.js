// Files of messages: uploads with progress, and how attachments are shown.

import { h, icon } from "./dom.js";

const URL_LIFETIME = 45 * 60 * 1000;
const urls = new Map();

/**
 * Upload a file: create the attachment, then send the bytes to its signed URL. Returns
 * `{promise, cancel}`; the promise is for the attachment.
 */
export function upload(session, file, onProgress) {
  // fetch() reports no progress of what it sends.
  const transfer = new XMLHttpRequest();
  let cancelled = false;
  const run = async () => {
    const body = {
      content_type: file.type || "application/octet-stream",
      byte_size: file.size,
      original_filename: file.name,
    };
    const target = await session.request("POST", "/v1/attachments/upload-url", { body });
    if (cancelled) throw new Error("The upload was cancelled.");
    await new Promise((resolve, reject) => {
      transfer.open(target.upload.method, target.upload.url);
      for (const [name, value] of Object.entries(target.upload.headers)) transfer.setRequestHeader(name, value);
      transfer.upload.onprogress = (event) => onProgress(event.loaded / event.total);
      transfer.onload = () =>
        transfer.status < 300 ? resolve() : reject(new Error(`The upload was refused with ${transfer.status}.`));
      transfer.onerror = () => reject(new Error("The upload was interrupted."));
      transfer.onabort = () => reject(new Error("The upload was cancelled."));
      transfer.send(file);
    });
    return target.attachment;
  };
  return { promise: run(), cancel: () => ((cancelled = true), transfer.abort()) };
}

export function isImage(type) {
  return /^image\/(png|jpeg|gif|webp|avif|svg\+xml|bmp)$/.test(type);
}

export function sizeOf(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}

/** Show an attachment: an image, or name and size; both link to the file. */
export function attachmentView(session, attachment) {
  const name = attachment.original_filename || "File";
  if (isImage(attachment.content_type)) {
    const image = h("img", { class: "preview", alt: name, loading: "lazy" });
    const link = h(
      "a",
      { class: "image-link", target: "_blank", rel: "noopener", "aria-label": `Open ${name}` },
      image,
    );
    downloadUrl(session, attachment).then(
      (url) => ((image.src = url), (link.href = url)),
      () => link.replaceWith(h("p", { class: "note" }, `${name} could not be loaded.`)),
    );
    return link;
  }
  const open = async () => {
    try {
      const link = h("a", { href: await downloadUrl(session, attachment), download: name });
      link.click();
    } catch (error) {
      session.app.notify(error.message, { error: true });
    }
  };
  return h(
    "button",
    { class: "file", onclick: open },
    icon("file"),
    h("span", { class: "file-name" }, h("span", { class: "hidden-text" }, "Download "), name),
    h("small", {}, sizeOf(attachment.byte_size)),
  );
}

/** Return a signed URL, which is kept for less than the hour that it is good for. */
function downloadUrl(session, { id }) {
  const known = urls.get(id);
  if (known && Date.now() - known.at < URL_LIFETIME) return known.promise;
  const promise = session.request("GET", `/v1/attachments/${id}/download-url`).then((target) => target.url);
  promise.catch(() => urls.delete(id));
  urls.set(id, { promise, at: Date.now() });
  return promise;
}
