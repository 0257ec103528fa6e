"""What is broken, one function each. `leader` and `other` are the names of the two nodes."""

import signal
import socket
import subprocess
import threading
import time

from database import signal_process
from network import free_port
from stage import NODES


def other_leads(stage, other):
    stage.until(f"{other} leads", lambda: stage.role(other) == "leader")


# Nodes.


def kill_leader(stage, leader, other):
    stage.signal(leader, signal.SIGKILL)
    other_leads(stage, other)
    stage.serve(leader)


def pause_leader(stage, leader, other):
    stage.signal(leader, signal.SIGSTOP)
    other_leads(stage, other)
    time.sleep(12)
    stage.signal(leader, signal.SIGCONT)


def stop_leader(stage, leader, other):
    stage.signal(leader, signal.SIGTERM)
    other_leads(stage, other)
    stage.serve(leader)


def resign_leader(stage, leader, other):
    status, _ = stage.api(leader, "POST", f"/v1/nodes/{leader}/resign")
    assert status in (200, 202), f"the leader was asked to resign, and answered with {status}"
    other_leads(stage, other)


def kill_follower(stage, leader, other):
    stage.signal(other, signal.SIGKILL)
    time.sleep(3)
    stage.serve(other)


def kill_both(stage, leader, other):
    stage.signal(leader, signal.SIGKILL)
    stage.signal(other, signal.SIGKILL)
    stage.serve(other)
    stage.serve(leader)


def take_the_name(stage, leader, other):
    """A third process with the leader's name ends by itself, and the leader goes on."""
    stage.configure(leader, "third", free_port())
    environment = stage.environment("third")
    third = subprocess.run(
        [stage.options.program, "serve"], env=environment, cwd=stage.folder, capture_output=True, text=True, timeout=60
    )
    assert third.returncode != 0, "a second node with the name of the leader began"
    assert "two nodes need two names" in third.stderr, third.stderr
    assert stage.role(leader) == "leader", "the leader lost its lease to a node of its name"


def at_a_commit(place, is_killed):
    """The leader is killed, or stopped until another one leads and 5 s more, at this failpoint."""

    def break_it(stage, leader, other):
        stage.signal(leader, signal.SIGTERM)
        other_leads(stage, other)
        stage.serve(leader, "--die-at" if is_killed else "--stop-at", f"{place}=3")
        stage.until(f"{leader} answers", lambda: stage.role(leader) is not None)
        stage.api(other, "POST", f"/v1/nodes/{other}/resign")
        process = stage.processes[leader]
        if is_killed:
            stage.until(f"{leader} dies at {place}", lambda: process.poll() is not None, 60)
            other_leads(stage, other)
            stage.serve(leader)
            return
        stage.until(f"{leader} stops at {place}", lambda: is_stopped(process.pid), 60)
        other_leads(stage, other)
        time.sleep(5)
        stage.signal(leader, signal.SIGCONT)

    return break_it


def is_stopped(process):
    with open(f"/proc/{process}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "T"


# The network.


def cut_from_database(stage, leader, other):
    stage.to_database[leader].cut()
    other_leads(stage, other)
    time.sleep(5)
    stage.to_database[leader].heal()


def cut_from_twilio(stage, leader, other):
    stage.to_twilio[leader].cut()
    time.sleep(10)
    stage.to_twilio[leader].heal()
    stage.answers_again()


def cut_from_others(stage, leader, other):
    stage.doors[leader].cut()
    time.sleep(10)
    assert stage.role(leader) == "leader", "a leader that nobody reaches still leads"
    stage.doors[leader].heal()


def cut_from_everything(stage, leader, other):
    roads = [stage.to_database[leader], stage.to_twilio[leader], stage.doors[leader]]
    [road.cut() for road in roads]
    other_leads(stage, other)
    time.sleep(5)
    [road.heal() for road in roads]


def half_open(stage, leader, other):
    """The server forgets the connections of both nodes, which are not told."""
    [stage.to_database[name].half_open() for name in NODES]
    stage.answers_again()


def cut_both_from_database(stage, leader, other):
    [stage.to_database[name].refuse() for name in NODES]
    time.sleep(6)
    [stage.to_database[name].heal() for name in NODES]
    stage.answers_again()


# The server of the database.


def restart_database(stage, leader, other):
    stage.database.stop("fast")
    time.sleep(3)
    stage.database.start()
    stage.answers_again()


def kill_database(stage, leader, other):
    stage.database.kill()
    stage.database.start()
    stage.answers_again()


def freeze_database(stage, leader, other):
    stage.database.signal_all(signal.SIGSTOP)
    time.sleep(12)
    stage.database.signal_all(signal.SIGCONT)
    stage.answers_again()


def end_backends(stage, leader, other):
    for _ in range(20):
        stage.database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ringmaster'")
        time.sleep(0.25)
    stage.answers_again()


def kill_backend(stage, leader, other):
    """The server ends all its other processes and recovers."""
    found = stage.database.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'ringmaster' LIMIT 1")
    signal_process(int(found), signal.SIGKILL)
    stage.until("the server has recovered", lambda: is_ready(stage.database))
    stage.answers_again()


def is_ready(database):
    try:
        return database.sql("SELECT 1") == "1"
    except SystemExit:
        return False


def hold_the_lock(stage, leader, other):
    """Something else holds the lock of the writers for 10 seconds."""
    sql = "BEGIN; SELECT pg_advisory_xact_lock(1380011591, hashtext(current_schema())); SELECT pg_sleep(10); COMMIT"
    stage.database.sql(sql)
    stage.answers_again()


def lock_a_table(stage, leader, other):
    """Every reader of callbacks waits, until all connections of the nodes are taken."""
    stage.database.sql("BEGIN; LOCK TABLE callbacks IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(8); COMMIT")
    stage.answers_again()


def exhaust_connections(stage, leader, other):
    """Another program takes every connection that the server has, and then those of the nodes as they end."""
    taken = []
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ringmaster' AND pid <> pg_backend_pid()"
    startup = b"\x00\x03\x00\x00user\x00ringmaster\x00database\x00ringmaster\x00\x00"
    message = (len(startup) + 4).to_bytes(4, "big") + startup

    def take():
        while True:
            connection = socket.create_connection(("127.0.0.1", stage.database.port), timeout=5)
            connection.sendall(message)
            if connection.recv(1) != b"R":
                connection.close()
                return
            taken.append(connection)

    # Its own connection is made before there is none left.
    ending = threading.Thread(target=stage.database.sql, args=(f"SELECT pg_sleep(2); {end}",))
    ending.start()
    time.sleep(1)
    take()
    ending.join()
    ends = time.monotonic() + 8
    while time.monotonic() < ends:
        take()
        time.sleep(0.1)
    [connection.close() for connection in taken]
    stage.answers_again()


# Clocks.


def step_clock(seconds):
    def break_it(stage, leader, other):
        if not stage.options.faketime:
            raise SystemExit("clocks cannot step without libfaketime: apt-get install faketime")
        stage.set_clock(leader, seconds)
        if abs(seconds) > 5:
            other_leads(stage, other)
        time.sleep(6)
        stage.set_clock(leader, 0)

    return break_it


# Another server, or another time.


def fail_over(is_synchronous):
    """A standby is promoted. An asynchronous one lacks what was committed in its last 3 seconds."""

    def break_it(stage, leader, other):
        to_primary = stage.roads.road(stage.database.port)
        standby = stage.database.standby(to_primary.port)
        stage.databases.append(standby)
        following = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
        stage.until("the standby follows", lambda: stage.database.sql(following) == "1")
        if is_synchronous:
            stage.database.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            stage.database.sql("SELECT pg_reload_conf()")
        # Nodes look at the standbys with each sign of life.
        time.sleep(5)
        if not is_synchronous:
            to_primary.cut()
            time.sleep(3)
        stage.database.kill()
        standby.promote()
        stage.database = standby
        for road in stage.to_database.values():
            road.target = standby.port
        stage.answers_again()
        # Its settings came with the copy.
        standby.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        standby.sql("SELECT pg_reload_conf()")
        if is_synchronous:
            stage.until("a node leads", stage.leader)
            time.sleep(6)
            told = stage.lineage()
            assert told["state"] == "known", f"nothing was lost, and the store is held: {told}"
        else:
            release(stage)

    return break_it


def restore_backup(stage, leader, other):
    """The database goes on with a copy of 4 seconds ago."""
    copy = stage.database.backup("copy")
    time.sleep(4)
    stage.database.kill()
    stage.database.restore(copy)
    stage.database.start()
    stage.answers_again()
    release(stage)


def release(stage):
    """The store has to be held, and nothing may leave, until an operator releases it."""

    def held():
        told = stage.lineage()
        return told if told and told["state"] == "held" else None

    def listed():
        told = stage.lineage()
        return told if told and all(account["state"] != "asked" for account in told["lost"]["accounts"]) else None

    stage.until("the store is held", held, 60)
    before = stage.report()["counts"]
    told = stage.until("the platform has told what it has", listed, 60)
    time.sleep(3)
    after = stage.report()["counts"]
    for count in ("creates_accepted", "permission_requests"):
        assert before[count] == after[count], f"{count} went from {before[count]} to {after[count]} while the store was held"
    lost = told["lost"]
    stage.span = (lost["from"], lost["until"])
    found = sum(account["calls"] + account["messages"] for account in lost["accounts"])
    stage.notes.append(
        f"`lineage show`: {lost['cause']}, {lost['from'][11:19]} to {lost['until'][11:19]}, {found} calls and messages found"
    )
    name = stage.until("a node leads", stage.leader)
    done = stage.remote(name, "lineage", "release", "--why", "chaos")
    assert done.returncode == 0, done.stderr
    stage.answers_again()


# Versions.


def upgrade(stage, leader, other):
    """Both nodes are restarted one after the other, as with a newer version whose schema the older one can live with.

    There is one program (or that of --newer), so the schema only has a higher number. A version that is too old is
    refused meanwhile.
    """
    schema, least = (int(number) for number in stage.database.sql("SELECT schema, least FROM ringmaster").split("|"))
    stage.database.sql(f"UPDATE ringmaster SET schema = {schema + 1}, least = {schema}")
    for name in (other, leader):
        stage.signal(name, signal.SIGTERM)
        stage.serve(name, program=stage.options.newer)
        stage.until(f"{name} answers", lambda name=name: stage.role(name) is not None)
        time.sleep(2)
    stage.database.sql(f"UPDATE ringmaster SET least = {schema + 1}")
    stage.configure("calls-1", "third", free_port())
    refused = subprocess.run(
        [stage.options.program, "migrate"], env=stage.environment("third"), capture_output=True, text=True, timeout=60
    )
    stage.database.sql(f"UPDATE ringmaster SET schema = {schema}, least = {least}")
    assert refused.returncode != 0 and "use a newer ringmaster" in refused.stderr, refused.stderr


# On one stage, one after the other.
TOGETHER = {
    "the leader is killed": kill_leader,
    "the leader is paused until another one leads, and 12 s more": pause_leader,
    "the leader is stopped (SIGTERM)": stop_leader,
    "the leader resigns": resign_leader,
    "the other node is killed": kill_follower,
    "both nodes are killed and started again": kill_both,
    "a second node has the leader's name": take_the_name,
    "the leader is cut off from the database until another one leads, and 5 s more": cut_from_database,
    "the leader is cut off from Twilio for 10 s": cut_from_twilio,
    "the leader is cut off from customers, webhooks and the other node for 10 s": cut_from_others,
    "the leader is cut off from everything until another one leads, and 5 s more": cut_from_everything,
    "both nodes are cut off from the database for 6 s": cut_both_from_database,
    "the database forgets all connections, and nobody is told": half_open,
    "PostgreSQL is restarted, and is away for 3 s": restart_database,
    "PostgreSQL is killed": kill_database,
    "PostgreSQL is frozen for 12 s": freeze_database,
    "one backend is killed: PostgreSQL recovers": kill_backend,
    "all backends are ended, 20 times": end_backends,
    "another program takes all connections for 8 s": exhaust_connections,
    "the lock of the writers is held for 10 s": hold_the_lock,
    "the table of callbacks is locked for 8 s": lock_a_table,
    "a rolling upgrade": upgrade,
}
# They need a program with failpoints.
FAILPOINTS = {
    f"the leader is {'killed' if is_killed else 'paused'} {when} the commit of {what}": at_a_commit(place, is_killed)
    for is_killed in (True, False)
    for what, place_of in (("an intent", "intent"), ("a submission", "submission"), ("an answer", "answer"))
    for when, place in (("before", f"{place_of}.uncommitted"), ("after", f"{place_of}.committed"))
}
# They need libfaketime.
CLOCKS = {
    "the leader's clock steps ahead by 3 s, and back": step_clock(3),
    "the leader's clock steps ahead by 10 s, and back": step_clock(10),
    "the leader's clock steps back by 10 s, and ahead": step_clock(-10),
}
# Each on a stage of its own: the server is another one afterwards.
ALONE = {
    "a standby that every commit waited for is promoted": fail_over(True),
    "an asynchronous standby that lacks 3 s is promoted": fail_over(False),
    "a copy of 4 s ago is restored": restore_backup,
}
# Part of every run of the tests.
SHORT = [
    "the leader is killed",
    "the leader is cut off from the database until another one leads, and 5 s more",
    "PostgreSQL is killed",
]
