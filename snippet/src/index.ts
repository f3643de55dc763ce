/** Takes over window.Intercom from the function that gathered calls, does what was called before, and boots by itself where the settings say which workspace. */

import { hasBegun, isBooted, methods } from "./methods";
import { safe, warn } from "./safe";

type Methods = typeof methods;

export interface Api {
  <Method extends keyof Methods>(method: Method, ...args: Parameters<Methods[Method]>): ReturnType<Methods[Method]>;
  readonly booted: boolean;
}

interface Gathered {
  q?: ArrayLike<unknown>[];
  trackrecord?: string; // this script is there already
}

const page = window as { Intercom?: unknown; intercomSettings?: { app_id?: unknown } };

const call = safe((method?: unknown, ...args: unknown[]): unknown => {
  if (Object.keys(methods).includes(method as string)) {
    return (methods[method as keyof Methods] as (...args: unknown[]) => unknown)(...args);
  }
  return warn(`no method ${String(method)}`);
});

function takeOver(): void {
  const gathered = (page.Intercom || {}) as Gathered;
  if (gathered.trackrecord) return; // it was loaded twice
  Object.defineProperty(call, "booted", { get: isBooted, set() {} });
  (call as Gathered).trackrecord = "1";
  page.Intercom = call;

  const queue = Array.isArray(gathered.q) ? gathered.q : [];
  const bootByItself = (): void => {
    if (!hasBegun() && page.intercomSettings && page.intercomSettings.app_id) call("boot");
  };
  const replay = (args: ArrayLike<unknown>): unknown => call(...Array.from(args || []));
  // A boot among the calls says more than the settings do, such as that consent must come first.
  if (!queue.some((args) => args && (args[0] === "boot" || args[0] === "consent"))) bootByItself();
  for (const args of queue) replay(args); // those that come meanwhile as well
  queue.push = replay as typeof queue.push; // who kept the old function goes on with it
  bootByItself();
  if (document.readyState !== "complete") addEventListener("load", bootByItself);
}

safe(takeOver)();
