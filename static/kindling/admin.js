/* What unfold's pages lack: keyboard access, names for icons, a sidebar that stays where it was, and a way to the first error. */
"use strict";

(() => {
  const CLICKABLE = "[x-on\\:click]:not(button, a[href], input, summary, [tabindex], tr, nav)";
  const SCROLLED = "sidebarScrolled";

  /* Elements that unfold makes clickable become buttons: the user's menu, filters, and the toggle of the sidebar. */
  function makeButtons(root) {
    for (const element of root.querySelectorAll(CLICKABLE)) {
      if (!getComputedStyle(element).cursor.startsWith("pointer") && !element.closest(".cursor-pointer")) continue;
      element.tabIndex = 0;
      element.setAttribute("role", "button");
    }
    for (const button of root.querySelectorAll(":is(button, [role=button]):not([aria-label])")) {
      const icon = button.matches(".material-symbols-outlined") ? button : button.querySelector(".material-symbols-outlined");
      if (icon && button.textContent.trim() === icon.textContent.trim()) nameIcon(button, icon);
    }
    for (const icon of root.querySelectorAll(".material-symbols-outlined:not([role], [aria-label])")) {
      icon.setAttribute("aria-hidden", "true");
    }
  }

  /* select2 shows boxes of its own instead of the select that the label names; Django's tooltips are spans */
  function nameSelects() {
    for (const tip of document.querySelectorAll(".help-tooltip[aria-label]")) tip.setAttribute("role", "img");
    for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
      const label = select.labels[0]?.textContent.trim() || select.getAttribute("aria-label");
      const boxes = (select.nextElementSibling ?? select).querySelectorAll("[role=combobox], [role=textbox], [type=search]");
      for (const box of label ? boxes : []) box.setAttribute("aria-label", label);
    }
  }

  function nameIcon(element, icon) {
    const names = JSON.parse(document.getElementById("icon-names").textContent);
    element.setAttribute("aria-label", names[icon.textContent.trim()] ?? names.more_horiz);
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.getAttribute?.("role") !== "button" || ![" ", "Enter"].includes(event.key)) return;
    event.preventDefault();
    event.target.click();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.body.click(); // closes unfold's menus
  });

  /* Without words the palette offers its commands. */
  document.addEventListener("focusin", ({ target }) => {
    if (target.id !== "search-input-command" || target.value) return;
    htmx.ajax("GET", target.getAttribute("hx-get"), { target: "#command-results", select: "#command-results-list" });
  });

  function keepSidebarScrolled() {
    const apps = document.getElementById("nav-sidebar-apps");
    const scroller = apps?.querySelector(".simplebar-content-wrapper") ?? apps;
    if (!scroller) return;
    scroller.scrollTop = Number(sessionStorage.getItem(SCROLLED));
    scroller.addEventListener("scroll", () => sessionStorage.setItem(SCROLLED, scroller.scrollTop));
  }

  function goToFirstError() {
    const error = document.querySelector("#content form :is(.errorlist, [aria-invalid=true])");
    if (!error) return;
    for (let fold = error.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    const tab = error.closest(".tab-wrapper");
    const tabs = tab ? [...tab.parentElement.querySelectorAll(".tab-wrapper")] : [];
    tab?.parentElement.querySelectorAll("nav a")[tabs.indexOf(tab)]?.click();
    const row = error.closest(".field-row, .form-row, .field-line, .form-group") ?? error.parentElement;
    row.scrollIntoView({ block: "center" });
    row.querySelector("input:not([type=hidden]), select, textarea")?.focus({ preventScroll: true });
  }

  document.addEventListener("DOMContentLoaded", () => {
    makeButtons(document);
    const content = document.getElementById("content");
    if (content) new MutationObserver(nameSelects).observe(content, { childList: true, subtree: true });
  });
  document.addEventListener("htmx:afterSettle", ({ target }) => makeButtons(target));
  window.addEventListener("load", () => {
    nameSelects();
    keepSidebarScrolled();
    goToFirstError();
  });
})();
