# SPDX-License-Identifier: GPL-3.0-or-later
"""examples/two-node/ as it stands: keepalived, Redis with sentinels, rtpengine and this program on two hosts, from the very
files. Then the active program is killed, and later the active host loses its network; each time the other node has the
addresses, the calls and the UEs."""
import os
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import crowd
import interop
import netns
import ng
import plugin
import procs
import redisserver
import tap

interop.whole("keepalived", "virtual addresses of two nodes (examples/two-node)")

EXAMPLE = os.path.join(procs.SOURCE_DIR, "examples", "two-node")
OWN = {"edge-a": "198.51.100.2", "edge-b": "198.51.100.3", "witness": "198.51.100.4"}
EDGES = ("edge-a", "edge-b")
ACCESS, INSIDE, UE, CORE = "203.0.113.1", "198.51.100.1", "203.0.113.10", "198.51.100.20"
NG_PORT, SIP_PORT, REDIS_PORT, SENTINEL_PORT = 2226, 5060, 6379, 26379
CALLS = 20
PASSWORD = "correct-horse"
# What a host has in other places; here all of it is in the test's directory, and a host has one interface.
CERTIFICATE, KEY = cluster.agw_cert.cert, cluster.agw_cert.key


def installed(name, host):
    """The file of the example as it is on @host, with the paths of the test; its path."""
    home = procs.path_of(host)
    os.makedirs(home, exist_ok=True)
    with open(os.path.join(EXAMPLE, name), encoding="utf-8") as file:
        text = file.read()
    for there, here in (("/etc/rtpengine-e2ae/ecdsa.pem", CERTIFICATE), ("/etc/rtpengine-e2ae/ecdsa.key", KEY),
                        ("/etc/rtpengine-e2ae/redis.password", procs.path_of("redis.password")),
                        ("/usr/local/lib/rtpengine-e2ae", procs.directory()), ("/var/lib/redis", home),
                        ("CHANGE-THIS", PASSWORD)):
        text = text.replace(there, here)
    text = re.sub(r"\beth1\b", "eth0", text)
    # A loaded machine is no dead host.
    for key in ("advert_int", "timeout", "down-after-milliseconds e2ae"):
        text = re.sub(rf"^(.*\b{key} )(\d+)$", lambda m: m[1] + str(int(int(m[2]) * procs.PATIENCE)), text, flags=re.M)
    return procs.write_file(os.path.join(host, os.path.basename(name)), text)


class Edge(plugin.Plugin):
    """rtpengine-e2ae on a host, from its file alone."""

    def __init__(self, name):
        self.access, self.core, self.port_range, self.ng_address = ACCESS, INSIDE, (50000, 59999), ("127.0.0.1", NG_PORT)
        with hosts[name]:
            # The command line has what the test has to see, and how long a loaded machine may be silent.
            procs.Server.__init__(self, name, [plugin.PROGRAM, f"--config-file={installed(name + '/rtpengine-e2ae.conf', name)}",
                                               "--foreground", "--log-stderr", "--log-level=7",
                                               f"--node-timeout={int(2000 * procs.PATIENCE)}"])
            self.ended = False
            self.client = ng.UdpClient(self.ng_address)
        self.wait_ready(self.client.alive)
        tap.on_finish(self.check_end)

    def statistics(self, part):
        return self.request(command="e2ae statistics")["e2ae"][part]

    def calls(self):
        return self.request(command="e2ae list", limit="1000")["calls"]


class Talker:
    """A connection to a Redis or a sentinel that this test has started on a host."""

    def __init__(self, name, port, server):
        self.name, self.port, self.server, self.connection = name, port, server, None
        server.wait_ready(self._connect)

    def _connect(self):
        try:
            with hosts[self.name]:
                self.connection = redisserver.Connection(OWN[self.name], self.port)
            if self.port == REDIS_PORT:
                self.connection.ask("AUTH", PASSWORD)
            return self.connection.ask("PING") == "PONG"
        except (OSError, RuntimeError):
            return False

    def ask(self, *words):
        """A sentinel that changes the role of a server ends its connections."""
        try:
            return self.connection.ask(*words)
        except OSError:
            self.server.wait_ready(self._connect)
            return self.connection.ask(*words)

    def fields(self, *words):
        flat = self.ask(*words)
        return dict(zip(flat[::2], flat[1::2]))


def run(name, host, *argv):
    with hosts[host]:
        return procs.Server(f"{name}-{host}", list(argv))


def redis(name):
    server = run("redis", name, "redis-server", installed(name + "/redis.conf", name))
    return Talker(name, REDIS_PORT, server)


def sentinel(name):
    server = run("sentinel", name, "redis-sentinel", installed(name + "/sentinel.conf", name))
    return Talker(name, SENTINEL_PORT, server)


def rtpengine(name):
    path = installed("rtpengine.conf", name)
    server = run("rtpengine", name, "rtpengine", f"--config-file={path}", "--foreground", "--log-stderr", "--no-fallback")
    with hosts[name]:
        client = ng.UdpClient(("127.0.0.1", 2223))
    server.wait_ready(client.alive)


def keepalived(name):
    home = procs.path_of(name)
    return run("keepalived", name, "keepalived", "--use-file", installed(name + "/keepalived.conf", name), "--dont-fork",
               "--log-console", "--log-detail", "--vrrp", "--pid", os.path.join(home, "keepalived.pid"),
               "--vrrp_pid", os.path.join(home, "vrrp.pid"))


def addresses(name):
    return [a for a in (ACCESS, INSIDE) if f" {a}/" in hosts[name].ip("-4", "-o", "address", "show", "dev", "eth0")]


def active():
    """The one host that has both addresses, or None while they move."""
    holders = [name for name in EDGES if addresses(name)]
    return holders[0] if len(holders) == 1 and len(addresses(holders[0])) == 2 else None


def wait_taken(name, began, timeout):
    """Until @name has the addresses and the calls; prints how long that took."""
    procs.wait_until(lambda: active() == name, f"{name} to have the addresses", timeout)
    tap.note(f"{time.monotonic() - began:.1f} s: keepalived has moved the addresses to {name}")
    procs.wait_until(lambda: len(nodes[name].calls()) == CALLS, f"{name} to have the calls", timeout)
    tap.note(f"{time.monotonic() - began:.1f} s: {name} has all {CALLS} calls")
    procs.wait_until(lambda: nodes[name].log().count("] takeover: ") == CALLS, "an event for each", 10)
    everybody.client = nodes[name].client


def all_served(began):
    failed = everybody.connect(60)
    assert failed == [], failed
    tap.note(f"{time.monotonic() - began:.1f} s: all UEs are connected again, without signalling")
    failed = everybody.exchange()
    assert failed == [], failed


def settings_of(path):
    """Names that a file of settings for Kamailio defines; those of a feature that is off have a second # before them."""
    with open(path, encoding="utf-8") as text:
        return set(re.findall(r"^#+!(?:try)?def(?:ine)? (\w+)", text.read(), re.M))


for name in EDGES:
    with tap.check(f"{name}: Kamailio takes its settings, and they are all that the example has"):
        folder = procs.path_of(f"kamailio-{name}")
        shutil.copytree(os.path.join(procs.SOURCE_DIR, "examples", "kamailio"), folder)
        want = settings_of(os.path.join(folder, "settings.cfg"))
        own = os.path.join(EXAMPLE, name, "settings.cfg")
        assert want and settings_of(own) == want, settings_of(own) ^ want
        shutil.copy(own, folder)
        checked = procs.Server(f"kamailio-{name}", ["kamailio", "-c", "-f", os.path.join(folder, "kamailio.cfg")])
        assert checked.wait() == 0, checked.log()
with tap.need("two hosts and a third one, with the firewall and the settings of the example"):
    net = netns.Network()
    hosts = {name: net.host(name[-1], address) for name, address in OWN.items()}
    hosts["ue"], hosts["core"] = net.host("ue", UE), net.host("core", CORE)
    procs.write_file("redis.password", PASSWORD + "\n")
    shutil.copy(os.path.join(EXAMPLE, "check-node"), procs.directory())  # where the user nobody can run it
    with open(os.path.join(EXAMPLE, "sysctl.conf"), encoding="utf-8") as file:
        settings = re.findall(r"^net\.(\S+) = (\S+)$", file.read(), re.M)
    assert settings
    for name in EDGES:
        for key, value in settings:
            hosts[name].set(key.replace(".", "/"), value)
        run("nft", name, "nft", "-f", installed("nftables.conf", name)).wait()
        assert "policy drop" in subprocess.run(
            ["ip", "netns", "exec", hosts[name].name, "nft", "list", "ruleset"], stdout=subprocess.PIPE, text=True,
            check=True).stdout
with tap.need("Redis and its sentinels: edge-b has the primary, edge-a a replica"):
    redises = {name: redis(name) for name in EDGES}
    procs.wait_until(lambda: redises["edge-a"].ask("ROLE")[:4] == ["slave", OWN["edge-b"], REDIS_PORT, "connected"],
                     "the replica", 20)
    sentinels = {name: sentinel(name) for name in OWN}
    for talker in sentinels.values():
        procs.wait_until(lambda: talker.fields("SENTINEL", "MASTER", "e2ae").get("num-other-sentinels") == "2" and
                         talker.fields("SENTINEL", "MASTER", "e2ae").get("num-slaves") == "1", "sentinels know each other", 30)
with tap.need("rtpengine and this program, on both"):
    sinks = {}
    for name in EDGES:
        with hosts[name]:
            sinks[name] = cluster.Sink(INSIDE, SIP_PORT)  # in the place of the proxy
        rtpengine(name)
    nodes = {name: Edge(name) for name in EDGES}
    for node in nodes.values():
        procs.wait_until(lambda: node.statistics("store")["state"] == "ready" and node.statistics("cluster")["alone"] == "no",
                         f"{node.name} knows of the other one", 20)
with tap.need("keepalived gives the addresses to the node that is started first"):
    keepalives = {"edge-a": keepalived("edge-a")}
    keepalives["edge-a"].wait_ready(lambda: active() == "edge-a", 30)
    keepalives["edge-b"] = keepalived("edge-b")
    keepalives["edge-b"].wait_log("Entering BACKUP STATE", 20)
with tap.need(f"{CALLS} calls are up"):
    everybody = crowd.Crowd(nodes["edge-a"].client, CALLS, UE, CORE, cluster.ue_cert, hosts["ue"], hosts["core"])
    for step in (everybody.set_up(), everybody.connect(), everybody.exchange()):
        assert step == [], step
    assert {m.target[0] for m in everybody.members} == {ACCESS}

began = time.monotonic()
nodes["edge-a"].crash()
with tap.need("the active program is killed: edge-b has the addresses and the calls"):
    wait_taken("edge-b", began, 40)
with tap.need("ASC-01 TRK-27: all UEs reconnect and are served"):
    all_served(began)
with tap.need("the program is started again, and edge-a is the standby"):
    nodes["edge-a"] = Edge("edge-a")
    sinks["edge-b"].wait("node-back", node="edge-a")
    procs.wait_until(lambda: keepalives["edge-a"].log().count("Entering BACKUP STATE") > 1, "edge-a as a backup", 30)
    assert active() == "edge-b" and nodes["edge-a"].calls() == []
with tap.check("nothing moves for that: no connection has ended"):
    failed = everybody.exchange()
    assert failed == [], failed
with tap.check("and edge-a serves requests for edge-b's calls by way of it"):
    reply = nodes["edge-a"].request(command="e2ae query", call_id=everybody.members[0].call_id)
    assert reply["e2ae"]["streams"][0]["access"]["state"] == "open", reply

began = time.monotonic()
hosts["edge-b"].unplug()
with tap.need("the active host loses its network, and with it the primary of Redis: edge-a has everything"):
    wait_taken("edge-a", began, 90)
    assert redises["edge-a"].ask("ROLE")[0] == "master"
with tap.need("all UEs reconnect and are served"):
    all_served(began)
hosts["edge-b"].plug()
with tap.need("the host is back, as the standby, with a replica of Redis"):
    procs.wait_until(lambda: redises["edge-b"].ask("ROLE")[:2] == ["slave", OWN["edge-a"]], "Redis on edge-b to follow", 60)
    procs.wait_until(lambda: nodes["edge-b"].statistics("store")["state"] == "ready" and not nodes["edge-b"].calls(),
                     "edge-b to know that its calls are over", 30)
    procs.wait_until(lambda: "Entering BACKUP STATE" in keepalives["edge-b"].log().rpartition("Entering FAULT STATE")[2],
                     "edge-b as a backup", 30)
    assert active() == "edge-a"
with tap.check("nothing moves for that either"):
    failed = everybody.exchange()
    assert failed == [], failed
with tap.check("after the deletes nothing is left of the calls"):
    crowd.none(everybody.delete())
    redises["edge-a"].ask("SELECT", redisserver.DATABASE)
    assert redises["edge-a"].ask("KEYS", "e2ae:call:*") == []
everybody.end()

tap.finish()
