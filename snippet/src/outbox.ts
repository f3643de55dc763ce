/** The queue of a workspace and its delivery, one a page, and what the page's life means for them. */

import type { Item, Queue } from "./queue";
import { BEAT_MS, prefixOf } from "./tabs";
import { erase, keysFrom } from "./storage";
import { openDelivery } from "./delivery";
import { openQueue } from "./queue";
import { safe } from "./safe";

type Heard = (item: Item, type: string | undefined) => void;

export interface Outbox extends Pick<Queue, "put" | "identify" | "drop"> {
  wake(now?: boolean): void;
}

const open: Record<string, Outbox & { heard: Heard; clear(): void }> = {};

export function openOutbox(app: string, base: string, heard: Heard): Outbox {
  const url = `${base}/messenger/${app}/deliveries`;
  const known = open[url];
  if (known) {
    known.heard = heard;
    return known;
  }
  const wake = (now?: boolean): void => delivery.wake(now);
  const queue = openQueue(app, wake);
  const delivery = openDelivery(url, queue, (item, type) => outbox.heard(item, type));
  const outbox = {
    heard,
    wake,
    drop: queue.drop,
    put(item: Item, moment: number) {
      queue.put(item, moment);
      wake(item.kind === "ping");
    },
    identify: queue.identify,
    clear: queue.clear,
  };
  open[url] = outbox;
  queue.adopt();

  const on = (target: EventTarget, type: string, work: (event: Event) => void): void => target.addEventListener(type, safe(work));
  on(window, "online", delivery.online);
  on(document, "visibilitychange", () => document.visibilityState === "hidden" && delivery.hidden());
  on(window, "pagehide", () => {
    delivery.leave();
    queue.leave();
  });
  on(window, "pageshow", (event) => (event as PageTransitionEvent).persisted && queue.resume());
  setInterval(
    safe(() => {
      queue.beat();
      if (queue.entries.some((entry) => !entry.item.held)) wake();
    }),
    BEAT_MS,
  );
  return outbox;
}

/** Consent is refused: nothing stays of what waits. */
export function forgetItems(app: string): void {
  for (const url in open) if (url.includes(`/${app}/`)) open[url]!.clear();
  keysFrom(prefixOf(app)).forEach(erase);
}
