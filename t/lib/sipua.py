# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios for sipp, put together from steps, for user agents that register, call and answer through a proxy.

A scenario is a list of steps, each a piece of XML. Texts of messages have one line for each header; what sipp fills in
stands in brackets. Between "wait" steps the test lets a call go on with Sipp.go_on()."""
import itertools
import re
import socket

import procs
import sipp

DOMAIN = "ims.test"
_SERIAL = itertools.count(1)


def _message(lines, body):
    text = list(lines)
    if body:
        text += ["Content-Type: application/sdp", "Content-Length: [len]", ""]
        text += sipp.literal(body.rstrip("\r\n")).split("\r\n")
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


def _keep(variable, regexp, where):
    return f'<ereg regexp="{regexp}" {where} check_it="true" assign_to="{variable}"/>'


def _lines(name):
    """All headers of that name, which stand together."""
    return f"{name}: [^[:cntrl:]]*([[:cntrl:]]+{name}: [^[:cntrl:]]*)*"


KEEP_TO = _keep("to", ".*", 'search_in="hdr" header="To:"')
KEEP_RSEQ = _keep("rseq", "[0-9]+", 'search_in="hdr" header="RSeq:"')
KEEP_FROM = _keep("from", ".*", 'search_in="hdr" header="From:"')
# What a reply to the INVITE needs after other requests have come.
KEEP_INVITE = [_keep("via,via2", _lines("Via"), 'search_in="msg"'), _keep("rr,rr2", _lines("Record-Route"), 'search_in="msg"'),
               KEEP_FROM, _keep("callee", ".*", 'search_in="hdr" header="To:"')]
WAIT = recv("MESSAGE")


def scenario(name, steps):
    """Writes the scenario; returns the path."""
    text = "\n  ".join(steps)
    assigned = {variable for group in re.findall(r'assign_to="([^"]*)"', text) for variable in group.split(",")}
    unused = sorted(variable for variable in assigned if f"[${variable}]" not in text)
    if unused:
        text += f'\n  <Reference variables="{",".join(unused)}"/>'
    return procs.write_file(f"{name}.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n  {text}\n'
                                           "</scenario>\n")


class Agent:
    """One user at one address and port, whatever sipp process is using it now."""

    def __init__(self, user, host, proxy=None, contact_user=None, behind=None, tcp=False):
        """@behind: the address in its Contact, where a NAT hides it. By TCP sipp cannot be told to go on."""
        self.user, self.host, self.proxy = user, host, proxy
        self.port, self.tcp = procs.free_port(host, socket.SOCK_DGRAM), tcp
        self.contact_user = contact_user or user
        self.tag = f"{self.contact_user}-[call_number]"
        self.aor = f"sip:{user}@{DOMAIN}"
        where = sipp.literal(f"{behind}:5060" if behind else procs.place(host, self.port))
        self.contact = f"<sip:{self.contact_user}@{where}{';transport=tcp' if tcp else ''}>"

    def start(self, name, steps, call_id=None):
        """Runs steps as this user; requests that are not within a dialog go to the proxy."""
        name = f"{name}-{next(_SERIAL)}"
        return sipp.Sipp(name, scenario(name, steps), self.host, [], remote=self.proxy, call_id=call_id, port=self.port,
                         tcp=self.tcp)

    # ---- messages

    def register(self, number, headers=(), contact=None, expires=None, auth=False):
        lines = [f"REGISTER sip:{DOMAIN} SIP/2.0", "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
                 f"From: <{self.aor}>;tag={self.tag}", f"To: <{self.aor}>", "Call-ID: [call_id]",
                 f"CSeq: {number} REGISTER", "Max-Forwards: 70", f"Contact: {contact or self.contact}"]
        if expires is not None:
            lines.append(f"Expires: {expires}")
        if auth:
            lines.append(f"[authentication username={self.user} password=secret]")
        return send([*lines, *headers])

    def request(self, method, number, uri="[next_url]", to="[$to]", routes=True, headers=(), body=None, branch="[branch]"):
        """A request of this user; within a dialog where @to is not given."""
        lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}"]
        if routes:
            lines.append("[routes]")
        lines += [f"From: <{self.aor}>;tag={self.tag}", f"To:{to}", "Call-ID: [call_id]", f"CSeq: {number} {method}",
                  "Max-Forwards: 70"]
        if method in ("INVITE", "UPDATE"):
            lines.append(f"Contact: {self.contact}")
        return send([*lines, *headers], body, retrans=method != "ACK")

    def invite(self, target, body=None, headers=(), branch="[branch]"):
        """The first request of a call."""
        return self.request("INVITE", 1, target, f" <{target}>", False, headers, body, branch)

    def prack(self, number, body=None):
        """For the reliable reply whose RSeq was kept."""
        return self.request("PRACK", number, headers=["RAck: [$rseq] 1 INVITE"], body=body)

    def back(self, method, number, body=None):
        """A request of the callee."""
        return self.request(method, number, to="[$from]", body=body)

    def reply(self, status, reason, body=None, headers=(), tag=True, retrans=None):
        """A reply of the callee to the last request; its tag is added to the first one only."""
        lines = [f"SIP/2.0 {status} {reason}", "[last_Via:]", "[last_Record-Route:]", "[last_From:]",
                 "[last_To:]" + (f";tag={self.tag}" if tag else ""), "[last_Call-ID:]", "[last_CSeq:]",
                 f"Contact: {self.contact}"]
        return send([*lines, *headers], body, retrans=status >= 200 if retrans is None else retrans)

    def ok(self, body=None):
        """200 to a request within the dialog, but an INVITE."""
        return self.reply(200, "OK", body, tag=False, retrans=False)

    def final(self, status, reason, body=None):
        """A reply to the INVITE that was kept."""
        return send([f"SIP/2.0 {status} {reason}", "[$via]", "[$rr]", "From:[$from]", f"To:[$callee];tag={self.tag}",
                     "Call-ID: [call_id]", "CSeq: 1 INVITE", f"Contact: {self.contact}"], body)

    # ---- whole scenarios

    def caller(self, target, body, ack=None):
        """Calls, acknowledges, waits, hangs up."""
        return [self.invite(target, body), *self.answered(ack), WAIT, *self.bye(2)]

    def answered(self, ack=None):
        """What follows an INVITE until it is acknowledged; @ack: the SDP of the ACK."""
        return [recv(100, True), recv(180, True), recv(183, True), recv(200, rrs=True, actions=[KEEP_TO]),
                self.request("ACK", 1, body=ack)]

    def again(self, number, body):
        """Another INVITE of the caller."""
        return [self.request("INVITE", number, body=body), recv(100, True), recv(200), self.request("ACK", number)]

    def again_back(self, number, body):
        """An INVITE of the callee within the call."""
        return [self.back("INVITE", number, body), recv(100, True), recv(200), self.back("ACK", number)]

    def answering(self, body):
        """Takes another INVITE of the other side."""
        return [recv("INVITE"), self.reply(200, "OK", body, tag=False), recv("ACK")]

    def bye(self, number):
        return [self.request("BYE", number), recv(200)]

    def callee(self, body, *bodies):
        """Answers, and answers further INVITEs of the caller; is hung up."""
        steps = [recv("INVITE", rrs=True), self.reply(180, "Ringing"), self.reply(200, "OK", body), recv("ACK")]
        for another in bodies:
            steps += self.answering(another)
        return [*steps, recv("BYE"), self.ok()]
