"use strict";
// First on the page: errors are recorded on the root element, where a test, or a person who reports them, finds them.
(() => {
  const root = document.documentElement, errors = [];
  const tell = (text) => { errors.push(String(text)); root.dataset.errors = JSON.stringify(errors); };
  root.dataset.errors = "[]";
  root.dataset.js = "on";
  for (const level of ["error", "warn"]) {
    const original = console[level].bind(console);
    console[level] = (...words) => { tell(words.join(" ")); original(...words); };
  }
  addEventListener("error", (event) => tell(event.message || `${event.target && event.target.tagName} failed to load`), true);
  addEventListener("unhandledrejection", (event) => tell(event.reason));
  addEventListener("securitypolicyviolation", (event) => tell(`${event.violatedDirective}: ${event.blockedURI}`));
  try {
    const kept = localStorage.getItem("synth-theme");
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch { /* no storage here: the system's choice holds */ }
})();
