/** Takes over window.Intercom from the stub, does what was called before, and boots by itself where the settings say which workspace. */

import { hasBegun, isBooted, methods } from "./methods";
import { safe, warn } from "./safe";

type Methods = typeof methods;

export interface Api {
  <Method extends keyof Methods>(method: Method, ...args: Parameters<Methods[Method]>): ReturnType<Methods[Method]>;
  readonly booted: boolean;
}

interface Stub {
  q?: ArrayLike<unknown>[];
  trackrecord?: string; // this script is there already
}

const page = window as { Intercom?: unknown; intercomSettings?: { app_id?: unknown } };

const call = safe((method: unknown, ...args: unknown[]): unknown => {
  if (Object.keys(methods).includes(method as string)) {
    return (methods[method as keyof Methods] as (...args: unknown[]) => unknown)(...args);
  }
  return warn(`no method ${String(method)}`);
});

function takeOver(): void {
  const stub = (page.Intercom || {}) as Stub;
  if (stub.trackrecord) return; // it was loaded twice
  const Intercom = (...args: [unknown, ...unknown[]]): unknown => call(...args);
  Object.defineProperty(Intercom, "booted", { get: isBooted });
  (Intercom as Stub).trackrecord = "1";
  page.Intercom = Intercom;

  const queue = Array.isArray(stub.q) ? stub.q : [];
  const bootByItself = safe(() => {
    if (!hasBegun() && page.intercomSettings && page.intercomSettings.app_id) methods.boot();
  });
  // A boot among the calls says more than the settings do, such as that consent must come first.
  if (!queue.some((args) => args && (args[0] === "boot" || args[0] === "consent"))) bootByItself();
  for (let place = 0; place < queue.length; place++) call(...(Array.from(queue[place] || []) as [unknown]));
  // Who kept the stub goes on with it.
  queue.length = 0;
  queue.push = (...all) => {
    all.forEach((args) => call(...(Array.from(args) as [unknown])));
    return 0;
  };
  bootByItself();
  if (document.readyState !== "complete") addEventListener("load", bootByItself);
}

safe(takeOver)();
