# SPDX-License-Identifier: GPL-3.0-or-later
"""The P-CSCF of examples/kamailio as it is, with nothing changed but what settings.cfg has; and the core behind it."""
import os
import socket
import subprocess
import time

import kamailio
import procs
import sipua

CONFIG = os.path.join(procs.SOURCE_DIR, "examples", "kamailio", "kamailio.cfg")
MEDIA = ("msrp-tls", "bfcp-tls", "udptl-dtls")
UE_HOST, CORE_HOST = procs.address(10), procs.address(9)


class Pcscf(kamailio.Proxy):
    """@address is where UEs send to; @core_address what the core sees. @nodes: ng addresses of rtpengine-e2ae. @hosts: the
    numbers of its own addresses, or an address."""

    def __init__(self, core_proxy, nodes=(), upstream=(), name="pcscf", hosts=(3, 7), settings=(), port=None):
        access, core = (procs.address(host) if isinstance(host, int) else host for host in hosts)
        port = port or procs.free_port(access, socket.SOCK_DGRAM)
        self.core_address = (core, port)
        self.control = procs.path_of(f"{name}.ctl")
        run = procs.path_of(f"{name}-run")
        os.makedirs(run, exist_ok=True)
        values = {
            "ACCESS_SOCKET": f"udp:{procs.place(access, port)}", "CORE_SOCKET": f"udp:{procs.place(core, port)}",
            "CORE_SOCKET_URI": f'"udp:{procs.place(core, port)}"', "CORE_ADDRESS": f'"{core}"',
            "CORE_PROXY": f'"sip:{procs.place(*core_proxy)}"', "E2AE_NODES": self.urls(1, nodes),
            "RTPENGINE_NODES": self.urls(0, upstream), "CONTROL_SOCKET": f'"unix:{self.control}"', "CHILDREN": "3"}
        values.update(settings)
        argv = ["kamailio", "-f", CONFIG, "-DD", "-E", "-m", "32", "-M", "4", "-Y", run, "-w", run]
        for key, value in values.items():
            argv += ["-A", key if value is None else f"{key}={value}"]
        super().__init__(name, argv, self.core_address)
        self.address = (access, port)

    @staticmethod
    def urls(number, addresses):
        return '"%d == %s"' % (number, " ".join("udp:%s:%d" % address for address in addresses) or "udp:127.0.0.1:9")

    def rpc(self, *words):
        """What kamcmd prints."""
        done = subprocess.run(["kamcmd", "-s", f"unix:{self.control}", *words], capture_output=True, text=True,
                                    timeout=20 * procs.PATIENCE, check=False)
        return done.stdout + done.stderr

    def remembered(self, key, aor):
        """The media under @key in the table of registrations, if the entry has not ended, or None."""
        for line in self.rpc("htable.get", "mediasec", key).splitlines():
            name, _, value = line.strip().partition(": ")
            if name == "value":
                user, end, media = value.split(" ")
                assert user == aor, line
                return media if int(end) > time.time() else None
        return None

    def warnings(self):
        return [line for line in self.log().splitlines() if " WARNING: " in line]

    def errors(self):
        """What went wrong in the script; media servers that are not there are the test's business."""
        return [line for line in self.log().splitlines()
                if (" ERROR: " in line or " CRITICAL: " in line) and " rtpengine [" not in line]


def indicated(media=MEDIA):
    """The headers of a UE that can do @media, one for each."""
    return [f"Security-Client: {name};mediasec" for name in media]


def register(agent, steps, name="register"):
    """Runs a registration of @agent to its end; returns the messages it got."""
    process = agent.start(f"{name}-{agent.user}", steps)
    assert process.wait() == 0, "\n".join(text for _, text in process.logs()) + process.log()[-2000:]
    return [message.decode() for incoming, message in process.messages() if incoming]


def authenticated(agent, client=(), verify=(), **options):
    """A registration with its 401. @client: headers of both requests; @verify: of the second."""
    return [agent.register(1, client, **options), sipua.recv(401),
            agent.register(2, [*client, *verify], auth=True, **options), sipua.recv(200)]


def headers(message, name):
    """The bodies of a message's headers of that name."""
    head = message.partition("\r\n\r\n")[0].split("\r\n")[1:]
    return [line.partition(":")[2].strip() for line in head if line.partition(":")[0].strip().lower() == name.lower()]
