"use strict";
// First on the page: whatever goes wrong afterwards is told on the root element, where a test, or a person who reports it, finds it.
(() => {
  const root = document.documentElement, told = [];
  const tell = (text) => { told.push(String(text)); root.dataset.errors = JSON.stringify(told); };
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
