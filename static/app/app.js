/* What a page does beyond HTML. Everything here is a convenience: without it every page still works. */
"use strict";

(() => {
  const KEYS_OFF = "keys-off";
  const dialog = document.getElementById("keys");

  /* ── What could not be done is said, not swallowed ──────────────────────────────────────────────── */
  const say = (key) => {
    const live = document.getElementById("live");
    if (live?.dataset[key]) {
      live.textContent = live.dataset[key];
      live.classList.replace("visually-hidden", "live-shown");
    }
  };
  const hush = () => {
    const live = document.getElementById("live");
    if (!live) return;
    live.textContent = "";
    live.classList.replace("live-shown", "visually-hidden");
  };

  /* ── Single keys: ? help, j/k rows, t h s c for a row, / search ─────────────────────────────────────────────────────── */
  const keysOn = () => {
    try {
      return localStorage.getItem(KEYS_OFF) !== "1";
    } catch {
      return true;
    }
  };

  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);

  const handle = (row) => {
    const target = row.querySelector("a[data-open], a[href], button");
    if (target) return target;
    row.tabIndex = -1;
    return row;
  };

  const current = () => rows().find((row) => row.contains(document.activeElement));

  /* Said to who hears the page: a row's own words are read because it has the focus. */
  const tellPlace = (number, all) => {
    const place = document.getElementById("place");
    if (place) place.textContent = place.dataset.words.replace("{n}", number).replace("{all}", all);
  };

  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
    hush();
    handle(all[next]).focus();
    tellPlace(next + 1, all.length);
  };

  /* A key does what a link of the row does, and leads to a page that asks: nothing is done by one key. */
  const act = (key) => {
    const row = current();
    const link = row?.querySelector(`a[data-key="${key}"]`);
    if (link) link.click();
    else say(row ? "noKey" : "noRow");
  };
  const offered = (key) => document.querySelector(`[data-row] a[data-key="${key}"]`) !== null;

  const typing = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keysOn() || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "ArrowDown" && current()) step(1);
    else if (event.key === "ArrowUp" && current()) step(-1);
    else if (["t", "h", "s", "c"].includes(event.key) && offered(event.key)) act(event.key);
    else if (event.key === "?" && dialog) dialog.showModal();
    else if (event.key === "/" && document.querySelector("[data-search]")) document.querySelector("[data-search]").focus();
    else return;
    event.preventDefault();
  });

  if (dialog) {
    const box = document.getElementById("keys-on");
    box.checked = keysOn();
    box.addEventListener("change", () => {
      try {
        localStorage.setItem(KEYS_OFF, box.checked ? "0" : "1");
      } catch {
        /* A browser that stores nothing keeps the default. */
      }
    });
    document.querySelectorAll("[data-keys-open]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => dialog.showModal());
    });
    document.querySelectorAll("[data-keys-hint]").forEach((hint) => (hint.hidden = matchMedia("(pointer: coarse)").matches));
  }

  /* ── A scanner types and ends with Enter: on to the next number, and never half a form ──────────── */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.("input[data-scan]")) return;
    event.preventDefault();
    const places = [...document.querySelectorAll("input[data-scan]")];
    const next = places[places.indexOf(event.target) + 1] ?? event.target.form.querySelector(".btn-primary");
    next.focus();
  });

  /* ── Menus close when one clicks elsewhere or presses Escape ─────────────────────────────────────── */
  const openMenus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    openMenus().forEach((menu) => menu.contains(event.target) || (menu.open = false));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    openMenus().forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  /* ── Forms: ask before what cannot be undone, and send once ──────────────────────────────────────── */
  document.addEventListener(
    "submit",
    (event) => {
      const asked = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
      if (asked && !window.confirm(asked)) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    },
    true,
  );

  const busy = (form, on) => {
    form.querySelectorAll("button:not([type=button]), input[type=submit]").forEach((button) => (button.disabled = on));
    if (on) form.setAttribute("aria-busy", "true");
    else form.removeAttribute("aria-busy");
  };

  document.addEventListener("submit", (event) => {
    /* HTMX has prevented the ordinary submit and uses hx-disabled-elt; a dialog's form sends nothing. */
    if (event.defaultPrevented || event.target.method !== "post") return;
    /* After the browser has collected the fields: a disabled button would not be among them. */
    setTimeout(() => busy(event.target, true), 0);
  });

  window.addEventListener("pageshow", () => document.querySelectorAll("form[aria-busy]").forEach((form) => busy(form, false)));

  /* ── After a page or a part of it has come ───────────────────────────────────────────────────────── */
  const TABLE_ROLES = [
    ["table", "table"],
    ["thead, tbody", "rowgroup"],
    ["tr", "row"],
    ["thead th", "columnheader"],
    ["tbody th", "rowheader"],
    ["td", "cell"],
  ];

  const prepare = (root, polled = false) => {
    /* A table shown as cards loses its table semantics in some browsers: say them. */
    root.querySelectorAll(".table-wrap").forEach((wrap) => {
      TABLE_ROLES.forEach(([selector, role]) => wrap.querySelectorAll(selector).forEach((part) => part.setAttribute("role", role)));
    });
    /* What refreshes by itself never takes the focus from whoever is typing. */
    if (!polled) root.querySelector("[data-error-summary]")?.focus();
  };

  prepare(document);
  document.addEventListener("htmx:afterSwap", (event) => {
    const polled = Boolean(event.detail.requestConfig?.headers["X-Refresh"]);
    prepare(event.detail.target.isConnected ? event.detail.target : document, polled);
  });

  document.addEventListener("htmx:sendError", () => say("offline"));
  document.addEventListener("htmx:responseError", () => say("failed"));
  document.addEventListener("htmx:afterRequest", (event) => event.detail.successful && hush());
})();
