// Builds the shipped TwiML documents with Twilio's own library and prints them as JSON, by name.

import { createRequire } from "node:module";
import path from "node:path";

const [, , json, modules] = process.argv;
const twilio = createRequire(path.join(modules, "documents.mjs"))("twilio");
const { VoiceResponse } = twilio.twiml;

const events = "initiated ringing answered completed";
const asked = "Hello, this is the call that you asked for.";
const hold = `${asked} Please hold while we connect you.`;
const now = `${asked} We are connecting you now.`;
const v = JSON.parse(json);

const documents = {
  "agent-first": (r) => {
    r.say("Calling the consumer.");
    r.dial({ callerId: `whatsapp:${v.sender}`, answerOnBridge: true, timeout: 45, action: v.action_url }).whatsApp(
      { statusCallback: v.leg_status_url, statusCallbackEvent: events },
      v.consumer,
    );
  },
  conference: (r) => {
    r.say(hold);
    r.dial({ action: v.action_url }).conference(
      { endConferenceOnExit: true, beep: "false", participantLabel: "consumer" },
      v.callback,
    );
  },
  "conversation-relay": (r) => {
    const bot = r
      .connect({ action: v.action_url })
      .conversationRelay({ url: v.relay_url, welcomeGreeting: v.greeting });
    for (const name of ["callback", "attempt", "reference"]) bot.parameter({ name, value: v[name] });
  },
  "dial-client": (r) => {
    r.say(now);
    const noun = r
      .dial({ action: v.action_url, timeout: 30 })
      .client({ statusCallback: v.leg_status_url, statusCallbackEvent: events });
    noun.identity(v.client);
    for (const name of ["callback", "reference"]) noun.parameter({ name, value: v[name] });
  },
  "dial-sip": (r) => {
    r.say(now);
    r.dial({ action: v.action_url, timeout: 30 }).sip(
      { statusCallback: v.leg_status_url, statusCallbackEvent: events },
      v.sip,
    );
  },
  enqueue: (r) => {
    r.say(hold);
    const task = { type: "callback" };
    for (const name of ["callback", "attempt", "reference", "sender", "consumer"]) task[name] = v[name];
    r.enqueue({ workflowSid: v.workflow, action: v.action_url }).task(JSON.stringify(task));
  },
  inbound: (r) => {
    r.say("Thank you for calling. Please hold while we connect you.");
    r.enqueue("inbound");
  },
  apology: (r) => {
    r.say("We are sorry. Nobody is free to speak with you at this moment. We will call you again soon. Goodbye.");
    r.hangup();
  },
  canceled: (r) => {
    r.pause({ length: 1 });
    r.say("Hello. The call that was planned here has been canceled. There is nothing for you to do. Goodbye.");
    r.hangup();
  },
  "inbound-message": (r) => {
    r.say("Thank you for calling. Nobody can take your call right now. We will call you back.");
    r.hangup();
  },
  message: (r) => {
    r.pause({ length: 1 });
    r.say(v.message);
    r.redirect(v.action_url);
  },
};

const built = Object.entries(documents).map(([name, build]) => {
  const response = new VoiceResponse();
  build(response);
  return [name, response.toString()];
});
console.log(JSON.stringify(Object.fromEntries(built)));
