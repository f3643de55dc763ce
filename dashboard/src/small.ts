// Theme, copying, times that go on, menus that close.
const AGO: [number, number, string][] = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86400, 3600, "h"],
];

function ago(seconds: number): string | undefined {
  if (seconds < 0) return undefined;
  if (seconds < 5) return "just now";
  const row = AGO.find(([below]) => seconds < below);
  return row && `${Math.floor(seconds / row[1])} ${row[2]} ago`;
}

function goOn(): void {
  for (const time of document.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    if (!/^just now$| ago$/.test(time.textContent ?? "")) continue;
    const text = ago(Date.now() / 1000 - Date.parse(time.dateTime) / 1000);
    if (text && text !== time.textContent) time.textContent = text;
  }
}

async function copy(button: HTMLElement): Promise<void> {
  const words = button.querySelector("span");
  const text = button.parentElement?.querySelector("code")?.textContent ?? button.dataset.copy ?? "";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Over plain http there is no clipboard but the old one.
    const field = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  if (words) {
    words.textContent = "Copied";
    setTimeout(() => (words.textContent = "Copy"), 1500);
  }
}

function switchTheme(): void {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `trackrecord_theme=${root.dataset.theme}; Path=/-/ui; Max-Age=31536000; SameSite=Lax${secure}`;
  document.dispatchEvent(new Event("theme"));
}

// Whoever adds a row of conditions writes into it; whoever takes one away is at the next, or where one is added.
function goOnAt(event: Event): void {
  const submitter = (event as CustomEvent<{ requestConfig?: { triggeringEvent?: SubmitEvent } }>).detail.requestConfig?.triggeringEvent?.submitter;
  const { name, value } = (submitter as HTMLButtonElement | null | undefined) ?? {};
  const rows = [...document.querySelectorAll(".condition")];
  const row = name === "add" ? rows.at(-1) : rows[Math.min(Number(value), rows.length - 1)];
  if (name === "add") row?.querySelector<HTMLElement>("select, input:not([type=hidden])")?.focus();
  if (name === "drop") (row?.querySelector<HTMLElement>("button[name=drop]") ?? document.querySelector<HTMLElement>("button[name=add]"))?.focus();
}

export function small(root: ParentNode): void {
  goOn();
  if (root !== document) return;
  setInterval(goOn, 5000);
  document.addEventListener("htmx:afterOnLoad", goOnAt);
  document.querySelector(".subnav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
    const button = target.closest<HTMLElement>("[data-copy]");
    if (button) void copy(button);
    if (target.closest("[data-theme-switch]")) switchTheme();
    if (target.closest("[data-keys]")) document.querySelector<HTMLDialogElement>("#keys")?.showModal();
  });
  // A form with this changes the page as soon as something in it is chosen; but for a field that says it waits, as somebody goes on to the next.
  document.addEventListener("change", (event) => {
    const field = event.target as Element;
    if (!field.matches("[data-waits]")) field.closest<HTMLFormElement>("form[data-at-once]")?.requestSubmit();
  });
}
