"""Checks the sandbox with Twilio's own client for Python.

It makes calls, messages, content and lists, receives the sandbox's webhooks, and lets the client's own
validator check their signatures. It only starts a small receiver on a free loopback port.
"""

import argparse
import json
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList
from twilio.rest.messaging.v2.channels_sender import ChannelsSenderList

DOCUMENT = b"<Response><Say>Hi</Say><Dial><Client>anna</Client></Dial></Response>"


class Receiver:
    """Receives and keeps webhooks, and lets the check wait for one."""

    def __init__(self):
        self.taken = []
        self.changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                receiver.take(self, urllib.parse.parse_qsl(body, keep_blank_values=True))

            def do_GET(self):
                receiver.take(self, [])

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, request, pairs):
        document = request.path.startswith("/voice")
        request.send_response(200 if document else 204)
        if document:
            request.send_header("Content-Type", "text/xml")
            request.send_header("Content-Length", str(len(DOCUMENT)))
        request.end_headers()
        if document:
            request.wfile.write(DOCUMENT)
        query = urllib.parse.urlsplit(request.path).query
        with self.changed:
            self.taken.append({
                "url": self.url + request.path,
                "path": urllib.parse.urlsplit(request.path).path,
                "form": dict(pairs),
                "fields": dict(pairs) or dict(urllib.parse.parse_qsl(query)),
                "signature": request.headers["X-Twilio-Signature"],
                "token": request.headers["I-Twilio-Idempotency-Token"],
            })
            self.changed.notify_all()

    def wait(self, path, **fields):
        def found():
            for hook in self.taken:
                if hook["path"] == path and all(hook["fields"].get(k) == v for k, v in fields.items()):
                    return hook
            return None

        with self.changed:
            assert self.changed.wait_for(found, timeout=30), f"no webhook to {path} with {fields}"
            return found()


def client_for(base, user, password, account):
    client = Client(user, password, account)
    for domain in (client.api, client.content, client.messaging, client.monitor):
        domain.base_url = base
    return client


def lever(base, path, body):
    request = urllib.request.Request(
        base + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 204


def refused(status, code, action):
    try:
        action()
    except TwilioRestException as error:
        assert (error.status, error.code) == (status, code), (error.status, error.code, status, code)
        return
    raise AssertionError(f"expected {status} with {code}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("base", "account", "token", "key", "secret", "sender", "consumer"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    client = client_for(args.base, args.account, args.token, args.account)
    receiver = Receiver()
    sender, consumer = f"whatsapp:{args.sender}", f"whatsapp:{args.consumer}"

    # Senders: list, fetch, and point the messages of consumers at the receiver.
    found = client.messaging.v2.channels_senders.list(channel="whatsapp")
    assert [entry.sender_id for entry in found] == [sender]
    update = ChannelsSenderList.MessagingV2ChannelsSenderRequestsUpdate(
        {"webhook": {"callback_url": receiver.url + "/messages", "callback_method": "POST"}}
    )
    client.messaging.v2.channels_senders(found[0].sid).update(update)
    fetched = client.messaging.v2.channels_senders(found[0].sid).fetch()
    assert fetched.status == "ONLINE" and fetched.webhook["callback_url"] == receiver.url + "/messages"

    # Content: create, fetch, approval, and a list of several pages.
    action = {"type": "VOICE_CALL_REQUEST", "title": "May we call you?"}
    request = ContentList.ContentCreateRequest({
        "friendly_name": "ask",
        "language": "en",
        "types": {"twilio/call-to-action": {"body": "May we call you?", "actions": [action]}},
    })
    contents = [client.content.v1.contents.create(request) for _ in range(5)]
    content = contents[0]
    assert client.content.v1.contents(content.sid).fetch().friendly_name == "ask"
    approval = client.content.v1.contents(content.sid).approval_fetch().fetch()
    assert approval.whatsapp["status"] == "unsubmitted"
    listed = {entry.sid for entry in client.content.v1.contents.list(page_size=2)}
    assert {entry.sid for entry in contents} <= listed

    # Approval: submitted once, decided in time, by the name; and content is deleted.
    for submitted, name, expected in ((contents[1], "ask_plain", "approved"), (contents[2], "ask_rejected", "rejected")):
        wish = ApprovalCreateList.ContentApprovalRequest({"name": name, "category": "UTILITY"})
        asked = client.content.v1.contents(submitted.sid).approval_create.create(wish)
        assert (asked.name, asked.category) == (name, "UTILITY"), asked
        refused(400, 92009, lambda: client.content.v1.contents(submitted.sid).approval_create.create(wish))
        shown = client.content.v1.contents(submitted.sid).approval_fetch().fetch().whatsapp
        assert shown["status"] == expected and bool(shown["rejection_reason"]) == (expected == "rejected"), shown
    reviews = {entry.sid: entry.approval_requests["status"] for entry in client.content.v1.content_and_approvals.list(page_size=2)}
    assert [reviews[entry.sid] for entry in contents[:3]] == ["unsubmitted", "approved", "rejected"]
    assert client.content.v1.contents(contents[3].sid).delete()
    refused(404, 20404, lambda: client.content.v1.contents(contents[3].sid).fetch())
    nothing = ContentList.ContentCreateRequest({"friendly_name": "none", "language": "en", "types": {}})
    refused(400, 92001, lambda: client.content.v1.contents.create(nothing))

    # A consumer writes; inside the service window the request needs no approval; the consumer accepts.
    lever(args.base, "/sandbox/messages", {"sender": args.sender, "consumer": args.consumer, "text": "Hi"})
    receiver.wait("/messages", Body="Hi", From=consumer)
    message = client.messages.create(
        to=consumer, from_=sender, content_sid=content.sid, status_callback=receiver.url + "/message-status"
    )
    assert message.status == "queued" and message.direction == "outbound-api"
    receiver.wait("/message-status", MessageSid=message.sid, MessageStatus="delivered")
    receiver.wait("/messages", ButtonPayload="ACCEPTED", OriginalRepliedMessageSid=message.sid)
    assert client.messages(message.sid).fetch().status in ("delivered", "read")
    assert message.sid in [entry.sid for entry in client.messages.list(to=consumer)]

    # A call through all its stages.
    call = client.calls.create(
        to=consumer,
        from_=sender,
        url=receiver.url + "/voice?attempt=1",
        status_callback=receiver.url + "/status",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )
    assert call.status == "queued" and call.start_time is None and call.date_created is not None
    for status in ("initiated", "ringing", "in-progress", "completed"):
        receiver.wait("/status", CallSid=call.sid, CallStatus=status)
    fetched = client.calls(call.sid).fetch()
    assert fetched.status == "completed" and int(fetched.duration) >= 1, fetched.status
    assert fetched.start_time <= fetched.end_time
    legs = client.calls.list(parent_call_sid=call.sid)
    assert [leg.to for leg in legs] == ["client:anna"] and legs[0].direction == "outbound-dial"
    assert [entry.sid for entry in client.calls.list(to=consumer, from_=sender, status="completed")] == [call.sid]
    assert client.calls.list(to=consumer, start_time_after=fetched.start_time)[0].sid == call.sid
    assert len(client.calls(call.sid).events.list()) >= 5

    # A document fetched by GET is signed with its query.
    lever(args.base, f"/sandbox/consumers/{args.consumer}", {"habit": "talks"})
    by_get = client.calls.create(to=consumer, from_=sender, url=receiver.url + "/voice-by-get", method="GET")
    assert receiver.wait("/voice-by-get", CallSid=by_get.sid)["form"] == {}

    # Calls above the calls per second are queued, and can be canceled there; lists have several pages.
    others = [consumer[:-4] + f"{number:02}12" for number in range(7)]
    made = [
        client.calls.create(to=to, from_=sender, twiml="<Response/>", status_callback=receiver.url + "/status").sid
        for to in others
    ]
    assert client.calls(made[-1]).update(status="canceled").status == "canceled"
    refused(400, 21220, lambda: client.calls(made[-1]).update(status="canceled"))
    listed = [entry.sid for entry in client.calls.list(page_size=3)]
    assert len(listed) == len(set(listed)) and set(made) <= set(listed)
    assert len(client.calls.list(limit=4, page_size=3)) == 4

    # Consumers without a permission.
    receiver.wait("/status", CallSid=made[0], CallStatus="failed", ErrorCode="37000")

    # Refusals.
    refused(400, 21211, lambda: client.calls.create(to="whatsapp:nobody", from_=sender, twiml="<Response/>"))
    refused(400, 37008, lambda: client.calls.create(to=consumer, from_=consumer, twiml="<Response/>"))
    refused(400, 21655, lambda: client.messages.create(to=consumer, from_=sender, content_sid="HX0"))
    refused(404, 20404, lambda: client.calls("CA" + "0" * 32).fetch())
    stranger = client_for(args.base, args.account, "wrong", args.account)
    refused(401, 20003, lambda: stranger.calls(call.sid).fetch())
    lever(args.base, "/sandbox/faults", {"throttle": 1.0})
    refused(429, 20429, lambda: client.calls.create(to=consumer, from_=sender, twiml="<Response/>"))
    lever(args.base, "/sandbox/faults", {})
    by_key = client_for(args.base, args.key, args.secret, args.account)
    assert by_key.calls(call.sid).fetch().sid == call.sid
    assert "37000" in [alert.error_code for alert in client.monitor.v1.alerts.list()]

    # The client's own validator accepts the signature of every webhook so far, and refuses it after a change.
    validator, stranger = RequestValidator(args.token), RequestValidator("wrong")
    with receiver.changed:
        taken = list(receiver.taken)
    assert len(taken) >= 10
    for hook in taken:
        url, form, signature = hook["url"], hook["form"], hook["signature"]
        assert hook["token"]
        assert validator.validate(url, form, signature), hook["path"]
        assert not validator.validate(url + "x", form, signature)
        assert not validator.validate(url, {**form, "CallStatus": "altered"}, signature)
        assert not stranger.validate(url, form, signature)
    print("ok")


if __name__ == "__main__":
    main()
