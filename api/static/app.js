// Makes pages nicer where JavaScript runs; every page works without it.
"use strict";

// Without a connection: said at once, and no form is sent into the void with what was typed in it.
const offline = document.getElementById("offline");
const connected = (is) => { if (offline) offline.hidden = is; };
window.addEventListener("offline", () => connected(false));
window.addEventListener("online", () => connected(true));
if (!navigator.onLine) connected(false);
document.addEventListener("submit", (event) => {
  if (navigator.onLine) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  connected(false);
});

// The reading of a need while it is typed.
const intake = document.querySelector("form[data-reading]");
if (intake) {
  const panel = document.getElementById("reading");
  let timer = 0, running = null, last = "";
  const ask = async () => {
    const form = new FormData(intake);
    form.delete("files"); // read when the form is sent, not while it is typed
    const key = ["text", "place", "work_place"].map((name) => form.get(name)).join("|") + form.getAll("certificates");
    if (key === last || String(form.get("text")).trim().length < 10) return;
    last = key;
    if (running) running.abort();
    running = new AbortController();
    panel.classList.add("loading");
    try {
      const answer = await fetch(intake.dataset.reading, { method: "POST", body: new URLSearchParams(form), signal: running.signal });
      connected(true);
      if (answer.ok) {
        panel.innerHTML = await answer.text();
        const title = panel.querySelector("[data-title]"), field = intake.elements.title, proposed = intake.elements.proposed;
        if (title && field.value.trim() === proposed.value) field.value = proposed.value = title.dataset.title; // nobody wrote another
      }
      panel.classList.remove("loading");
    } catch (error) {
      if (error.name === "AbortError") return;
      panel.classList.remove("loading");
      connected(false);
    }
  };
  intake.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 450); });
}

// What an offer would have brought, while it is written.
const offer = document.querySelector("form[data-look]");
if (offer) {
  const panel = document.getElementById("look");
  let timer = 0, running = null;
  const look = async () => {
    if (running) running.abort();
    running = new AbortController();
    panel.classList.add("loading");
    try {
      const answer = await fetch(offer.dataset.look, { method: "POST", body: new URLSearchParams(new FormData(offer)), signal: running.signal });
      connected(true);
      if (answer.ok) panel.innerHTML = await answer.text();
      panel.classList.remove("loading");
    } catch (error) {
      if (error.name === "AbortError") return;
      panel.classList.remove("loading");
      connected(false);
    }
  };
  offer.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 600); });
}

// The slider of the threshold: its share while it moves, what that does once it is let go.
const slide = document.querySelector("form[data-slide]");
if (slide) {
  const thumb = slide.elements.position, share = slide.querySelector("output"), panel = document.getElementById("what-if");
  const shares = [...slide.querySelectorAll(".shares li")].map((each) => each.textContent);
  let timer = 0, running = null;
  const tell = () => { share.value = shares[thumb.value - 1]; thumb.setAttribute("aria-valuetext", share.value); };
  const show = async () => {
    if (running) running.abort();
    running = new AbortController();
    panel.classList.add("loading");
    try {
      const answer = await fetch(slide.dataset.slide + "?position=" + thumb.value, { signal: running.signal });
      connected(true);
      if (answer.ok) {
        panel.innerHTML = await answer.text();
        history.replaceState(null, "", "?position=" + thumb.value + "#threshold");
      }
      panel.classList.remove("loading");
    } catch (error) {
      if (error.name === "AbortError") return;
      panel.classList.remove("loading");
      connected(false);
    }
  };
  share.hidden = false;
  tell();
  thumb.addEventListener("input", tell);
  thumb.addEventListener("change", () => { clearTimeout(timer); timer = setTimeout(show, 200); }); // keys let go often
}

// Suggestions under a place field.
for (const field of document.querySelectorAll("input[list=places]")) {
  const list = document.getElementById("places");
  field.addEventListener("input", async () => {
    if (field.value.trim().length < 2) return;
    const answer = await fetch("/places?q=" + encodeURIComponent(field.value)).catch(() => null);
    if (!answer || !answer.ok) return;
    list.replaceChildren(...(await answer.json()).map((name) => { const o = document.createElement("option"); o.value = name; return o; }));
  });
}

// Files that are too much together would never arrive: said before anything typed is sent.
for (const field of document.querySelectorAll("input[type=file][data-most]")) {
  field.addEventListener("change", () => {
    const size = [...field.files].reduce((sum, file) => sum + file.size, 0);
    const much = size > Number(field.dataset.most);
    if (much) field.value = "";
    field.setCustomValidity(much ? field.dataset.tooMuch : "");
    field.reportValidity();
  });
}

// A part of the page that refreshes itself while it is looked at.
for (const part of document.querySelectorAll("[data-refresh]")) {
  setInterval(async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    const answer = await fetch(part.dataset.refresh).catch(() => null);
    connected(answer !== null);
    if (answer && answer.ok) part.innerHTML = await answer.text();
  }, 5000);
}

// No form twice by a nervous finger.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button && event.target.method === "post") setTimeout(() => { button.disabled = true; }, 0);
});
window.addEventListener("pageshow", () => { for (const b of document.querySelectorAll("button[disabled]")) b.disabled = false; });
