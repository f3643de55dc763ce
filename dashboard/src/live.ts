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

interface Waiting {
  first: string; // rows as the server made them
  last: string;
  again: number;
}

function row(html: string): HTMLElement {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.firstElementChild as HTMLElement;
}

class Live {
  private readonly rows: HTMLTableSectionElement;
  private readonly state = document.querySelector<HTMLElement>("[data-live-state]");
  private readonly button = document.querySelector<HTMLButtonElement>("[data-live-pause]");
  private source?: EventSource;
  private after: string;
  private waiting = new Map<string, Waiting>(); // not yet on the page, by event or position, the oldest first
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
    this.wait(event);
    this.passed++;
    if (this.paused) this.tell();
    else this.drawing ||= requestAnimationFrame(() => this.draw());
  }

  private wait({ data, lastEventId }: MessageEvent<string>): void {
    const [, id = lastEventId, again = "0"] = /data-event="(\d+)" data-again="(\d+)"/.exec(data) ?? [];
    const before = this.waiting.get(id);
    this.waiting.delete(id);
    this.waiting.set(id, { first: before?.first ?? data, last: data, again: (before?.again ?? 0) + Number(again) });
    if (this.waiting.size > ROWS_MAX) this.waiting.delete([...this.waiting.keys()][0] as string);
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
    const fresh = [...this.waiting.values()];
    this.waiting.clear();
    this.passed = 0;
    if (!fresh.length) return;
    document.querySelector("[data-live-empty]")?.setAttribute("hidden", "");
    this.table.hidden = false;
    for (const { first, last, again } of fresh) this.put(row(first), row(last), again);
    for (let oldest = this.rows.lastElementChild; oldest && this.rows.rows.length > ROWS_MAX; ) {
      const before: Element | null = oldest.previousElementSibling;
      if (!oldest.querySelector("details[open]")) oldest.remove();
      oldest = before;
    }
  }

  // An event that was here already is one row still, which moves up; but not under the eyes of who reads it. `last` is the row as it came
  // last, and `again` how many copies of the event came meanwhile.
  private put(first: HTMLElement, last: HTMLElement, again: number): void {
    const { event } = first.dataset;
    const before = event && this.rows.querySelector<HTMLElement>(`tr[data-event="${event}"]`);
    const shown = before || first;
    if (before) again += Number(before.dataset.again);
    if (before || first.outerHTML !== last.outerHTML) this.count(shown, last, again);
    if (before && (before.querySelector("details[open]") || before.contains(document.activeElement))) {
      if (!("stale" in before.dataset)) before.querySelector("details")?.addEventListener("toggle", () => this.renew(before), { once: true });
      before.dataset.stale = "";
      return;
    }
    if (before) this.renew(before);
    shown.classList.add("fresh");
    this.rows.prepend(shown);
    if (!before) htmx.process(shown);
  }

  // The words are those of Copies in trackrecord/dashboard/live.py.
  private count(shown: HTMLElement, last: HTMLElement, again: number): void {
    shown.dataset.again = String(again);
    const pill = last.querySelector<HTMLElement>("[data-copies]");
    if (pill) {
      pill.textContent = "first" in shown.dataset ? `received ${(again + 1).toLocaleString("en")} times` : `duplicate, ${again.toLocaleString("en")} times`;
      shown.querySelector("[data-copies]")?.remove();
      shown.querySelector(".brief")?.append(pill);
    }
    shown.querySelector(".at")?.replaceWith(last.querySelector(".at") ?? "");
  }

  // What a row opened to is asked for again when it is opened again.
  private renew(shown: HTMLElement): void {
    delete shown.dataset.stale;
    const opened = shown.querySelector(".opened:has(.receipt)");
    if (!opened || shown.querySelector("details[open]")) return;
    const anew = opened.cloneNode(true) as Element;
    anew.querySelector(".receipt")?.remove();
    opened.replaceWith(anew);
    htmx.process(anew);
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
