// Checks the sandbox's face of WhatsApp's Cloud API with the client @kapso/whatsapp-cloud-api, and our own bodies with
// JSON schemas and with that client.
//
// What the client does not know: the call button as a method (only as a raw message), and webhooks of accounts (only
// raw). What it ignores of a webhook is in IGNORED; the sandbox may tell nothing else that it ignores.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

import { Receiver } from "./receiver.mjs";

const text = { type: "string" };
const names = ["base", "app", "secret", "token", "number", "account", "sender", "consumer", "page", "page-token", "ours"];
const { values: args } = parseArgs({
  options: { ...Object.fromEntries(names.map((name) => [name, text])), modules: text },
});
const required = createRequire(`${args.modules}/`);
const { WhatsAppClient } = required("@kapso/whatsapp-cloud-api");
const { normalizeWebhook, verifySignature } = required("@kapso/whatsapp-cloud-api/server");
const Ajv = required("ajv/dist/2020.js").default;

// The keys of a change, and beside it, from which the client makes nothing.
const IGNORED = ["entry.id", "entry.time", "value.messaging_product"];

async function lever(path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(args.base + path, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 204, path);
}

async function post(path, token, body) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const answer = await fetch(`${args.base}/v25.0/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return [answer.status, await answer.json()];
}

// The receiver is entered at the app, and checked.
const receiver = await Receiver.start("a chosen text");
const subscription = { object: "whatsapp_business_account", callback_url: receiver.url, verify_token: "a chosen text" };
const [status] = await post(`${args.app}/subscriptions`, `${args.app}|${args.secret}`, subscription);
assert.equal(status, 200);
const [denied] = await post(`${args.app}/subscriptions`, "wrong", subscription);
assert.equal(denied, 401);

const bodies = [];
const client = new WhatsAppClient({
  accessToken: args.token,
  baseUrl: args.base,
  graphVersion: "v25.0",
  fetch: async (url, init) => {
    if (typeof init?.body === "string") bodies.push(JSON.parse(init.body));
    return fetch(url, init);
  },
});

// A consumer writes, which opens the window; then every kind of message is sent.
await lever("/sandbox/messages", { sender: args.sender, consumer: args.consumer, text: "Olá & hi" });
const written = await receiver.until("a message", ({ body }) => normalizeWebhook(body).messages.find((it) => it.text));
assert.deepEqual([written.text.body, written.type, written.kapso.direction], ["Olá & hi", "text", "inbound"]);
const to = { phoneNumberId: args.number, to: args.consumer };
const link = (name) => ({ link: `https://shop.example/${name}` });
const words = { bodyText: "Please choose." };
const call = { display_text: "Call us", ttl_minutes: 100, payload: "opaque-of-the-judge" };
const voiceCall = { type: "voice_call", body: { text: "Call us" }, action: { name: "voice_call", parameters: call } };
const { messages } = client;
const sends = {
  text: () => messages.sendText({ ...to, body: "Hello", bizOpaqueCallbackData: "token-of-the-judge" }),
  image: () => messages.sendImage({ ...to, image: link("a.png") }),
  audio: () => messages.sendAudio({ ...to, audio: link("a.ogg") }),
  document: () => messages.sendDocument({ ...to, document: link("a.pdf") }),
  video: () => messages.sendVideo({ ...to, video: link("a.mp4") }),
  sticker: () => messages.sendSticker({ ...to, sticker: link("a.webp") }),
  location: () => messages.sendLocation({ ...to, location: { latitude: -23.5, longitude: -46.6 } }),
  contacts: () => messages.sendContacts({ ...to, contacts: [{ name: { formattedName: "Ana", firstName: "Ana" } }] }),
  reaction: () => messages.sendReaction({ ...to, reaction: { messageId: written.id, emoji: "👍" } }),
  button: () => messages.sendInteractiveButtons({ ...to, ...words, buttons: [{ id: "yes", title: "Yes" }] }),
  list: () =>
    messages.sendInteractiveList({ ...to, ...words, buttonText: "See", sections: [{ rows: [{ id: "1", title: "One" }] }] }),
  product: () => messages.sendInteractiveProduct({ ...to, catalogId: "1", productRetailerId: "a" }),
  product_list: () =>
    messages.sendInteractiveProductList({
      ...to,
      ...words,
      header: { type: "text", text: "Offers" },
      catalogId: "1",
      sections: [{ title: "All", productItems: [{ productRetailerId: "a" }] }],
    }),
  flow: () => messages.sendInteractiveFlow({ ...to, ...words, parameters: { flowId: "1", flowCta: "Open" } }),
  address: () => messages.sendInteractiveAddress({ ...to, ...words, parameters: { country: "IN" } }),
  location_request: () =>
    messages.sendInteractiveLocationRequest({ ...to, ...words, parameters: { requestMessage: "Where?" } }),
  call_permission_request: () =>
    messages.sendInteractiveCallPermission({ ...to, ...words, parameters: { phoneNumber: args.sender } }),
  cta_url: () =>
    messages.sendInteractiveCtaUrl({ ...to, ...words, parameters: { displayText: "See", url: "https://shop.example/" } }),
  carousel: () =>
    messages.sendInteractiveCarousel({
      ...to,
      ...words,
      cards: [0, 1].map((cardIndex) => ({
        cardIndex,
        header: { type: "image", image: link("a.png") },
        action: { displayText: "View", url: "https://shop.example/" },
      })),
    }),
  catalog: () => messages.sendInteractiveCatalogMessage({ ...to, ...words }),
  voice_call: () => messages.sendInteractiveRaw({ ...to, interactive: voiceCall }),
  template: () => messages.sendTemplate({ ...to, template: { name: "plain", language: { code: "en" } } }),
};
const ids = {};
for (const [kind, send] of Object.entries(sends)) {
  const answer = await send().catch((error) => assert.fail(`${kind}: ${error.message}`));
  assert.match(answer.messages[0].id, /^wamid\./, kind);
  assert.equal(`+${answer.contacts[0].waId}`, args.consumer, kind);
  ids[kind] = answer.messages[0].id;
}
assert.equal((await messages.markRead({ phoneNumberId: args.number, messageId: written.id })).success, true);

// Templates: created, decided in time, listed, sent and deleted.
const declared = {
  businessAccountId: args.account,
  name: "call_us",
  language: "en",
  category: "UTILITY",
  components: [
    { type: "BODY", text: "Call us" },
    { type: "BUTTONS", buttons: [{ type: "voice_call", text: "Call", ttl_minutes: 1440 }] },
  ],
};
const created = await client.templates.create(declared);
assert.equal(created.status, "PENDING");
const listed = await client.templates.list({ businessAccountId: args.account, name: "call_us" });
assert.deepEqual(listed.data.map((it) => [it.id, it.status]), [[created.id, "APPROVED"]]);
const ttl = { type: "ttl_minutes", ttl_minutes: 5 };
const payload = { type: "payload", payload: "opaque-of-the-template" };
const filled = [{ type: "button", sub_type: "voice_call", parameters: [ttl, payload] }];
await messages.sendTemplate({ ...to, template: { name: "call_us", language: { code: "en" }, components: filled } });
await client.templates.delete({ businessAccountId: args.account, name: "call_us" });
assert.deepEqual((await client.templates.list({ businessAccountId: args.account, name: "call_us" })).data, []);

// What became of them: statuses, the answer to the permission request, and a message to somebody without a window.
const find = (list, want) => ({ body }) => normalizeWebhook(body)[list].find(want);
for (const wanted of ["sent", "delivered"]) {
  await receiver.until(wanted, find("statuses", (it) => it.id === ids.voice_call && it.status === wanted));
}
const told = await receiver.until("its token", find("statuses", (it) => it.id === ids.text));
assert.equal(told.bizOpaqueCallbackData, "token-of-the-judge");
const reply = await receiver.until("a reply", find("messages", (it) => it.interactive?.callPermissionReply));
assert.equal(reply.context.id, ids.call_permission_request);
const granted = reply.interactive.callPermissionReply;
assert.deepEqual([granted.response, granted.isPermanent, granted.responseSource], ["accept", false, "user_action"]);
assert.ok(Number(granted.expirationTimestamp) > Date.now() / 1000);
const stranger = `${args.consumer.slice(0, -3)}301`;
const closed = await messages.sendText({ ...to, to: stranger, body: "Hello" });
const failed = await receiver.until("a failure", find("statuses", (it) => it.id === closed.messages[0].id));
assert.deepEqual([failed.status, failed.errors[0].code], ["failed", 131047]);

// Consumers who follow an invite: their calls have the payload of the button or of the link.
for (const [index, field] of [[1, "ctaPayload"], [2, "deeplinkPayload"]]) {
  const caller = `${args.consumer.slice(0, -3)}${index}07`;
  await lever("/sandbox/messages", { sender: args.sender, consumer: caller, text: "hello" });
  const digits = args.sender.slice(1);
  if (index === 1) await messages.sendInteractiveRaw({ ...to, to: caller, interactive: voiceCall });
  else await messages.sendText({ ...to, to: caller, body: `https://wa.me/call/${digits}?biz_payload=${call.payload}` });
  for (const event of ["connect", "terminate"]) {
    const isIt = (it) => it.from === caller.slice(1) && it.event === event;
    const heard = await receiver.until(event, find("calls", isIt));
    assert.equal(heard[field], call.payload, `${event}: ${field}`);
    assert.deepEqual([heard.direction, heard.to], ["USER_INITIATED", digits]);
    assert.equal("duration" in heard, event === "terminate");
  }
}

// Refusals have Meta's numbers.
const refused = (code, action) =>
  assert.rejects(action, (error) => {
    assert.equal(error.code, code, `${error.message}`);
    return true;
  });
const late = { ...voiceCall, action: { name: "voice_call", parameters: { ...call, ttl_minutes: 43_201 } } };
await refused(131009, () => messages.sendInteractiveRaw({ ...to, interactive: late }));
await refused(132001, () => messages.sendTemplate({ ...to, template: { name: "none", language: { code: "en" } } }));
const stray = new WhatsAppClient({ accessToken: "wrong", baseUrl: args.base });
await refused(190, () => stray.messages.sendText({ ...to, body: "a" }));

// Our own bodies: as the schemas say, as the client sends the same, and as the sandbox takes them.
const folder = new URL("../schemas/", import.meta.url);
const ajv = new Ajv({ allErrors: true });
const schemas = Object.fromEntries(
  readdirSync(folder).map((file) => [file.replace(".json", ""), ajv.compile(JSON.parse(readFileSync(new URL(file, folder))))]),
);
const ours = JSON.parse(readFileSync(args.ours));
const used = new Set();
for (const { what, schema, path, token, body, valid } of ours) {
  if (schema) {
    used.add(`${schema} ${valid}`);
    assert.equal(schemas[schema](body), valid, `${what}: ${JSON.stringify(schemas[schema].errors)}`);
  }
  const [answered, answer] = await post(path, token, body);
  assert.equal(answered === 200, valid, `${what}: ${answered} ${JSON.stringify(answer)}`);
}
for (const name of Object.keys(schemas)) assert.ok(used.has(`${name} true`) && used.has(`${name} false`), name);
const own = (what) => ours.find((it) => it.what === what).body;
const same = async (what, send) => {
  bodies.length = 0;
  await send();
  assert.deepEqual(bodies[0], own(what), what);
};
const ourWay = { phoneNumberId: args.number, bizOpaqueCallbackData: own("text").biz_opaque_callback_data };
await same("text", () => messages.sendText({ ...ourWay, to: own("text").to, body: own("text").text.body, previewUrl: false }));
const url = own("cta_url");
// Its permission request has `parameters`, which Meta's page does not have: ours is compared with the other client's.
await same("cta_url", () =>
  messages.sendInteractiveCtaUrl({
    ...ourWay,
    to: url.to,
    header: url.interactive.header,
    bodyText: url.interactive.body.text,
    footerText: url.interactive.footer.text,
    parameters: { displayText: url.interactive.action.parameters.display_text, url: url.interactive.action.parameters.url },
  }),
);

// The signature of every webhook so far, of other bytes, and with another secret; and what the client ignores.
assert.ok(receiver.taken.length >= 10 && receiver.checks === 1);
const ignored = new Set();
for (const { raw, body, signature } of receiver.taken) {
  const check = (appSecret, rawBody) => verifySignature({ appSecret, rawBody, signatureHeader: signature });
  assert.ok(check(args.secret, raw));
  assert.ok(!check(args.secret, Buffer.concat([raw, Buffer.from(" ")])));
  assert.ok(!check("another secret", raw));
  const read = normalizeWebhook(body);
  if (body.object === "page") {
    // Of Messenger, which it does not know: the echoes of our own messages. The sandbox signs them in the same way.
    assert.deepEqual([read.messages, read.calls, read.raw], [[], [], {}]);
    continue;
  }
  assert.equal(read.object, "whatsapp_business_account");
  const lists = { contacts: 0, messages: 0, statuses: 0, calls: 0 };
  for (const entry of body.entry) {
    Object.keys(entry).filter((key) => key !== "changes").forEach((key) => ignored.add(`entry.${key}`));
    for (const { field, value } of entry.changes) {
      if (!["messages", "calls"].includes(field)) {
        // Of any other field it keeps the value as it is.
        assert.ok(read.raw[field.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())].length >= 1, field);
        continue;
      }
      for (const key of Object.keys(value)) {
        if (key in lists) lists[key] += value[key].length;
        else if (key !== "metadata") ignored.add(`value.${key}`);
      }
    }
  }
  for (const [key, count] of Object.entries(lists)) assert.equal(read[key].length, count, key);
}
assert.deepEqual([...ignored].sort(), IGNORED);

receiver.stop();
