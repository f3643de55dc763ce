/** Brings what is queued to the server: in batches, one at a time, again and again until there is an answer. */

import type { Dropped, Entry, Item, Queue, Reason } from "./queue";
import { OLD_MS } from "./queue";
import { attempt, complain, safe, warn } from "./safe";
import { openClock, running } from "./clock";

const ITEMS_MAX = 100;
const BYTES_MAX = 60000; // browsers let 64 KiB be under way as a page ends
const ENVELOPE_BYTES = 300;
const SOON_MS = 50;
const PAUSE_MS = 1000;
const LONG_PAUSE_MS = 60000;
const LONGEST_PAUSE_MS = 300000;
const PATIENCE_MS = 30000; // with one answer

interface Result {
  id: string;
  outcome: string;
  code?: string;
  message?: string;
}

interface Answer {
  now?: unknown;
  results?: Result[];
  people?: ({ type?: string } | null)[];
}

interface Batch {
  entries: Entry[];
  who: number[]; // of each entry, its place among the people
  people: string[]; // as JSON
  body: string;
  bytes: number;
  dropped: Dropped;
  waiting: boolean; // some events are left out until the server's clock is known
}

export interface Delivery {
  /** There is something new; `now` where it should not wait for more. */
  wake(now?: boolean): void;
  online(): void;
  hidden(): void;
  leave(): void;
}

/** `heard` is told of each item that was kept, and what its person is. */
export function openDelivery(url: string, queue: Queue, heard: (item: Item, type: string | undefined) => void): Delivery {
  const clock = openClock();
  const said = new Set<string>(); // warnings, once each
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due = Infinity;
  let notBefore = 0; // the server asked for a pause
  let failures = 0;
  let most = ITEMS_MAX;
  let underWay: Batch | undefined;
  let asked = false; // for nothing but the time

  const sizeOf = (value: string): number => new TextEncoder().encode(value).length + 1;

  /** What goes next, of at most `room` bytes; `leaving` where the page may not be there when an answer comes. */
  function pick(room: number, leaving: boolean): Batch {
    const entries: Entry[] = [];
    const items: string[] = []; // as JSON, like people
    const places: number[] = [];
    const people: string[] = [];
    let waiting = false;
    let bytes = ENVELOPE_BYTES;
    for (const entry of queue.entries.slice()) {
      const { item } = entry;
      if (Date.now() - item.at > OLD_MS) {
        queue.remove(entry, "old");
        continue;
      }
      if (item.held || (leaving && (entry.offered || (underWay && underWay.entries.includes(entry))))) continue;
      const { person, bare, held, ...sent } = item;
      const unstamped = item.kind === "event" && !item.time && !bare;
      if (unstamped) {
        sent.time = clock.time(item.at, entry.moment);
        if (!sent.time && !leaving && !asked) {
          waiting = true;
          continue;
        }
      }
      const key = JSON.stringify(person);
      const known = people.includes(key);
      const who = known ? people.indexOf(key) : people.length;
      const value = JSON.stringify({ who, ...sent });
      const more = sizeOf(value) + (known ? 0 : sizeOf(key));
      // One that is too large for any delivery goes by itself, and the server says so.
      if ((bytes + more > room && (entries.length || leaving)) || entries.length >= most) break;
      if (unstamped) {
        if (sent.time) item.time = sent.time;
        else item.bare = 1;
        queue.save(entry); // before it is sent: whoever sends it again must send the same
      }
      if (!known) people.push(key);
      bytes += more;
      entries.push(entry);
      places.push(who);
      items.push(value);
    }
    const dropped = { ...queue.dropped };
    const given = Object.keys(dropped)[0] && !leaving ? `,"dropped":${JSON.stringify(dropped)}` : "";
    const body = `{"script":"1","sent_at":${Date.now()},"people":[${people}],"items":[${items}]${given}}`;
    return { entries, who: places, people, body, bytes, waiting, dropped };
  }

  function plan(wait_ms: number): void {
    const at = Math.max(running() + wait_ms, notBefore);
    if (at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => flush(), at - running());
  }

  const flush = safe((leaving?: boolean) => {
    clearTimeout(timer);
    due = Infinity;
    if (underWay) return;
    const batch = pick(BYTES_MAX, !!leaving);
    if (batch.entries.length || batch.waiting) send(batch);
    else asked = false;
  });

  function send(batch: Batch): void {
    const started = running();
    const giveUp = new AbortController();
    const late = setTimeout(() => giveUp.abort(), PATIENCE_MS);
    underWay = batch;
    const done = safe((work: () => void) => {
      clearTimeout(late);
      if (underWay === batch) underWay = undefined;
      work();
    });
    // Keepalive lets it outlive the page; the browser may have no room for that, so another try goes without.
    const options: RequestInit = { method: "POST", body: batch.body, credentials: "omit", keepalive: !failures, signal: giveUp.signal };
    new Promise<Response>((answered) => answered(fetch(url, options))) // which may throw where a page has put its own in its place
      .then((response) =>
        response.status === 200
          ? response.json().then((answer: Answer) =>
              done(() => {
                clock.learn(answer.now, started);
                for (const reason in batch.dropped) queue.drop(reason as Reason, -batch.dropped[reason as Reason]!);
                settle(batch, answer);
              }),
            )
          : done(() => refused(batch, response)),
      )
      .catch(() => done(pause));
  }

  function settle(batch: Batch, answer: Answer): void {
    const outcomes = new Map((answer.results || []).map((result) => [result.id, result]));
    let missing = false;
    batch.entries.forEach((entry, place) => {
      const { item } = entry;
      const { outcome, message, code } = outcomes.get(item.id) || ({} as Result);
      const told = message || code;
      entry.offered = false;
      if (!queue.entries.includes(entry)) return; // it was given up meanwhile
      if (!outcome) missing = true;
      else if (outcome === "held") {
        const { known } = queue;
        // A visitor's call that has become a user's goes with that user's proof, where the page has given it.
        if (known && known.visitor === item.person.visitor && !item.person.user_id && !item.person.email) item.person = known;
        // Not where the page has given better proof meanwhile.
        else if (batch.people[batch.who[place]!] === JSON.stringify(item.person)) item.held = 1;
        queue.save(entry);
        once(`waits for proof: ${told}`);
      } else if (outcome === "refused") {
        queue.remove(entry);
        complain(`${name(item)} was refused: ${told}`);
      } else {
        queue.remove(entry);
        if (told) warn(`${name(item)}: ${told}`);
        heard(item, attempt(() => answer.people![batch.who[place]!]!.type));
      }
    });
    asked = !batch.entries.length;
    if (missing) return pause();
    failures = notBefore = 0;
    most = ITEMS_MAX;
    if (queue.entries.some((entry) => !entry.item.held)) plan(0);
  }

  function refused(batch: Batch, response: Response): void {
    const count = batch.entries.length;
    if ([400, 413].includes(response.status) && count) {
      if (count > 1) most = Math.ceil(count / 2);
      else {
        complain(`${name(batch.entries[0]!.item)} was unreadable`);
        queue.remove(batch.entries[0]!, "refused");
      }
      return plan(count > 1 ? 0 : PAUSE_MS);
    }
    if (response.status === 403) once("this origin may not deliver");
    if (response.status === 404) once("no such app_id");
    const wait_s = Number(response.headers.get("Retry-After"));
    if (wait_s > 0) notBefore = running() + Math.min(wait_s * (1000 + Math.random() * 50), LONGEST_PAUSE_MS);
    pause();
  }

  function pause(): void {
    plan(Math.min(PAUSE_MS * 2 ** failures++, LONG_PAUSE_MS) * (0.5 + Math.random() / 2));
  }

  function once(text: string): void {
    if (!said.has(text)) warn(text);
    said.add(text);
  }

  function hand(): void {
    const { entries, body } = pick(BYTES_MAX - (underWay ? underWay.bytes : 0), true);
    // They are kept until there is an answer, which some page of the site will ask for.
    if (entries.length && attempt(() => navigator.sendBeacon(url, body))) for (const entry of entries) entry.offered = true;
  }

  return {
    wake(now) {
      if (!failures) plan(now ? 0 : SOON_MS); // else a try is planned
    },
    online: () => plan(0),
    hidden() {
      // The last that a page on a phone hears. It may go on as well, so this asks for an answer where it can.
      if (!failures) flush(true);
      hand();
    },
    leave: hand,
  };
}

const name = (item: Item): string => (item.kind === "event" ? `event "${item.name}"` : "update");
