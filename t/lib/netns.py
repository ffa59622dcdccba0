# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces of the test's own: hosts on one bridge, and addresses that move between them. Needs root.

    net = netns.Network()
    a, b = net.host("a", "10.9.0.1"), net.host("b", "10.9.0.2")
    net.move("10.9.0.9", a)         # a virtual address, which the neighbours learn at once
    with a:                         # sockets and processes that are made in here are host a's
        program = plugin.Plugin(None, access="10.9.0.9", core="10.9.0.9", listen=("10.9.0.1", 2223))
    net.move("10.9.0.9", b)

Or for the whole of a test, before it makes any socket, one namespace with addresses of either family on its lo:

    netns.own("fd00:e2ae::10", "fd00:e2ae::1")

A socket stays in the namespace in which it was made, so one thread can talk from several hosts. The bridge is in a
namespace, too: nothing of this is seen outside. The names hold the number of the test's slot, which nobody else has, so
what a killed test left behind is found and removed by the next one with that number. Everything is removed at the end.
"""
import atexit
import ctypes
import os
import socket
import struct
import subprocess

import procs
import tap

_CLONE_NEWNET = 0x40000000
_DIRECTORY = "/run/netns"
_ETH_ARP, _ARP_REQUEST, _ARP_REPLY = 0x0806, 1, 2
_BROADCAST = b"\xff" * 6
_ND_ADVERTISEMENT, _ND_OVERRIDE, _ND_OPTION_TARGET = 136, 0x20000000, 2
_ALL_NODES = "ff02::1"
_libc = ctypes.CDLL(None, use_errno=True)


def _ip(*words):
    done = subprocess.run(["ip", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode != 0:
        raise procs.Failure(f"ip {' '.join(words)}: {done.stdout.strip()}")
    return done.stdout


def _prefix():
    return f"e2ae-{procs.slot()}-"


def existing():
    """Names of the namespaces of this test's slot."""
    if not os.path.isdir(_DIRECTORY):
        return []
    return sorted(name for name in os.listdir(_DIRECTORY) if name.startswith(_prefix()))


def _enter(handle):
    if _libc.setns(handle, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _need_root():
    if os.geteuid() != 0:
        raise procs.Failure("network namespaces need root")


def own(*addresses):
    """Puts this process and what it starts into a network of its own, for good; it has ::1 and 127.0.0.0/8, too."""
    _need_root()
    if _libc.unshare(_CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise procs.Failure(f"no network namespace: {os.strerror(error)}")
    _ip("link", "set", "lo", "up")
    for address in addresses:
        _ip("address", "add", address + ("/128" if ":" in address else "/32"), "dev", "lo", "nodad")


def _mac(interface):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((interface, 0))
        return sock.getsockname()[4]


def _with_bits(address):
    return address + ("/64" if ":" in address else "/24")


class _Namespace:
    """Entered with "with", nested as often as one likes; only the calling thread is in it."""

    def __init__(self, name):
        self.name = _prefix() + name
        self.before = []
        _ip("netns", "add", self.name)
        self.handle = os.open(os.path.join(_DIRECTORY, self.name), os.O_RDONLY | os.O_CLOEXEC)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words):
        return _ip("-n", self.name, *words)

    def __enter__(self):
        self.before.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        _enter(self.handle)
        return self

    def __exit__(self, kind, value, trace):
        before = self.before.pop()
        _enter(before)
        os.close(before)

    def set(self, name, value):
        """A sysctl below net/ ("ipv4/ip_local_port_range")."""
        with self, open(f"/proc/sys/net/{name}", "w", encoding="ascii") as out:
            out.write(str(value))


class Host(_Namespace):
    """A namespace with one interface, eth0, on the network's bridge."""

    def __init__(self, network, name, address):
        super().__init__(name)
        self.network, self.address = network, address
        self.port = f"p{len(network.hosts)}"
        self.addresses = []
        self.ip("link", "add", "eth0", "type", "veth", "peer", "name", self.port, "netns", network.bridge.name)
        network.bridge.ip("link", "set", self.port, "master", "br0", "up")
        self.ip("link", "set", "eth0", "up")
        with self:
            self.mac = _mac("eth0")
        if address:
            self.add(address)

    def add(self, address):
        """Gives it one more address and tells the neighbours whose it is."""
        self.ip("address", "add", _with_bits(address), "dev", "eth0", "nodad")
        self.addresses.append(address)
        self.announce(address)

    def drop(self, address):
        """Takes an address away, without a word to anybody."""
        self.ip("address", "delete", _with_bits(address), "dev", "eth0")
        self.addresses.remove(address)

    def announce(self, address):
        with self:
            if ":" in address:
                self._advertise(address)
            else:
                self._arp(address)

    def _arp(self, address):
        raw = socket.inet_aton(address)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_ARP)) as sock:
            sock.bind(("eth0", _ETH_ARP))
            for operation in (_ARP_REQUEST, _ARP_REPLY):
                sock.send(_BROADCAST + self.mac + struct.pack("!HHHBBH", _ETH_ARP, 1, 0x0800, 6, 4, operation) +
                          self.mac + raw + _BROADCAST + raw)

    def _advertise(self, address):
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            sock.sendto(struct.pack("!BBHI", _ND_ADVERTISEMENT, 0, 0, _ND_OVERRIDE) +
                        socket.inet_pton(socket.AF_INET6, address) + struct.pack("!BB", _ND_OPTION_TARGET, 1) + self.mac,
                        (_ALL_NODES, 0, 0, socket.if_nametoindex("eth0")))

    def unplug(self):
        """Pulls the cable: what it sends is lost, and nothing comes."""
        self.network.bridge.ip("link", "set", self.port, "down")

    def plug(self):
        self.network.bridge.ip("link", "set", self.port, "up")


class Network:
    """A bridge and its hosts. One of a test at a time."""

    def __init__(self):
        _need_root()
        procs.slot()  # its guard belongs to the namespace in which the test began
        self.hosts = []
        self.remove()
        atexit.register(self.remove)
        tap.on_finish(self.remove)
        self.bridge = _Namespace("net")
        self.bridge.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        self.bridge.ip("link", "set", "br0", "up")

    def host(self, name, address=None):
        """Another host; @name is short, @address IPv4 or IPv6, in a network of 24 or 64 bits."""
        host = Host(self, name, address)
        self.hosts.append(host)
        return host

    def holder(self, address):
        """The host that has the address, or None."""
        held = [host for host in self.hosts if address in host.addresses]
        return held[0] if held else None

    def move(self, address, to):
        """Takes a virtual address from the host that has it, if one does, and gives it to another."""
        holder = self.holder(address)
        if holder:
            holder.drop(address)
        to.add(address)

    def remove(self):
        """Removes all namespaces of this slot; a process that still runs in one keeps it until it ends."""
        for name in existing():
            _ip("netns", "delete", name)
