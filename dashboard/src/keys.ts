// The keyboard: "/" searches, "?" lists the keys, "g" and a letter goes somewhere, "j" and "k" walk over rows.
const PLACES: Record<string, string> = { l: "live", e: "events", c: "contacts", s: "segments", r: "reports", t: "settings" };
const GO_MS = 1500; // between "g" and its letter

let goUntil = 0;

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function walk(step: number): void {
  const rows = [...document.querySelectorAll("[data-rows] tbody tr")].flatMap((row) => row.querySelector<HTMLElement>("a, summary") ?? []);
  if (!rows.length) return;
  const at = rows.findIndex((link) => link.closest("tr")?.contains(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step));
  rows[next]?.focus();
}

export function keys(): void {
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Escape") {
      document.querySelectorAll<HTMLDetailsElement>("details.menu[open]").forEach((menu) => {
        menu.open = false;
        menu.querySelector("summary")?.focus();
      });
      if (writes(target)) (target as HTMLElement).blur();
      return;
    }
    if (writes(target) || document.querySelector("dialog[open]")) return;
    const going = event.timeStamp < goUntil;
    goUntil = 0;
    const base = document.body.dataset.base;
    if (going && base && PLACES[key]) location.href = `${base}/${PLACES[key]}`;
    else if (key === "g") goUntil = event.timeStamp + GO_MS;
    else if (key === "/") document.querySelector<HTMLInputElement>("#find")?.focus();
    else if (key === "?") document.querySelector<HTMLDialogElement>("#keys")?.showModal();
    else if (key === "j") walk(1);
    else if (key === "k") walk(-1);
    else return;
    event.preventDefault();
  });
}
