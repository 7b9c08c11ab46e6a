// Light or dark, before the first paint: a classic script, because modules run too late for that.
// Without a stored choice the page follows the system.
try {
  const theme = localStorage.getItem("poolse-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be turned off.
}
