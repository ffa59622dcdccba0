# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios for sipp, put together from steps, for user agents that register, call and answer through a proxy.

A scenario is a list of steps, each a piece of XML. Texts of messages have one line for each header; what sipp fills in
stands in brackets. Between "wait" steps the test lets a call go on with Sipp.go_on()."""
import itertools
import socket

import procs
import sipp

DOMAIN = "ims.test"
_SERIAL = itertools.count(1)


def _message(lines, body):
    text = list(lines)
    if body:
        assert "[" not in body, "sipp takes brackets for keywords of its own"
        text += ["Content-Type: application/sdp", "Content-Length: [len]", "", *body.rstrip("\r\n").split("\r\n")]
    else:
        text += ["Content-Length: 0", ""]
    return "<![CDATA[\n" + "\n".join("      " + line if line else "" for line in text) + "\n\n    ]]>"


def send(lines, body=None, retrans=True):
    return f'<send{" retrans=" + chr(34) + "500" + chr(34) if retrans else ""}>\n    {_message(lines, body)}\n  </send>'


def recv(what, optional=False, rrs=False, actions=()):
    """@what: a status (int) or a method. The tag of To is kept for later requests of the dialog."""
    kind = "response" if isinstance(what, int) else "request"
    options = (' optional="true"' if optional else "") + (' rrs="true"' if rrs else "")
    if what == 401:
        options += ' auth="true"'
    inner = "".join(f"\n      {action}" for action in actions)
    inner = f"\n    <action>{inner}\n    </action>\n  " if inner else ""
    return f'<recv {kind}="{what}"{options}>{inner}</recv>'


KEEP_TO = '<ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="to"/>'
KEEP_RSEQ = '<ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" check_it="true" assign_to="rseq"/>'
USE_BOTH = '<Reference variables="to,rseq"/>'
WAIT = recv("MESSAGE")


def scenario(name, steps):
    """Writes the scenario; returns the path."""
    text = "\n  ".join(steps)
    for variable in ("to", "rseq"):
        if f'assign_to="{variable}"' in text and f"[${variable}]" not in text:
            text += f'\n  <Reference variables="{variable}"/>'
    return procs.write_file(f"{name}.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n  {text}\n'
                                           "</scenario>\n")


class Agent:
    """One user at one address and port, whatever sipp process is using it now."""

    def __init__(self, user, host, proxy=None, contact_user=None, port=None):
        self.user, self.host, self.proxy = user, host, proxy
        self.port = port or procs.free_port(host, socket.SOCK_DGRAM)
        self.contact_user = contact_user or user
        self.aor = f"sip:{user}@{DOMAIN}"
        self.contact = f"<sip:{self.contact_user}@{host}:{self.port}>"

    def start(self, name, steps, call_id=None):
        """Runs steps as this user; requests that are not within a dialog go to the proxy."""
        name = f"{name}-{next(_SERIAL)}"
        return sipp.Sipp(name, scenario(name, steps), self.host, [], remote=self.proxy, call_id=call_id, port=self.port)

    # ---- messages

    def register(self, number, headers=(), contact=None, expires=None, auth=False):
        lines = [f"REGISTER sip:{DOMAIN} SIP/2.0", "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
                 f"From: <{self.aor}>;tag={self.user}-[call_number]", f"To: <{self.aor}>", "Call-ID: [call_id]",
                 f"CSeq: {number} REGISTER", "Max-Forwards: 70", f"Contact: {contact or self.contact}"]
        if expires is not None:
            lines.append(f"Expires: {expires}")
        if auth:
            lines.append(f"[authentication username={self.user} password=secret]")
        return send([*lines, *headers])

    def request(self, method, number, uri="[next_url]", to="[$to]", routes=True, headers=(), body=None, branch="[branch]"):
        """A request of the caller."""
        lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}"]
        if routes:
            lines.append("[routes]")
        lines += [f"From: <{self.aor}>;tag={self.user}-[call_number]", f"To:{to}", "Call-ID: [call_id]",
                  f"CSeq: {number} {method}", "Max-Forwards: 70"]
        if method in ("INVITE", "UPDATE"):
            lines.append(f"Contact: {self.contact}")
        return send([*lines, *headers], body, retrans=method != "ACK")

    def invite(self, target, body=None, number=1, headers=()):
        """The first request of a call."""
        return self.request("INVITE", number, target, f" <{target}>", False, headers, body)

    def reply(self, status, reason, body=None, headers=(), tag=True, retrans=None):
        """A reply of the callee to the last request."""
        lines = [f"SIP/2.0 {status} {reason}", "[last_Via:]", "[last_Record-Route:]", "[last_From:]",
                 "[last_To:]" + (f";tag={self.contact_user}-[call_number]" if tag else ""), "[last_Call-ID:]", "[last_CSeq:]",
                 f"Contact: {self.contact}"]
        return send([*lines, *headers], body, retrans=status >= 200 if retrans is None else retrans)

    # ---- whole scenarios

    def caller(self, target, body, ack_body=None):
        """Calls, acknowledges, waits, hangs up."""
        return [self.invite(target, body), recv(100, True), recv(180, True), recv(183, True),
                recv(200, rrs=True, actions=[KEEP_TO]), self.request("ACK", 1, body=ack_body), WAIT,
                self.request("BYE", 2), recv(200)]

    def callee(self, body):
        """Answers, is hung up."""
        return [recv("INVITE", rrs=True), self.reply(180, "Ringing"), self.reply(200, "OK", body), recv("ACK"), recv("BYE"),
                self.reply(200, "OK", tag=False, retrans=False)]
