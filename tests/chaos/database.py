"""A PostgreSQL server of the run's own, its standby, and its backup."""

import os
import shutil
import signal
import subprocess
import time

from network import free_port


def signal_process(process, number):
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass


class Database:
    """A server with fsync, in a folder of its own."""

    def __init__(self, folder, programs, copy_of=None):
        self.folder, self.programs, self.port = folder, programs, free_port()
        os.mkdir(self.folder)
        # PostgreSQL refuses to run as root.
        self.as_other = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] if os.getuid() == 0 else []
        if self.as_other:
            shutil.chown(self.folder, "nobody", "nogroup")
        self.data = os.path.join(self.folder, "data")
        self.url = f"postgres://ringmaster@127.0.0.1:{self.port}/ringmaster"
        if copy_of:
            return
        self.run("initdb", "-D", self.data, "-U", "ringmaster", "-A", "trust", "-E", "UTF8")
        self.start()
        self.run("createdb", *self.place(), "-U", "ringmaster", "ringmaster")

    def place(self):
        return ["-h", "127.0.0.1", "-p", str(self.port)]

    def run(self, program, *arguments, patience=60):
        command = [*self.as_other, os.path.join(self.programs, program), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=patience)
        if done.returncode != 0:
            raise SystemExit(f"{program}: {done.stderr or done.stdout}")
        return done.stdout

    def start(self):
        options = f"-p {self.port} -c unix_socket_directories= -c listen_addresses=127.0.0.1 -c max_connections=60"
        # Its output goes to a file: the server would keep a pipe open.
        command = ["pg_ctl", "-D", self.data, "-l", os.path.join(self.folder, "log"), "-o", options, "-w", "start"]
        subprocess.run(
            [*self.as_other, os.path.join(self.programs, command[0]), *command[1:]],
            cwd=self.folder, stdout=subprocess.DEVNULL, check=True, timeout=60,
        )

    def stop(self, mode):
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def sql(self, statement, database="ringmaster"):
        return self.run("psql", *self.place(), "-U", "ringmaster", "-Atc", statement, database).strip()

    def processes(self):
        """The first process of the server, and its children."""
        with open(os.path.join(self.data, "postmaster.pid")) as file:
            first = int(file.readline())
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, text=True)
        return [first, *map(int, found.stdout.split())]

    def kill(self):
        """As if the machine had lost its power, except for what the kernel still writes."""
        for process in self.processes():
            signal_process(process, signal.SIGKILL)
        # A server that finds the process of the last one does not start, even if nobody has buried it.
        time.sleep(0.5)
        os.remove(os.path.join(self.data, "postmaster.pid"))

    def signal_all(self, number):
        for process in self.processes():
            signal_process(process, number)

    def backup(self, name):
        """A copy of the running server's files."""
        target = os.path.join(self.folder, name)
        self.run("pg_basebackup", *self.place(), "-U", "ringmaster", "-D", target, "-X", "stream", "-c", "fast")
        return target

    def restore(self, backup):
        """The stopped server goes on with the backup."""
        shutil.rmtree(self.data)
        os.rename(backup, self.data)

    def standby(self, port):
        """A server that follows this one, which it reaches at `port`."""
        standby = Database(f"{self.folder}-standby", self.programs, copy_of=self)
        standby.run(
            "pg_basebackup", *self.place(), "-U", "ringmaster", "-D", standby.data, "-X", "stream", "-c", "fast", "-R"
        )
        # The last one of two settings counts.
        with open(os.path.join(standby.data, "postgresql.auto.conf"), "a") as settings:
            settings.write(
                f"primary_conninfo = 'host=127.0.0.1 port={port} user=ringmaster application_name=standby'\n"
            )
        standby.start()
        return standby

    def promote(self):
        self.run("pg_ctl", "-D", self.data, "-w", "promote")
