// A small browser: what the script uses of one, over a clock that moves only when told to. The script runs as it is served.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const SCRIPT = readFileSync(process.env.WIDGET || new URL("../../trackrecord/messenger/static/widget.js", import.meta.url), "utf8");
const settled = () => new Promise((done) => setImmediate(done));

/** A server that keeps everything once, unless `answer` says otherwise. */
export class Server {
  now = 1_700_000_000_000; // its clock, in milliseconds
  deliveries = [];
  beacons = [];
  events = new Map(); // by id, as they came first
  answer = () => undefined;

  take(body) {
    const sent = JSON.parse(body);
    for (const item of sent.items) if (!this.events.has(item.id)) this.events.set(item.id, { ...item, person: sent.people[item.who] });
    return {
      now: this.now,
      results: sent.items.map(({ id }) => ({ id, outcome: "kept" })),
      people: sent.people.map((person) => ({ type: person.user_id || person.email || person.jwt ? "user" : "visitor" })),
    };
  }

  /** Resolves to {status, json, headers}, or rejects as a broken network. */
  fetch(url, body) {
    this.deliveries.push({ url, ...JSON.parse(body) });
    const answer = this.answer(JSON.parse(body), this.deliveries.length);
    if (answer === "offline") throw new TypeError("Failed to fetch");
    return answer || { status: 200, json: this.take(body) };
  }

  get names() {
    return [...this.events.values()].filter((each) => each.kind === "event").map((each) => each.name);
  }
}

/** One browser: cookies, storage and locks are shared by its tabs. */
export class Browser {
  server = new Server();
  cookies = new Map(); // "domain name" to value
  stored = new Map();
  storage = "open"; // full, forbidden
  cookiesBlocked = false;
  locksHere = true;
  publicSuffixes = ["com", "co.uk"];
  latency_ms = 0;
  held = new Map();
  timers = [];
  ran_ms = 5000; // as performance.now() has it
  wall_ms = 1_700_000_000_000; // as Date.now() has it
  cookieLog = [];
  #next = 1;

  setTimeout(work, wait = 0, every, tab) {
    const id = this.#next++;
    this.timers.push({ id, at: this.ran_ms + Math.max(0, wait), work, every, tab });
    return id;
  }

  /** Let time pass, for browser and server. */
  async advance(ms) {
    const end = this.ran_ms + ms;
    for (;;) {
      await settled();
      const due = this.timers.filter((each) => each.at <= end).sort((one, other) => one.at - other.at || one.id - other.id)[0];
      if (!due) break;
      this.#move(Math.max(0, due.at - this.ran_ms));
      if (due.every) due.at += due.every;
      else this.timers = this.timers.filter((each) => each !== due);
      if (!due.tab?.closed) due.work();
    }
    this.#move(end - this.ran_ms);
    await settled();
  }

  #move(ms) {
    this.ran_ms += ms;
    this.wall_ms += ms;
    this.server.now += ms;
  }

  open(options) {
    return new Tab(this, options);
  }
}

class Events {
  listeners = [];
  addEventListener = (type, work) => void this.listeners.push([type, work]);
  fire = (type, event = {}) => this.listeners.filter(([each]) => each === type).forEach(([, work]) => work(event));
}

class Tab {
  closed = false;
  warnings = [];
  errors = [];

  /** `before` runs in the page before the script is there, as what a page writes itself. */
  constructor(browser, { url = "https://app.example.com/page", src = "https://track.example.com/widget/acme", before, settings, referrer = "", navigator = {}, load = true } = {}) {
    this.browser = browser;
    const window = new Events();
    const location = new URL(url);
    const tab = this;
    this.documentEvents = new Events();
    const document = {
      addEventListener: this.documentEvents.addEventListener,
      currentScript: { src },
      referrer,
      readyState: "complete",
      visibilityState: "visible",
    };
    Object.defineProperty(document, "cookie", { get: () => this.#cookies(location), set: (text) => this.#setCookie(location, text) });
    this.document = document;
    this.src = src;
    const context = vm.createContext({
      document,
      location,
      console: { warn: (text) => this.warnings.push(text), error: (text) => this.errors.push(text), log() {} },
      addEventListener: window.addEventListener,
      performance: { now: () => browser.ran_ms },
      setTimeout: (work, wait) => browser.setTimeout(work, wait, 0, tab),
      setInterval: (work, wait) => browser.setTimeout(work, wait, wait, tab),
      clearTimeout: (id) => void (browser.timers = browser.timers.filter((each) => each.id !== id)),
      crypto,
      URL,
      URLSearchParams,
      TextEncoder,
      TextDecoder,
      AbortController,
      Request: { prototype: { keepalive: true } },
      atob,
      navigator: {
        sendBeacon: (to, body) => {
          browser.server.beacons.push({ url: to, ...JSON.parse(body) });
          if (this.beacon !== "lost") browser.server.take(body);
          return true;
        },
        locks: browser.locksHere ? { request: (...args) => this.#lock(...args) } : undefined,
        ...navigator,
      },
      fetch: (to, options) => this.#fetch(to, options),
    });
    Object.defineProperty(context, "localStorage", { get: () => this.#storage() });
    context.window = context;
    context.browser = { now: () => browser.wall_ms };
    vm.runInContext("Date = class extends Date { static now() { return browser.now(); } }", context);
    this.window = context;
    this.events = window;
    if (settings) context.intercomSettings = settings;
    if (before) vm.runInContext(`(${before})()`, context);
    if (load) this.load();
  }

  load() {
    vm.runInContext(SCRIPT, this.window);
  }

  call(...args) {
    return this.window.Intercom(...args);
  }

  async #fetch(url, options) {
    const { browser } = this;
    this.options = options;
    const answer = browser.server.fetch(url, options.body);
    if (browser.latency_ms) await new Promise((done) => browser.setTimeout(done, browser.latency_ms));
    if (this.closed) return new Promise(() => {});
    return { status: answer.status, headers: { get: (name) => answer.headers?.[name] ?? null }, json: async () => answer.json };
  }

  #storage() {
    const { stored } = this.browser;
    const { browser } = this;
    if (browser.storage === "forbidden") throw new Error("SecurityError");
    const api = {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => {
        if (browser.storage === "full") throw new Error("QuotaExceededError");
        stored.set(key, String(value));
      },
      removeItem: (key) => void stored.delete(key),
    };
    return new Proxy(api, { ownKeys: () => [...stored.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: "" }) });
  }

  async #lock(name, { ifAvailable }, work) {
    const { held } = this.browser;
    await settled(); // it is another process that knows
    if (held.has(name)) return ifAvailable ? work(null) : undefined;
    held.set(name, this);
    try {
      return await work({ name });
    } finally {
      held.delete(name);
    }
  }

  #cookies({ hostname }) {
    const { cookies } = this.browser;
    if (this.browser.cookiesBlocked) return "";
    return [...cookies].filter(([key]) => hostname === key.split(" ")[0] || hostname.endsWith("." + key.split(" ")[0])).map(([key, value]) => `${key.split(" ")[1]}=${value}`).join("; ");
  }

  #setCookie({ hostname }, text) {
    if (this.browser.cookiesBlocked) return;
    const [pair, ...attributes] = text.split("; ");
    const [name, value] = pair.split("=");
    const said = Object.fromEntries(attributes.map((each) => each.toLowerCase().split("=")));
    const domain = said.domain ?? hostname;
    if (this.browser.publicSuffixes.includes(domain) || !(hostname === domain || (hostname.endsWith("." + domain) && !/^[\d.]+$/.test(hostname)))) return;
    if (said["max-age"] === "0") this.browser.cookies.delete(`${domain} ${name}`);
    else this.browser.cookies.set(`${domain} ${name}`, value);
    this.browser.cookieLog.push(text);
  }

  hide() {
    this.document.visibilityState = "hidden";
    this.documentEvents.fire("visibilitychange");
  }

  /** As a person closes it; `killed` where the browser gives the page no word of it. */
  close({ killed = false } = {}) {
    if (!killed) {
      this.events.fire("pagehide", { persisted: false });
      this.hide();
    }
    this.closed = true;
    for (const [name, tab] of this.browser.held) if (tab === this) this.browser.held.delete(name);
  }
}
