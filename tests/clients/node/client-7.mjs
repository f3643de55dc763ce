// intercom-client 7 against the server that TRACKRECORD_URL and TRACKRECORD_TOKEN name; prints what it observed as one JSON object.
import { Intercom, IntercomClient, IntercomError } from "intercom-client-7";

const { TRACKRECORD_URL: baseUrl, TRACKRECORD_TOKEN: token, NOW } = process.env;
const now = Number(NOW);
const client = new IntercomClient({ token, baseUrl });
const stranger = new IntercomClient({ token: "nobody-gave-this-out", baseUrl });

const withoutIds = (events) => events.map(({ id, ...event }) => event);
const names = (events) => events.map((event) => event.event_name);
const beforeIn = (url) => ({ queryParams: { before: new URL(url).searchParams.get("before") } });

/** What a call was refused with, as this client shows it. */
async function refusal(call) {
    try {
        await call();
    } catch (error) {
        return {
            class: error.constructor.name,
            typed: error instanceof IntercomError,
            status: error.statusCode,
            type: error.body.type,
            errors: error.body.errors,
            requestIdIsTheHeaders: error.body.request_id === error.rawResponse.headers.get("x-request-id"),
        };
    }
    return "was not refused";
}

const seen = {};

// Contacts
const ada = await client.contacts.create({ external_id: "ada", email: "ada@example.com", name: "Ada" });
const lead = await client.contacts.create({ role: "lead", email: "lead@example.com" });
seen.ada = ada;
seen.lead = { id: lead.id, role: lead.role, external_id: lead.external_id, email: lead.email };
seen.found = await client.contacts.find({ contact_id: ada.id });
seen.foundByExternalId = await client.contacts.showContactByExternalId({ external_id: "ada" });
const updated = await client.contacts.update({ contact_id: ada.id, name: "Ada L.", custom_attributes: { plan: "pro", seats: 3 } });
seen.updated = { name: updated.name, email: updated.email, custom_attributes: updated.custom_attributes };

for (const number of [0, 1, 2]) await client.contacts.create({ email: `${number}@example.com` });
seen.contactPages = [];
let contacts = await client.contacts.list({ per_page: 2 });
const walked = [...contacts.data];
seen.contactPages.push(contacts.data.length);
while (contacts.hasNextPage()) {
    contacts = await contacts.getNextPage();
    walked.push(...contacts.data);
    seen.contactPages.push(contacts.data.length);
}
seen.contactEmails = walked.map((contact) => contact.email).sort();
seen.contactsIterated = 0;
for await (const contact of await client.contacts.list({ per_page: 2 })) seen.contactsIterated += contact.type === "contact" ? 1 : 0;

// Events
const order = { order_date: 1392036272, price: { amount: 2999, currency: "usd" }, paid: true };
const accepted = await client.events
    .create({ user_id: "ada", event_name: "seven", created_at: now - 95, metadata: order })
    .withRawResponse();
seen.accepted = {
    data: accepted.data ?? null,
    status: accepted.rawResponse.status,
    version: accepted.rawResponse.headers.get("intercom-version"),
};
await client.events.create({ user_id: "ada", event_name: "seven", created_at: now - 95, metadata: { copy: "second" } });
for (const [name, second] of Object.entries({ one: 0, two: 1, three: 2, four: 3, five: 3 }))
    await client.events.create({ user_id: "ada", event_name: name, created_at: now - 100 + second });
await client.events.create({ email: "ada@example.com", event_name: "six", created_at: now - 96 });
await client.events.create({ id: lead.id, event_name: "read-article", created_at: now });

seen.newest = withoutIds((await client.events.list({ type: "user", user_id: "ada", per_page: 1 })).events);
seen.pages = [];
let page = await client.events.list({ type: "user", user_id: "ada", per_page: 3 });
seen.listType = page.type;
seen.pages.push(names(page.events));
while (page.pages.next) {
    page = await client.events.list({ type: "user", user_id: "ada", per_page: 3 }, beforeIn(page.pages.next));
    seen.pages.push(names(page.events));
}
seen.lastPagesKeys = Object.keys(page.pages);
seen.ofLead = withoutIds((await client.events.list({ type: "user", intercom_user_id: lead.id })).events);
const unstable = await client.unstable.dataEvents.lisDataEvents({ type: "user", filter: { user_id: "ada" } });
seen.unstable = names(unstable.events);

// Summaries
const baseline = { event_name: "one", count: 5, first: 1600000000, last: 1600000001 };
seen.baseline = (await client.events.summaries({ user_id: "ada", event_summaries: baseline })) ?? null;
seen.summary = await client.events.list({ type: "user", user_id: "ada", summary: true });

// Who the token belongs to
const me = await client.admins.identify();
seen.me = { type: me.type, id: me.id, app: me.app.id_code, region: me.app.region };
seen.admins = await client.admins.list();

// Refusals
await client.contacts.create({ external_id: "grace", email: "shared@example.com" });
await client.contacts.create({ external_id: "joan", email: "shared@example.com" });
const at = { event_name: "signed-up", created_at: now };
seen.refused = {
    badToken: await refusal(() => stranger.events.create({ user_id: "ada", ...at })),
    badTokenList: await refusal(() => stranger.contacts.list()),
    noUser: await refusal(() => client.events.create({ user_id: "bob", ...at })),
    noContact: await refusal(() => client.contacts.find({ contact_id: "000000000000000000000000" })),
    noAdmin: await refusal(() => client.admins.find({ admin_id: 999 })),
    taken: await refusal(() => client.contacts.create({ external_id: "ada" })),
    ambiguous: await refusal(() => client.events.create({ email: "shared@example.com", ...at })),
    fromTheFuture: await refusal(() => client.events.create({ user_id: "ada", event_name: "x", created_at: now + 90_000 })),
    nobodysSummary: await refusal(() => client.events.summaries()),
};
seen.unauthorizedIsTyped = await stranger.events.list({ type: "user", user_id: "ada" }).then(
    () => false,
    (error) => error instanceof Intercom.UnauthorizedError,
);
seen.notFoundIsTyped = await client.admins.find({ admin_id: 999 }).then(
    () => false,
    (error) => error instanceof Intercom.NotFoundError,
);

// Deletion
seen.deleted = await client.contacts.delete({ contact_id: ada.id });
seen.refused.deleted = await refusal(() => client.events.list({ type: "user", user_id: "ada" }));

console.log(JSON.stringify(seen));
