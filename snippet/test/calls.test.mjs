import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser } from "./browser.mjs";

const STUB = `() => { const i = function () { i.c(arguments); }; i.q = []; i.c = (args) => { i.q.push(args); }; window.Intercom = i; window.stub = i; }`;
const stubWith = (...calls) => `() => { (${STUB})(); ${calls.join(";")} }`;

const pings = (browser) => browser.server.deliveries.flatMap((each) => each.items.filter((item) => item.kind === "ping"));

test("a page boots, tracks, and both arrive", async () => {
  const browser = new Browser();
  const page = browser.open();
  page.call("boot", { app_id: "acme", user_id: 42, email: "ada@example.com", name: "Ada", seats: 5 });
  page.call("trackEvent", "clicked", { button: "buy" });
  await browser.advance(200);
  const [ping, event] = [...browser.server.events.values()];
  assert.deepEqual([ping.kind, ping.data, ping.person.user_id, ping.person.email], ["ping", { name: "Ada", seats: 5 }, "42", "ada@example.com"]);
  assert.deepEqual([event.name, event.metadata, event.person.user_id], ["clicked", { button: "buy" }, "42"]);
  assert.equal(browser.server.deliveries[0].url, "https://track.example.com/messenger/acme/deliveries");
  assert.deepEqual([page.options.method, page.options.credentials, page.options.headers], ["POST", "omit", undefined]);
  await browser.advance(20_000);
  assert.deepEqual([page.warnings, page.errors, browser.stored.size], [[], [], 0]);
});

test("calls of the stub are done in their order, and who kept the stub goes on with it", async () => {
  const browser = new Browser();
  const page = browser.open({
    before: stubWith(
      `Intercom("boot", { app_id: "acme" })`,
      `Intercom("ready", () => Intercom("trackEvent", "while-replaying"))`,
      `Intercom("trackEvent", "first")`,
      `Intercom("trackEvent", "second")`,
    ),
  });
  page.window.stub("trackEvent", "by-the-stub");
  await browser.advance(200);
  assert.deepEqual(browser.server.names, ["while-replaying", "first", "second", "by-the-stub"]);
});

test("calls that replaying brings into the queue are done too", async () => {
  const browser = new Browser();
  browser.open({ before: stubWith(`Intercom("boot", { app_id: "acme" })`, `Intercom("ready", () => stub("trackEvent", "pushed"))`, `Intercom("trackEvent", "queued")`) });
  await browser.advance(200);
  assert.deepEqual(browser.server.names, ["queued", "pushed"]);
});

test("the queue of messenger-js-sdk has the same form", async () => {
  const browser = new Browser();
  browser.open({
    settings: { app_id: "acme", api_base: "https://api-iam.intercom.io", installation_type: "npm-package" },
    before: `() => { const h = function () { h.loaderQueue(arguments); }; h.q = []; h.loaderQueue = (args) => h.q.push(args); window.Intercom = h; Intercom("trackEvent", "early"); Intercom("update", { name: "Ada" }); }`,
  });
  await browser.advance(200);
  assert.deepEqual(browser.server.names, ["early"]);
  assert.deepEqual(pings(browser).map((each) => each.data), [{ installation_type: "npm-package" }, { name: "Ada" }]);
  assert.ok(browser.server.deliveries.every((each) => each.url.startsWith("https://track.example.com/")));
});

test("with settings on the page it boots by itself, once", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme", user_id: "u1" } });
  assert.equal(page.window.Intercom.booted, true);
  await browser.advance(200);
  assert.equal(pings(browser).length, 1);
  page.events.fire("load");
  await browser.advance(200);
  assert.equal(pings(browser).length, 1);
});

test("settings that come after the script are found when the page has loaded", async () => {
  const browser = new Browser();
  const page = browser.open({ load: false });
  page.document.readyState = "loading";
  page.load();
  assert.equal(page.window.Intercom.booted, false);
  page.window.intercomSettings = { app_id: "acme" };
  page.events.fire("load");
  assert.equal(page.window.Intercom.booted, true);
});

test("a boot among the calls of the stub is the only one", async () => {
  const browser = new Browser();
  browser.open({ settings: { app_id: "acme" }, before: stubWith(`Intercom("boot", { app_id: "acme", user_id: "u1" })`) });
  await browser.advance(200);
  assert.deepEqual(browser.server.deliveries.map((each) => each.people.map((person) => person.user_id)), [["u1"]]);
});

test("boot goes with window.intercomSettings", async () => {
  const browser = new Browser();
  const page = browser.open({ load: false });
  page.load();
  page.window.intercomSettings = { app_id: "acme", plan: "pro", name: "old" };
  page.call("boot", { user_id: "u1", name: "new" });
  await browser.advance(200);
  assert.deepEqual(pings(browser)[0].data, { plan: "pro", name: "new" });
});

test("a wrapper that finds the script there boots by update, and is not surprised before", async () => {
  const browser = new Browser();
  const page = browser.open();
  page.call("reattach_activator");
  page.call("update", undefined);
  assert.deepEqual([page.window.Intercom.booted, page.warnings], [false, []]);
  page.call("update", { app_id: "acme", name: "Ada" });
  assert.equal(page.window.Intercom.booted, true);
});

test("loaded twice, the second changes nothing", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme" } });
  const first = page.window.Intercom;
  page.load();
  await browser.advance(200);
  assert.equal(page.window.Intercom, first);
  assert.equal(pings(browser).length, 1);
});

test("every method is there, never throws, and what is not a method warns", () => {
  const page = new Browser().open({ settings: { app_id: "acme" } });
  const silent = "hide show showSpace showMessages showNewMessage startConversation showArticle showNews showConversation showTicket startTour startSurvey startChecklist hideNotifications onHide onShow onUserEmailSupplied onActivatorClick setAuthTokens reattach_activator";
  for (const method of silent.split(" ")) assert.equal(page.call(method, 1, () => 0), undefined);
  assert.deepEqual(page.warnings, []);
  for (const method of ["toString", "constructor", "__proto__", "showLauncher", undefined, 7, Symbol("x")]) page.call(method);
  assert.deepEqual(page.warnings, ["toString", "constructor", "__proto__", "showLauncher", "undefined", "7", "Symbol(x)"].map((each) => `Intercom: no method ${each}`));
});

test("getVisitorId and whoami answer, once booted", async () => {
  const browser = new Browser();
  const page = browser.open();
  assert.deepEqual([page.call("getVisitorId"), page.call("whoami")], [undefined, undefined]);
  page.call("boot", { app_id: "acme" });
  const visitor = page.call("getVisitorId");
  assert.match(visitor, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual({ ...page.call("whoami") }, { type: "visitor", anonymous_id: visitor });
  page.call("update", { user_id: "u1" });
  assert.deepEqual({ ...page.call("whoami") }, { type: "user", anonymous_id: visitor, user_id: "u1" });
});

test("ready and onUnreadCountChange call back once, however early they came, and what they throw hurts nobody", () => {
  const page = new Browser().open();
  const told = [];
  page.call("ready", () => told.push("ready"));
  page.call("ready", () => { throw new Error("the page's own"); });
  page.call("onUnreadCountChange", (count) => told.push(count));
  page.call("onUnreadCountChange", undefined);
  assert.deepEqual(told, []);
  page.call("boot", { app_id: "acme" });
  page.call("boot", { app_id: "acme" });
  assert.deepEqual(told, ["ready", 0]);
  page.call("ready", () => told.push("late"));
  assert.deepEqual(told, ["ready", 0, "late"]);
  assert.equal(page.errors.length, 1);
});

test("events before boot wait for it, each with the moment of its call", async () => {
  const browser = new Browser();
  const page = browser.open();
  const called = browser.server.now;
  page.call("trackEvent", "early");
  await browser.advance(5000);
  assert.equal(browser.server.deliveries.length, 0);
  page.call("boot", { app_id: "acme", user_id: "u1" });
  await browser.advance(200);
  const [, event] = [...browser.server.events.values()];
  assert.deepEqual([event.name, event.time, event.person.user_id], ["early", called, "u1"]);
});

test("of more than a thousand calls before boot the oldest go, and are counted", async () => {
  const browser = new Browser();
  const page = browser.open();
  for (let count = 0; count < 1003; count++) page.call("trackEvent", `e${count}`);
  page.call("boot", { app_id: "acme" });
  await browser.advance(2000);
  assert.equal(browser.server.names.length, 999); // and the ping
  assert.equal(browser.server.deliveries[0].dropped.full, 4);
});

test("what JSON cannot say is left out, and an event goes without the rest", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme" } });
  const circle = {};
  circle.self = circle;
  page.call("trackEvent", "circular", circle);
  assert.match(page.errors.join(), /metadata of "circular"/);
  page.call("trackEvent", "odd", { big: 1n, nan: NaN, no: undefined, call() {}, fine: 1, when: new Date(0) });
  page.call("trackEvent", "text", "not an object");
  page.call("trackEvent", "list", [1]);
  page.call("trackEvent");
  page.call("trackEvent", {});
  const changed = { state: "then" };
  page.call("trackEvent", "later-changed", changed);
  changed.state = "now";
  await browser.advance(200);
  const events = [...browser.server.events.values()].filter((each) => each.kind === "event");
  assert.deepEqual(events.map((each) => [each.name, each.metadata]), [
    ["circular", undefined],
    ["odd", { fine: 1, when: "1970-01-01T00:00:00.000Z" }],
    ["text", undefined],
    ["list", undefined],
    ["later-changed", { state: "then" }],
  ]);
});

test("update is sent twenty times in half an hour; what it said beyond goes with the next", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme" } });
  for (let count = 1; count <= 23; count++) page.call("update", { [`n${count}`]: count });
  await browser.advance(1000);
  assert.equal(pings(browser).length, 21); // with that of boot
  await browser.advance(1800e3);
  page.call("update", { last: true });
  await browser.advance(1000);
  assert.deepEqual(pings(browser)[21].data, { n21: 21, n22: 22, n23: 23, last: true });
});

test("who it is is said at once, however often update was called", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme" } });
  for (let count = 0; count < 25; count++) page.call("update");
  page.call("update", { user_id: "u1" });
  await browser.advance(1000);
  assert.equal(pings(browser).length, 22);
  assert.equal([...browser.server.events.values()].at(-1).person.user_id, "u1");
});

test("tokens and proof are never sent as data, nor what is unknown", async () => {
  const browser = new Browser();
  const page = browser.open({ url: "https://app.example.com/?utm_source=news&utm_campaign=may&other=1", referrer: "https://search.example/" });
  const settings = Object.fromEntries("api_base auth_tokens intercom_user_jwt user_hash".split(" ").map((key) => [key, "x"]));
  page.call("boot", { ...settings, app_id: "acme", a: "", b: "undefined", c: "null", d: undefined, utm_campaign: "june", company: { id: 1, name: "Acme" }, zero: 0, no: false });
  await browser.advance(200);
  assert.deepEqual(pings(browser)[0].data, { utm_source: "news", utm_campaign: "june", referrer: "https://search.example/", company: { id: 1, name: "Acme" }, zero: 0, no: false });
});

for (const [api_base, goes] of [
  ["https://own.example.com/", "https://own.example.com"],
  ["https://own.example.com/under/path", "https://own.example.com/under/path"],
  ["https://api-iam.eu.intercom.io", "https://track.example.com"],
  ["https://x.intercomcdn.com", "https://track.example.com"],
  ["javascript:alert(1)", "https://track.example.com"],
  ["nonsense", "https://track.example.com"],
  [undefined, "https://track.example.com"],
]) {
  test(`deliveries go to ${goes} with api_base ${api_base}`, async () => {
    const browser = new Browser();
    browser.open({ settings: { app_id: "acme", api_base } });
    await browser.advance(200);
    assert.equal(browser.server.deliveries[0].url, `${goes}/messenger/acme/deliveries`);
  });
}

test("the address of the script names the workspace where nothing else does", async () => {
  const browser = new Browser();
  browser.open({ src: "http://127.0.0.1:8080/widget/from-address?x=1" }).call("boot");
  await browser.advance(200);
  assert.equal(browser.server.deliveries[0].url, "http://127.0.0.1:8080/messenger/from-address/deliveries");
});

test("under its hashed name the script knows where its server is", async () => {
  const browser = new Browser();
  browser.open({ src: "https://track.example.com/messenger/static/widget.0123456789abcdef.js" }).call("boot", { app_id: "acme" });
  await browser.advance(200);
  assert.equal(browser.server.deliveries[0].url, "https://track.example.com/messenger/acme/deliveries");
});
