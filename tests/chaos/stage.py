"""Two nodes, their database, a simulated Twilio, and customers who order at both nodes."""

import atexit
import base64
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from datetime import datetime

from database import Database, signal_process
from network import Balancer, Roads, ask, free_port

NODES = ["calls-1", "calls-2"]
SENDERS = ["+442079460000", "+442079460001"]
ACCOUNT = "AC00000000000000000000000000000001"
KEY = "SK00000000000000000000000000000001"
SECRETS = {
    "RINGMASTER_ACCOUNTS__SANDBOX1__API_KEY_SECRET": "sandbox",
    "RINGMASTER_ACCOUNTS__SANDBOX1__AUTH_TOKEN": "sandbox",
}
# Short time-outs, so that a call whose report was lost is looked up soon, and one that was not placed is placed again.
SETTINGS = """
[log]
format = "json"
[calling]
ring_timeout = "5s"
[calling.silence]
unknown = "1s"
ringing = "1s"
in_progress = "2s"
horizon = "20s"
[calling.retry]
failed = "2s"
"""
# Answers are late, so that requests are in flight whenever something breaks.
FAULTS = {"delay_answer": 0.4, "answer_delay_ms": 80, "webhook_before_answer": 0.2, "duplicate_webhook": 0.05}
# What a case is about is said by the columns; these lines are in every log.
ROUTINE = ["without store.state_dir", "ready"]


class Stage:
    def __init__(self, options, folder):
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        self.options, self.folder, self.balancer = options, folder, None
        self.processes, self.clocks, self.databases = {}, {}, []
        # Also after an error.
        atexit.register(self.end)
        self.database = Database(os.path.join(folder, "postgresql"), options.postgresql)
        self.databases.append(self.database)
        self.twilio_port, self.public_port = free_port(), free_port()
        self.ports = {name: free_port() for name in NODES}
        self.public = f"http://127.0.0.1:{self.public_port}"
        # The network of each node: to its database, to Twilio, and from everybody to it.
        self.roads = Roads()
        self.to_database = {name: self.roads.road(self.database.port) for name in NODES}
        self.to_twilio = {name: self.roads.road(self.twilio_port) for name in NODES}
        self.doors = {name: self.roads.road(self.ports[name]) for name in NODES}
        arguments = ["sandbox", "--listen", f"127.0.0.1:{self.twilio_port}", "--daemon", self.public, "--haste", "100"]
        arguments += ["--calls-per-second", str(options.pace)]
        for sender in SENDERS:
            arguments += ["--sender", sender]
        self.begin("twilio", arguments)
        self.until("the simulated Twilio answers", lambda: self.report() is not None)
        status, _ = ask(self.twilio_port, "POST", "/sandbox/faults", json.dumps(FAULTS), {"Content-Type": "application/json"})
        assert status == 204, f"the simulated Twilio refuses its faults: {status}"
        for name in NODES:
            self.configure(name)
        made = self.command(NODES[0], "token", "create", "chaos", "--scope", "order,read,operate,admin")
        self.token = made.stdout.strip()
        self.balancer = Balancer(self.public_port, [self.doors[name].port for name in NODES])
        # When each accepted order was answered, by its id.
        self.accepted, self.refused, self.reached = {}, 0, 0
        self.orders_end, self.lock = threading.Event(), threading.Lock()
        # What the last case told of a lost span, and when the database answered again.
        self.span, self.answers_since, self.seen_before = None, None, {}

    def configure(self, name, file=None, port=None):
        twilio, port = f"http://127.0.0.1:{self.to_twilio[name].port}", port or self.ports[name]
        lines = ["[accounts.sandbox1]", f'account_sid = "{ACCOUNT}"', f'api_key_sid = "{KEY}"']
        lines += [f"calls_per_second = {self.options.pace}.0"]
        lines += [f'{key}_url = "{twilio}"' for key in ("api", "content", "messaging", "monitor", "taskrouter")]
        for sender in SENDERS:
            lines += [f'[accounts.sandbox1.senders."{sender}"]']
            lines += ['permission_request_content_sid = "HX00000000000000000000000100000001"']
            lines += ['permission_request_template_sid = "HX00000000000000000000000100000002"']
        lines += ["[http]", f'listen = "127.0.0.1:{port}"', f'hooks_listen = "127.0.0.1:{port}"', f'public_url = "{self.public}"']
        lines += ["[node]", f'name = "{name}"', f'url = "http://127.0.0.1:{port}"']
        state = os.path.join(self.folder, f"{file or name}-state")
        os.makedirs(state, exist_ok=True)
        database = f"postgres://ringmaster@127.0.0.1:{self.to_database[name].port}/ringmaster"
        lines += ["[store]", f'url = "{database}"', f'state_dir = "{state}"']
        with open(os.path.join(self.folder, f"{file or name}.toml"), "w") as written:
            written.write("\n".join(lines) + SETTINGS)

    def environment(self, name):
        return {**os.environ, **SECRETS, "RINGMASTER_CONFIG": os.path.join(self.folder, f"{name}.toml")}

    def command(self, name, *arguments):
        done = subprocess.run(
            [self.options.program, *arguments], env=self.environment(name), capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(arguments)}: {done.stderr}")
        return done

    def remote(self, name, *arguments):
        """A command to the running node."""
        environment = {
            **os.environ, "RINGMASTER_URL": f"http://127.0.0.1:{self.ports[name]}", "RINGMASTER_TOKEN": self.token
        }
        return subprocess.run(
            [self.options.program, *arguments], env=environment, capture_output=True, text=True, timeout=60
        )

    def begin(self, name, arguments, program=None, environment=None):
        log = open(os.path.join(self.folder, f"{name}.log"), "a")
        self.processes[name] = subprocess.Popen(
            [program or self.options.program, *arguments],
            env={**self.environment(name), **(environment or {})}, cwd=self.folder, stdout=log, stderr=log,
        )

    def serve(self, name, *arguments, program=None):
        self.begin(name, ["serve", *arguments], program, self.clock_of(name))

    def clock_of(self, name):
        """Lets the clock of a node step (libfaketime); the time since the boot stays."""
        library = self.options.faketime
        if not library:
            return {}
        file = os.path.join(self.folder, f"{name}.clock")
        if not os.path.exists(file):
            self.set_clock(name, 0)
        return {
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        }

    def set_clock(self, name, seconds):
        file = os.path.join(self.folder, f"{name}.clock")
        with open(f"{file}.new", "w") as clock:
            clock.write(f"{seconds:+d}s\n")
        os.rename(f"{file}.new", file)

    def signal(self, name, number):
        signal_process(self.processes[name].pid, number)
        if number in (9, 15):
            self.processes[name].wait(60)

    def end(self):
        if self.balancer:
            self.balancer.shutdown()
        for process in self.processes.values():
            signal_process(process.pid, 18)
            process.kill()
            process.wait()
        self.processes = {}
        while self.databases:
            database = self.databases.pop()
            try:
                database.stop("immediate")
            except SystemExit:
                pass  # It is stopped.

    @staticmethod
    def until(what, holds, patience=120):
        ends = time.monotonic() + patience
        while not (found := holds()):
            if time.monotonic() > ends:
                raise TimeoutError(f"not within {patience} s: {what}")
            time.sleep(0.1)
        return found

    def report(self):
        status, body = ask(self.twilio_port, "GET", "/sandbox/report")
        return json.loads(body) if status == 200 else None

    def called(self):
        """How many calls each consumer got, as the simulated Twilio lists them."""
        key = base64.b64encode(f"{KEY}:sandbox".encode()).decode()
        path, found = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?PageSize=1000", {}
        while path:
            status, body = ask(self.twilio_port, "GET", path, headers={"Authorization": f"Basic {key}"}, patience=30)
            assert status == 200, f"the simulated Twilio does not list its calls: {status}"
            page = json.loads(body)
            for call in page["calls"]:
                if call["direction"] == "outbound-api":
                    found[call["to"]] = found.get(call["to"], 0) + 1
            path = page.get("next_page_uri")
        return found

    def role(self, name):
        status, body = ask(self.ports[name], "GET", "/healthz", patience=2)
        words = body.decode().split() if status == 200 else []
        return words[1] if len(words) > 1 else None

    def leader(self):
        return next((name for name in NODES if self.role(name) == "leader"), None)

    def api(self, name, method, path, body=None, key=None, patience=10, port=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        return ask(port or self.ports[name], method, path, body, headers, patience)

    def answers_again(self):
        """From now on the database answers."""
        self.answers_since = time.monotonic()

    def lineage(self):
        """What a node tells of the store."""
        for name in NODES:
            status, body = self.api(name, "GET", "/v1/lineage", patience=3)
            if status == 200:
                return json.loads(body)
        return None

    def order_all_the_time(self, case, first):
        """Repeats each order, at one node and the other, until one has accepted it."""
        number = first
        while not self.orders_end.is_set():
            body = json.dumps({
                "consumer": f"+4477{case:02}{number % 10_000:04}{random.choice(['01', '10'])}",
                "senders": [SENDERS[number % 2]],
                "document": "message",
                "variables": {"message": "Hello."},
                "attempts_max": 1,
                # A consumer whose answer was lost with its webhook is not called, and the callback expires.
                "latest": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.options.lasts)),
            })
            tries = 0
            while True:
                node = NODES[(number + tries) % 2]
                door = self.doors[node].port
                status, answer = self.api(node, "POST", "/v1/callbacks", body, f"chaos-{case}-{number}", 3, door)
                tries += 1
                if status == 202:
                    with self.lock:
                        self.accepted[json.loads(answer)["id"]] = time.time()
                    break
                if status not in (None, 503, 504):
                    raise SystemExit(f"an order was answered with {status}: {answer}")
                with self.lock:
                    self.refused += 1
                time.sleep(0.2)
                if self.orders_end.is_set() and tries > 100:
                    return
            number += 2
            self.orders_end.wait(2 / self.options.rate)

    def left(self):
        """The accepted callbacks that are not closed, and those that no node knows; None without an answer."""
        states, outcomes, cursor = {}, {}, ""
        while True:
            status, body = self.api(NODES[0], "GET", f"/v1/callbacks?limit=100{cursor}")
            if status != 200:
                return None
            page = json.loads(body)
            states.update((callback["id"], callback["status"]) for callback in page["callbacks"])
            outcomes.update((callback["id"], callback.get("outcome")) for callback in page["callbacks"])
            if not page.get("next_cursor"):
                break
            cursor = f"&cursor={page['next_cursor']}"
        still = [it for it in self.accepted if states.get(it) not in (None, "closed")]
        self.reached = sum(outcomes.get(it) == "reached" for it in self.accepted)
        return still, [it for it in self.accepted if it not in states]

    def excused(self, callback):
        """Whether the order was accepted in a lost span that an operator was told."""
        if not self.span:
            return False
        moment = lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
        begin, end = map(moment, self.span)
        return begin - 1 <= self.accepted[callback] <= end + 1

    def log_lines(self):
        for name in NODES:
            with open(os.path.join(self.folder, f"{name}.log")) as log:
                for number, line in enumerate(log):
                    yield name, number, line

    def mark_logs(self):
        self.seen_before = {}
        for name, number, _ in self.log_lines():
            self.seen_before[name] = number

    def seen(self, leader):
        """What an operator finds in the logs since the mark: each warning and error once, and which node wrote it."""
        found = {}
        for name, number, line in self.log_lines():
            if number <= self.seen_before.get(name, -1):
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            message = entry.get("message") or entry.get("fields", {}).get("message", "")
            if entry.get("level") in ("WARN", "ERROR") and not any(word in message for word in ROUTINE):
                who = "leader" if name == leader else "other node"
                found.setdefault(re.sub(r"\s+", " ", message).split("; ")[0], set()).add(who)
        return [f"{'both nodes' if len(who) == 2 else next(iter(who))}: {message}" for message, who in found.items()]

    def complaints(self):
        """Panics in the logs of the nodes."""
        return [f"{name}: {line.strip()}" for name, _, line in self.log_lines() if "panicked" in line]


class Watch:
    """Counts the calls at the simulated Twilio, to tell for how long none was placed."""

    def __init__(self, stage):
        self.stage, self.ends = stage, threading.Event()
        self.calls, self.last, self.longest, self.first_after = None, time.monotonic(), 0.0, None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ends.is_set():
            report, now = self.stage.report(), time.monotonic()
            if report is not None:
                counts = report["counts"]
                calls = counts["creates_accepted"] + counts["permission_requests"]
                if calls != self.calls:
                    if self.calls is not None:
                        self.longest = max(self.longest, now - self.last)
                    self.calls, self.last = calls, now
                    since = self.stage.answers_since
                    if self.first_after is None and since is not None and now > since:
                        self.first_after = now - since
            self.ends.wait(0.05)

    def fault(self):
        self.longest = 0.0

    def end(self):
        self.ends.set()
        self.thread.join()
        return self.longest


def told(error):
    print(error, file=sys.stderr)
