import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser } from "./browser.mjs";

const DAY_MS = 86_400_000;
const acme = { settings: { app_id: "acme" } };
const sentNames = (deliveries) => deliveries.map((each) => each.items.filter((item) => item.kind === "event").map((item) => item.name));
const status = (code, headers) => () => ({ status: code, headers, json: {} });

async function booted(browser = new Browser(), options = acme) {
  const page = browser.open(options);
  await browser.advance(200);
  return [browser, page];
}

test("calls of one moment go together, and two in one second are two", async () => {
  const [browser, page] = await booted();
  for (let count = 0; count < 250; count++) page.call("trackEvent", "same");
  await browser.advance(1000);
  assert.equal(browser.server.names.length, 250);
  assert.deepEqual(sentNames(browser.server.deliveries).map((each) => each.length), [0, 100, 100, 50]);
  assert.ok(browser.server.deliveries.every((each) => JSON.stringify(each).length < 60_000));
});

test("a delivery has at most 60,000 bytes of UTF-8", async () => {
  const [browser, page] = await booted();
  for (let count = 0; count < 40; count++) page.call("trackEvent", "long", { text: "ü".repeat(2000) });
  await browser.advance(1000);
  const sizes = browser.server.deliveries.map(({ url, ...body }) => new TextEncoder().encode(JSON.stringify(body)).length);
  assert.equal(browser.server.names.length, 40);
  assert.ok(Math.max(...sizes) <= 60_000 && Math.max(...sizes) > 55_000, String(sizes));
});

test("what the network lost is sent again under the same id, with longer and longer pauses", async () => {
  const [browser, page] = await booted();
  browser.server.answer = () => "offline";
  const from = browser.ran_ms;
  const tries = [];
  browser.server.answer = () => (tries.push(browser.ran_ms - from), "offline");
  page.call("trackEvent", "e");
  await browser.advance(400_000);
  const pauses = tries.slice(1).map((at, place) => at - tries[place]);
  pauses.forEach((pause, place) => {
    const longest = Math.min(1000 * 2 ** place, 60_000);
    assert.ok(pause >= longest / 2 && pause <= longest + 1, `${place}: ${pause}`);
  });
  browser.server.answer = () => undefined;
  await browser.advance(60_000);
  assert.deepEqual(browser.server.names, ["e"]);
  assert.equal(new Set(browser.server.deliveries.flatMap((each) => each.items.filter((item) => item.name).map((item) => item.id))).size, 1);
  assert.equal(new Set(browser.server.deliveries.flatMap((each) => each.items.filter((item) => item.name).map((item) => item.time))).size, 1);
  assert.deepEqual(page.errors, []);
});

test("online tries at once", async () => {
  const [browser, page] = await booted();
  browser.server.answer = () => "offline";
  page.call("trackEvent", "e");
  await browser.advance(100_000);
  browser.server.answer = () => undefined;
  page.events.fire("online");
  await browser.advance(10);
  assert.deepEqual(browser.server.names, ["e"]);
});

for (const code of [429, 503]) {
  test(`${code} is heeded for as long as it says, even when online comes`, async () => {
    const [browser, page] = await booted();
    browser.server.answer = status(code, { "Retry-After": "100" });
    page.call("trackEvent", "e");
    await browser.advance(100);
    browser.server.answer = () => undefined;
    page.events.fire("online");
    page.call("trackEvent", "more");
    await browser.advance(99_000);
    assert.deepEqual(browser.server.names, []);
    await browser.advance(6000);
    assert.deepEqual(browser.server.names, ["e", "more"]);
  });
}

test("no pause that a server asks for is longer than five minutes", async () => {
  const [browser, page] = await booted();
  browser.server.answer = status(503, { "Retry-After": "86400" });
  page.call("trackEvent", "e");
  await browser.advance(100);
  browser.server.answer = () => undefined;
  await browser.advance(302_000);
  assert.deepEqual(browser.server.names, ["e"]);
});

test("an answer that never comes is given up, and asked for again", async () => {
  const [browser, page] = await booted();
  let aborted = false;
  page.window.fetch = (url, { signal }) => new Promise((_, fail) => signal.addEventListener("abort", () => fail((aborted = true))));
  page.call("trackEvent", "e");
  await browser.advance(29_000);
  assert.equal(aborted, false);
  page.window.fetch = async (url, { body }) => ({ status: 200, json: async () => browser.server.take(body) });
  await browser.advance(5000);
  assert.deepEqual(browser.server.names, ["e"]);
});

test("a fetch that throws, as one that the page has put in its place, is tried again", async () => {
  const [browser, page] = await booted();
  const { fetch } = page.window;
  page.window.fetch = () => {
    throw new Error("not now");
  };
  page.call("trackEvent", "e");
  await browser.advance(5000);
  page.window.fetch = fetch;
  await browser.advance(60_000);
  assert.deepEqual([browser.server.names, page.errors], [["e"], []]);
});

test("a page of somebody else's that answers 200 keeps nothing", async () => {
  const [browser, page] = await booted();
  browser.server.answer = () => ({ status: 200, json: {} });
  page.call("trackEvent", "e");
  await browser.advance(3000);
  browser.server.answer = () => undefined;
  await browser.advance(60_000);
  assert.deepEqual(browser.server.names, ["e"]);
});

test("what is refused is said once, and not sent again; what is kept in part is said too", async () => {
  const [browser, page] = await booted();
  browser.server.answer = (sent) => ({
    status: 200,
    json: { now: browser.server.now, people: [], results: sent.items.map(({ id, kind }) => ({ id, outcome: kind === "ping" ? "kept" : "refused", code: "x", message: "is bad" })) },
  });
  page.call("trackEvent", "e");
  page.call("update", { secret: "s" });
  await browser.advance(100_000);
  assert.deepEqual(page.errors, ['Intercom: event "e" was refused: is bad']);
  assert.deepEqual(page.warnings, ["Intercom: update: is bad"]);
  assert.equal(sentNames(browser.server.deliveries).flat().length, 1);
});

test("what is held waits for new proof of the same person, on this page or the next", async () => {
  const browser = new Browser();
  browser.server.answer = (sent) => {
    if (sent.people.every((each) => each.jwt === "new")) return undefined;
    return { status: 200, json: { now: browser.server.now, people: [], results: sent.items.map(({ id }) => ({ id, outcome: "held", code: "identity_expired", message: "expired" })) } };
  };
  const settings = { app_id: "acme", user_id: "u1", intercom_user_jwt: "old" };
  const page = browser.open({ settings });
  page.call("trackEvent", "e");
  await browser.advance(100_000);
  assert.deepEqual(sentNames(browser.server.deliveries), [[], ["e"]]);
  assert.deepEqual(page.warnings, ["Intercom: waits for proof: expired"]);
  page.close();
  const stranger = browser.open({ settings: { ...settings, user_id: "u2", intercom_user_jwt: "new" } });
  await browser.advance(100_000);
  assert.deepEqual(browser.server.names, []);
  stranger.close();
  browser.open({ settings: { ...settings, intercom_user_jwt: "new" } });
  await browser.advance(1000);
  assert.deepEqual(browser.server.names, ["e"]);
});

test("an answer about the old proof does not hold what has a new one since", async () => {
  const browser = new Browser();
  browser.latency_ms = 1000;
  browser.server.answer = (sent) => {
    if (sent.people.every((each) => each.jwt === "new")) return undefined;
    return { status: 200, json: { now: browser.server.now, people: [], results: sent.items.map(({ id }) => ({ id, outcome: "held", code: "identity_expired" })) } };
  };
  const page = browser.open({ settings: { app_id: "acme", user_id: "u1", intercom_user_jwt: "old" } });
  page.call("trackEvent", "e");
  await browser.advance(1500); // the event is under way
  page.call("update", { intercom_user_jwt: "new" });
  await browser.advance(10_000);
  assert.deepEqual(browser.server.names, ["e"]);
});

for (const code of [400, 413]) {
  test(`a delivery that gets ${code} is halved, until the one at fault is found and counted`, async () => {
    const [browser, page] = await booted();
    browser.server.answer = (sent) => (sent.items.some((item) => item.name === "e37") ? { status: code, json: {} } : undefined);
    for (let count = 0; count < 60; count++) page.call("trackEvent", `e${count}`);
    await browser.advance(20_000);
    assert.equal(browser.server.names.length, 59);
    assert.deepEqual(page.errors, ['Intercom: event "e37" was unreadable']);
    assert.deepEqual(browser.server.deliveries.filter((each) => each.dropped).at(-1).dropped, { refused: 1 });
    page.call("trackEvent", "next");
    await browser.advance(200);
    assert.equal(browser.server.deliveries.at(-1).dropped, undefined);
  });
}

test("an unknown workspace is said once, and asked for again", async () => {
  const browser = new Browser();
  browser.server.answer = status(404);
  const page = browser.open(acme);
  await browser.advance(100_000);
  assert.deepEqual(page.warnings, ["Intercom: no such app_id"]);
  assert.ok(browser.server.deliveries.length > 3);
});

// Storage, and the tabs that share it.

test("a page that is closed without a word leaves its calls to the next", async () => {
  for (const locksHere of [true, false]) {
    const browser = new Browser();
    browser.locksHere = locksHere;
    const [, page] = await booted(browser);
    page.call("trackEvent", "last");
    page.close({ killed: true });
    await browser.advance(locksHere ? 0 : 151_000);
    await booted(browser);
    assert.deepEqual(browser.server.names, ["last"], `with locks: ${locksHere}`);
  }
});

test("another tab that stays open takes over from one that was killed", async () => {
  for (const locksHere of [true, false]) {
    const browser = new Browser();
    browser.locksHere = locksHere;
    const [, page] = await booted(browser);
    await booted(browser);
    page.call("trackEvent", "last");
    page.close({ killed: true });
    await browser.advance(180_000);
    assert.deepEqual(browser.server.names, ["last"]);
    assert.equal(browser.stored.size, 0);
  }
});

test("ten tabs at once lose nothing of each other, and send nothing of each other", async () => {
  for (const locksHere of [true, false]) {
    const browser = new Browser();
    browser.locksHere = locksHere;
    browser.server.answer = () => "offline";
    const pages = Array.from({ length: 10 }, () => browser.open(acme));
    for (let count = 0; count < 20; count++) pages.forEach((page, place) => page.call("trackEvent", `${place}-${count}`));
    await browser.advance(10_000);
    browser.server.answer = () => undefined;
    browser.server.deliveries.length = 0;
    await browser.advance(60_000);
    assert.equal(new Set(browser.server.names).size, 200);
    assert.equal(sentNames(browser.server.deliveries).flat().length, 200);
    await browser.advance(20_000);
    assert.equal(browser.stored.size, 0);
  }
});

test("as a page goes, what is left is handed to the browser, and asked for once more by the next page", async () => {
  const [browser, page] = await booted();
  page.call("trackEvent", "clicked");
  page.close();
  assert.deepEqual(sentNames(browser.server.beacons), [["clicked"]]);
  assert.deepEqual(browser.server.names, ["clicked"]);
  assert.notEqual(browser.stored.size, 0);
  const next = browser.open(acme);
  await browser.advance(30_000);
  assert.deepEqual([browser.server.names, browser.stored.size, next.errors], [["clicked"], 0, []]);
});

test("a beacon that never arrived is no loss", async () => {
  const [browser, page] = await booted();
  page.beacon = "lost";
  page.call("trackEvent", "clicked");
  page.close();
  assert.deepEqual(browser.server.names, []);
  await booted(browser);
  assert.deepEqual(browser.server.names, ["clicked"]);
});

test("without storage the beacon still takes it", async () => {
  const browser = new Browser();
  browser.storage = "forbidden";
  const [, page] = await booted(browser);
  page.call("trackEvent", "clicked");
  page.close();
  assert.deepEqual([browser.server.names, page.errors], [["clicked"], []]);
});

test("full storage keeps the calls in memory", async () => {
  const browser = new Browser();
  browser.storage = "full";
  const [, page] = await booted(browser);
  browser.server.answer = () => "offline";
  page.call("trackEvent", "e");
  await browser.advance(5000);
  browser.server.answer = () => undefined;
  await browser.advance(60_000);
  assert.deepEqual([browser.server.names, page.errors, page.warnings], [["e"], [], []]);
});

test("a tab that is left and looked at again sends once", async () => {
  const [browser, page] = await booted();
  page.call("trackEvent", "e");
  page.hide();
  await browser.advance(1000);
  assert.equal(page.options.keepalive, true);
  page.document.visibilityState = "visible";
  await browser.advance(60_000);
  assert.deepEqual([sentNames(browser.server.deliveries), browser.server.beacons.length], [[[], ["e"]], 0]);
});

test("a page that comes back from the browser's cache goes on", async () => {
  for (const locksHere of [true, false]) {
    const browser = new Browser();
    browser.locksHere = locksHere;
    const [, page] = await booted(browser);
    browser.server.answer = () => "offline";
    page.beacon = "lost";
    page.call("trackEvent", "before");
    page.events.fire("pagehide", { persisted: true });
    page.hide();
    await browser.advance(100);
    page.events.fire("pageshow", { persisted: true });
    page.call("trackEvent", "after");
    browser.server.answer = () => undefined;
    await browser.advance(5000);
    assert.deepEqual(browser.server.names, ["before", "after"]);
    await browser.advance(20_000);
    assert.equal(browser.stored.size, 0);
  }
});

test("of more than a thousand the oldest goes, is counted, and is told by the next page", async () => {
  const [browser, page] = await booted();
  browser.server.answer = () => "offline";
  for (let count = 0; count < 1005; count++) page.call("trackEvent", `e${count}`);
  page.close({ killed: true });
  await browser.advance(1000);
  browser.server.answer = () => undefined;
  browser.open(acme);
  await browser.advance(5000);
  const told = browser.server.deliveries.filter((each) => each.dropped).map((each) => each.dropped.full);
  assert.deepEqual([browser.server.names.length, browser.server.names.includes("e4"), told.at(-1)], [999, false, 6]); // one more for the ping of the next page
});

test("a megabyte is enough", async () => {
  const [browser, page] = await booted();
  browser.server.answer = () => "offline";
  for (let count = 0; count < 50; count++) page.call("trackEvent", `e${count}`, { text: "x".repeat(30_000) });
  browser.server.answer = () => undefined;
  await browser.advance(60_000);
  assert.ok(browser.server.names.length <= 33 && browser.server.names.includes("e49"));
  assert.equal(browser.server.deliveries.find((each) => each.dropped).dropped.full, 50 - browser.server.names.length);
});

test("what waited for a week is given up, and counted", async () => {
  const [browser, page] = await booted();
  browser.server.answer = () => "offline";
  page.call("trackEvent", "old");
  page.close({ killed: true });
  browser.wall_ms += 7 * DAY_MS + 1000;
  browser.server.now += 7 * DAY_MS + 1000;
  browser.server.answer = () => undefined;
  const next = browser.open(acme);
  next.call("trackEvent", "new");
  await browser.advance(1000);
  assert.deepEqual(browser.server.names, ["new"]);
  assert.deepEqual(browser.server.deliveries.filter((each) => each.dropped).at(-1).dropped, { old: 1 });
});

test("nonsense under our keys is cleared away", async () => {
  const browser = new Browser();
  browser.stored.set("trackrecord:acme:x:1", "{nonsense");
  browser.stored.set("trackrecord:acme:x:2", '{"id":1}');
  browser.stored.set("trackrecord:acme:x:3", "null");
  browser.stored.set("trackrecord:acme-2:x:1", "another's");
  const [, page] = await booted(browser);
  await browser.advance(20_000);
  assert.deepEqual([[...browser.stored.keys()], page.errors], [["trackrecord:acme-2:x:1"], []]);
});

// The time of an event.

test("an event has the server's time of its call, however wrong the browser's clock is", async () => {
  const browser = new Browser();
  browser.wall_ms += 5 * 3_600_000;
  const page = browser.open(acme);
  browser.latency_ms = 100;
  await browser.advance(3000);
  const called = browser.server.now;
  page.call("trackEvent", "e");
  await browser.advance(3000);
  const event = [...browser.server.events.values()].find((each) => each.name === "e");
  assert.ok(Math.abs(event.time - called) <= 100, String(event.time - called));
});

test("events wait for the first answer to know their time, and have that of the call", async () => {
  const browser = new Browser();
  browser.latency_ms = 2000;
  const page = browser.open(acme);
  const called = browser.server.now;
  page.call("trackEvent", "early");
  await browser.advance(1500);
  assert.deepEqual(sentNames(browser.server.deliveries), [[]]);
  await browser.advance(5000);
  const event = [...browser.server.events.values()].find((each) => each.name === "early");
  assert.ok(Math.abs(event.time - called) <= 1001, String(event.time - called)); // half of the way there and back
});

test("what was called offline keeps the moment of its call, across pages too", async () => {
  const [browser, page] = await booted();
  browser.server.answer = () => "offline";
  const called = browser.server.now;
  page.call("trackEvent", "stamped");
  await browser.advance(100);
  page.close({ killed: true });
  await browser.advance(3_600_000);
  const offline = browser.open(acme);
  const later = browser.server.now;
  offline.call("trackEvent", "unstamped");
  await browser.advance(100);
  offline.close({ killed: true });
  await browser.advance(3_600_000);
  browser.server.answer = () => undefined;
  browser.open(acme);
  await browser.advance(1000);
  const times = Object.fromEntries([...browser.server.events.values()].filter((each) => each.name).map((each) => [each.name, each.time]));
  assert.deepEqual(times, { stamped: called, unstamped: later });
});

test("when the clock was set the time is asked for anew before anything is stamped", async () => {
  const [browser, page] = await booted();
  browser.wall_ms += 3_600_000;
  const called = browser.server.now;
  page.call("trackEvent", "e");
  await browser.advance(500);
  assert.deepEqual(browser.server.deliveries.map((each) => each.items.length), [1, 0, 1]);
  assert.equal([...browser.server.events.values()].find((each) => each.name === "e").time, called);
});

test("a clock that never stands still delays nothing for ever", async () => {
  const [browser, page] = await booted();
  let looks = 0;
  page.window.browser.now = () => browser.wall_ms + (looks++ % 2) * 1e8;
  page.call("trackEvent", "e");
  await browser.advance(5000);
  assert.deepEqual(browser.server.names, ["e"]);
});

test("an event that had to go without a time never gets one", async () => {
  const browser = new Browser();
  browser.latency_ms = 5000;
  const page = browser.open(acme);
  page.call("trackEvent", "e");
  await browser.advance(100);
  page.beacon = "lost";
  page.close();
  browser.latency_ms = 0;
  browser.open(acme);
  await browser.advance(30_000);
  const sent = [...browser.server.deliveries, ...browser.server.beacons].flatMap((each) => each.items.filter((item) => item.name === "e"));
  assert.deepEqual(sent.map((each) => each.time), [undefined, undefined]);
  assert.deepEqual(Object.keys(sent[0]).sort(), ["at", "id", "kind", "name", "who"]);
});

test("a visitor's call stays the visitor's until the server wants proof for it, and goes with that then", async () => {
  const [browser, page] = await booted();
  browser.server.answer = () => "offline";
  page.call("trackEvent", "e");
  await browser.advance(100);
  const visitor = page.call("getVisitorId");
  const people = [];
  browser.server.answer = ({ items, people: sent }) => {
    const item = items.find((each) => each.name === "e");
    if (item) people.push(sent[item.who]);
    if (people.length !== 1) return undefined;
    const results = items.map(({ id }) => (id === item.id ? { id, outcome: "held", code: "identity_required" } : { id, outcome: "kept" }));
    return { status: 200, json: { now: browser.server.now, results, people: sent.map(() => null) } };
  };
  page.call("update", { user_id: "u1", user_hash: "abc" });
  await browser.advance(10_000);
  assert.deepEqual(people, [{ visitor }, { visitor, user_id: "u1", user_hash: "abc" }]);
});

test("one call that is too large is given up alone", async () => {
  const [browser, page] = await booted();
  page.call("trackEvent", "small");
  page.call("trackEvent", "huge", { text: "x".repeat(1e6) });
  page.call("trackEvent", "small-too");
  await browser.advance(1000);
  assert.deepEqual(browser.server.names, ["small", "small-too"]);
});

test("an event from before a sleep in which the running clock stood still keeps its moment", async () => {
  const [browser, page] = await booted();
  browser.server.answer = () => "offline";
  const at = browser.server.now;
  page.call("trackEvent", "before-sleep");
  browser.wall_ms += 8 * 3600e3; // and ran_ms stood still
  browser.server.now += 8 * 3600e3;
  browser.server.answer = () => undefined;
  await browser.advance(60_000);
  const [sent] = browser.server.deliveries.flatMap((each) => each.items.filter((item) => item.name === "before-sleep").map((item) => [each, item])).slice(-1);
  const [{ sent_at }, item] = sent;
  const moment = item.time === undefined ? browser.server.now - (sent_at + (browser.wall_ms - sent_at) - item.at) : item.time;
  assert.ok(Math.abs(moment - at) < 2000, `${moment - at} ms off`);
});
