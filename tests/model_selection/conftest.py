import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import numpy as np
import pytest

from glassclf.model_selection.liveness import _process
from glassclf.testing import two_phases

SERVER_WAIT = 30  # seconds for the PostgreSQL server to start, and to stop


@pytest.fixture(scope="session")
def images():
    """Small images of one channel, dark and bright, their labels and groups of two."""
    rng = np.random.default_rng(0)
    X = rng.random((64, 1, 8, 8), dtype=np.float32)
    y = np.array(["bright", "dark"] * 32)
    X[y == "bright"] += 0.5
    return X, y, np.repeat(np.arange(32), 2)


@pytest.fixture(scope="session")
def configurations():
    """Ordered and disordered configurations of 16 runs, their labels and runs."""
    return two_phases(n_runs=16)


def server_binaries():
    """Folder of PostgreSQL's server programs: that on PATH, or else Debian's newest."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not folders:
        pytest.skip("needs the PostgreSQL server: apt-get install postgresql")
    return max(folders, key=lambda folder: [int(part) for part in folder.parent.name.split(".")])


def server_account():
    """Arguments of subprocess for the account of the server, which refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("needs the account postgres, as the PostgreSQL server refuses to run as root")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_server(server, url, log):
    import psycopg

    give_up = time.monotonic() + SERVER_WAIT
    while True:
        try:
            return psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
        time.sleep(0.05)


def stop_server(server):
    server.send_signal(signal.SIGINT)  # ends open connections, where SIGTERM waits
    try:
        server.wait(SERVER_WAIT)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def postgresql():
    """SQLAlchemy's URL of an empty database on a PostgreSQL server of this test process."""
    pytest.importorskip("psycopg")
    binaries, account = server_binaries(), server_account()
    # Not in pytest's temporary folder, which another account may not enter; and the path of a
    # socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="glassclf-postgresql-", dir="/tmp"))
    try:
        if account:
            os.chown(folder, account["user"], account["group"])
        data, log = folder / "data", folder / "log"
        initdb = [binaries / "initdb", "--no-sync", "--auth=trust", "--username=postgres"]
        initdb += ["--encoding=UTF8", "--locale=C", data]
        done = subprocess.run(initdb, cwd=folder, capture_output=True, text=True, **account)
        assert done.returncode == 0, done.stderr
        port = free_port()
        # setpriv stops the server also when this process is killed; a group of its own keeps it
        # until the end of the fixture when Ctrl-C stops the tests.
        command = ["setpriv", "--pdeathsig", "INT", binaries / "postgres", "-F", "-D", data]
        command += ["-k", folder, "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        with log.open("wb") as output:
            streams = {"stdout": output, "stderr": output}
            server = subprocess.Popen(command, cwd=folder, process_group=0, **streams, **account)
        try:
            wait_for_server(server, f"postgresql://postgres@127.0.0.1:{port}/postgres", log)
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        finally:
            stop_server(server)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def database(postgresql):
    """SQLAlchemy's URL of a new database, so that tests share no studies."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{postgresql.rpartition('/')[0]}/{name}"
        # By force: engines that a test leaves behind hold connections, and a server has 100.
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def dask_cluster():
    """Client of a dask cluster of two worker processes, which joblib's backend "dask" uses."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def dead():
    """What a worker would note of a process that has ended since."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    record = _process(child.pid)
    child.communicate(b"\n")
    return record
