# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev run: one protected MSRP call through rtpengine-e2ae and Debian's rtpengine, shown step by step.

With --once it ends after the call; otherwise it keeps serving, for a SIP proxy of your own."""
import argparse
import hashlib
import itertools
import os
import select
import signal
import socket
import ssl
import sys
import threading

sys.dont_write_bytecode = True
import certs
import msrpcall
import plugin
import procs
import rtp
import rtpengine
import sdp

sys.excepthook = sys.__excepthook__
FILE_SIZE = 1 << 20
CALL_ID = "demo-1@rtpengine-e2ae.invalid"
NG_PORT = 2223


def title(text):
    print(f"\n==== {text}")


def sections(text):
    """The lines of an SDP, cut before each m-line."""
    parts = [[]]
    for line in text.rstrip("\r\n").split("\r\n"):
        if line.startswith("m="):
            parts.append([])
        parts[-1].append(line)
    return parts


def columns(left_title, left, right_title, right):
    """Two descriptions beside each other, m-line by m-line."""
    width = 62
    rows = [(left_title, right_title), ("-" * len(left_title), "-" * len(right_title))]
    for pair in itertools.zip_longest(sections(left), sections(right), fillvalue=()):
        rows += itertools.zip_longest(*pair, fillvalue="")
    for first, second in rows:
        first, second = (line if len(line) <= width else line[:width - 3] + "..." for line in (first, second))
        print(f"  {first:{width}}  {second}".rstrip())


class Demo:
    def __init__(self, once):
        # While it serves it has addresses that are easy to write into a script; --once keeps out of everybody's way.
        self.access, self.core = (procs.address(1), procs.address(2)) if once else ("127.0.0.1", "127.0.0.2")
        self.ue, self.peer = (procs.address(10), procs.address(9)) if once else ("127.0.0.1", "127.0.0.2")
        self.host = procs.address(4) if once else "127.0.0.1"
        self.once = once

    def listen_address(self):
        if not self.once:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind((self.host, NG_PORT))
                    return self.host, NG_PORT
                except OSError:
                    pass
        return self.host, procs.free_port(self.host, socket.SOCK_DGRAM)

    def start(self):
        self.rtpengine = rtpengine.Rtpengine(access=self.access, core=self.core, host=self.host)
        self.plugin = plugin.Plugin(self.rtpengine.ng_address, access=self.access, core=self.core,
                                    listen=self.listen_address())
        title("Running")
        print(f"  rtpengine       (Debian)  ng {self.rtpengine.ng_address[0]}:{self.rtpengine.ng_address[1]}")
        print(f"  rtpengine-e2ae            ng {self.plugin.ng_address[0]}:{self.plugin.ng_address[1]}  "
              f"access {self.access}  core {self.core}  store: memory")

    def request(self, keys):
        reply = self.plugin.client.request(keys)
        if reply.get("result") != "ok":
            raise procs.Failure(f"{keys['command']}: {dict(reply)}")
        return reply

    def signal(self):
        """Offer and answer, as rtpengine_offer() and rtpengine_answer() of a proxy would send them."""
        self.cert = certs.Pair("ue-ecdsa")
        self.ue_rtp, self.core_rtp = procs.udp_socket(self.ue), procs.udp_socket(self.peer)
        self.listener = procs.tcp_listener(self.peer)
        self.listener.settimeout(10 * procs.PATIENCE)
        offer = msrpcall.ue_sdp(self.ue, self.cert, audio=self.ue_rtp.getsockname()[1])
        answer = msrpcall.core_sdp(self.peer, self.listener.getsockname()[1], audio=self.core_rtp.getsockname()[1])
        keys = msrpcall.ng_keys("originating")
        keys["received-from"] = ["IP4", self.ue]
        to_core = self.request(dict(keys, command="offer", sdp=offer, **{"call-id": CALL_ID, "from-tag": "ue"}))
        to_ue = self.request({"command": "answer", "sdp": answer, "call-id": CALL_ID, "from-tag": "ue",
                              "to-tag": "core", "replace": keys["replace"]})
        title("Offer: the UE asks for end-to-access-edge security (a=3ge2ae:requested)")
        columns("from the UE", offer, "to the core", to_core["sdp"])
        title("Answer: plain from the core, TLS with the gateway's fingerprint to the UE")
        columns("from the core", answer, "to the UE", to_ue["sdp"])
        self.at_core, self.at_ue = sdp.Sdp(to_core["sdp"]), sdp.Sdp(to_ue["sdp"])

    def connect(self):
        """TLS from the UE, with its certificate; the gateway is known by the fingerprint of the answer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(self.cert.cert, self.cert.key)
        raw = socket.create_connection(self.at_ue.endpoint(1), 10 * procs.PATIENCE, (self.ue, 0))
        self.tls = context.wrap_socket(raw)
        name, want = self.at_ue.fingerprint(1)
        got = certs.fingerprint_of(self.tls.getpeercert(True), name)
        title("Access side")
        print(f"  {self.tls.version()}  {self.tls.cipher()[0]}")
        print(f"  gateway's certificate: {name} {got}")
        print(f"  as signalled:          {'yes' if got == want.upper() else 'NO'}")
        print(f"  UE's certificate:      {self.cert.fingerprint()}")
        if got != want.upper():
            raise procs.Failure("the gateway's fingerprint is not the signalled one")
        self.plain, where = self.listener.accept()
        self.plain.settimeout(30 * procs.PATIENCE)
        title("Core side")
        print(f"  plain TCP from {where[0]}:{where[1]}")

    def talk(self):
        """One MSRP message with its response, then a file each way, then audio."""
        hello = "Hello from behind TLS"
        paths = {media: getattr(self, media).media[1].value("path") for media in ("at_core", "at_ue")}
        send = (f"MSRP a786hjs2 SEND\r\nTo-Path: {paths['at_ue']}\r\nFrom-Path: {paths['at_core']}\r\n"
                f"Message-ID: 87652491\r\nByte-Range: 1-{len(hello)}/{len(hello)}\r\nContent-Type: text/plain\r\n\r\n"
                f"{hello}\r\n-------a786hjs2$\r\n").encode()
        ok = (f"MSRP a786hjs2 200 OK\r\nTo-Path: {paths['at_core']}\r\nFrom-Path: {paths['at_ue']}\r\n"
              f"-------a786hjs2$\r\n").encode()
        self.tls.sendall(send)
        self.exactly(self.plain, send, "the MSRP message at the core")
        self.plain.sendall(ok)
        self.exactly(self.tls, ok, "the MSRP response at the UE")
        title("What the core received, byte for byte")
        print("  " + send.decode().rstrip().replace("\r\n", "\n  "))
        data = os.urandom(FILE_SIZE)
        result = {}
        thread = threading.Thread(target=lambda: result.update(core=self.echo()))
        thread.start()
        self.tls.sendall(data)
        back = self.read(self.tls, FILE_SIZE)
        thread.join()
        if back != data or result.get("core") != hashlib.sha256(data).hexdigest():
            raise procs.Failure("the file changed on its way")
        rtp.pass_both_ways(self.ue_rtp, self.at_ue.endpoint(0), self.core_rtp, self.at_core.endpoint(0))
        title("Relayed")
        print(f"  {len(send) + FILE_SIZE} bytes from the UE to the core, {len(ok) + FILE_SIZE} bytes back, SHA-256 equal")
        print("  RTP of the same call both ways through rtpengine")

    def echo(self):
        data = self.read(self.plain, FILE_SIZE)
        self.plain.sendall(data)
        return hashlib.sha256(data).hexdigest()

    @staticmethod
    def read(sock, size):
        data = b""
        while len(data) < size:
            piece = sock.recv(size - len(data))
            if not piece:
                raise procs.Failure(f"closed after {len(data)} of {size} bytes")
            data += piece
        return data

    def exactly(self, sock, want, what):
        got = self.read(sock, len(want))
        if got != want:
            raise procs.Failure(f"{what} is not what was sent: {got!r}")

    def hang_up(self):
        # Each end closes its sending side and sees the other's close: close_notify at the UE, FIN at the core.
        self.plain.shutdown(socket.SHUT_WR)
        self.tls.unwrap().close()
        if self.plain.recv(1):
            raise procs.Failure("bytes after the end")
        self.plain.close()
        self.listener.close()
        self.request({"command": "delete", "call-id": CALL_ID, "from-tag": "ue", "delete-delay": 0})
        procs.wait_until(lambda: not self.plugin.sockets(), "every port to be free", 10)
        title("Call deleted, every port free")

    def serve(self):
        print(f"\nServing. Point your proxy here, for Kamailio:\n\n"
              f'  modparam("rtpengine", "rtpengine_sock", "udp:{self.plugin.ng_address[0]}:{self.plugin.ng_address[1]}")\n'
              f'  rtpengine_offer("e2ae=originating replace-origin replace-session-connection '
              f'direction=access direction=core");\n\nCtrl-C ends it.', flush=True)
        ends = [os.pidfd_open(server.process.pid) for server in (self.rtpengine, self.plugin)]
        try:
            select.select(ends, [], [])
        except KeyboardInterrupt:
            print()
            return
        raise procs.Failure("one of the two ended by itself")


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also when started in the background
    parser = argparse.ArgumentParser(prog="dev run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the call")
    demo = Demo(parser.parse_args().once)
    try:
        demo.start()
        demo.signal()
        demo.connect()
        demo.talk()
        demo.hang_up()
        if not demo.once:
            demo.serve()
    except (procs.Failure, OSError, AssertionError) as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        for server in (getattr(demo, "rtpengine", None), getattr(demo, "plugin", None)):
            if server:
                print(f"---- {server.name}\n{server.log()[-4000:]}", file=sys.stderr)
        return 1
    status = demo.plugin.stop()
    return 0 if status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
