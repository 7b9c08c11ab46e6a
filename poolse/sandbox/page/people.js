// How users look: an avatar with initials, in a color that is always the same for a user.

import { h } from "./dom.js";

export function avatar(name, { online = null, small = false } = {}) {
  const initials =
    name
      .split(/[\s._-]+/)
      .filter(Boolean)
      .slice(0, 2)
      .map((part) => [...part][0].toUpperCase())
      .join("") || "?";
  const circle = h("span", { class: small ? "avatar small" : "avatar", "aria-hidden": "true" }, initials);
  let hue = 0;
  for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  circle.style.setProperty("--hue", hue);
  if (online !== null) circle.classList.add(online ? "online" : "away");
  return circle;
}

export function timeOf(timestamp) {
  return new Date(timestamp).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function dayOf(timestamp) {
  const day = new Date(timestamp);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(timestamp).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return day.toLocaleDateString([], {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: days > 300 ? "numeric" : undefined,
  });
}

/** Return a time as short as a list needs it: of today the time, of other days the day. */
export function shortTimeOf(timestamp) {
  const day = dayOf(timestamp);
  if (day === "Today") return timeOf(timestamp);
  return day === "Yesterday" ? day : new Date(timestamp).toLocaleDateString([], { day: "numeric", month: "short" });
}
