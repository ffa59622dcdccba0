# SPDX-License-Identifier: GPL-3.0-or-later
"""Faxes of real pages through the example P-CSCF: a machine in DTLS that registered with mediasec calls machines in the core
and is called by them, all at the same time; every pixel has to arrive.

Most go as fast as the machines can. With loss they go at the speed of a modem, whose packets are so short that there is
room for redundancy. The gateway is for a core that has no T.38: KEYS_TO_CORE of settings.cfg has T.38=decode, and the T.38
of a UE becomes tones there. A machine of such a core calls with voice, and it is the UE that changes to T.38."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import fax
import faxpeer
import media
import pcscf
import pcscfcall
import procs
import tap

INDICATED = pcscf.indicated(["udptl-dtls"])


class FirstOffer(pcscfcall.Call):
    """A call that has no voice: the caller offers its fax at once."""

    def __init__(self, network, caller, callee, sections, name):
        super().__init__(network, caller, callee, name=name, voice=False)
        self.offer, self.answer = (media.description(agent.host, section)
                                   for agent, section in zip((caller, callee), sections))


class Fax:
    """A fax from @caller, "ue" or "core", to the other one. @switch: who makes the fax of a voice call, which is voice again
    afterwards. @role: the UE's in DTLS. @tones: the core has no T.38."""

    def __init__(self, name, caller, document, switch=None, role="client", loss=0, tones=False):
        self.ends = ("ue", "core") if caller == "ue" else ("core", "ue")
        self.switch, self.offering = switch, switch or caller
        self.tones, self.document = tones, document
        self.agents = {"ue": net.ue(f"open-{name}", INDICATED, proxy=without_t38 if tones else None),
                       "core": net.peer(f"{name}-peer")}
        sends = {"ue": None, "core": None, caller: document}
        options = {"loss": loss, "no_pacing": not tones and not loss}
        ue, core = self.agents["ue"], self.agents["core"]
        self.machines = {"ue": faxpeer.Machine(f"{name}-ue", ue.host, sends["ue"], ue.cert, role, **options),
                         "core": faxpeer.Machine(f"{name}-core", core.host, sends["core"], tones=tones, **options)}
        parties = [self.agents[end] for end in self.ends]
        sections = [self.machines[end].section(end == self.offering) for end in self.ends]
        if switch:
            self.call = pcscfcall.Switched(net, *parties, sections, switch != caller, name)
        else:
            self.call = FirstOffer(net, *parties, sections, name)

    def check_described(self, at_ue, at_core):
        """DTLS for the UE, plain T.38 for the core, or rtpengine's voice."""
        pcscfcall.check_protected(at_ue, 0, media.T38, net, "applied" if self.offering == "core" else None)
        if not self.tones:
            pcscfcall.check_plain(at_core, 0, media.T38, net)
            return
        line = at_core.media[0]
        assert (line.kind, line.proto) == ("audio", "RTP/AVP"), str(at_core)
        first, last = net.rtp_ports
        assert at_core.address(0) == procs.address(2) and first <= line.port <= last, str(at_core)
        assert not any(line.has(name) for name in fax.SECURITY), str(at_core)

    def start(self):
        """Signalling, then both machines run."""
        self.call.set_up()
        if self.switch:
            self.call.talk()
            self.call.change()
        got = dict(zip(self.ends, (self.call.at_caller, self.call.at_callee)))
        self.check_described(got["ue"], got["core"])
        self.machines["ue"].go(got["ue"].endpoint(0), got["ue"].fingerprint(0))
        self.machines["ue"].wait_line("CONNECTED", 30)
        self.machines["core"].go(got["core"].endpoint(0))
        return self

    def finish(self):
        """Waits for both machines and compares the pages; then it is voice again if it was, and the call ends."""
        faxpeer.finish(*(self.machines[end] for end in self.ends), self.document)
        ue, core = self.machines["ue"], self.machines["core"]
        half = {"ue": "o1", "core": "t1"}[self.ends[0]]
        faxpeer.check_counters(net.e2ae, f"{self.call.call_id};{half}", ue, core)
        if not self.tones:
            faxpeer.check_datagrams(ue, core)
        if self.switch:
            self.call.change()
            self.call.talk()
        self.call.hang_up()
        self.call.close()


with tap.need("the servers start, among them a proxy in front of a core without T.38"):
    net = pcscfcall.Network()
    without_t38 = pcscf.Pcscf(net.core.address, [net.e2ae.ng_address], [net.upstream.ng_address], name="pcscf-without-t38",
                              settings={"KEYS_TO_CORE": '"T.38=decode"'})

ONE, FIVE, SHORT = faxpeer.document(1), faxpeer.document(5), faxpeer.document(5, rows=100)
# The long ones first: all of them run at the same time.
faxes = []
for title, arguments, options in (
        ("DTL-10: 2 % get lost of a fax of the UE, five pages", ("lossy", "ue", SHORT), {"loss": 2}),
        ("DTL-10: 2 % get lost of a fax to the UE, five pages", ("t-lossy", "core", SHORT, "ue"), {"loss": 2}),
        ("TRK-19: the UE calls a machine that knows tones, through rtpengine's gateway",
         ("gateway", "ue", ONE), {"tones": True}),
        ("TRK-19: a machine that knows tones calls the UE, which changes to T.38: rtpengine's gateway",
         ("t-gateway", "core", ONE, "ue"), {"tones": True}),
        ("ORG-03 COM-07: the UE offers a fax at once, five pages", ("first", "ue", FIVE), {}),
        ("TRM-03: the core offers a fax at once, a page", ("t-first", "core", ONE), {"role": "server"}),
        ("TRK-19: the UE calls with voice and changes it to a fax, a page", ("switch", "ue", ONE, "ue"), {"role": "server"}),
        ("TRK-19: the UE calls with voice, the core changes it to a fax, five pages",
         ("core-switch", "ue", FIVE, "core"), {}),
        ("TRK-19: the core calls with voice, the UE changes it to a fax, five pages", ("t-switch", "core", FIVE, "ue"), {})):
    with tap.need(f"{title}: the machines are connected"):
        faxes.append((title, Fax(*arguments, **options).start()))

for title, one in faxes:
    with tap.check(f"{title}: every pixel" + ("; then it is voice again" if one.switch else "")):
        one.finish()
with tap.check("nothing is left of all these calls"):
    net.idle()
with tap.check("the proxies had nothing to complain about"):
    for proxy in (net.proxy, without_t38):
        assert not proxy.errors() + proxy.warnings(), proxy.errors() + proxy.warnings()

tap.finish()
