// Send one event with the official Node client and read it back.
//
// npm install intercom-client
// TOKEN=tr_... node examples/send_event.mjs
import { IntercomClient } from "intercom-client";

const client = new IntercomClient({
    token: process.env.TOKEN,
    baseUrl: process.env.TRACKRECORD_URL ?? "http://127.0.0.1:8080", // the one line that differs
});

await client.contacts.create({ external_id: "amber", email: "amber@example.com" }).catch((error) => {
    if (error.statusCode !== 409) throw error; // 409: this example ran before, and Amber is there
});

const event = {
    user_id: "amber",
    event_name: "invited-friend",
    created_at: Math.floor(Date.now() / 1000),
    metadata: { invitee: "bob@example.com" },
};
await client.events.create(event); // returns once the event is on stable storage
await client.events.create(event); // a retry changes nothing

const [newest] = (await client.events.list({ type: "user", user_id: "amber", per_page: 1 })).events;
console.log(`amber ${newest.event_name} ${JSON.stringify(newest.metadata)}`);
for (const item of (await client.events.list({ type: "user", user_id: "amber", summary: true })).events) {
    console.log(`${item.name}: ${item.count}, first ${item.first}, last ${item.last}`);
}
