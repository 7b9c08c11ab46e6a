// The shell: tabs, light and dark, notifications. Each tab is a module with
// `mount(element, app) -> {show(), hide()}`, which is loaded when the tab is first opened.

import { createBackend } from "./backend.js";
import { h, icon } from "./dom.js";

const TABS = {
  chat: () => import("./chat.js"),
  traffic: () => import("./traffic.js"),
  faults: () => import("./faults.js"),
  api: () => import("./api.js"),
};
const NAMES = Object.keys(TABS);
const TOAST = 4000;

const app = Object.assign(createBackend(), {
  /** Show a notification for some seconds. */
  notify(text, { error = false } = {}) {
    const toast = h("p", { class: error ? "toast error" : "toast" }, text);
    const toasts = document.getElementById("toasts");
    toasts.append(toast);
    // Many failures at once are one problem, not a wall of boxes.
    while (toasts.children.length > 3) toasts.firstChild.remove();
    setTimeout(() => toast.remove(), error ? 2 * TOAST : TOAST);
  },

  /** Have a screen reader say something, without showing it. */
  announce(text) {
    const log = document.getElementById("announcements");
    log.append(h("p", {}, text));
    while (log.children.length > 5) log.firstChild.remove();
  },
});

// Tabs

const mounted = new Map();
let current = null;

async function openTab(name) {
  if (name === current) return;
  const previous = current;
  current = name;
  for (const other of NAMES) {
    const tab = document.getElementById(`tab-${other}`);
    tab.setAttribute("aria-selected", String(other === name));
    tab.tabIndex = other === name ? 0 : -1;
    document.getElementById(other).hidden = other !== name;
  }
  mounted.get(previous)?.hide();
  if (!mounted.has(name)) {
    const module = await TABS[name]();
    if (!mounted.has(name)) mounted.set(name, module.mount(document.getElementById(name), app));
  }
  if (current === name) mounted.get(name).show();
}

function tabOfHash() {
  const name = location.hash.replace("#/", "").split("/")[0];
  return NAMES.includes(name) ? name : "chat";
}

const tablist = document.querySelector("[role=tablist]");
tablist.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (tab) location.hash = `#/${tab.getAttribute("aria-controls")}`;
});
tablist.addEventListener("keydown", (event) => {
  const at = NAMES.indexOf(current);
  const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: NAMES.length - 1 };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const name = NAMES[(steps[event.key] + NAMES.length) % NAMES.length];
  location.hash = `#/${name}`;
  document.getElementById(`tab-${name}`).focus();
});
addEventListener("hashchange", () => openTab(tabOfHash()));
openTab(tabOfHash());

// Light and dark

const themeButton = document.getElementById("theme");
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";

function showTheme() {
  themeButton.setAttribute("aria-pressed", String(isDark()));
  themeButton.title = isDark() ? "Use light mode" : "Use dark mode";
  themeButton.replaceChildren(icon(isDark() ? "sun" : "moon"));
}

themeButton.addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("poolse-theme", theme);
  showTheme();
});
systemDark.addEventListener("change", showTheme);
showTheme();

// Whether the sandbox is there

app.onReach((reachable) => {
  const reach = document.getElementById("reach");
  reach.textContent = reachable ? "Running" : "Not reachable";
  reach.classList.toggle("lost", !reachable);
});
