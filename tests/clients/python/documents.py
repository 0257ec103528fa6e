"""Builds the shipped TwiML documents with Twilio's own library and prints them as JSON, by name."""

import json
import sys

from twilio.twiml.voice_response import Connect, Dial, Enqueue, VoiceResponse

LEG_EVENTS = "initiated ringing answered completed"


def documents(v):
    asked = "Hello, this is the call that you asked for."
    hold = f"{asked} Please hold while we connect you."
    now = f"{asked} We are connecting you now."

    agent_first = VoiceResponse()
    agent_first.say("Calling the consumer.")
    dial = Dial(caller_id=f"whatsapp:{v['sender']}", answer_on_bridge=True, timeout=45, action=v["action_url"])
    dial.whats_app(v["consumer"], status_callback=v["leg_status_url"], status_callback_event=LEG_EVENTS)
    agent_first.append(dial)

    conference = VoiceResponse()
    conference.say(hold)
    dial = Dial(action=v["action_url"])
    dial.conference(v["callback"], end_conference_on_exit=True, beep="false", participant_label="consumer")
    conference.append(dial)

    relay = VoiceResponse()
    connect = Connect(action=v["action_url"])
    bot = connect.conversation_relay(url=v["relay_url"], welcome_greeting=v["greeting"])
    for name in ("callback", "attempt", "reference"):
        bot.parameter(name=name, value=v[name])
    relay.append(connect)

    client = VoiceResponse()
    client.say(now)
    dial = Dial(action=v["action_url"], timeout=30)
    noun = dial.client(status_callback=v["leg_status_url"], status_callback_event=LEG_EVENTS)
    noun.identity(v["client"])
    for name in ("callback", "reference"):
        noun.parameter(name=name, value=v[name])
    client.append(dial)

    sip = VoiceResponse()
    sip.say(now)
    dial = Dial(action=v["action_url"], timeout=30)
    dial.sip(v["sip"], status_callback=v["leg_status_url"], status_callback_event=LEG_EVENTS)
    sip.append(dial)

    enqueue = VoiceResponse()
    enqueue.say(hold)
    queue = Enqueue(None, workflow_sid=v["workflow"], action=v["action_url"])
    task = {"type": "callback"}
    for name in ("callback", "attempt", "reference", "sender", "consumer"):
        task[name] = v[name]
    queue.task(json.dumps(task))
    enqueue.append(queue)

    inbound = VoiceResponse()
    inbound.say("Thank you for calling. Please hold while we connect you.")
    inbound.enqueue("inbound")

    inbound_message = VoiceResponse()
    inbound_message.say(
        "Thank you for calling. Nobody can take your call right now. We will call you back."
    )
    inbound_message.hangup()

    apology = VoiceResponse()
    apology.say(
        "We are sorry. Nobody is free to speak with you at this moment. We will call you again soon. Goodbye."
    )
    apology.hangup()

    canceled = VoiceResponse()
    canceled.pause(length=1)
    canceled.say(
        "Hello. The call that was planned here has been canceled. There is nothing for you to do. Goodbye."
    )
    canceled.hangup()

    message = VoiceResponse()
    message.pause(length=1)
    message.say(v["message"])
    message.redirect(v["action_url"])

    return {
        "agent-first": agent_first,
        "apology": apology,
        "canceled": canceled,
        "conference": conference,
        "conversation-relay": relay,
        "dial-client": client,
        "dial-sip": sip,
        "enqueue": enqueue,
        "inbound": inbound,
        "inbound-message": inbound_message,
        "message": message,
    }


if __name__ == "__main__":
    values = json.loads(sys.argv[1])
    print(json.dumps({name: str(document) for name, document in documents(values).items()}))
