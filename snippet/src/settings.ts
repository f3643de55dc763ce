/** What a page's settings say: of the session, of who the person is, and of the person. */

import { attempt, plain } from "./safe";

export type Settings = Record<string, unknown>;

/** Who calls are about, as the wire has it. `visitor` is the anonymous id. */
export interface Person {
  visitor: string;
  user_id?: string;
  email?: string;
  user_hash?: string;
  jwt?: string;
}

// Not sent as data: identity goes with each item, tokens are nobody's business. What else is of the session the server passes over
// (rules/messenger.py, SESSION).
const NOT_DATA = "app_id api_base auth_tokens intercom_user_jwt user_hash user_id email".split(" ");
const IDENTITY: ["user_id" | "email" | "user_hash" | "jwt", string?][] = [["user_id"], ["email"], ["user_hash"], ["jwt", "intercom_user_jwt"]];
const UNKNOWN: unknown[] = ["", "undefined", "null", undefined, null];
const THIRD_PARTY = /(^|\.)intercom(cdn)?\.(io|com)$/;

/** A setting as text, or undefined where the page does not know it. */
export function text(value: unknown): string | undefined {
  return UNKNOWN.includes(value) || value !== value || !/^(string|number)$/.test(typeof value) ? undefined : String(value);
}

/** What settings say of who it is. */
export function identityOf(settings: Settings): Omit<Person, "visitor"> {
  const found: Omit<Person, "visitor"> = {};
  for (const [key, setting] of IDENTITY) {
    const value = text(settings[setting || key]);
    if (value) found[key] = value;
  }
  const user = found.jwt && !found.user_id && attempt(() => userOf(found.jwt!));
  if (user) found.user_id = user;
  return found;
}

/** Whom a token names. Nothing is checked here: that is the server's. */
function userOf(jwt: string): string | undefined {
  const bytes = atob(jwt.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/"));
  return text(JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (each) => each.charCodeAt(0)))).user_id);
}

/** Whether both can be one person: what one of them does not say tells nothing. */
export function samePerson(one: Partial<Person>, other: Partial<Person>): boolean {
  if (one.user_id && other.user_id) return one.user_id === other.user_id;
  return !one.email || !other.email || one.email.toLowerCase() === other.email.toLowerCase();
}

export function dataOf(settings: Settings): Settings {
  const data: Settings = {};
  for (const key of Object.keys(settings)) {
    if (NOT_DATA.includes(key) || UNKNOWN.includes(settings[key])) continue;
    const value = attempt(() => plain(settings[key])); // what cannot be written as JSON is left out
    if (value !== undefined) data[key] = value;
  }
  return data;
}

/** What stays of settings after shutdown: nothing of a person. */
export function sessionOf({ app_id, api_base, hold_until_consent, respect_dnt }: Settings): Settings {
  return { app_id, api_base, hold_until_consent, respect_dnt };
}

/** What led to this page. */
export function cameBy(): Settings {
  const found: Settings = { referrer: document.referrer };
  new URLSearchParams(location.search).forEach((value, key) => {
    if (/^utm_(campaign|content|medium|source|term)$/.test(key)) found[key] = value;
  });
  return found;
}

/** Where deliveries go: api_base, unless it is Intercom's own. */
export function baseOf(settings: Settings, loadedFrom: string): string {
  const url = attempt(() => new URL(settings.api_base as string));
  return url && /^http/.test(url.protocol) && !THIRD_PARTY.test(url.hostname) ? url.href.replace(/\/+$/, "") : loadedFrom;
}
