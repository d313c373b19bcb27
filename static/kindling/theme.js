/* Light or dark for pages outside the admin: they share the choice with the admin. */
"use strict";

(() => {
  const KEY = "adminTheme";

  function chosen() {
    try {
      return JSON.parse(localStorage.getItem(KEY));
    } catch {
      return null;
    }
  }

  function isDark() {
    const theme = chosen();
    return theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  }

  function show() {
    document.documentElement.classList.toggle("dark", isDark());
  }

  show();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    localStorage.setItem(KEY, JSON.stringify(isDark() ? "light" : "dark"));
    show();
  });
})();
