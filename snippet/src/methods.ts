/** Every method of window.Intercom. To add one, add a row to `methods`. */

import type { Call, Session } from "./session";
import type { Settings } from "./settings";
import { allowed, consent } from "./consent";
import { attempt, complain, plain, safe, uuid, warn } from "./safe";
import { forgetItems } from "./outbox";
import { forgetPerson, openSession } from "./session";
import { sessionOf, text } from "./settings";
import { loadedFrom } from "./origin";

const CALLS_MAX = 999; // that wait for boot: with its ping they just fill the queue

interface Page {
  intercomSettings?: Settings;
}
const page = window as Page;

let session: Session | undefined;
let held: Settings | undefined; // of a boot that waits for consent
let quiet = false; // consent was refused
let begun = false; // the page has said once what it wants, so nothing is booted by itself
let calls: Call[] = [];
let lost = 0;
let listeners: (() => void)[] = []; // who wants to know of the boot

export const isBooted = (): boolean => !!session;
export const hasBegun = (): boolean => begun;

const object = (value: unknown): Settings => (value && typeof value === "object" ? (value as Settings) : {});
const appOf = ({ app_id }: Settings): string => encodeURIComponent(text(app_id) || loadedFrom.app || "");

function boot(given?: Settings): void {
  const settings = { ...object(page.intercomSettings), ...object(given) };
  const app = appOf(settings);
  begun = true;
  if (!app) return warn("boot needs app_id");
  const may = allowed(settings);
  if (may === false) return forget(app);
  if (!may) {
    session = undefined;
    held = settings;
    return;
  }
  held = undefined;
  quiet = false;
  session = openSession(app, settings, loadedFrom.base, session);
  if (lost) session.lost(lost);
  calls.forEach(session.put);
  calls = [];
  lost = 0;
  listeners.splice(0).forEach((tell) => tell());
}

/** Consent is refused. */
function forget(app: string): void {
  quiet = true;
  if (session) session.end();
  session = held = undefined;
  calls = [];
  lost = 0;
  if (app) {
    forgetItems(app);
    forgetPerson(app);
  }
}

function update(given?: Settings): void {
  const said = object(given);
  if (session) return session.update(said);
  if (held) held = { ...held, ...said };
  else if (!begun && said.app_id) boot(said); // wrappers that find a script on the page do so
  else if (given) warn("update needs boot");
}

function shutdown(): void {
  const app = (session && session.app) || appOf(held || object(page.intercomSettings));
  begun = true;
  if (session) session.end();
  else if (app) forgetPerson(app);
  if (held) calls = [];
  session = held = undefined;
  if (page.intercomSettings) page.intercomSettings = sessionOf(page.intercomSettings); // else the next boot would be the same person
}

function trackEvent(name?: unknown, metadata?: unknown): void {
  const called = text(name);
  if (!called) return complain("trackEvent needs a name");
  if (quiet) return;
  const call: Call = { item: { id: uuid(), kind: "event", name: called, at: Date.now() }, moment: performance.now() };
  if (metadata !== undefined && metadata !== null) {
    const copy = attempt(() => plain(metadata));
    if (copy && typeof copy === "object" && !Array.isArray(copy)) call.item.metadata = copy as Settings;
    else complain(`metadata of "${called}" is no plain object`);
  }
  if (session) return session.put(call);
  calls.push(call);
  if (calls.length > CALLS_MAX) lost += calls.splice(0, 1).length;
}

function whoami(): Record<string, string> | undefined {
  if (!session) return undefined;
  const { visitor, user_id, email } = session.person;
  return plain({ type: session.type, anonymous_id: visitor, user_id, email }) as Record<string, string>;
}

function setConsent(given: unknown): void {
  if (typeof given !== "boolean") return warn("consent is true or false");
  const settings = held || object(page.intercomSettings);
  const app = (session && session.app) || appOf(settings);
  const waits = quiet || !begun;
  consent(given === true);
  quiet = false;
  if (given !== true) {
    begun = true;
    forget(app);
  } else if (held) boot(held);
  else if (waits && object(page.intercomSettings).app_id) boot();
}

/** Call back once booted; at once where that is so. */
function whenBooted<A extends unknown[]>(...args: A) {
  return (tell?: (...args: A) => void): void => {
    if (typeof tell !== "function") return;
    const told = safe(() => tell(...args));
    if (session) told();
    else listeners.push(told);
  };
}

const nothing = (..._: unknown[]): void => undefined; // there is nothing to show here

export const methods = {
  boot,
  update,
  shutdown,
  trackEvent,
  whoami,
  getVisitorId: (): string => (session && session.person.visitor) as string, // undefined before boot; the types of the original leave that out
  consent: setConsent,
  ready: whenBooted(),
  onUnreadCountChange: whenBooted(0),
  onHide: nothing,
  onShow: nothing,
  onUserEmailSupplied: nothing,
  onActivatorClick: nothing,
  hide: nothing,
  show: nothing,
  showSpace: nothing,
  showMessages: nothing,
  showNewMessage: nothing,
  startConversation: nothing,
  showArticle: nothing,
  showNews: nothing,
  showConversation: nothing,
  showTicket: nothing,
  startTour: nothing,
  startSurvey: nothing,
  startChecklist: nothing,
  hideNotifications: nothing,
  setAuthTokens: nothing,
  reattach_activator: nothing,
};
