// intercom-client 2, which speaks API 1.x with Basic authentication, against the server that TRACKRECORD_URL and TRACKRECORD_TOKEN
// name; prints what it observed as one JSON object.
const { Client } = require("intercom-client-2");

const { TRACKRECORD_URL: baseUrl, TRACKRECORD_TOKEN: token, NOW } = process.env;
const now = Number(NOW);
const clientOf = (secret) => new Client({ token: secret }).usePromises().useRequestOpts({ baseUrl });
const client = clientOf(token);
const stranger = clientOf("nobody-gave-this-out");

const withoutIds = (events) => events.map(({ id, ...event }) => event);
const names = (events) => events.map((event) => event.event_name);

/** What a call was refused with, as this client shows it: an Error with statusCode and body. */
async function refusal(call) {
    try {
        await call();
    } catch (error) {
        return {
            message: error.message,
            status: error.statusCode,
            errors: error.body.errors,
            requestIdIsTheHeaders: error.body.request_id === error.headers["x-request-id"],
        };
    }
    return "was not refused";
}

async function main() {
    const seen = {};

    // Users
    const ada = (await client.users.create({ user_id: "ada", email: "ada@example.com", name: "Ada" })).body;
    seen.ada = ada;
    seen.found = [];
    for (const by of [{ id: ada.id }, { user_id: "ada" }, { email: "ada@example.com" }])
        seen.found.push((await client.users.find(by)).body.id === ada.id);
    const updated = (await client.users.update({ user_id: "ada", custom_attributes: { plan: "pro", seats: 3 } })).body;
    seen.updated = [updated.name, updated.custom_attributes];
    for (const number of [0, 1, 2]) await client.users.create({ user_id: `user-${number}`, email: `${number}@example.com` });
    seen.userPages = [];
    const users = [];
    let page = (await client.users.listBy({ per_page: 2 })).body;
    for (;;) {
        seen.userPages.push(page.users.length);
        users.push(...page.users.map((user) => user.user_id));
        if (!page.pages.next) break;
        page = (await client.nextPage(page.pages)).body;
    }
    seen.users = users.sort();
    seen.total = page.total_count;
    const scrolled = [];
    await client.users.scroll.each({}, (answer) => {
        scrolled.push(...answer.body.users.map((user) => user.user_id));
    });
    seen.scrolled = scrolled.sort();

    // Leads
    const lead = (await client.leads.create({ email: "lead@example.com" })).body;
    seen.lead = [lead.type, lead.email, typeof lead.user_id, (await client.leads.find({ id: lead.id })).body.id === lead.id];
    seen.leadUpdated = (await client.leads.update({ user_id: lead.user_id, name: "Lee" })).body.name;
    seen.leads = (await client.leads.list()).body.contacts.map((each) => each.name);

    // Events
    const order = { order_date: 1392036272, price: { amount: 2999, currency: "usd" }, paid: true };
    const sent = { user_id: "ada", event_name: "seven", created_at: now - 95 };
    const accepted = await client.events.create({ ...sent, metadata: order });
    seen.accepted = [accepted.statusCode, accepted.body ?? null];
    await client.events.create({ ...sent, metadata: { copy: "second" } });
    for (const [name, second] of Object.entries({ one: 0, two: 1, three: 2, four: 3, five: 3 }))
        await client.events.create({ user_id: "ada", event_name: name, created_at: now - 100 + second });
    await client.events.create({ email: "ada@example.com", event_name: "six", created_at: now - 96 });
    await client.events.create({ id: lead.id, event_name: "read-article", created_at: now });
    seen.newest = withoutIds((await client.events.listBy({ type: "user", user_id: "ada", per_page: 1 })).body.events);
    seen.pages = [];
    page = (await client.events.listBy({ type: "user", user_id: "ada", per_page: 3 })).body;
    for (;;) {
        seen.pages.push(names(page.events));
        if (!page.pages.next) break;
        page = (await client.nextPage(page.pages)).body;
    }
    seen.summary = (await client.events.listBy({ type: "user", user_id: "ada", summary: true })).body;

    // A lead becomes a user, with its events
    const converted = await client.leads.convert({ contact: { user_id: lead.user_id }, user: { user_id: "user-0" } });
    seen.converted = converted.body.user_id;
    seen.ofConverted = names((await client.events.listBy({ type: "user", user_id: "user-0" })).body.events);

    // Bulk
    const ordered = { event_name: "ordered-item", user_id: "ada" };
    const job = (
        await client.events.bulk([
            { create: { ...ordered, created_at: now - 2, metadata: { n: 1 } } },
            { create: { ...ordered, created_at: now - 1, metadata: { n: 2 } } },
            { create: { ...ordered, created_at: now - 1, user_id: "nobody" } },
        ])
    ).body;
    seen.job = [job.name, job.tasks.map((task) => task.item_count), Object.keys(job.links).sort()];
    seen.jobFound = (await client.get(`/jobs/${job.id}`)).body.state;
    seen.jobErrors = (await client.get(`/jobs/${job.id}/error`)).body.items.map(({ data, error }) => [data.user_id, error]);
    seen.ofBulk = names((await client.events.listBy({ type: "user", user_id: "ada", per_page: 2 })).body.events);
    const people = (await client.users.bulk([{ create: { user_id: "bulk-1" } }, { delete: { user_id: "user-2" } }])).body;
    seen.people = [people.tasks[0].item_count, (await client.users.find({ user_id: "bulk-1" })).body.user_id];

    // Tags, segments, and who the token belongs to
    const tag = (await client.tags.tag({ name: "blue", users: [{ id: ada.id }, { user_id: "user-1" }] })).body;
    seen.tag = [tag.type, tag.name, (await client.users.listBy({ tag_id: tag.id })).body.users.map((user) => user.user_id).sort()];
    await client.tags.untag({ name: "blue", users: [{ user_id: "user-1" }] });
    seen.untagged = (await client.users.listBy({ tag_id: tag.id })).body.users.map((user) => user.user_id);
    seen.tags = (await client.tags.list()).body;
    seen.tagDeleted = (await client.tags.delete({ id: tag.id })).statusCode;
    seen.segments = (await client.segments.list()).body;
    seen.admins = (await client.admins.list()).body;
    seen.ping = await new Promise((resolve) => client.ping(resolve));

    // Refusals
    const at = { event_name: "signed-up", created_at: now };
    await client.users.create({ user_id: "joan", email: "shared@example.com" });
    await client.users.create({ user_id: "jane", email: "shared@example.com" });
    seen.refused = {
        badToken: await refusal(() => stranger.events.create({ user_id: "ada", ...at })),
        noUser: await refusal(() => client.users.find({ user_id: "nobody" })),
        noUsersEvent: await refusal(() => client.events.create({ user_id: "nobody", ...at })),
        ambiguous: await refusal(() => client.events.create({ email: "shared@example.com", ...at })),
        noJob: await refusal(() => client.get("/jobs/job_none")),
    };

    // Archiving, and deletion for good
    await client.users.archive({ user_id: "user-1" });
    seen.refused.archived = await refusal(() => client.users.find({ user_id: "user-1" }));
    seen.deletionRequested = Object.keys((await client.users.requestPermanentDeletion(ada.id)).body);
    seen.refused.deleted = await refusal(() => client.events.listBy({ type: "user", user_id: "ada" }));

    console.log(JSON.stringify(seen));
}

main();
