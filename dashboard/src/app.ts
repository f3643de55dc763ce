import htmx from "htmx.org";
import { charts } from "./charts";
import { keys } from "./keys";
import { live } from "./live";
import { place } from "./place";
import { small } from "./small";

// Each part is given the whole document first, and then every piece that htmx puts into it.
const PARTS = [small, live, charts];

document.documentElement.classList.add("scripted");
keys();
place();
const begin = (root: ParentNode) => PARTS.forEach((part) => part(root));
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => begin(document));
else begin(document);
document.addEventListener("htmx:load", (event) => begin((event as CustomEvent<{ elt: HTMLElement }>).detail.elt));

// What the server answers as an error is shown where the answer would have stood.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event as CustomEvent<{ xhr: XMLHttpRequest; shouldSwap: boolean; isError: boolean }>;
  if (detail.xhr.status >= 400 && detail.xhr.getResponseHeader("content-type")?.startsWith("text/html")) {
    detail.shouldSwap = true;
    detail.isError = false;
  }
});

// What stands on the page when no answer comes is from before, which somebody who just typed could not tell.
document.addEventListener("htmx:sendError", () => {
  if (document.getElementById("lost")) return;
  const notice = Object.assign(document.createElement("p"), { id: "lost", className: "said bad" });
  notice.setAttribute("role", "alert");
  notice.textContent = "The server cannot be reached. What stands here is from before; try again.";
  document.getElementById("main")?.prepend(notice);
});
document.addEventListener("htmx:afterOnLoad", () => document.getElementById("lost")?.remove());

// A request that a newer one takes the place of is no error, and htmx would write it to the console as one.
htmx.logger = (_: Element, event: string, detail: { error?: string }) => {
  if (event === "htmx:sendAbort" || event === "htmx:afterRequest") delete detail.error;
};
