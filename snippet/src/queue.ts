/** What is not delivered yet: in memory, and in storage as far as there is any. Bounded; what is given up is counted. */

import type { Person, Settings } from "./settings";
import { erase, read, write } from "./storage";
import { samePerson } from "./settings";
import { attempt, complain } from "./safe";
import { openTabs } from "./tabs";

const ITEMS_MAX = 1000;
const CHARACTERS_MAX = 1e6;
const LARGEST = 4e5; // of one item
export const OLD_MS = 7 * 86400e3;

export interface Item {
  id: string;
  kind: "event" | "ping";
  name?: string;
  metadata?: Settings;
  data?: Settings;
  at: number; // Date.now() at the call
  time?: number; // by the server's clock; never changes once it was sent
  bare?: 1; // was sent without a time, and must never get one
  held?: 1; // waits for better proof of who it is about
  person: Person;
}

export interface Entry {
  item: Item;
  moment?: number; // of the call, by running(), where it was in this page
  key?: string; // in storage
  size: number; // in characters
  offered?: boolean; // was handed to the browser as the page went away
}

export type Reason = "full" | "old" | "refused";
export type Dropped = Partial<Record<Reason, number>>;

export interface Queue {
  entries: Entry[];
  put(item: Item, moment: number): void;
  /** Write down what changed in an entry. */
  save(entry: Entry): void;
  remove(entry: Entry, reason?: Reason): void;
  drop(reason: Reason, count: number): void;
  /** What was given up and not told yet. */
  dropped: Dropped;
  /** Somebody said who they are: what they did before, and what waits for their proof, goes with that. */
  identify(person: Person): void;
  /** Who that was last. */
  known?: Person;
  adopt(): void;
  beat(): void;
  leave(): void;
  /** Back from where others may have taken over. */
  resume(): void;
  /** Forget what is in memory. */
  clear(): void;
}

export function openQueue(app: string, grown: () => void): Queue {
  const tabs = openTabs(app);
  let countKey: string | undefined;
  let known: Person | undefined; // who it was said to be at last

  const size = (): number => queue.entries.reduce((sum, entry) => sum + entry.size, 0);

  function trim(): void {
    while (queue.entries.length > ITEMS_MAX || size() > CHARACTERS_MAX) queue.remove(queue.entries[0]!, "full");
  }

  function store(key: string | undefined, value: string): string | undefined {
    key = key || tabs.key();
    if (write(key, value)) return key;
    erase(key); // rather nothing than what it was before
    return undefined;
  }

  /** Take over what is stored there, or erase what is nothing of ours. */
  function take(key: string): void {
    const found = read(key) || "";
    const value = attempt(() => JSON.parse(found)) || {};
    if (value.id && value.person) return void queue.entries.push({ item: value, key, size: found.length });
    erase(key);
    if (key.endsWith("dropped")) for (const reason in value) queue.drop(reason as Reason, value[reason]);
  }

  const queue: Queue = {
    entries: [],
    dropped: {},
    put(item, moment) {
      const entry: Entry = { item, moment, size: 0 };
      queue.save(entry);
      if (entry.size > LARGEST) {
        if (entry.key) erase(entry.key);
        queue.drop("full", 1);
        return complain("too large");
      }
      queue.entries.push(entry);
      trim();
    },
    save(entry) {
      const value = JSON.stringify(entry.item);
      entry.size = value.length;
      entry.key = store(entry.key, value);
    },
    remove(entry, reason) {
      const place = queue.entries.indexOf(entry);
      if (place < 0) return;
      queue.entries.splice(place, 1);
      if (entry.key) erase(entry.key);
      if (reason) queue.drop(reason, 1);
    },
    drop(reason, count) {
      const { dropped } = queue;
      dropped[reason] = (dropped[reason] || 0) + count;
      if (!(dropped[reason] > 0)) delete dropped[reason];
      countKey = countKey || tabs.key().replace(/\w+$/, "dropped");
      if (Object.keys(dropped)[0]) write(countKey, JSON.stringify(dropped));
      else erase(countKey);
    },
    identify(person) {
      queue.known = person;
      known = person;
      for (const entry of queue.entries) {
        const { item } = entry;
        const before = item.person;
        if (!before.user_id && !before.email) {
          if (!item.held || before.visitor !== person.visitor) continue;
          item.person = person;
        } else {
          if (before.user_id !== person.user_id || !samePerson(before, person) || (!person.user_hash && !person.jwt)) continue;
          item.person = { ...before, user_hash: person.user_hash, jwt: person.jwt };
        }
        delete item.held;
        queue.save(entry);
      }
      grown();
    },
    adopt() {
      tabs.adopt((keys) => {
        if (!keys.length) return;
        keys.forEach(take);
        queue.entries.sort((one, other) => one.item.at - other.item.at);
        trim();
        if (known) queue.identify(known);
        else grown();
      });
    },
    beat() {
      if (tabs.beat()) queue.resume();
      else queue.adopt();
    },
    leave: tabs.leave,
    resume() {
      queue.entries = queue.entries.filter((entry) => !entry.key);
      queue.dropped = {};
      countKey = undefined;
      tabs.leave();
      queue.adopt();
    },
    clear() {
      queue.entries = [];
    },
  };
  return queue;
}
