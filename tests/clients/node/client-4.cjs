// intercom-client 4, which signs in with Basic and follows pages.next verbatim, against the server that TRACKRECORD_URL and
// TRACKRECORD_TOKEN name; prints what it observed as one JSON object.
const { Client } = require("intercom-client-4");

const { TRACKRECORD_URL: baseURL, TRACKRECORD_TOKEN: token, NOW } = process.env;
const now = Number(NOW);
const client = new Client({ tokenAuth: { token } }).useRequestOpts({ baseURL });
const stranger = new Client({ tokenAuth: { token: "nobody-gave-this-out" } }).useRequestOpts({ baseURL });

const withoutIds = (events) => events.map(({ id, ...event }) => event);
const names = (events) => events.map((event) => event.event_name);

/** What a call was refused with, as this client shows it: an Error with statusCode and body, which it makes of an error.list alone. */
async function refusal(call) {
    try {
        await call();
    } catch (error) {
        return {
            message: error.message,
            status: error.statusCode,
            type: error.body.type,
            errors: error.body.errors,
            requestIdIsTheHeaders: error.body.request_id === error.headers["x-request-id"],
        };
    }
    return "was not refused";
}

async function main() {
    const seen = {};

    // Contacts
    const ada = await client.contacts.createUser({ externalId: "ada", email: "ada@example.com", name: "Ada" });
    const lead = await client.contacts.createLead({ email: "lead@example.com" });
    seen.ada = ada;
    seen.lead = { id: lead.id, role: lead.role, external_id: lead.external_id, email: lead.email };
    seen.found = await client.contacts.find({ id: ada.id });
    const updated = await client.contacts.update({ id: ada.id, name: "Ada L.", customAttributes: { plan: "pro", seats: 3 } });
    seen.updated = { name: updated.name, email: updated.email, custom_attributes: updated.custom_attributes };

    for (const number of [0, 1, 2]) await client.contacts.createUser({ email: `${number}@example.com` });
    seen.contactPages = [];
    const emails = [];
    let startingAfter;
    do {
        const contacts = await client.contacts.list({ perPage: 2, startingAfter });
        emails.push(...contacts.data.map((contact) => contact.email));
        seen.contactPages.push(contacts.data.length);
        startingAfter = contacts.pages.next && contacts.pages.next.starting_after;
    } while (startingAfter);
    seen.contactEmails = emails.sort();

    // Events
    const order = { order_date: 1392036272, price: { amount: 2999, currency: "usd" }, paid: true };
    seen.accepted = await client.events.create({ userId: "ada", eventName: "seven", createdAt: now - 95, metadata: order });
    await client.events.create({ userId: "ada", eventName: "seven", createdAt: now - 95, metadata: { copy: "second" } });
    for (const [name, second] of Object.entries({ one: 0, two: 1, three: 2, four: 3, five: 3 }))
        await client.events.create({ userId: "ada", eventName: name, createdAt: now - 100 + second });
    await client.events.create({ email: "ada@example.com", eventName: "six", createdAt: now - 96 });
    await client.events.create({ id: lead.id, eventName: "read-article", createdAt: now });

    seen.newest = withoutIds((await client.events.listBy({ userId: "ada", perPage: 1 })).events);
    seen.pages = [];
    let page = await client.events.listBy({ userId: "ada", perPage: 3 });
    seen.listType = page.type;
    seen.pages.push(names(page.events));
    while (page.pages.next) {
        page = await client.nextPage(page.pages);
        seen.pages.push(names(page.events));
    }
    seen.lastPagesKeys = Object.keys(page.pages);
    seen.ofLead = withoutIds((await client.events.listBy({ intercomUserId: lead.id })).events);

    // Summaries: this client reads them, and has no call to set them.
    seen.summary = await client.events.listBy({ userId: "ada", summary: true });

    // Who the token belongs to
    seen.ping = await client.ping();
    seen.admins = await client.admins.list();
    seen.admin = await client.admins.find({ id: "1" });
    const me = await client.get({ url: "/me" });
    seen.me = { type: me.type, id: me.id, app: me.app.id_code, region: me.app.region };

    // Refusals
    await client.contacts.createUser({ externalId: "grace", email: "shared@example.com" });
    await client.contacts.createUser({ externalId: "joan", email: "shared@example.com" });
    const at = { eventName: "signed-up", createdAt: now };
    seen.refused = {
        badToken: await refusal(() => stranger.events.create({ userId: "ada", ...at })),
        badTokenPing: await refusal(() => stranger.ping()),
        noUser: await refusal(() => client.events.create({ userId: "bob", ...at })),
        noContact: await refusal(() => client.contacts.find({ id: "000000000000000000000000" })),
        noAdmin: await refusal(() => client.admins.find({ id: "999" })),
        taken: await refusal(() => client.contacts.createUser({ externalId: "ada" })),
        ambiguous: await refusal(() => client.events.create({ email: "shared@example.com", ...at })),
        fromTheFuture: await refusal(() => client.events.create({ userId: "ada", eventName: "x", createdAt: now + 90_000 })),
    };

    // Deletion
    seen.deleted = await client.contacts.delete({ id: ada.id });
    seen.refused.deleted = await refusal(() => client.events.listBy({ userId: "ada" }));

    console.log(JSON.stringify(seen));
}

main();
