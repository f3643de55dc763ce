// The whole story that both clients made by a generator tell: intercom-client 7 (client-7.mjs) and 6 (client-6.mjs), against the
// server that TRACKRECORD_URL and TRACKRECORD_TOKEN name. Prints what the client observed as one JSON object.
const { TRACKRECORD_URL: baseUrl, TRACKRECORD_TOKEN: token, NOW } = process.env;
const now = Number(NOW);
const withoutIds = (events) => events.map(({ id, ...event }) => event);
const names = (events) => events.map((event) => event.event_name);

/** The page of events that an address leads to. 7 lets a caller add to the query; 6 does not, so its users fetch. */
async function following(client, url) {
    if (client.jobs)
        return client.events.list(
            { type: "user", user_id: "ada", per_page: 3 },
            { queryParams: { before: new URL(url).searchParams.get("before") } },
        );
    return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).json();
}

/** What a call was refused with, as this client shows it. */
async function refusal(call, IntercomError) {
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

/** `sdk` is the module of the client. */
export async function tell({ Intercom, IntercomClient, IntercomError }) {
    const client = new IntercomClient({ token, baseUrl });
    const stranger = new IntercomClient({ token: "nobody-gave-this-out", baseUrl });
    const refused = (call) => refusal(call, IntercomError);
    const seen = {};

    // Contacts
    const ada = await client.contacts.create({ external_id: "ada", email: "ada@example.com", name: "Ada" });
    const lead = await client.contacts.create({ role: "lead", email: "lead@example.com" });
    seen.ada = ada;
    seen.lead = { id: lead.id, role: lead.role, external_id: lead.external_id, email: lead.email };
    seen.found = await client.contacts.find({ contact_id: ada.id });
    if (client.contacts.showContactByExternalId) // since 7
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
        page = await following(client, page.pages.next);
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

    // Search
    const search = (query, more = {}) => client.contacts.search({ query, ...more });
    const byEmail = await search({ field: "email", operator: "=", value: "ada@example.com" });
    seen.searched = [byEmail.data.map((contact) => contact.external_id), byEmail.response?.total_count ?? 1];
    const young = { field: "created_at", operator: ">", value: String(now - 10 * 86_400) };
    const two = { operator: "OR", value: ["0@example.com", "1@example.com"].map((value) => ({ field: "email", operator: "=", value })) };
    let hits = await search({ operator: "AND", value: [young, two] }, { pagination: { per_page: 1 }, sort: { field: "email", order: "ascending" } });
    seen.searchedPages = [hits.data.map((contact) => contact.email)];
    while (hits.hasNextPage()) {
        hits = await hits.getNextPage();
        if (hits.data.length > 0) seen.searchedPages.push(hits.data.map((contact) => contact.email));
    }
    const byPlan = await search({ field: "custom_attributes.plan", operator: "=", value: "pro" });
    seen.searchedByAttribute = byPlan.data.map((contact) => contact.external_id);

    // Tags
    const tag = await client.tags.create({ name: "Blue" });
    seen.tag = { type: tag.type, name: tag.name, sameAgain: (await client.tags.create({ name: "blue" })).id === tag.id };
    const { applied_at, ...applied } = await client.tags.tagContact({ contact_id: ada.id, id: tag.id });
    seen.tagged = { ...applied, id: applied.id === tag.id, applied_at };
    seen.tagsOfAda = (await client.contacts.listAttachedTags({ contact_id: ada.id })).data.map((each) => each.name);
    seen.tagsOnAda = (await client.contacts.find({ contact_id: ada.id })).tags.data.map((each) => each.id === tag.id);
    const byTag = await search({ field: "tag_id", operator: "=", value: tag.id });
    seen.searchedByTag = byTag.data.map((contact) => contact.external_id);
    seen.tags = (await client.tags.list()).data.map((each) => each.name);
    seen.tagFound = (await client.tags.find({ tag_id: tag.id })).name;
    seen.untagged = (await client.tags.untagContact({ contact_id: ada.id, tag_id: tag.id })).name;
    seen.tagsLeft = (await client.contacts.listAttachedTags({ contact_id: ada.id })).data;
    seen.tagDeleted = (await client.tags.delete({ tag_id: tag.id })) ?? null;

    // Data attributes and segments
    const attribute = await client.dataAttributes.create({ name: "Shoe size", model: "contact", data_type: "integer" });
    seen.attribute = { name: attribute.name, full_name: attribute.full_name, data_type: attribute.data_type, custom: attribute.custom };
    const description = client.jobs ? { body: { description: "EU" } } : { description: "EU" }; // 7 and 6
    seen.attributeChanged = (await client.dataAttributes.update({ data_attribute_id: attribute.id, ...description })).description;
    const attributes = await client.dataAttributes.list({ model: "contact" });
    seen.attributes = attributes.data.filter((each) => each.custom).map((each) => each.name).sort();
    seen.segments = await client.segments.list();
    seen.segmentsOfAda = (await client.contacts.listAttachedSegments({ contact_id: ada.id })).data;
    seen.companiesOfAda = (await client.contacts.listAttachedCompanies({ contact_id: ada.id })).data;

    // Archiving, and merging a lead into a user
    seen.archived = await client.contacts.archive({ contact_id: ada.id });
    const whileArchived = await refused(() => client.events.create({ user_id: "ada", event_name: "x", created_at: now }));
    seen.unarchived = await client.contacts.unarchive({ contact_id: ada.id });
    const merged = await client.contacts.mergeLeadInUser({ from: lead.id, into: ada.id });
    seen.merged = { id: merged.id === ada.id, role: merged.role, email: merged.email };
    seen.afterMerge = names((await client.events.list({ type: "user", user_id: "ada" })).events);

    // Refusals
    await client.contacts.create({ external_id: "grace", email: "shared@example.com" });
    await client.contacts.create({ external_id: "joan", email: "shared@example.com" });
    const at = { event_name: "signed-up", created_at: now };
    seen.refused = {
        badToken: await refused(() => stranger.events.create({ user_id: "ada", ...at })),
        badTokenList: await refused(() => stranger.contacts.list()),
        noUser: await refused(() => client.events.create({ user_id: "bob", ...at })),
        noContact: await refused(() => client.contacts.find({ contact_id: "000000000000000000000000" })),
        noAdmin: await refused(() => client.admins.find({ admin_id: 999 })),
        taken: await refused(() => client.contacts.create({ external_id: "ada" })),
        ambiguous: await refused(() => client.events.create({ email: "shared@example.com", ...at })),
        fromTheFuture: await refused(() => client.events.create({ user_id: "ada", event_name: "x", created_at: now + 90_000 })),
        whileArchived,
        merged: await refused(() => client.contacts.find({ contact_id: lead.id })),
        badSearch: await refused(() => search({ field: "shoe", operator: "=", value: "x" })),
        noTag: await refused(() => client.tags.find({ tag_id: "999999" })),
        ...(client.jobs && { noJob: await refused(() => client.jobs.status({ job_id: "none" })) }),
        nobodysSummary: await refused(() => client.events.summaries()),
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
    seen.refused.deleted = await refused(() => client.events.list({ type: "user", user_id: "ada" }));

    console.log(JSON.stringify(seen));
}
