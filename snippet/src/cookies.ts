/** The three cookies of a workspace; where cookies are blocked localStorage, and where that is too, memory. */

import { erase, read, write } from "./storage";
import { attempt, uuid } from "./safe";

const DAY_S = 86400;
const memory: Record<string, string> = {};
let domain: string | undefined;

export const LONG_S = 270 * DAY_S; // nine months
export const WEEK_S = 7 * DAY_S;

function put(name: string, value: string, life_s: number, on: string | undefined): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=${life_s}; SameSite=Lax${on ? "; domain=" + on : ""}${secure}`;
}

const find = (name: string): string | undefined =>
  attempt(() => document.cookie.split("; ").find((each) => each.startsWith(name + "=")))?.slice(name.length + 1);

/** The broadest domain that takes cookies; none where only the host itself does. */
function broadest(): string {
  const parts = location.hostname.split(".");
  const probe = "intercom-probe-" + uuid();
  for (let from = parts.length - 2; from >= 0; from--) {
    const on = parts.slice(from).join(".");
    put(probe, "1", 60, on);
    const taken = find(probe);
    put(probe, "", 0, on);
    if (taken) return on;
  }
  return "";
}

const settled = (): string => (domain = domain ?? broadest());

export const getCookie = (name: string): string | undefined => find(name) || read(name) || memory[name];

export function setCookie(name: string, value: string, life_s: number): void {
  attempt(() => put(name, value, life_s, settled()));
  if (find(name) !== value && !write(name, value)) memory[name] = value;
}

export function dropCookie(name: string): void {
  delete memory[name];
  erase(name);
  for (const on of [settled, String]) attempt(() => put(name, "", 0, on()));
}
