"use strict";
// The page can be read without this: it switches colours, copies code, and opens what a link leads to.
const root = document.documentElement;
const theme = document.querySelector("#theme");
const say = (text) => { document.querySelector("#status").textContent = text; };
const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
const show = () => { theme.setAttribute("aria-pressed", String(isDark())); };

theme.hidden = false;
theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; show(); });
show();

for (const button of document.querySelectorAll(".copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      say("Copied");
      button.firstChild.textContent = "Copied";
      setTimeout(() => { button.firstChild.textContent = "Copy"; }, 1500);
    } catch {
      getSelection().selectAllChildren(code);
      say("Selected: press Ctrl and C to copy");
    }
  });
}

const openTarget = () => {
  const target = location.hash === "" ? null : document.getElementById(decodeURIComponent(location.hash.slice(1)));
  target?.closest("details")?.setAttribute("open", "");
};
addEventListener("hashchange", openTarget);
openTarget();
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details.axis, details.group, details.failure")) {
    if (!one.open) { one.open = true; one.dataset.closed = ""; }
  }
});
addEventListener("afterprint", () => {
  for (const one of document.querySelectorAll("[data-closed]")) { one.open = false; delete one.dataset.closed; }
});
