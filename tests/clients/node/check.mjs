// Checks the sandbox with Twilio's own client for Node.
//
// It makes calls, messages, content and lists, receives the sandbox's webhooks, and lets the client's own
// validator check their signatures. It only starts a small receiver on a free loopback port.

import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

const DOCUMENT = "<Response><Say>Hi</Say><Enqueue>support</Enqueue></Response>";

const text = { type: "string" };
const { values: args } = parseArgs({
  options: {
    base: text,
    account: text,
    token: text,
    key: text,
    secret: text,
    sender: text,
    consumer: text,
    // The node_modules folder that the client was installed into.
    modules: text,
  },
});
const twilio = createRequire(`${args.modules}/`)("twilio");
const sender = `whatsapp:${args.sender}`;
const consumer = `whatsapp:${args.consumer}`;

const taken = [];
const waiting = new Set();
const receiver = http.createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const url = new URL(request.url, own);
  const form = Object.fromEntries(new URLSearchParams(body));
  taken.push({
    url: own + request.url,
    path: url.pathname,
    form,
    fields: { ...Object.fromEntries(url.searchParams), ...form },
    signature: request.headers["x-twilio-signature"],
    token: request.headers["i-twilio-idempotency-token"],
  });
  if (url.pathname.startsWith("/voice")) response.writeHead(200, { "content-type": "text/xml" }).end(DOCUMENT);
  else response.writeHead(204).end();
  for (const look of [...waiting]) look();
});
receiver.listen(0, "127.0.0.1");
await once(receiver, "listening");
const own = `http://127.0.0.1:${receiver.address().port}`;

function webhook(path, fields) {
  const matches = (hook) => hook.path === path && Object.entries(fields).every(([k, v]) => hook.fields[k] === v);
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      waiting.delete(look);
      reject(new Error(`no webhook to ${path} with ${JSON.stringify(fields)}`));
    }, 30_000);
    function look() {
      const hook = taken.find(matches);
      if (!hook) return;
      clearTimeout(late);
      waiting.delete(look);
      resolve(hook);
    }
    waiting.add(look);
    look();
  });
}

function clientFor(user, password) {
  const client = twilio(user, password, { accountSid: args.account });
  for (const domain of [client.api, client.content, client.messaging, client.monitor]) domain.baseUrl = args.base;
  return client;
}

async function lever(path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(args.base + path, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 204);
}

async function refused(status, code, action) {
  await assert.rejects(action, (error) => {
    assert.deepEqual([error.status, error.code], [status, code]);
    return true;
  });
}

const client = clientFor(args.account, args.token);

// Senders: list, and point the messages of consumers at the receiver.
const senders = await client.messaging.v2.channelsSenders.list({ channel: "whatsapp" });
assert.deepEqual(senders.map((entry) => entry.senderId), [sender]);
const updated = await client.messaging.v2
  .channelsSenders(senders[0].sid)
  .update({ webhook: { callback_url: `${own}/messages`, callback_method: "POST" } });
assert.equal(updated.webhook.callback_url ?? updated.webhook.callbackUrl, `${own}/messages`);

// Content: create, fetch, approval, and a list of several pages.
const types = {
  "twilio/call-to-action": {
    body: "May we call you?",
    actions: [{ type: "VOICE_CALL_REQUEST", title: "May we call you?" }],
  },
};
const contents = [];
for (let i = 0; i < 5; i += 1) {
  contents.push(await client.content.v1.contents.create({ friendly_name: "ask", language: "en", types }));
}
const [content] = contents;
assert.equal((await client.content.v1.contents(content.sid).fetch()).friendlyName, "ask");
const approval = await client.content.v1.contents(content.sid).approvalFetch().fetch();
assert.equal(approval.whatsapp.status, "unsubmitted");
const listedContents = new Set((await client.content.v1.contents.list({ pageSize: 2 })).map((entry) => entry.sid));
assert.ok(contents.every((entry) => listedContents.has(entry.sid)));

// Approval: submitted once, decided in time, by the name; and content is deleted.
for (const [index, name, expected] of [[1, "ask_plain", "approved"], [2, "ask_rejected", "rejected"]]) {
  const submitted = client.content.v1.contents(contents[index].sid);
  const asked = await submitted.approvalCreate.create({ name, category: "UTILITY" });
  assert.deepEqual([asked.name, asked.category], [name, "UTILITY"]);
  await refused(400, 92009, () => submitted.approvalCreate.create({ name, category: "UTILITY" }));
  const shown = (await submitted.approvalFetch().fetch()).whatsapp;
  assert.equal(shown.status, expected);
  assert.equal(shown.rejection_reason !== "", expected === "rejected");
}
const reviewed = await client.content.v1.contentAndApprovals.list({ pageSize: 2 });
const reviews = new Map(reviewed.map((entry) => [entry.sid, entry.approvalRequests.status]));
assert.deepEqual(contents.slice(0, 3).map((entry) => reviews.get(entry.sid)), ["unsubmitted", "approved", "rejected"]);
assert.ok(await client.content.v1.contents(contents[3].sid).remove());
await refused(404, 20404, () => client.content.v1.contents(contents[3].sid).fetch());
await refused(400, 92001, () => client.content.v1.contents.create({ friendly_name: "none", language: "en", types: {} }));

// A consumer writes; inside the service window the request needs no approval; the consumer accepts.
await lever("/sandbox/messages", { sender: args.sender, consumer: args.consumer, text: "Olá & hi" });
await webhook("/messages", { Body: "Olá & hi", From: consumer });
const message = await client.messages.create({
  to: consumer,
  from: sender,
  contentSid: content.sid,
  statusCallback: `${own}/message-status`,
});
assert.equal(message.status, "queued");
await webhook("/message-status", { MessageSid: message.sid, MessageStatus: "delivered" });
await webhook("/messages", { ButtonPayload: "ACCEPTED", OriginalRepliedMessageSid: message.sid });

// A call through all its stages.
const call = await client.calls.create({
  to: consumer,
  from: sender,
  url: `${own}/voice?attempt=1`,
  statusCallback: `${own}/status`,
  statusCallbackEvent: ["initiated", "ringing", "answered", "completed"],
});
assert.equal(call.status, "queued");
for (const status of ["initiated", "ringing", "in-progress", "completed"]) {
  await webhook("/status", { CallSid: call.sid, CallStatus: status });
}
const fetched = await client.calls(call.sid).fetch();
assert.equal(fetched.status, "completed");
assert.ok(fetched.startTime instanceof Date && Number(fetched.duration) >= 1);
const found = await client.calls.list({ to: consumer, from: sender, status: "completed" });
assert.deepEqual(found.map((entry) => entry.sid), [call.sid]);
assert.equal((await client.calls.list({ to: consumer, startTimeAfter: fetched.startTime }))[0].sid, call.sid);
assert.ok((await client.calls(call.sid).events.list()).length >= 5);

// A document fetched by GET is signed with its query.
const byGet = await client.calls.create({ to: consumer, from: sender, url: `${own}/voice-by-get`, method: "GET" });
assert.deepEqual((await webhook("/voice-by-get", { CallSid: byGet.sid })).form, {});

// Calls above the calls per second are queued, and can be canceled there; lists have several pages.
const made = [];
for (let i = 0; i < 7; i += 1) {
  const to = `${consumer.slice(0, -4)}0${i}12`;
  const queued = await client.calls.create({ to, from: sender, twiml: "<Response/>", statusCallback: `${own}/status` });
  made.push(queued.sid);
}
assert.equal((await client.calls(made[6]).update({ status: "canceled" })).status, "canceled");
await refused(400, 21220, () => client.calls(made[6]).update({ status: "canceled" }));
const listed = (await client.calls.list({ pageSize: 3 })).map((entry) => entry.sid);
assert.equal(new Set(listed).size, listed.length);
assert.ok(made.every((sid) => listed.includes(sid)));

// Consumers without a permission.
await webhook("/status", { CallSid: made[0], CallStatus: "failed", ErrorCode: "37000" });

// Refusals.
const twiml = "<Response/>";
await refused(400, 21211, () => client.calls.create({ to: "whatsapp:nobody", from: sender, twiml }));
await refused(400, 37008, () => client.calls.create({ to: consumer, from: consumer, twiml }));
await refused(400, 21655, () => client.messages.create({ to: consumer, from: sender, contentSid: "HX0" }));
await refused(404, 20404, () => client.calls(`CA${"0".repeat(32)}`).fetch());
await refused(401, 20003, () => clientFor(args.account, "wrong").calls.list({ limit: 1 }));
await lever("/sandbox/faults", { throttle: 1.0 });
await refused(429, 20429, () => client.calls.create({ to: consumer, from: sender, twiml }));
await lever("/sandbox/faults", {});
assert.equal((await clientFor(args.key, args.secret).calls(call.sid).fetch()).sid, call.sid);
const alerts = await client.monitor.v1.alerts.list();
assert.ok(alerts.some((alert) => alert.errorCode === "37000"));

// The client's own validator accepts the signature of every webhook so far, and refuses it after a change.
assert.ok(taken.length >= 10);
for (const { url, form, signature, token, path } of [...taken]) {
  assert.ok(token);
  assert.ok(twilio.validateRequest(args.token, signature, url, form), path);
  assert.ok(!twilio.validateRequest(args.token, signature, `${url}x`, form));
  assert.ok(!twilio.validateRequest(args.token, signature, url, { ...form, CallStatus: "altered" }));
  assert.ok(!twilio.validateRequest("wrong", signature, url, form));
}
receiver.close();
receiver.closeAllConnections();
console.log("ok");
