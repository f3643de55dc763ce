/**
 * Which tab looks after which stored items. Each tab keeps its own under its own name, so that tabs do not overwrite each other, and
 * takes over those of tabs that are gone. A living tab holds a Web Lock of its name; where there are none, what counts is the time that
 * it writes now and then. Whatever two tabs do at once by mistake, an item keeps its id, and is one event.
 */

import { attempt, safe, uuid } from "./safe";
import { erase, keysFrom, read, write } from "./storage";

export const BEAT_MS = 20000;
const GONE_MS = 150000; // a hidden tab's timers run once a minute

export interface Tabs {
  /** A new key of this tab's. */
  key(): string;
  /** Look for tabs that are gone, and give the keys of what each had. */
  adopt(take: (keys: string[]) => void): void;
  /** Say that this tab lives. True where it was so still that others may have thought it gone. */
  beat(): boolean;
  /** This page may come back, and may not: others may take over what it has. */
  leave(): void;
}

/** Of all keys of a workspace. */
export const prefixOf = (app: string): string => `trackrecord:${app}:`;

export function openTabs(app: string): Tabs {
  const prefix = prefixOf(app);
  const locks = attempt(() => navigator.locks);
  let own = "";
  let count = 0;
  let beaten = Date.now();
  let ours: string[] = [];
  let releases: (() => void)[] = [];

  const itemsOf = (tab: string): string[] => keysFrom(prefix + tab + ":").sort();
  const alive = (tab: string): boolean => write(prefix + tab, "" + Date.now());

  function claim(tab: string, then: () => void): void {
    const take = safe(() => {
      ours.push(tab);
      then();
    });
    const byTime = (): void => {
      if (Math.abs(Date.now() - Number(read(prefix + tab))) > GONE_MS && alive(tab)) take();
    };
    if (!locks) return byTime();
    locks
      .request(prefix + tab, { ifAvailable: true }, (lock) => {
        if (!lock) return;
        take();
        return new Promise<void>((release) => releases.push(release));
      })
      .catch(byTime);
  }

  function join(): void {
    if (own) return;
    own = uuid();
    claim(own, () => undefined);
  }

  return {
    key() {
      join();
      alive(own);
      return `${prefix}${own}:${1e6 + count++}`;
    },
    adopt(take) {
      join();
      new Set(keysFrom(prefix).map((key) => key.slice(prefix.length).split(":")[0]!)).forEach((tab) => {
        if (tab !== own && !ours.includes(tab)) claim(tab, () => take(itemsOf(tab)));
      });
    },
    beat() {
      const still = Date.now() - beaten > GONE_MS / 2;
      beaten = Date.now();
      for (const tab of ours) {
        if (itemsOf(tab)[0]) alive(tab);
        else erase(prefix + tab);
      }
      return still;
    },
    leave() {
      ours.forEach((tab) => erase(prefix + tab));
      releases.forEach((release) => release());
      releases = [];
      ours = [];
      own = "";
    },
  };
}
