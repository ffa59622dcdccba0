# SPDX-License-Identifier: GPL-3.0-or-later
"""What ./dev bench relay compares: rtpengine-e2ae and three TLS relays of Debian, configured as near to it as they can be.

All: TLS 1.3 with AES-128-GCM, a client certificate required and checked, plain TCP to the core, one worker, no line in a
log for each connection. How the UE's certificate is checked differs: rtpengine-e2ae by the fingerprint of the SDP, stunnel
by the certificate itself (verifyPeer), HAProxy and nginx with the self-signed certificate as the only authority."""
import os
import socket

import certs
import msrpcall
import plugin
import procs
import sdp

PORTS = (12000, 31999)
SUITE = "TLS_AES_128_GCM_SHA256"
NGINX_STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so"
TICKS = os.sysconf("SC_CLK_TCK")


def _children(pid):
    """The process and everything below it."""
    yield pid
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
            for child in children.read().split():
                yield from _children(int(child))


def cpu_seconds(pid):
    """utime + stime so far of the process, with all its threads and children."""
    total = 0
    for each in _children(pid):
        with open(f"/proc/{each}/stat", encoding="ascii") as stat:
            words = stat.read().rpartition(")")[2].split()
        total += int(words[11]) + int(words[12])
    return total / TICKS


def resident_kb(pid):
    """Memory of the process and its children, pages that they share counted once."""
    total = 0
    for each in _children(pid):
        with open(f"/proc/{each}/smaps_rollup", encoding="ascii") as rollup:
            total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return total


class Relay:
    """One relay, started fresh for one measurement. targets(n) gives the places to which n UEs connect."""

    def __init__(self, key_type, core):
        self.core = core
        self.own, self.ue = certs.Pair(f"agw-{key_type}"), certs.Pair(f"ue-{key_type}")
        self.server = self.start()

    @property
    def pid(self):
        return self.server.process.pid

    def stop(self):
        self.server.stop()


class E2ae(Relay):
    name = "rtpengine-e2ae"

    def start(self):
        return plugin.Plugin(None, ports=PORTS, extra=(
            "--num-threads=1", "--log-level=4", f"--certificate={self.own.cert}", f"--private-key={self.own.key}"))

    def targets(self, connections):
        return [self._call(number) for number in range(connections)]

    def _call(self, number):
        """Offer from the UE, answer from the core; the place for the UE to connect to."""
        ue = procs.address(10)
        offer = dict(msrpcall.ng_keys("originating"), command="offer", sdp=msrpcall.ue_sdp(ue, self.ue))
        answer = {"command": "answer", "to-tag": "core", "sdp": msrpcall.core_sdp(*self.core)}
        for message in (offer, answer):
            reply = self.server.request(message=dict(message, **{"call-id": f"bench-{number}", "from-tag": "ue"}))
            if reply.get("result") != "ok":
                raise procs.Failure(f"{message['command']}: {dict(reply)}")
        return sdp.Sdp(reply["sdp"]).endpoint(0)


class Configured(Relay):
    """A relay with a configuration file and one listening port."""

    def start(self):
        host = procs.address(1)
        self.at = (host, procs.free_port(host))
        server = procs.Server(self.name, self.command(procs.write_file(f"{self.name}.conf", self.config())))
        server.wait_ready(self._listens)
        return server

    def _listens(self):
        return plugin.listening(*self.at)

    def targets(self, _connections):
        return [self.at]


class Stunnel(Configured):
    name = "stunnel"

    def command(self, path):
        return ["stunnel4", path]

    def config(self):
        return (f"foreground = yes\npid =\nsyslog = no\ndebug = 4\n"
                f"[relay]\naccept = {self.at[0]}:{self.at[1]}\nconnect = {self.core[0]}:{self.core[1]}\n"
                f"cert = {self.own.cert}\nkey = {self.own.key}\nCAfile = {self.ue.cert}\nverifyPeer = yes\n"
                f"sslVersion = TLSv1.3\nciphersuites = {SUITE}\noptions = NO_TICKET\n"
                f"socket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n")


class Haproxy(Configured):
    name = "haproxy"

    def command(self, path):
        return ["haproxy", "-db", "-f", path]

    def config(self):
        pem = procs.write_file("haproxy.pem", "".join(
            open(path, encoding="ascii").read() for path in (self.own.cert, self.own.key)))
        return (f"global\n nbthread 1\n maxconn 6000\n tune.ssl.cachesize 0\n"
                f"defaults\n mode tcp\n timeout connect 10s\n timeout client 1h\n timeout server 1h\n"
                f"listen relay\n bind {self.at[0]}:{self.at[1]} ssl crt {pem} ca-file {self.ue.cert} verify required "
                f"ssl-min-ver TLSv1.3 ciphersuites {SUITE} no-tls-tickets\n"
                f" server core {self.core[0]}:{self.core[1]}\n")


class Nginx(Configured):
    name = "nginx"

    def command(self, path):
        return ["nginx", "-c", path, "-e", "stderr"]

    def config(self):
        return (f"load_module {NGINX_STREAM};\nuser root;\ndaemon off;\nworker_processes 1;\n"
                f"pid {procs.path_of('nginx.pid')};\nerror_log stderr crit;\n"
                f"events {{ worker_connections 16384; }}\n"
                f"stream {{ server {{\n listen {self.at[0]}:{self.at[1]} ssl backlog=4096;\n tcp_nodelay on;\n"
                f" ssl_certificate {self.own.cert};\n ssl_certificate_key {self.own.key};\n"
                f" ssl_client_certificate {self.ue.cert};\n ssl_verify_client on;\n ssl_protocols TLSv1.3;\n"
                f" ssl_conf_command Ciphersuites {SUITE};\n ssl_session_cache off;\n ssl_session_tickets off;\n"
                f" proxy_pass {self.core[0]}:{self.core[1]};\n proxy_timeout 1h;\n}} }}\n")


ALL = (E2ae, Stunnel, Haproxy, Nginx)
