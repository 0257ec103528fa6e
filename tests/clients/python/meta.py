"""Checks the sandbox's face of WhatsApp's Cloud API with pywa, and our own bodies with what pywa sends for the same.

What pywa does not know: `payload` of a call button, and parameters of a template's call button. It cannot read the call
permissions of a number. Of a webhook it reads the first item only, so that each item is given to it alone; what it
ignores of an item is in IGNORED.
"""

import argparse
import copy
import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
from pywa import WhatsApp, handlers, types
from pywa.errors import WhatsAppError
from pywa.types import templates

VERIFY = "a chosen text"

# The fields of a call, of an answer to a permission request, and of a status from which pywa makes nothing.
IGNORED = {
    "calls": {"cta_payload", "deeplink_payload", "to"},
    "call_permission_reply": {"is_permanent"},
    "statuses": set(),
}


class Receiver:
    """Answers the check of its URL, and keeps webhooks."""

    def __init__(self):
        self.taken, self.checks = [], 0
        self.changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                text, status = receiver.client.webhook_challenge_handler(query["hub.verify_token"], query["hub.challenge"])
                receiver.checks += 1
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.end_headers()
                with receiver.changed:
                    receiver.taken.append((raw, self.headers["X-Hub-Signature-256"]))
                    receiver.changed.notify_all()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def items(self):
        """Each item of each webhook in a body of its own."""
        for raw, _ in list(self.taken):
            for entry in json.loads(raw)["entry"]:
                for change in entry["changes"]:
                    value = change["value"]
                    lists = [name for name in ("messages", "statuses", "calls") if name in value]
                    for name in lists:
                        for item in value[name]:
                            alone = copy.deepcopy(change)
                            for other in lists:
                                del alone["value"][other]
                            alone["value"][name] = [item]
                            person = item.get("from_user_id") or item.get("recipient_user_id")
                            own = [it for it in value.get("contacts", []) if it["user_id"] == person]
                            if own:
                                alone["value"]["contacts"] = own
                            yield name, item, {"object": "whatsapp_business_account", "entry": [{**entry, "changes": [alone]}]}

    def wait(self, what, is_it):
        def found():
            return next((it for it in self.items() if is_it(it[0], it[1])), None)

        with self.changed:
            assert self.changed.wait_for(found, timeout=30), f"no webhook with {what}"
        return found()


def lever(base, path, body):
    request = urllib.request.Request(
        base + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 204


def refused(code, action):
    try:
        action()
    except WhatsAppError as error:
        assert error.code == code, (error.code, code, str(error))
        return
    raise AssertionError(f"expected {code}")


class Reader:
    """Lets pywa read single items; keeps the last update that it made."""

    def __init__(self, client):
        self.client, self.last = client, None
        for handler in (
            handlers.MessageHandler,
            handlers.MessageStatusHandler,
            handlers.CallConnectHandler,
            handlers.CallTerminateHandler,
            handlers.CallPermissionUpdateHandler,
        ):
            client.add_handlers(handler(self.keep))

    def keep(self, _, update):
        self.last = update

    def read(self, body):
        self.last = None
        answer = self.client.webhook_update_handler(json.dumps(body).encode())
        assert answer == ("ok", 200) and self.last is not None, (answer, body)
        return self.last


def sends(client, to, written):
    """Every kind of message that pywa knows."""
    link = "https://shop.example/"
    name = types.Contact.Name(formatted_name="Ana", first_name="Ana")
    rows = [types.Section("All", [types.SectionRow("One", "1")])]
    flow = types.FlowButton(
        "Open",
        flow_id="1",
        flow_token="a",
        flow_action_type=types.FlowActionType.NAVIGATE,
        flow_action_screen="FIRST",
    )
    say = client.send_message
    return {
        "text": lambda: say(to, "Hello", tracker="token-of-the-judge"),
        "button": lambda: say(to, "Choose", buttons=[types.Button("Yes", "yes")]),
        "cta_url": lambda: say(to, "See", header="Shop", footer="Shop", buttons=types.URLButton("See", link)),
        "voice_call": lambda: say(to, "Call us", buttons=types.VoiceCallButton("Call us", 100)),
        "call_permission_request": lambda: say(to, "May we call?", buttons=types.CallPermissionRequestButton()),
        "request_contact_info": lambda: say(to, "Who are you?", buttons=types.ContactInfoRequestButton()),
        "list": lambda: say(to, "Choose", buttons=types.SectionList("See", rows)),
        "flow": lambda: say(to, "Open", buttons=flow),
        "image": lambda: client.send_image(to, link + "a.png"),
        "video": lambda: client.send_video(to, link + "a.mp4"),
        "document": lambda: client.send_document(to, link + "a.pdf", filename="a.pdf"),
        "audio": lambda: client.send_audio(to, link + "a.ogg"),
        "sticker": lambda: client.send_sticker(to, link + "a.webp"),
        "reaction": lambda: client.send_reaction(to, "👍", written),
        "no reaction": lambda: client.remove_reaction(to, written),
        "location": lambda: client.send_location(to, -23.5, -46.6, "Shop", "Main Street 1"),
        "location request": lambda: client.request_location(to, "Where are you?"),
        "contact": lambda: client.send_contact(to, types.Contact(name=name)),
        "catalog": lambda: client.send_catalog(to, "See"),
        "product": lambda: client.send_product(to, "1", "a"),
        "products": lambda: client.send_products(to, "1", [types.ProductsSection("All", ["a"])], "Offers", "See"),
        "template": lambda: client.send_template(to, "plain", templates.TemplateLanguage.ENGLISH, []),
    }


def check_templates(client):
    components = [
        templates.BodyText("Call us"),
        templates.Buttons(buttons=[templates.VoiceCallButton(text="Call"), templates.URLButton(text="See", url="https://shop.example/")]),
    ]
    wanted = templates.Template(
        name="call_us",
        language=templates.TemplateLanguage.ENGLISH,
        category=templates.TemplateCategory.UTILITY,
        components=components,
    )
    created = client.create_template(wanted)
    assert created.status == templates.TemplateStatus.PENDING, created
    found = client.get_template(created.id)
    assert (found.name, found.status) == ("call_us", templates.TemplateStatus.APPROVED), found
    assert [type(it) for it in found.components] == [templates.BodyText, templates.Buttons], found
    assert created.id in [it.id for it in client.get_templates(name="call_us")]
    client.delete_template("call_us")
    assert created.id not in [it.id for it in client.get_templates()]


def check_webhooks(args, client, receiver, ids, reader):
    """What became of the messages, and two calls."""
    is_status = lambda kind, status: lambda name, it: name == "statuses" and it["id"] == ids[kind] and it["status"] == status
    for status in ("sent", "delivered"):
        _, _, body = receiver.wait(status, is_status("voice_call", status))
        update = reader.read(body)
        assert (update.id, update.status.value) == (ids["voice_call"], status), update
    _, _, body = receiver.wait("its token", is_status("text", "sent"))
    assert reader.read(body).tracker == "token-of-the-judge"
    is_reply = lambda name, it: name == "messages" and it.get("interactive", {}).get("type") == "call_permission_reply"
    _, item, body = receiver.wait("a reply", is_reply)
    update = reader.read(body)
    assert isinstance(update, types.CallPermissionUpdate) and update, update
    assert update.reply_to_message.id == ids["call_permission_request"], update
    assert update.response_source.value == "user_action" and not update.is_expired
    known = {"response", "response_source", "expiration_timestamp"}
    assert set(item["interactive"]["call_permission_reply"]) - known == IGNORED["call_permission_reply"], item
    closed = client.send_message(args.consumer[:-3] + "301", "Hello")
    _, _, body = receiver.wait("a failure", lambda name, it: name == "statuses" and it["id"] == closed.id)
    update = reader.read(body)
    assert (update.status.value, update.error.code) == ("failed", 131047), update
    known = {"id", "event", "direction", "timestamp", "session", "from", "from_user_id", "status", "start_time", "end_time", "duration"}
    seen = set()
    for ending, way in (("107", "button"), ("207", "link")):
        caller = args.consumer[:-3] + ending
        lever(args.base, "/sandbox/messages", {"sender": args.sender, "consumer": caller, "text": "hello"})
        if way == "button":
            body = {"type": "voice_call", "body": {"text": "Call us"}}
            body["action"] = {"name": "voice_call", "parameters": {"payload": "opaque-of-the-judge"}}
            message = {"messaging_product": "whatsapp", "to": caller, "type": "interactive", "interactive": body}
            sent = client.api._session.post(f"/{args.number}/messages", json=message)
            assert sent.status_code == 200, sent.text
        else:
            client.send_message(caller, f"https://wa.me/call/{args.sender[1:]}?biz_payload=opaque-of-the-judge")
        for event, kind in (("connect", types.CallConnect), ("terminate", types.CallTerminate)):
            is_call = lambda name, it: name == "calls" and it["event"] == event and it["from"] == caller[1:]
            _, item, body = receiver.wait(event, is_call)
            update = reader.read(body)
            assert isinstance(update, kind) and update.id == item["id"], update
            assert update.from_user.wa_id == caller[1:] and update.direction.value == "USER_INITIATED", update
            seen |= set(item) - known
    assert update.duration >= 1 and update.status.value == "COMPLETED", update
    assert seen == IGNORED["calls"], seen


def check_bodies(args, client, bodies):
    """Our bodies are those that pywa sends, except for what it does not know."""
    ours = {it["what"]: it["body"] for it in json.load(open(args.ours))}

    def same(what, without=(), **more):
        own = copy.deepcopy(ours[what])
        for field in without:
            del own["interactive"]["action"]["parameters"][field]
        text = own["interactive"]["body"]["text"] if "interactive" in own else own["text"]["body"]
        bodies.clear()
        client.send_message(own["to"], text, tracker=own["biz_opaque_callback_data"], **more)
        sent = bodies[0]
        sent["to"], own["to"] = sent["to"].lstrip("+"), own["to"].lstrip("+")
        assert sent == own, (what, sent, own)

    same("text")
    same("call_permission_request", buttons=types.CallPermissionRequestButton())
    button = ours["voice_call"]["interactive"]["action"]["parameters"]
    call = types.VoiceCallButton(button["display_text"], button["ttl_minutes"])
    same("voice_call", without=["payload"], buttons=call)


def main():
    parser = argparse.ArgumentParser()
    names = "base app secret token number account sender consumer page page-token ours"
    for name in names.split():
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    receiver, bodies = Receiver(), []
    session = httpx.Client(
        trust_env=False,
        event_hooks={"request": [lambda request: bodies.append(json.loads(request.content)) if request.content[:1] == b"{" else None]},
    )
    client = WhatsApp(
        phone_id=args.number,
        waba_id=args.account,
        token=args.token,
        session=session,
        server=None,
        app_id=args.app,
        app_secret=args.secret,
        verify_token=VERIFY,
    )
    session.base_url = f"{args.base}/v25.0"
    receiver.client = client

    # The receiver is entered at the app with the app's own token, and checked.
    token = client.get_app_access_token(args.app, args.secret)
    assert client.set_app_callback_url(args.app, token, receiver.url, VERIFY, ("messages", "calls")).success
    reader = Reader(client)
    lever(args.base, "/sandbox/messages", {"sender": args.sender, "consumer": args.consumer, "text": "Olá & hi"})
    _, item, body = receiver.wait("a message", lambda name, it: name == "messages" and "text" in it)
    written = reader.read(body)
    assert (written.text, written.from_user.wa_id) == ("Olá & hi", args.consumer[1:]), written

    ids = {}
    for kind, send in sends(client, args.consumer, item["id"]).items():
        sent = send()
        assert sent.id.startswith("wamid."), (kind, sent)
        ids[kind] = sent.id
    assert client.mark_message_as_read(item["id"]).success
    assert client.indicate_typing(item["id"]).success
    try:
        client.get_call_permissions(args.consumer[1:])
        raise AssertionError("pywa reads call permissions now: check them here")
    except TypeError:
        pass
    check_templates(client)
    check_webhooks(args, client, receiver, ids, reader)
    refused(131009, lambda: client.send_message(args.consumer, "a", buttons=types.VoiceCallButton("Call", 43_201)))
    refused(132001, lambda: client.send_template(args.consumer, "none", templates.TemplateLanguage.ENGLISH, []))
    check_bodies(args, client, bodies)

    # The signature of every webhook so far, of other bytes, and with another secret.
    assert receiver.checks == 1 and len(receiver.taken) >= 10
    stranger = WhatsApp(phone_id=1, token="a", server=None, app_secret="another secret", verify_token=VERIFY)
    for raw, signature in list(receiver.taken):
        assert client.webhook_update_validator(raw, signature) is None
        assert client.webhook_update_validator(raw + b" ", signature) is not None
        assert stranger.webhook_update_validator(raw, signature) is not None
    print("ok")


if __name__ == "__main__":
    main()
