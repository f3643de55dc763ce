/** Who is at the page, from boot to shutdown. */

import type { Item } from "./queue";
import type { Person, Settings } from "./settings";
import { LONG_S, WEEK_S, dropCookie, getCookie, setCookie } from "./cookies";
import { baseOf, cameBy, dataOf, identityOf, samePerson } from "./settings";
import { openOutbox } from "./outbox";
import { uuid } from "./safe";

export const PINGS_MAX = 20; // of update, in the window; Intercom's
export const WINDOW_MS = 1800e3;
const COOKIES = ["intercom-id-", "intercom-session-", "intercom-device-id-"];
const VISITOR = /^[\w-]{8,64}$/; // what the server takes

/** A call that happened, and is not anybody's yet. `moment` is by running(). */
export interface Call {
  item: Omit<Item, "person">;
  moment: number;
}

export interface Session {
  app: string;
  person: Person;
  /** What the server took the person for at last: user, lead or visitor. */
  type: string;
  put(call: Call): void;
  /** So many calls were given up before boot. */
  lost(count: number): void;
  /** Send what the page says of the person. Undefined data is none. */
  ping(settings: Settings): void;
  update(settings: Settings): void;
  end(): void;
}

export function forgetPerson(app: string): void {
  COOKIES.forEach((name) => dropCookie(name + app));
}

/** A short mark of somebody, so that it can be seen that a cookie is another's. */
function mark(user: string): string {
  return Array.from(user)
    .reduce((sum, each) => (Math.imul(sum, 31) + each.codePointAt(0)!) | 0, 0)
    .toString(36);
}

export function openSession(app: string, settings: Settings, loadedFrom: string, before: Session | undefined): Session {
  const [ID, SESSION, DEVICE] = COOKIES.map((name) => name + app) as [string, string, string];
  const outbox = openOutbox(app, baseOf(settings, loadedFrom), heard);
  const pings: number[] = []; // when, by Date.now()
  let unsent: Settings = {};
  let ended = false;

  const session: Session = {
    app,
    person: { visitor: "" },
    type: "visitor",
    put({ item, moment }) {
      outbox.put({ ...item, person: session.person }, moment);
    },
    lost: (count) => outbox.drop("full", count),
    ping(said) {
      setCookie(DEVICE, getCookie(DEVICE) || uuid(), LONG_S);
      session.put({ item: { id: uuid(), kind: "ping", data: dataOf(said), at: Date.now() }, moment: performance.now() });
    },
    update(said) {
      const { user_id, email } = session.person;
      become({ ...session.person, ...identityOf(said) }, said);
      unsent = { ...unsent, ...said };
      while (pings.length && Date.now() - pings[0]! >= WINDOW_MS) pings.shift();
      const same = user_id === session.person.user_id && email === session.person.email;
      if (same && pings.length >= PINGS_MAX) return; // what was said goes with the next
      pings.push(Date.now());
      session.ping(unsent);
      unsent = {};
    },
    end() {
      ended = true;
      outbox.identify({ visitor: "" });
      outbox.wake(true);
      forgetPerson(app);
    },
  };

  /** Take the person for `next`; with another anonymous id where it is somebody else than before. */
  function become(next: Person, said: Settings): void {
    const now = session.person;
    if (!samePerson(now, next)) {
      next = { visitor: newVisitor(), ...identityOf(said) };
      unsent = {};
    } else if (next.user_id !== now.user_id && !identityOf(said).user_hash) {
      delete next.user_hash; // it was made of the address
    }
    session.person = next;
    if (next.user_id || next.email) {
      session.type = "user";
      outbox.identify(next);
    }
  }

  function newVisitor(): string {
    const visitor = uuid();
    dropCookie(SESSION);
    setCookie(ID, visitor, LONG_S);
    return visitor;
  }

  function heard(item: Item, type: string | undefined): void {
    if (ended || item.person.visitor !== session.person.visitor) return;
    if (type) session.type = type;
    if (type !== "user" || item.kind !== "ping") return;
    const user = item.person.user_id;
    setCookie(SESSION, (getCookie(SESSION) || uuid()).split(".")[0]! + (user ? "." + mark(user) : ""), WEEK_S);
  }

  const first = identityOf(settings);
  const marked = (getCookie(SESSION) || "").split(".")[1];
  const another =
    (before && before.app === app && !samePerson(before.person, first)) || (marked && first.user_id && marked !== mark(first.user_id));
  const known = getCookie(ID);
  session.person = { visitor: known && VISITOR.test(known) && !another ? known : newVisitor() };
  become({ ...session.person, ...first }, settings);
  session.ping({ ...cameBy(), ...settings });
  return session;
}
