// Small comforts of the consent page; everything works without them.
"use strict";

// A code or a state that came with the address is of no use any more: it leaves the address bar and the history.
if (location.pathname.startsWith("/oauth/callback/") && location.search) {
  history.replaceState(null, "", location.pathname);
}

// The host that a field becomes part of shows what is typed into it.
for (const input of document.querySelectorAll("input[data-gap]")) {
  const targets = [...input.form.querySelectorAll("[data-shows]")].filter((e) => e.dataset.shows === input.dataset.gap);
  const empty = `[${input.dataset.gap.replaceAll("_", " ")}]`;
  const show = () => {
    const label = input.value.trim();
    const fits = /^[A-Za-z0-9-]{1,63}$/.test(label);
    for (const target of targets) {
      target.textContent = fits ? label : empty;
      target.classList.toggle("filled", fits);
    }
  };
  input.addEventListener("input", show);
  show();
}

// Times in the reader's own zone.
for (const time of document.querySelectorAll("time[data-clock]")) {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.getTime())) {
    time.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  }
}
