"use strict";
// What is pointed at or focused fills the panel of its figure; arrows go from one to the next.
const SVG = "http://www.w3.org/2000/svg";

function made(tag, text, kind) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

function bar(share) {
  const drawn = document.createElementNS(SVG, "svg");
  const length = document.createElementNS(SVG, "rect");
  drawn.setAttribute("viewBox", "0 0 100 10");
  drawn.setAttribute("preserveAspectRatio", "none");
  drawn.setAttribute("aria-hidden", "true");
  length.setAttribute("width", String(100 * Math.max(0, Math.min(1, share || 0))));
  length.setAttribute("height", "10");
  length.setAttribute("class", "accent");
  drawn.append(length);
  return drawn;
}

function row([name, number, share]) {
  const line = made("tr");
  const head = made("th");
  const track = made("td", "", "track");
  head.scope = "row";
  head.append(made("bdi", name));
  track.append(bar(share));
  line.append(head, made("td", number), track);
  return line;
}

function show(panel, [title, about, rows]) {
  const head = made("p", "", "of");
  const table = made("table");
  head.append(made("bdi", title));
  table.append(...rows.map(row));
  panel.replaceChildren(head, made("p", about, "about"), table);
}

for (const figure of document.querySelectorAll("figure.live")) {
  const items = JSON.parse(figure.querySelector("script").textContent);
  const panel = figure.querySelector(".panel");
  const handles = [...figure.querySelectorAll("[data-k]")];
  const pick = (handle) => {
    handles.forEach((other) => other.classList.toggle("on", other === handle));
    show(panel, items[Number(handle.dataset.k)]);
  };
  handles.forEach((handle, at) => {
    handle.addEventListener("mouseenter", () => pick(handle));
    handle.addEventListener("focus", () => pick(handle));
    handle.addEventListener("click", () => pick(handle));
    handle.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1,
        Home: 0, End: handles.length - 1 };
      const next = handles[steps[event.key]];
      if (!next) return;
      event.preventDefault();
      handle.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  });
  if (items.length) pick(handles[Math.min(1, handles.length - 1)]);
}

addEventListener("beforeprint", () => {
  document.querySelectorAll("details:not(.long)").forEach((part) => { part.open = true; });
});
