# SPDX-License-Identifier: GPL-3.0-or-later
"""Five hundred calls on one node, and the tools for tests of several nodes: hosts, addresses that move, a crowd of UEs."""
import os
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import crowd
import netns
import plugin
import procs
import redisserver
import tap

CALLS = 500
NODE_ACCESS, NODE_CORE, UE, CORE, VIRTUAL = "10.9.0.1", "10.9.0.2", "10.9.0.10", "10.9.0.20", "10.9.0.100"
VIRTUAL6, FAR6 = "2001:db8:9::100", "2001:db8:9::10"
NG_PORT = 2223
agw_cert, ue_cert, other_cert = certs.Pair("agw-ecdsa"), certs.Pair("ue-ecdsa"), certs.Pair("other-ecdsa")

LEAVES_AT_ONCE = """
import sys
sys.path.insert(0, sys.argv[1])
import netns
net = netns.Network()
net.host("lost", "10.9.0.1")
print(" ".join(netns.existing()), flush=True)
if sys.argv[2] == "raise":
    raise RuntimeError("as a test that fails")
import os, signal
os.kill(os.getpid(), signal.SIGTERM)
"""


def run_and_leave(way):
    """Another test program that ends so: the namespaces it had, and those that are left of them."""
    done = subprocess.run([sys.executable, "-c", LEAVES_AT_ONCE, os.path.dirname(netns.__file__), way],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60, check=False)
    had = [line for line in done.stdout.splitlines() if "e2ae-" in line][0].split()
    return had, [name for name in had if os.path.exists(f"/run/netns/{name}")]


def listener(address):
    """A TCP socket for an address that may be on another host (IP_FREEBIND, IPV6_FREEBIND)."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.setsockopt(*((socket.IPPROTO_IPV6, 78) if ":" in address else (socket.IPPROTO_IP, 15)), 1)
    sock.bind((address, NG_PORT))
    sock.listen(4)
    sock.settimeout(10 * procs.PATIENCE)
    return sock


def reaches(host, address, sock):
    """A connection from @host to the virtual address comes to this listener."""
    with host:
        client = socket.create_connection((address, NG_PORT), 10 * procs.PATIENCE)
    with client, sock.accept()[0] as got:
        return got.getpeername()[:2] == client.getsockname()[:2]


def hosts_and_addresses():
    with tap.check("namespaces belong to this test and are not seen elsewhere"):
        assert netns.existing() == sorted(f"e2ae-{procs.slot()}-{name}" for name in ("far", "net", "node", "second"))
        names = {name for _, name in socket.if_nameindex()}
        assert not names & {"br0", "p0", "p1", "p2"}, names
    for address in (VIRTUAL, VIRTUAL6):
        with tap.check(f"an address moves, and its neighbours know at once: {address}"):
            sockets = []
            for host in (node, second):
                with host:
                    sockets.append(listener(address))
            for turn in (0, 1, 0):
                net.move(address, (node, second)[turn])
                assert net.holder(address) is (node, second)[turn]
                assert reaches(far, address, sockets[turn]), turn
            for sock in sockets:
                sock.close()
            net.holder(address).drop(address)
    with tap.check("a host without its cable is not reached, and is again with it"):
        with node:
            sock = listener(NODE_ACCESS)
        node.unplug()
        with far, socket.socket() as client:
            client.settimeout(0.3)
            try:
                client.connect((NODE_ACCESS, NG_PORT))
                raise AssertionError("connected to a host without its cable")
            except OSError:
                pass
        node.plug()
        assert reaches(far, NODE_ACCESS, sock)
        sock.close()


def servers():
    with tap.check("a server that is started in a host is there for the others, and for nobody else"):
        with node:
            redis = redisserver.Redis(host=NODE_ACCESS)
        with far, socket.create_connection((NODE_ACCESS, redis.port), 10 * procs.PATIENCE) as client:
            client.sendall(b"PING\r\n")
            assert client.recv(100) == b"+PONG\r\n"
        assert not plugin.listening(NODE_ACCESS, redis.port)
        redis.server.stop()


def ends():
    for way in ("raise", "term"):
        with tap.check(f"a test that ends by {way} leaves no namespace"):
            had, left = run_and_leave(way)
            assert len(had) == 2 and left == [], (had, left)


def serve(everybody):
    with tap.need(f"{CALLS} calls are set up"):
        crowd.none(everybody.set_up())
        assert len(program.sockets()) == 2 * CALLS, len(program.sockets())
    with tap.check("every UE is connected, with its certificate, and every core"):
        crowd.none(everybody.connect(60))
    with tap.check("tokens cross both ways in every call"):
        crowd.none(everybody.exchange())
    with tap.check("all of them connect again, and tokens cross again"):
        everybody.close()
        assert everybody.standing() == []
        crowd.none(everybody.connect(60))
        crowd.none(everybody.exchange())
        assert len(everybody.standing()) == CALLS
    with tap.check("re-offers change nothing of it"):
        crowd.none(everybody.set_up(indication=False))
        crowd.none(everybody.exchange())


def failures(everybody):
    one, two, three = everybody.members[:3]
    with tap.check("a connection that has ended is told of, and no other"):
        one.ue.sock.shutdown(socket.SHUT_RDWR)
        two.core.sock.shutdown(socket.SHUT_RDWR)
        failed = everybody.exchange()
        assert len(failed) == 2, failed
        assert failed[0].startswith(str(one)) and failed[1].startswith(str(two)), failed
    with tap.check("a gateway with another certificate than its SDP says is told of"):
        three.fingerprints = [other_cert.fingerprint()]
        failed = everybody.connect(10, [three])
        assert len(failed) == 1 and "is not among" in failed[0], failed
    strangers = crowd.Crowd(program.client, 2, UE, CORE, ue_cert, ue_inside=far, core_inside=far)
    with tap.check("ASC-07: UEs with another certificate than they signalled do not come through"):
        crowd.none(strangers.set_up())
        strangers.context = crowd.context(other_cert)
        failed = strangers.connect(2)
        assert len(failed) == 2, failed
        assert not any(member.core for member in strangers.members)
        crowd.none(strangers.delete())
    strangers.end()


subprocess.run(["ip", "netns", "add", f"e2ae-{procs.slot()}-left"], check=True)
net = netns.Network()
tap.ok(netns.existing() == [f"e2ae-{procs.slot()}-net"], "what a killed test left behind is removed by the next one")
node, second, far = net.host("node", NODE_ACCESS), net.host("second", "10.9.0.3"), net.host("far", UE)
node.add(NODE_CORE)
far.add(CORE)
far.add(FAR6)
for there in (node, second):
    there.add(f"2001:db8:9::{there.address[-1]}")
hosts_and_addresses()
servers()
ends()

with node:
    program = plugin.Plugin(None, ports=(20000, 21999), access=NODE_ACCESS, core=NODE_CORE, listen=(NODE_ACCESS, NG_PORT),
                            extra=(f"--certificate={agw_cert.cert}", f"--private-key={agw_cert.key}"))
calls = crowd.Crowd(program.client, CALLS, UE, CORE, ue_cert, ue_inside=far, core_inside=far)
serve(calls)
failures(calls)
with tap.check("deleted calls leave no port"):
    crowd.none(calls.delete())
    procs.wait_until(lambda: not program.sockets(), "the media sockets to be closed", 20)
calls.end()
tap.finish()
