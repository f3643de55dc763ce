import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser } from "./browser.mjs";

const UUID = /^[0-9a-f-]{36}$/;
const events = (browser) => [...browser.server.events.values()].filter((each) => each.kind === "event");
const cookie = (browser, name) => [...browser.cookies].find(([key]) => key.endsWith(` intercom-${name}-acme`))?.[1];
const jwt = (claims) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

test("the anonymous id outlives pages, in a cookie of the broadest domain", async () => {
  const browser = new Browser();
  const first = browser.open({ url: "https://a.app.example.com/", settings: { app_id: "acme" } });
  const visitor = first.call("getVisitorId");
  assert.equal(browser.cookies.get("example.com intercom-id-acme"), visitor);
  assert.match(browser.cookies.get("example.com intercom-device-id-acme"), UUID);
  assert.equal(browser.open({ url: "https://b.example.com/", settings: { app_id: "acme" } }).call("getVisitorId"), visitor);
  const set = browser.cookieLog.find((each) => each.startsWith("intercom-id-acme"));
  assert.match(set, /; path=\/; max-age=23328000; SameSite=Lax; domain=example\.com; Secure$/);
  assert.ok(![...browser.cookies.keys()].some((key) => key.includes("probe")));
});

for (const [url, key] of [
  ["http://localhost:3000/", "localhost"],
  ["https://shop.example.co.uk/", "example.co.uk"],
  ["http://127.0.0.1/", "127.0.0.1"],
]) {
  test(`at ${url} cookies are of ${key}`, () => {
    const browser = new Browser();
    browser.open({ url, settings: { app_id: "acme" } });
    assert.ok(browser.cookies.has(`${key} intercom-id-acme`));
    assert.equal(browser.cookieLog.at(-1).includes("Secure"), url.startsWith("https"));
  });
}

test("the session's cookie comes with the first ping of a user that was kept, and lives a week; the device's is renewed by each", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme" } });
  await browser.advance(200);
  assert.equal(cookie(browser, "session"), undefined);
  page.call("update", { user_id: "u1" });
  await browser.advance(200);
  assert.match(cookie(browser, "session"), /^[0-9a-f-]{36}\./);
  assert.ok(!cookie(browser, "session").includes("u1"));
  const set = browser.cookieLog.filter((each) => /^intercom-session-acme=.*max-age=6/.test(each));
  assert.match(set[0], /max-age=604800/);
  page.call("update", { name: "Ada" });
  await browser.advance(200);
  const again = browser.cookieLog.filter((each) => /^intercom-session-acme=.*max-age=6/.test(each));
  assert.equal(again.length, 2);
  assert.equal(again[0], again[1]);
  assert.equal(browser.cookieLog.filter((each) => each.startsWith("intercom-device-id-acme")).length, 3);
});

test("where cookies are blocked the id is in storage, and where that is too, in memory", () => {
  const browser = new Browser();
  browser.cookiesBlocked = true;
  const stored = browser.open({ settings: { app_id: "acme" } }).call("getVisitorId");
  assert.equal(browser.open({ settings: { app_id: "acme" } }).call("getVisitorId"), stored);
  browser.storage = "forbidden";
  const page = browser.open({ settings: { app_id: "acme" } });
  const kept = page.call("getVisitorId");
  assert.match(kept, UUID);
  page.call("boot");
  assert.equal(page.call("getVisitorId"), kept);
  assert.deepEqual([page.warnings, page.errors], [[], []]);
});

test("an id in the cookie that is none is replaced", () => {
  const browser = new Browser();
  browser.cookies.set("example.com intercom-id-acme", "<script>");
  assert.match(browser.open({ settings: { app_id: "acme" } }).call("getVisitorId"), UUID);
});

test("another tab's new visitor is found at the next boot", () => {
  const browser = new Browser();
  const one = browser.open({ settings: { app_id: "acme" } });
  const other = browser.open({ settings: { app_id: "acme" } });
  other.call("shutdown");
  other.call("boot", { app_id: "acme" });
  assert.notEqual(one.call("getVisitorId"), other.call("getVisitorId"));
  one.call("boot");
  assert.equal(one.call("getVisitorId"), other.call("getVisitorId"));
});

test("calls are bound to whom the page knew at the call", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme" } });
  page.call("trackEvent", "as-visitor");
  await browser.advance(200);
  page.call("update", { user_id: "u1", user_hash: "abc" });
  page.call("trackEvent", "as-user");
  page.call("update", { email: "new@example.com" });
  page.call("trackEvent", "as-user-with-email");
  await browser.advance(200);
  const visitor = page.call("getVisitorId");
  assert.deepEqual(
    events(browser).map((each) => [each.name, each.person]),
    [
      ["as-visitor", { visitor }],
      ["as-user", { visitor, user_id: "u1", user_hash: "abc" }],
      ["as-user-with-email", { visitor, user_id: "u1", email: "new@example.com", user_hash: "abc" }],
    ],
  );
});

test("what a visitor did that still waits stays the visitor's, whom the server makes the user's", async () => {
  const browser = new Browser();
  browser.server.answer = () => "offline";
  const page = browser.open({ settings: { app_id: "acme" } });
  page.call("trackEvent", "as-visitor");
  await browser.advance(500);
  page.call("update", { user_id: "u1", user_hash: "abc" });
  browser.server.answer = () => undefined;
  await browser.advance(5000);
  assert.deepEqual(events(browser).map((each) => [each.name, each.person.user_id, each.person.user_hash]), [["as-visitor", undefined, undefined]]);
  assert.equal([...browser.server.events.values()].filter((each) => each.kind === "ping").at(-1).person.user_id, "u1");
});

test("another user without shutdown has another anonymous id, and nothing of the one before", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme", user_id: "u1", email: "u1@example.com", user_hash: "abc" } });
  await browser.advance(200);
  const first = page.call("getVisitorId");
  page.call("update", { user_id: "u2" });
  page.call("trackEvent", "second");
  await browser.advance(200);
  const second = page.call("getVisitorId");
  assert.notEqual(second, first);
  assert.deepEqual(events(browser)[0].person, { visitor: second, user_id: "u2" });
});

test("the same on the next page, where only cookies remember", async () => {
  const browser = new Browser();
  const first = browser.open({ settings: { app_id: "acme", user_id: "u1" } });
  await browser.advance(200);
  first.close();
  const same = browser.open({ settings: { app_id: "acme", user_id: "u1" } });
  assert.equal(same.call("getVisitorId"), first.call("getVisitorId"));
  same.close();
  assert.notEqual(browser.open({ settings: { app_id: "acme", user_id: "u2" } }).call("getVisitorId"), first.call("getVisitorId"));
});

test("an address that becomes a user's is the same person, and a hash of the address is no proof of the user", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme", email: "Ada@example.com", user_hash: "of-the-address" } });
  const visitor = page.call("getVisitorId");
  page.call("update", { user_id: "u1", email: "ada@example.com" });
  page.call("trackEvent", "e");
  await browser.advance(200);
  assert.deepEqual(events(browser)[0].person, { visitor, user_id: "u1", email: "ada@example.com" });
});

test("a token says who it is", async () => {
  const browser = new Browser();
  const token = jwt({ user_id: "Ünal" });
  const page = browser.open({ settings: { app_id: "acme", intercom_user_jwt: token } });
  page.call("trackEvent", "e");
  await browser.advance(200);
  assert.deepEqual(events(browser)[0].person, { visitor: page.call("getVisitorId"), user_id: "Ünal", jwt: token });
  assert.equal(page.call("whoami").user_id, "Ünal");
  page.call("update", { intercom_user_jwt: "no token at all" });
  assert.deepEqual(page.errors, []);
});

test("shutdown leaves nothing of the person but what waits to be delivered, and the next is a clean visitor", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme", user_id: "u1", name: "Ada" } });
  await browser.advance(200);
  const visitor = page.call("getVisitorId");
  page.call("trackEvent", "last");
  page.call("shutdown");
  assert.deepEqual([[...browser.cookies.keys()], page.window.Intercom.booted, page.call("getVisitorId")], [[], false, undefined]);
  page.call("boot", { app_id: "acme" });
  page.call("trackEvent", "of-the-next");
  await browser.advance(200);
  const next = page.call("getVisitorId");
  assert.notEqual(next, visitor);
  assert.deepEqual(events(browser).map((each) => [each.name, each.person]), [["last", { visitor, user_id: "u1" }], ["of-the-next", { visitor: next }]]);
  const data = [...browser.server.events.values()].filter((each) => each.kind === "ping").map((each) => each.data);
  assert.deepEqual(data, [{ name: "Ada" }, {}]);
});

test("after shutdown update does nothing, and events wait for who comes", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme" } });
  page.call("shutdown");
  page.call("update", { app_id: "acme", name: "Ada" });
  page.call("trackEvent", "between");
  await browser.advance(200);
  assert.deepEqual([page.window.Intercom.booted, browser.server.names, page.warnings.length], [false, [], 1]);
  page.call("boot", { app_id: "acme" });
  await browser.advance(200);
  assert.deepEqual(browser.server.names, ["between"]);
});

for (const [what, ...call] of [["shutdown", "shutdown"], ["consent was withdrawn", "consent", false]]) {
  test(`a late answer brings nothing back after ${what}`, async () => {
    const browser = new Browser();
    browser.latency_ms = 1000;
    browser.server.answer = (sent) => ({
      status: 200,
      json: { now: browser.server.now, people: [{ type: "user" }], results: sent.items.map(({ id, kind }) => ({ id, outcome: kind === "ping" ? "kept" : "held" })) },
    });
    const page = browser.open({ settings: { app_id: "acme", user_id: "u1" } });
    await browser.advance(1100);
    page.call("update");
    page.call("trackEvent", "e");
    await browser.advance(500);
    page.call(...call);
    await browser.advance(60_000);
    assert.equal(browser.cookies.size, 0);
    if (call[1] === false) assert.equal(browser.stored.size, 0);
  });
}

// Consent.

test("until there is consent nothing is sent, set or stored; then all of it is done", async () => {
  const browser = new Browser();
  const page = browser.open();
  page.call("trackEvent", "before-boot");
  page.call("boot", { app_id: "acme", user_id: "u1", hold_until_consent: true });
  page.call("trackEvent", "while-held");
  page.call("update", { name: "Ada" });
  await browser.advance(60_000);
  page.hide();
  assert.deepEqual(
    [browser.server.deliveries, browser.server.beacons, browser.cookieLog, [...browser.stored], page.window.Intercom.booted],
    [[], [], [], [], false],
  );
  page.call("consent", true);
  await browser.advance(200);
  assert.deepEqual(browser.server.names, ["before-boot", "while-held"]);
  assert.equal(browser.server.deliveries[0].items[0].data.name, "Ada");
});

test("refused, all is forgotten, and it stays quiet", async () => {
  const browser = new Browser();
  const page = browser.open({ settings: { app_id: "acme", hold_until_consent: true } });
  page.call("trackEvent", "held");
  page.call("consent", false);
  page.call("trackEvent", "after");
  page.call("boot", { app_id: "acme" });
  page.call("trackEvent", "after-boot");
  await browser.advance(60_000);
  assert.deepEqual([browser.server.deliveries, [...browser.cookies], [...browser.stored], page.window.Intercom.booted], [[], [], [], false]);
  page.call("consent", true);
  page.call("trackEvent", "willing");
  await browser.advance(200);
  assert.deepEqual(browser.server.names, ["willing"]);
});

test("consent after a refusal keeps what is called from then on, and boots nobody after shutdown", async () => {
  const browser = new Browser();
  const page = browser.open();
  page.call("consent", false);
  page.call("trackEvent", "refused");
  page.call("consent", true);
  page.call("trackEvent", "willing");
  page.call("boot", { app_id: "acme" });
  await browser.advance(200);
  assert.deepEqual(browser.server.names, ["willing"]);
  page.window.intercomSettings = { app_id: "acme" };
  page.call("shutdown");
  page.call("consent", true);
  assert.equal(page.window.Intercom.booted, false);
});

test("withdrawn, what waits goes with cookies and storage", async () => {
  const browser = new Browser();
  browser.server.answer = () => "offline";
  const page = browser.open({ settings: { app_id: "acme" } });
  page.call("trackEvent", "waits");
  await browser.advance(500);
  assert.notEqual(browser.stored.size, 0);
  page.call("consent", false);
  browser.server.answer = () => undefined;
  await browser.advance(120_000);
  assert.deepEqual([browser.server.names, [...browser.cookies], [...browser.stored]], [[], [], []]);
});

test("consent that is asked for among the calls of the stub holds", async () => {
  const browser = new Browser();
  browser.open({
    settings: { app_id: "acme" },
    before: `() => { const i = function () { i.q.push(arguments); }; i.q = []; window.Intercom = i; Intercom("boot", { hold_until_consent: true }); Intercom("trackEvent", "e"); }`,
  });
  await browser.advance(1000);
  assert.deepEqual([browser.server.deliveries, browser.cookieLog], [[], []]);
});

for (const navigator of [{ doNotTrack: "1" }, { globalPrivacyControl: true }]) {
  test(`respect_dnt heeds ${JSON.stringify(navigator)}`, async () => {
    const browser = new Browser();
    const page = browser.open({ settings: { app_id: "acme", respect_dnt: true }, navigator });
    page.call("trackEvent", "e");
    page.call("consent", true);
    await browser.advance(1000);
    assert.deepEqual([browser.server.deliveries, [...browser.cookies], [...browser.stored]], [[], [], []]);
    browser.open({ settings: { app_id: "acme" }, navigator });
    await browser.advance(1000);
    assert.equal(browser.server.deliveries.length, 1);
  });
}
