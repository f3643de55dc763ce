// The live page: rows come by server-sent events, made by the server. A page holds the newest; a pause holds them back.
import htmx from "htmx.org";

const ROWS_MAX = 200;
const SILENCE_MS = 40_000; // the server says something every 15 s
const AGAIN_MS = [1_000, 2_000, 5_000, 15_000]; // by how often it failed in a row; the last one repeats

const begun = new WeakSet<Element>();

export function live(root: ParentNode): void {
  const table = root.querySelector<HTMLTableElement>("table[data-live]");
  if (!table || begun.has(table)) return;
  begun.add(table);
  new Live(table);
}

class Live {
  private readonly rows: HTMLTableSectionElement;
  private readonly state = document.querySelector<HTMLElement>("[data-live-state]");
  private readonly button = document.querySelector<HTMLButtonElement>("[data-live-pause]");
  private source?: EventSource;
  private after: string;
  private waiting: string[] = []; // rows not yet on the page, the oldest first
  private passed = 0; // how many came meanwhile
  private paused = false;
  private lost = false;
  private failures = 0;
  private heard = 0; // timer that ends a connection from which nothing comes
  private drawing = 0;

  constructor(private readonly table: HTMLTableElement) {
    this.rows = table.tBodies[0] as HTMLTableSectionElement;
    this.after = table.dataset.after ?? "";
    this.button?.removeAttribute("hidden");
    this.state?.removeAttribute("hidden");
    this.button?.addEventListener("click", () => this.pause(!this.paused));
    document.addEventListener("keydown", (event) => {
      const writes = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      const modified = event.ctrlKey || event.metaKey || event.altKey;
      if (event.key === "p" && !writes && !modified && !document.querySelector("dialog[open]")) this.pause(!this.paused);
    });
    addEventListener("pagehide", () => this.source?.close());
    addEventListener("pageshow", (event) => event.persisted && this.connect());
    this.connect();
    this.tell();
  }

  private connect(): void {
    this.source?.close();
    const address = new URL(this.table.dataset.live ?? "", location.href);
    address.searchParams.set("after", this.after);
    const source = (this.source = new EventSource(address));
    source.onmessage = (event) => this.take(event);
    source.addEventListener("beat", (event) => this.hear(event));
    source.onerror = () => this.lose();
  }

  private hear(event: MessageEvent<string>): void {
    this.after = event.lastEventId;
    clearTimeout(this.heard);
    this.heard = window.setTimeout(() => this.lose(), SILENCE_MS);
    this.failures = 0;
    if (this.lost) {
      this.lost = false;
      this.tell();
    }
  }

  private take(event: MessageEvent<string>): void {
    this.hear(event);
    this.waiting.push(event.data);
    if (this.waiting.length > ROWS_MAX) this.waiting.shift();
    this.passed++;
    if (this.paused) this.tell();
    else this.drawing ||= requestAnimationFrame(() => this.draw());
  }

  // Not left to the browser, which does not connect again after an answer that is no stream, nor after silence.
  private lose(): void {
    clearTimeout(this.heard);
    this.source?.close();
    this.lost = true;
    this.tell();
    const pause = AGAIN_MS[Math.min(this.failures++, AGAIN_MS.length - 1)];
    this.heard = window.setTimeout(() => this.connect(), pause);
  }

  private pause(paused: boolean): void {
    this.paused = paused;
    this.button?.querySelector("use")?.setAttribute("href", this.icon(paused ? "play" : "pause"));
    if (!paused) this.draw();
    this.tell();
  }

  private icon(name: string): string {
    return (this.button?.querySelector("use")?.getAttribute("href") ?? "").replace(/#.*/, `#${name}`);
  }

  private draw(): void {
    cancelAnimationFrame(this.drawing);
    this.drawing = 0;
    const holder = document.createElement("template");
    holder.innerHTML = this.waiting.reverse().join("");
    this.waiting = [];
    this.passed = 0;
    const fresh = [...holder.content.children];
    if (!fresh.length) return;
    document.querySelector("[data-live-empty]")?.setAttribute("hidden", "");
    this.table.hidden = false;
    fresh.reverse().forEach((row) => this.put(row as HTMLElement));
    for (let row = this.rows.lastElementChild; row && this.rows.rows.length > ROWS_MAX; ) {
      const before: Element | null = row.previousElementSibling;
      if (!row.querySelector("details[open]")) row.remove();
      row = before;
    }
  }

  // An event that was here already is one row still, which moves up; but not under the eyes of who reads it.
  private put(row: HTMLElement): void {
    const { event, again } = row.dataset;
    const before = event && this.rows.querySelector<HTMLElement>(`tr[data-event="${event}"]`);
    if (!before) {
      this.rows.prepend(row);
      htmx.process(row);
      return;
    }
    const times = Number(before.dataset.again) + Number(again);
    before.dataset.again = String(times);
    const pill = row.querySelector<HTMLElement>("[data-copies]");
    if (pill) {
      pill.textContent = "first" in before.dataset ? `received ${(times + 1).toLocaleString("en")} times` : `duplicate, ${times.toLocaleString("en")} times`;
      before.querySelector("[data-copies]")?.remove();
      before.querySelector(".brief")?.append(pill);
    }
    before.querySelector(".at")?.replaceWith(row.querySelector(".at") ?? "");
    if (before.querySelector("details[open]") || before.contains(document.activeElement)) return;
    const opened = before.querySelector(".opened");
    const anew = opened?.cloneNode(true) as Element | undefined; // it is asked for again when it is opened again
    if (anew) opened?.replaceWith(anew);
    before.classList.add("fresh");
    this.rows.prepend(before);
    htmx.process(before);
  }

  private tell(): void {
    const words = this.button?.querySelector("span");
    if (words) words.textContent = this.paused ? `Go on${this.passed ? ` (${this.passed.toLocaleString("en")} waiting)` : ""}` : "Pause";
    const text = this.lost ? "The connection is lost. It is tried again until it is back." : this.paused ? "Paused" : "Listening";
    if (!this.state) return;
    this.state.classList.toggle("lost", this.lost);
    this.state.classList.toggle("at-work", !this.lost && !this.paused);
    if (this.state.textContent !== text) this.state.textContent = text;
  }
}
