// Every Node client at a server that allows few calls, with a token of its own: each sends until it is refused, waits as it does by
// itself or as its users do, and goes on. Prints, for each, whether it was refused, its last status, and what its user was shown.
import six from "intercom-client-6";
import * as seven from "intercom-client-7";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { TRACKRECORD_URL: url, TRACKRECORD_TOKENS, NOW } = process.env;
const tokens = TRACKRECORD_TOKENS.split(",");
const now = Number(NOW);
const CALLS_MAX = 500;
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const untilReset = (headers) => sleep(Math.max(0, Number(headers["x-ratelimit-reset"]) - Date.now() / 1000) + 0.05);
const event = (number) => ({ user_id: "ada", event_name: "clicked", created_at: now + number });

const plainFetch = globalThis.fetch;
const statuses = Object.fromEntries(tokens.map((token) => [`Bearer ${token}`, []]));
globalThis.fetch = async (address, options) => {
    const answer = await plainFetch(address, options);
    statuses[new Headers(options.headers).get("authorization")].push(answer.status);
    return answer;
};

/** 6 and 7 wait and try again by themselves: their user sees no refusal, unless that is turned off. */
async function byItself({ IntercomClient }, token, maxRetries) {
    const told = statuses[`Bearer ${token}`];
    const client = new IntercomClient({ token, baseUrl: url });
    for (let number = 0; number < CALLS_MAX && !told.includes(429); number += 1)
        await client.events.create(event(number), { maxRetries });
    const seen = { refused: told.includes(429), last: told.at(-1), shown: null };
    for (let number = 0; number < CALLS_MAX && seen.shown === null; number += 1)
        await client.events.create(event(number), { maxRetries: 0 }).catch((error) => {
            seen.shown = [error.statusCode, error.body.errors];
        });
    return seen;
}

/** 4 and 2 raise; their users wait for the moment the headers name. */
async function byHand(send) {
    let shown = null;
    for (let number = 0; number < CALLS_MAX && shown === null; number += 1)
        try {
            await send(number);
        } catch (error) {
            shown = [error.statusCode, error.body.errors];
            await untilReset(error.headers);
        }
    const last = await send(CALLS_MAX);
    return { refused: shown !== null, last: last.statusCode ?? 202, shown }; // 4 returns the body alone
}

const two = new (require("intercom-client-2").Client)({ token: tokens[0] }).usePromises().useRequestOpts({ baseUrl: url });
const four = new (require("intercom-client-4").Client)({ tokenAuth: { token: tokens[1] } }).useRequestOpts({ baseURL: url });
const [of2, of4, of6, of7] = await Promise.all([
    byHand((number) => two.events.create(event(number))),
    byHand((number) => four.events.create({ userId: "ada", eventName: "clicked", createdAt: now + number })),
    byItself(six, tokens[2], 4), // it waits 1, 2, 4, 8 seconds, whatever the headers say
    byItself(seven, tokens[3]),
]);
console.log(JSON.stringify({ of2, of4, of6, of7 }));
