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

    // Search
    const search = (query, more = {}) => client.contacts.search({ data: { query, ...more } });
    const byEmail = await search({ field: "email", operator: "=", value: "ada@example.com" });
    seen.searched = [byEmail.data.map((contact) => contact.external_id), byEmail.total_count];
    const young = { field: "created_at", operator: ">", value: String(now - 10 * 86_400) };
    const two = { operator: "OR", value: ["0@example.com", "1@example.com"].map((value) => ({ field: "email", operator: "=", value })) };
    const sort = { field: "email", order: "ascending" };
    seen.searchedPages = [];
    startingAfter = undefined;
    do {
        const pagination = { per_page: 1, starting_after: startingAfter };
        const hits = await search({ operator: "AND", value: [young, two] }, { pagination, sort });
        seen.searchedPages.push(hits.data.map((contact) => contact.email));
        startingAfter = hits.pages.next && hits.pages.next.starting_after;
    } while (startingAfter);
    const byPlan = await search({ field: "custom_attributes.plan", operator: "=", value: "pro" });
    seen.searchedByAttribute = byPlan.data.map((contact) => contact.external_id);

    // Tags
    const tag = await client.tags.create({ name: "Blue" });
    seen.tag = { type: tag.type, name: tag.name, sameAgain: (await client.tags.create({ name: "blue" })).id === tag.id };
    const tagged = await client.tags.tagContact({ contactId: ada.id, tagId: tag.id });
    seen.tagged = { ...tagged, id: tagged.id === tag.id };
    seen.tagsOfAda = (await client.contacts.listAttachedTags({ id: ada.id })).data.map((each) => each.name);
    seen.tagsOnAda = (await client.contacts.find({ id: ada.id })).tags.data.map((each) => each.id === tag.id);
    const byTag = await search({ field: "tag_id", operator: "=", value: tag.id });
    seen.searchedByTag = byTag.data.map((contact) => contact.external_id);
    seen.tags = (await client.tags.list()).data.map((each) => each.name);
    seen.untagged = (await client.tags.untagContact({ contactId: ada.id, tagId: tag.id })).name;
    seen.tagsLeft = (await client.contacts.listAttachedTags({ id: ada.id })).data;
    seen.tagDeleted = await client.tags.delete({ id: tag.id });

    // Data attributes and segments
    const attribute = await client.dataAttributes.create({ name: "Shoe size", model: "contact", dataType: "integer" });
    seen.attribute = { name: attribute.name, full_name: attribute.full_name, data_type: attribute.data_type, custom: attribute.custom };
    seen.attributeChanged = (await client.dataAttributes.update({ id: attribute.id, description: "EU" })).description;
    const attributes = await client.dataAttributes.list({ model: "contact" });
    seen.attributes = attributes.data.filter((each) => each.custom).map((each) => each.name).sort();
    seen.segments = await client.segments.list({});
    seen.segmentsOfAda = (await client.contacts.listAttachedSegments({ id: ada.id })).data;
    seen.companiesOfAda = (await client.contacts.listAttachedCompanies({ id: ada.id })).data;

    // Archiving, and merging a lead into a user
    seen.archived = await client.contacts.archive({ id: ada.id });
    const whileArchived = await refusal(() => client.events.create({ userId: "ada", eventName: "x", createdAt: now }));
    seen.unarchived = await client.contacts.unarchive({ id: ada.id });
    const merged = await client.contacts.mergeLeadInUser({ leadId: lead.id, userId: ada.id });
    seen.merged = { id: merged.id === ada.id, role: merged.role, email: merged.email };
    seen.afterMerge = names((await client.events.listBy({ userId: "ada" })).events);

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
        whileArchived,
        merged: await refusal(() => client.contacts.find({ id: lead.id })),
        badSearch: await refusal(() => search({ field: "shoe", operator: "=", value: "x" })),
        fromTheFuture: await refusal(() => client.events.create({ userId: "ada", eventName: "x", createdAt: now + 90_000 })),
    };

    // Deletion
    seen.deleted = await client.contacts.delete({ id: ada.id });
    seen.refused.deleted = await refusal(() => client.events.listBy({ userId: "ada" }));

    console.log(JSON.stringify(seen));
}

main();
