/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mutation matrices 19.1 and 19.2 and what stands around them, as whole bodies. */
#include "session-fixture.h"

/* The session part of each side's bodies, and what the other side gets of it without rtpengine. */
#define UE       "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define UE_OUT   "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 203.0.113.2\nt=0 0\n"
#define CORE     "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"
#define CORE_OUT "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n"
/* The same after rtpengine. */
#define UE_RTP   "v=0\no=ue 1 1 IN IP4 203.0.113.9\ns=-\nc=IN IP4 203.0.113.9\nt=0 0\n"
#define CORE_RTP "v=0\no=core 2 2 IN IP4 203.0.113.9\ns=-\nc=IN IP4 203.0.113.9\nt=0 0\n"

#define T38_ATTRS                                                                                  \
    "a=T38FaxVersion:0\na=T38MaxBitRate:14400\na=T38FaxRateManagement:transferredTCF\n"            \
    "a=T38FaxMaxDatagram:150\na=T38FaxUdpEC:t38UDPRedundancy\n"

typedef struct Exchange {
    const char *name;
    SessionSide from; /* who offers */
    const char *keys;
    const char *offer, *offer_out, *answer, *answer_out;
} Exchange;

static const Exchange exchanges[] = {
    {"ORG-03/msrp", SESSION_ACCESS, "e2ae=originating",
     UE "m=message 2855 TCP/TLS/MSRP *\n"
        "a=accept-types:text/plain message/cpim\n"
        "a=path:msrps://198.51.100.10:2855/s3Ae9;tcp\n"
        "a=setup:actpass\n"
        "a=connection:new\n"
        "a=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n"
        "a=file-selector:name:\"x.jpg\" type:image/jpeg size:9\n",
     UE_OUT "m=message 40000 TCP/MSRP *\n"
            "c=IN IP4 203.0.113.2\n"
            "a=accept-types:text/plain message/cpim\n"
            "a=path:msrp://203.0.113.2:40000/s3Ae9;tcp\n"
            "a=setup:actpass\n"
            "a=file-selector:name:\"x.jpg\" type:image/jpeg size:9\n",
     CORE "m=message 7000 TCP/MSRP *\n"
          "a=accept-types:text/plain\n"
          "a=path:msrp://192.0.2.9:7000/kQ1;tcp\n"
          "a=setup:passive\n",
     CORE_OUT "m=message 30000 TCP/TLS/MSRP *\n"
              "c=IN IP4 198.51.100.1\n"
              "a=accept-types:text/plain\n"
              "a=path:msrps://198.51.100.1:30000/kQ1;tcp\n"
              "a=setup:passive\n"
              "a=fingerprint:{gw}\n"},
    {"ORG-11/msrp-refused", SESSION_ACCESS, "e2ae=originating",
     UE "m=message 2855 TCP/TLS/MSRP *\n"
        "a=path:msrps://198.51.100.10:2855/s3Ae9;tcp\n"
        "a=fingerprint:{ue}\n"
        "a=setup:active\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=message 40000 TCP/MSRP *\n"
            "c=IN IP4 203.0.113.2\n"
            "a=path:msrp://203.0.113.2:40000/s3Ae9;tcp\n"
            "a=setup:actpass\n",
     CORE "m=message 0 TCP/MSRP *\n", CORE "m=message 0 TCP/TLS/MSRP *\n"},
    {"ORG-04/bfcp", SESSION_ACCESS, "e2ae=originating",
     UE "m=application 50000 TCP/TLS/BFCP *\n"
        "i=slides\n"
        "a=tls-id:abcdefghijklmnopqrst\n"
        "a=fingerprint:{ue}\n"
        "a=fingerprint:{ue2}\n"
        "a=setup:actpass\n"
        "a=connection:new\n"
        "a=floorctrl:c-only\n"
        "a=confid:4321\n"
        "a=userid:1234\n"
        "a=floorid:1 mstrm:10\n"
        "a=bfcpver:1\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=application 40000 TCP/BFCP *\n"
            "i=slides\n"
            "c=IN IP4 203.0.113.2\n"
            "a=setup:actpass\n"
            "a=floorctrl:c-only\n"
            "a=confid:4321\n"
            "a=userid:1234\n"
            "a=floorid:1 mstrm:10\n"
            "a=bfcpver:1\n"
            "a=connection:new\n",
     CORE "m=application 9 TCP/BFCP *\n"
          "a=floorctrl:s-only\n"
          "a=setup:active\n"
          "a=connection:new\n",
     CORE_OUT "m=application 30000 TCP/TLS/BFCP *\n"
              "c=IN IP4 198.51.100.1\n"
              "a=floorctrl:s-only\n"
              "a=setup:passive\n"
              "a=connection:new\n"
              "a=fingerprint:{gw}\n"
              "a=tls-id:{tls-id-1}\n"},
    {"ORG-11/bfcp-refused", SESSION_ACCESS, "e2ae=originating",
     UE "m=application 50000 TCP/TLS/BFCP *\na=fingerprint:{ue}\na=setup:actpass\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=application 40000 TCP/BFCP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n"
            "a=connection:new\n",
     CORE "m=application 0 TCP/BFCP *\na=setup:passive\na=connection:new\na=fingerprint:{core}\n",
     CORE "m=application 0 TCP/TLS/BFCP *\n"},
    {"ORG-05/t38", SESSION_ACCESS, "e2ae=originating",
     UE "m=image 6056 UDP/TLS/UDPTL t38\n"
        "a=setup:actpass\n"
        "a=fingerprint:{ue}\n"
        "a=tls-id:abcdefghijklmnopqrst\n"
        "a=3ge2ae:requested\n" T38_ATTRS,
     UE_OUT "m=image 40000 udptl t38\nc=IN IP4 203.0.113.2\n" T38_ATTRS,
     CORE "m=image 5004 udptl t38\n" T38_ATTRS,
     CORE_OUT "m=image 30000 UDP/TLS/UDPTL t38\n"
              "c=IN IP4 198.51.100.1\n" T38_ATTRS "a=setup:passive\n"
              "a=fingerprint:{gw}\n"
              "a=tls-id:{tls-id-1}\n"},
    {"DTL-05/t38-without-tls-id", SESSION_ACCESS, "e2ae=originating",
     UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:passive\na=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=image 40000 udptl t38\nc=IN IP4 203.0.113.2\n", CORE "m=image 5004 UDPTL t38\n",
     CORE_OUT "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\na=setup:active\n"
              "a=fingerprint:{gw}\n"},
    {"ORG-11/t38-refused", SESSION_ACCESS, "e2ae=originating",
     UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\na=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=image 40000 udptl t38\nc=IN IP4 203.0.113.2\n", CORE "m=image 0 udptl t38\n",
     CORE "m=image 0 UDP/TLS/UDPTL t38\n"},

    {"TRM-01/msrp", SESSION_CORE, "e2ae=terminating",
     CORE "m=message 7000 TCP/MSRP *\n"
          "a=accept-types:text/plain\n"
          "a=path:msrp://192.0.2.9:7000/kQ1;tcp\n"
          "a=setup:actpass\n"
          "a=fingerprint:{core}\n"
          "a=3ge2ae:applied\n",
     CORE_OUT "m=message 30000 TCP/TLS/MSRP *\n"
              "c=IN IP4 198.51.100.1\n"
              "a=accept-types:text/plain\n"
              "a=path:msrps://198.51.100.1:30000/kQ1;tcp\n"
              "a=setup:actpass\n"
              "a=fingerprint:{gw}\n"
              "a=3ge2ae:applied\n",
     UE "m=message 9 TCP/TLS/MSRP *\n"
        "a=accept-types:text/plain\n"
        "a=path:msrps://198.51.100.10:9/s3Ae9;tcp\n"
        "a=setup:active\n"
        "a=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=message 40000 TCP/MSRP *\n"
            "c=IN IP4 203.0.113.2\n"
            "a=accept-types:text/plain\n"
            "a=path:msrp://203.0.113.2:40000/s3Ae9;tcp\n"
            "a=setup:passive\n"},
    {"TRM-12/msrp-refused", SESSION_CORE, "e2ae=terminating",
     CORE "m=message 7000 TCP/MSRP *\na=setup:active\n",
     CORE_OUT "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:actpass\n"
              "a=fingerprint:{gw}\na=3ge2ae:applied\n",
     UE "m=message 0 TCP/TLS/MSRP *\na=fingerprint:{ue}\na=setup:passive\n",
     UE "m=message 0 TCP/MSRP *\n"},
    {"TRM-02/bfcp", SESSION_CORE, "e2ae=terminating",
     CORE "m=application 50000 TCP/BFCP *\n"
          "a=floorctrl:c-s\n"
          "a=setup:passive\n"
          "a=connection:new\n",
     CORE_OUT "m=application 30000 TCP/TLS/BFCP *\n"
              "c=IN IP4 198.51.100.1\n"
              "a=floorctrl:c-s\n"
              "a=setup:actpass\n"
              "a=connection:new\n"
              "a=fingerprint:{gw}\n"
              "a=3ge2ae:applied\n",
     UE "m=application 55000 TCP/TLS/BFCP *\n"
        "a=floorctrl:c-only\n"
        "a=fingerprint:{ue}\n"
        "a=tls-id:abcdefghijklmnopqrst\n"
        "a=setup:passive\n"
        "a=connection:new\n",
     UE_OUT "m=application 9 TCP/BFCP *\n"
            "c=IN IP4 203.0.113.2\n"
            "a=floorctrl:c-only\n"
            "a=setup:active\n"
            "a=connection:new\n"},
    {"TRM-12/bfcp-refused", SESSION_CORE, "e2ae=terminating",
     CORE "m=application 50000 TCP/BFCP *\na=setup:actpass\n",
     CORE_OUT "m=application 30000 TCP/TLS/BFCP *\nc=IN IP4 198.51.100.1\na=setup:actpass\n"
              "a=connection:new\na=fingerprint:{gw}\na=3ge2ae:applied\n",
     UE "m=application 0 TCP/TLS/BFCP *\n", UE "m=application 0 TCP/BFCP *\n"},
    {"TRM-12/t38-refused", SESSION_CORE, "e2ae=terminating", CORE "m=image 5004 UDPTL t38\n",
     CORE_OUT "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\na=setup:actpass\n"
              "a=fingerprint:{gw}\na=tls-id:{tls-id-1}\na=3ge2ae:applied\n",
     UE "m=image 0 UDP/TLS/UDPTL t38\na=fingerprint:{ue}\n", UE "m=image 0 UDPTL t38\n"},
    /* 19.5, with DTL-01: the core's own spelling of the proto comes back to it */
    {"19.5/t38", SESSION_CORE, "e2ae=terminating", CORE "m=image 5004 udptl t38\n" T38_ATTRS,
     CORE_OUT "m=image 31000 UDP/TLS/UDPTL t38\n"
              "c=IN IP4 198.51.100.1\n" T38_ATTRS "a=setup:actpass\n"
              "a=fingerprint:{gw}\n"
              "a=tls-id:{tls-id-1}\n"
              "a=3ge2ae:applied\n",
     UE "m=image 6056 UDP/TLS/UDPTL t38\n"
        "a=setup:active\n"
        "a=fingerprint:{ue}\n"
        "a=tls-id:uuuuuuuuuuuuuuuuuuuuuuuu\n" T38_ATTRS,
     UE_OUT "m=image 41000 udptl t38\nc=IN IP4 203.0.113.2\n" T38_ATTRS},
    /* 19.4 */
    {"19.4/msrp-cema", SESSION_ACCESS, "e2ae=originating",
     "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nt=0 0\n"
     "m=message 2855 TCP/TLS/MSRP *\n"
     "c=IN IP4 198.51.100.10\n"
     "a=path:msrps://198.51.100.10:2855/s3Ae9;tcp\n"
     "a=setup:actpass\n"
     "a=msrp-cema\n"
     "a=fingerprint:{ue}\n"
     "a=3ge2ae:requested\n",
     "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nt=0 0\n"
     "m=message 41000 TCP/MSRP *\n"
     "c=IN IP4 203.0.113.2\n"
     "a=path:msrp://198.51.100.10:2855/s3Ae9;tcp\n"
     "a=setup:actpass\n"
     "a=msrp-cema\n",
     "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nt=0 0\n"
     "m=message 7000 TCP/MSRP *\n"
     "c=IN IP4 192.0.2.9\n"
     "a=path:msrp://192.0.2.9:7000/kQ1;tcp\n"
     "a=setup:passive\n"
     "a=msrp-cema\n",
     "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nt=0 0\n"
     "m=message 31000 TCP/TLS/MSRP *\n"
     "c=IN IP4 198.51.100.1\n"
     "a=path:msrps://192.0.2.9:7000/kQ1;tcp\n"
     "a=setup:passive\n"
     "a=msrp-cema\n"
     "a=fingerprint:{gw}\n"},

    /* COM-10: the UE waits to be connected to, so the core has to come to us; port 9 (COM-02) */
    {"COM-10/msrp-ue-passive", SESSION_ACCESS, "e2ae=originating",
     UE "m=message 2855 TCP/TLS/MSRP *\na=setup:passive\na=fingerprint:{ue}\na=3ge2ae:requested\n",
     UE_OUT "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=setup:passive\n",
     CORE "m=message 9 TCP/MSRP *\na=setup:active\n",
     CORE_OUT "m=message 9 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:active\n"
              "a=fingerprint:{gw}\n"},
    {"TRK-16/bfcp-holdconn", SESSION_ACCESS, "e2ae=originating",
     UE "m=application 9 TCP/TLS/BFCP *\na=setup:holdconn\na=connection:new\na=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=application 40000 TCP/BFCP *\nc=IN IP4 203.0.113.2\na=setup:holdconn\n"
            "a=connection:new\n",
     CORE "m=application 9 TCP/BFCP *\na=setup:holdconn\na=connection:new\n",
     CORE_OUT "m=application 30000 TCP/TLS/BFCP *\nc=IN IP4 198.51.100.1\na=setup:holdconn\n"
              "a=connection:new\na=fingerprint:{gw}\n"},
    {"TRK-16/msrp-holdconn-is-nothing", SESSION_ACCESS, "e2ae=originating",
     UE "m=message 2855 TCP/TLS/MSRP *\na=setup:holdconn\na=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n",
     CORE "m=message 7000 TCP/MSRP *\na=setup:holdconn\n",
     CORE_OUT "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=fingerprint:{gw}\n"},
    {"IND-04/applied-in-answers", SESSION_ACCESS, "e2ae=originating e2ae-answer-indication=yes",
     UE "m=message 2855 TCP/TLS/MSRP *\na=setup:active\na=fingerprint:{ue}\na=3ge2ae:requested\n",
     UE_OUT "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n",
     CORE "m=message 7000 TCP/MSRP *\na=setup:passive\n",
     CORE_OUT "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=fingerprint:{gw}\na=3ge2ae:applied\n"},

    {"SIG-09/any-secure-line-with-sha-1", SESSION_ACCESS,
     "e2ae=originating e2ae-require=none e2ae-hash=sha-1",
     UE "m=message 2855 TCP/TLS/MSRP *\na=setup:active\na=fingerprint:{sha1}\n",
     UE_OUT "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n",
     CORE "m=message 7000 TCP/MSRP *\na=setup:passive\n",
     CORE_OUT "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=fingerprint:{gw}\n"},

    /* ICE-01, TRK-26, E2E-08: no other way to secure or reach the line goes on; the session's ICE
       stays (ICE-03) */
    {"ICE-01/other-ways-are-stripped", SESSION_ACCESS, "e2ae=originating",
     UE "a=ice-ufrag:f00\na=ice-pwd:abcdefghijklmnopqrstuv\na=ice-options:trickle\n"
        "m=message 2855 TCP/TLS/MSRP *\n"
        "a=candidate:1 1 TCP 1 198.51.100.10 9 typ host tcptype active\n"
        "a=ice-ufrag:f00\na=ice-pwd:abcdefghijklmnopqrstuv\na=end-of-candidates\n"
        "a=remote-candidates:1 192.0.2.9 9\n"
        "a=key-mgmt:mikey AQAFgM0=\n"
        "a=tcap:1 TCP/TLS/MSRP TCP/MSRP\na=pcfg:1 t=1\na=acap:1 setup:active\na=acfg:1 t=1\n"
        "a=setup:active\na=fingerprint:{ue}\na=3ge2ae:requested\n",
     UE_OUT "a=ice-ufrag:f00\na=ice-pwd:abcdefghijklmnopqrstuv\na=ice-options:trickle\n"
            "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n",
     CORE "m=message 7000 TCP/MSRP *\na=setup:passive\na=ice-lite\n"
          "a=candidate:1 1 TCP 1 192.0.2.9 7000 typ host tcptype passive\n",
     CORE_OUT "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=fingerprint:{gw}\n"},

    {"ICE-01/bfcp-other-ways-are-stripped", SESSION_ACCESS, "e2ae=originating",
     UE "m=application 50000 TCP/TLS/BFCP *\n"
        "a=candidate:1 1 TCP 1 198.51.100.10 50000 typ host tcptype passive\n"
        "a=ice-ufrag:f00\na=ice-pwd:abcdefghijklmnopqrstuv\n"
        "a=key-mgmt:mikey AQAFgM0=\n"
        "a=floorctrl:c-s\na=setup:actpass\na=connection:new\na=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=application 40000 TCP/BFCP *\nc=IN IP4 203.0.113.2\na=floorctrl:c-s\n"
            "a=setup:actpass\na=connection:new\n",
     CORE "m=application 7000 TCP/BFCP *\na=floorctrl:s-only\na=setup:passive\n"
          "a=candidate:1 1 TCP 1 192.0.2.9 7000 typ host tcptype passive\n"
          "a=remote-candidates:1 198.51.100.10 50000\na=key-mgmt:mikey AQAFgM0=\n",
     CORE_OUT "m=application 30000 TCP/TLS/BFCP *\nc=IN IP4 198.51.100.1\na=floorctrl:s-only\n"
              "a=setup:passive\na=connection:new\na=fingerprint:{gw}\n"},
    /* CTLS-02, CTLS-03: TLS on both legs of the other media, each leg with values of its own */
    {"CTLS-02/bfcp", SESSION_ACCESS, "e2ae=originating e2ae-core=tls",
     UE "m=application 50000 TCP/TLS/BFCP *\na=setup:actpass\na=connection:new\n"
        "a=fingerprint:{ue}\na=3ge2ae:requested\n",
     UE_OUT "m=application 40000 TCP/TLS/BFCP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n"
            "a=connection:new\na=fingerprint:{gw}\n",
     CORE "m=application 7000 TCP/TLS/BFCP *\na=setup:passive\na=connection:new\n"
          "a=fingerprint:{core}\n",
     CORE_OUT "m=application 30000 TCP/TLS/BFCP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=connection:new\na=fingerprint:{gw}\n"},
    {"CTLS-02/t38", SESSION_ACCESS, "e2ae=originating e2ae-core=tls",
     UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\na=fingerprint:{ue}\n"
        "a=tls-id:abcdefghijklmnopqrst\na=3ge2ae:requested\n",
     UE_OUT "m=image 40000 UDP/TLS/UDPTL t38\nc=IN IP4 203.0.113.2\na=setup:actpass\n"
            "a=fingerprint:{gw}\na=tls-id:{tls-id-2}\n",
     CORE "m=image 5004 UDP/TLS/UDPTL t38\na=setup:active\na=fingerprint:{core}\n"
          "a=tls-id:cccccccccccccccccccc\n",
     CORE_OUT "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=fingerprint:{gw}\na=tls-id:{tls-id-1}\n"},
    {"CTLS-02/t38-from-the-core", SESSION_CORE, "e2ae=terminating e2ae-core=tls",
     CORE "m=image 5004 UDP/TLS/UDPTL t38\na=setup:actpass\na=fingerprint:{core}\n",
     CORE_OUT "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\na=setup:actpass\n"
              "a=fingerprint:{gw}\na=tls-id:{tls-id-1}\na=3ge2ae:applied\n",
     UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\na=fingerprint:{ue}\n"
        "a=tls-id:uuuuuuuuuuuuuuuuuuuuuuuu\n",
     UE_OUT "m=image 40000 UDP/TLS/UDPTL t38\nc=IN IP4 203.0.113.2\na=setup:passive\n"
            "a=fingerprint:{gw}\n"},
    {"TRM-12/core-tls-answer-in-clear", SESSION_ACCESS, "e2ae=originating e2ae-core=tls",
     UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\na=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=image 40000 UDP/TLS/UDPTL t38\nc=IN IP4 203.0.113.2\na=setup:actpass\n"
            "a=fingerprint:{gw}\na=tls-id:{tls-id-1}\n",
     CORE "m=image 5004 udptl t38\n", CORE "m=image 0 UDP/TLS/UDPTL t38\n"},
    /* ORG-06, TRK-14: session-level values count for the line and do not cross */
    {"ORG-06/session-level", SESSION_ACCESS, "e2ae=originating",
     UE "a=fingerprint:{ue}\na=setup:active\na=connection:new\na=3ge2ae:requested\n"
        "m=application 9 TCP/TLS/BFCP *\na=3ge2ae:requested\n",
     UE_OUT "m=application 40000 TCP/BFCP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n"
            "a=connection:new\n",
     CORE "a=fingerprint:{core}\na=setup:passive\nm=application 7000 TCP/BFCP *\n",
     CORE_OUT "m=application 30000 TCP/TLS/BFCP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=connection:new\na=fingerprint:{gw}\n"},
    /* ORG-06, E2E-01, E2E-05: the line that is not ours keeps what it had from the session part */
    {"ORG-06/session-level-beside-e2e", SESSION_ACCESS, "e2ae=originating",
     UE "a=fingerprint:{ue}\na=setup:actpass\na=key-mgmt:mikey AQAFgM0=\n"
        "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/1;tcp\n"
        "m=message 2856 TCP/TLS/MSRP *\na=key-mgmt:mikey BBBBB\na=3ge2ae:requested\n",
     UE_OUT "a=key-mgmt:mikey AQAFgM0=\n"
            "m=message 2855 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.10\n"
            "a=path:msrps://198.51.100.10:2855/1;tcp\na=fingerprint:{ue}\na=setup:actpass\n"
            "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n",
     CORE "a=fingerprint:{core}\n"
          "m=message 7000 TCP/TLS/MSRP *\na=setup:passive\n"
          "m=message 7001 TCP/MSRP *\na=setup:passive\n",
     CORE_OUT "m=message 7000 TCP/TLS/MSRP *\nc=IN IP4 192.0.2.9\na=setup:passive\n"
              "a=fingerprint:{core}\n"
              "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=fingerprint:{gw}\n"},
    /* TRK-25: the same port and fingerprint twice are two streams */
    {"TRK-25/two-msrp-lines", SESSION_ACCESS, "e2ae=originating",
     UE "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/1;tcp\na=setup:active\n"
        "a=fingerprint:{ue}\na=3ge2ae:requested\n"
        "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/2;tcp\na=setup:active\n"
        "a=fingerprint:{ue}\na=3ge2ae:requested\n",
     UE_OUT "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\n"
            "a=path:msrp://203.0.113.2:40000/1;tcp\na=setup:actpass\n"
            "m=message 40002 TCP/MSRP *\nc=IN IP4 203.0.113.2\n"
            "a=path:msrp://203.0.113.2:40002/2;tcp\na=setup:actpass\n",
     CORE "m=message 7000 TCP/MSRP *\na=setup:passive\n"
          "m=message 0 TCP/MSRP *\n",
     CORE_OUT "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=fingerprint:{gw}\n"
              "m=message 0 TCP/TLS/MSRP *\n"},

    /* with lines of rtpengine's */
    {"ORG-01/audio-beside-msrp", SESSION_ACCESS, "e2ae=originating",
     UE "m=audio 4000 RTP/AVP 0\na=sendrecv\n"
        "m=message 2855 TCP/TLS/MSRP *\na=setup:active\na=fingerprint:{ue}\na=3ge2ae:requested\n",
     UE_RTP "m=audio 5000 RTP/AVP 0\na=sendrecv\n"
            "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n",
     CORE "m=audio 6000 RTP/AVP 0\na=sendrecv\n"
          "m=message 7000 TCP/MSRP *\na=setup:passive\n",
     CORE_RTP "m=audio 7000 RTP/AVP 0\na=sendrecv\n"
              "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=fingerprint:{gw}\n"},
    {"ORG-01/msrp-before-audio", SESSION_ACCESS, "e2ae=originating",
     UE "m=message 2855 TCP/TLS/MSRP *\na=setup:active\na=fingerprint:{ue}\na=3ge2ae:requested\n"
        "m=audio 4000 RTP/AVP 0\n"
        "m=video 4002 RTP/AVP 97\n",
     UE_RTP "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n"
            "m=audio 5000 RTP/AVP 0\n"
            "m=video 5002 RTP/AVP 97\n",
     CORE "m=message 7000 TCP/MSRP *\na=setup:passive\n"
          "m=audio 0 RTP/AVP 0\n"
          "m=video 6002 RTP/AVP 97\n",
     CORE_RTP "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=fingerprint:{gw}\n"
              "m=audio 0 RTP/AVP 0\n"
              "m=video 7002 RTP/AVP 97\n"},
    {"TRM-01/audio-beside-bfcp-and-e2e-msrp", SESSION_CORE, "e2ae=terminating",
     CORE "m=audio 6000 RTP/AVP 0\n"
          "m=application 7000 TCP/BFCP *\na=setup:actpass\na=connection:new\n"
          "m=message 7001 TCP/TLS/MSRP *\na=setup:actpass\na=fingerprint:{core}\n",
     CORE_RTP "m=audio 7000 RTP/AVP 0\n"
              "m=application 30000 TCP/TLS/BFCP *\nc=IN IP4 198.51.100.1\na=setup:actpass\n"
              "a=connection:new\na=fingerprint:{gw}\na=3ge2ae:applied\n"
              "m=message 7001 TCP/TLS/MSRP *\nc=IN IP4 192.0.2.9\na=setup:actpass\n"
              "a=fingerprint:{core}\n",
     UE "m=audio 4000 RTP/AVP 0\n"
        "m=application 9 TCP/TLS/BFCP *\na=setup:active\na=connection:new\na=fingerprint:{ue}\n"
        "m=message 9 TCP/TLS/MSRP *\na=setup:active\na=fingerprint:{ue2}\n",
     UE_RTP "m=audio 5000 RTP/AVP 0\n"
            "m=application 40000 TCP/BFCP *\nc=IN IP4 203.0.113.2\na=setup:passive\n"
            "a=connection:new\n"
            "m=message 9 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.10\na=setup:active\n"
            "a=fingerprint:{ue2}\n"},
    /* ORG-06: rtpengine left the session-level fingerprint of a DTLS line that it relays as it is
     */
    {"ORG-06/dtls-audio-beside-msrp", SESSION_ACCESS, "e2ae=originating",
     UE "a=fingerprint:{ue}\na=setup:actpass\n"
        "m=audio 4000 UDP/TLS/RTP/SAVP 0\n"
        "m=audio 4002 RTP/AVP 0\n"
        "m=message 2855 TCP/TLS/MSRP *\na=3ge2ae:requested\n",
     UE_RTP "m=audio 5000 UDP/TLS/RTP/SAVP 0\na=fingerprint:{ue}\na=setup:actpass\n"
            "m=audio 5002 RTP/AVP 0\n"
            "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=setup:actpass\n",
     CORE "m=audio 6000 UDP/TLS/RTP/SAVP 0\na=fingerprint:{core}\na=setup:active\n"
          "m=audio 6002 RTP/AVP 0\n"
          "m=message 7000 TCP/MSRP *\na=setup:passive\n",
     CORE_RTP "m=audio 7000 UDP/TLS/RTP/SAVP 0\na=fingerprint:{core}\na=setup:active\n"
              "m=audio 7002 RTP/AVP 0\n"
              "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=setup:passive\n"
              "a=fingerprint:{gw}\n"},
    {"BFC-08/bundle", SESSION_ACCESS, "e2ae=originating",
     UE "a=group:BUNDLE a v b\n"
        "m=audio 4000 RTP/AVP 0\na=mid:a\n"
        "m=video 4000 RTP/AVP 97\na=mid:v\n"
        "m=application 50000 TCP/TLS/BFCP *\na=mid:b\na=setup:active\na=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n",
     UE_RTP "a=group:BUNDLE a v\n"
            "m=audio 5000 RTP/AVP 0\na=mid:a\n"
            "m=video 5000 RTP/AVP 97\na=mid:v\n"
            "m=application 40000 TCP/BFCP *\nc=IN IP4 203.0.113.2\na=mid:b\na=setup:actpass\n"
            "a=connection:new\n",
     CORE "a=group:BUNDLE a v\n"
          "m=audio 6000 RTP/AVP 0\na=mid:a\n"
          "m=video 6000 RTP/AVP 97\na=mid:v\n"
          "m=application 7000 TCP/BFCP *\na=mid:b\na=setup:passive\n",
     CORE_RTP "a=group:BUNDLE a v\n"
              "m=audio 7000 RTP/AVP 0\na=mid:a\n"
              "m=video 7000 RTP/AVP 97\na=mid:v\n"
              "m=application 30000 TCP/TLS/BFCP *\nc=IN IP4 198.51.100.1\na=mid:b\n"
              "a=setup:passive\na=connection:new\na=fingerprint:{gw}\n"},
    {"BFC-08/bundle-without-rtpengine", SESSION_ACCESS, "e2ae=originating",
     UE "a=group:BUNDLE b m\n"
        "m=application 50000 TCP/TLS/BFCP *\na=mid:b\na=setup:active\na=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n"
        "m=message 9 TCP/TLS/MSRP *\na=mid:m\na=setup:active\na=fingerprint:{ue}\n"
        "a=3ge2ae:requested\n",
     UE_OUT "m=application 40000 TCP/BFCP *\nc=IN IP4 203.0.113.2\na=mid:b\na=setup:actpass\n"
            "a=connection:new\n"
            "m=message 40002 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=mid:m\na=setup:actpass\n",
     CORE "m=application 7000 TCP/BFCP *\na=mid:b\na=setup:passive\n"
          "m=message 7001 TCP/MSRP *\na=mid:m\na=setup:passive\n",
     CORE_OUT "m=application 30000 TCP/TLS/BFCP *\nc=IN IP4 198.51.100.1\na=mid:b\n"
              "a=setup:passive\na=connection:new\na=fingerprint:{gw}\n"
              "m=message 30002 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=mid:m\na=setup:passive\n"
              "a=fingerprint:{gw}\n"},
    /* ORG-17: the line that cannot be protected is rejected on its own */
    {"ORG-17/no-fingerprint-beside-audio", SESSION_ACCESS, "e2ae=originating",
     UE "m=audio 4000 RTP/AVP 0\n"
        "m=message 2855 TCP/TLS/MSRP *\na=setup:actpass\na=3ge2ae:requested\n",
     UE_RTP "m=audio 5000 RTP/AVP 0\nm=message 0 TCP/MSRP *\n",
     CORE "m=audio 6000 RTP/AVP 0\nm=message 0 TCP/MSRP *\n",
     CORE_RTP "m=audio 7000 RTP/AVP 0\nm=message 0 TCP/TLS/MSRP *\n"},

    /* TRK-12: hold addresses and directions are the endpoints' business */
    {"TRK-12/hold", SESSION_ACCESS, "e2ae=originating",
     "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\n"
     "m=message 2855 TCP/TLS/MSRP *\na=inactive\na=setup:active\na=fingerprint:{ue}\n"
     "a=3ge2ae:requested\n",
     UE_OUT "m=message 40000 TCP/MSRP *\nc=IN IP4 203.0.113.2\na=inactive\na=setup:actpass\n",
     CORE "m=message 7000 TCP/MSRP *\na=inactive\na=setup:passive\n",
     CORE_OUT "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\na=inactive\na=setup:passive\n"
              "a=fingerprint:{gw}\n"},
    /* TRK-18 */
    {"TRK-18/ipv6", SESSION_ACCESS, "e2ae=originating",
     "v=0\no=ue 1 1 IN IP6 2001:db8:1::10\ns=-\nc=IN IP6 2001:db8:1::10\nt=0 0\n"
     "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://[2001:db8:1::10]:2855/s;tcp\na=setup:active\n"
     "a=fingerprint:{ue}\na=3ge2ae:requested\n",
     "v=0\no=ue 1 1 IN IP6 2001:db8:1::10\ns=-\nc=IN IP6 2001:db8:c::2\nt=0 0\n"
     "m=message 40000 TCP/MSRP *\nc=IN IP6 2001:db8:c::2\n"
     "a=path:msrp://[2001:db8:c::2]:40000/s;tcp\na=setup:actpass\n",
     "v=0\no=core 2 2 IN IP6 2001:db8:2::9\ns=-\nc=IN IP6 2001:db8:2::9\nt=0 0\n"
     "m=message 7000 TCP/MSRP *\na=setup:passive\n",
     "v=0\no=core 2 2 IN IP6 2001:db8:2::9\ns=-\nc=IN IP6 2001:db8:a::1\nt=0 0\n"
     "m=message 30000 TCP/TLS/MSRP *\nc=IN IP6 2001:db8:a::1\na=setup:passive\n"
     "a=fingerprint:{gw}\n"},
    /* both directions of the interface names: the offerer's first */
    {"direction/named-interfaces", SESSION_ACCESS,
     "e2ae=originating direction=core direction=access",
     UE "m=message 9 TCP/TLS/MSRP *\na=setup:active\na=fingerprint:{ue}\na=3ge2ae:requested\n",
     "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n"
     "m=message 40000 TCP/MSRP *\nc=IN IP4 198.51.100.1\na=setup:actpass\n",
     CORE "m=message 7000 TCP/MSRP *\na=setup:passive\n",
     "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 203.0.113.2\nt=0 0\n"
     "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 203.0.113.2\na=setup:passive\na=fingerprint:{gw}\n"},
};

static void play(Fixture *f, const Exchange *x)
{
    if (strstr(x->name, "19."))
        f->port[SESSION_ACCESS] = 31000, f->port[SESSION_CORE] = 41000;
    g_assert_true(fixture_offer(f, x->from, x->keys, x->offer));
    fixture_expect(f, x->offer_out);
    g_assert_true(fixture_answer(f, session_other(x->from), "", x->answer));
    fixture_expect(f, x->answer_out);
}

static void test_exchange(const void *arg)
{
    g_autoptr(Fixture) f = fixture_new();

    play(f, arg);
}

static void test_exchange_bare_lf(const void *arg)
{
    g_autoptr(Fixture) f = fixture_new();

    f->bare_lf = true;
    play(f, arg);
}

/* E2E-03, 19.3: what is not ours goes through byte by byte, but for the indication. */
static void test_untouched(void)
{
    static const char body[] =
        UE "a=fingerprint:{ue}\na=setup:actpass\na=key-mgmt:mikey AQAFgM0=\na=group:BUNDLE 1 2\n"
           "m=message 2855 TCP/TLS/MSRP *\na=mid:1\na=path:msrps://198.51.100.10:2855/1;tcp\n"
           "a=tls-id:abcdefghijklmnopqrst\na=connection:new\n"
           "m=application 50000 TCP/TLS/BFCP *\na=mid:2\na=key-mgmt:mikey BBB\n"
           "m=image 0 UDP/TLS/UDPTL t38\n\n";
    static const char answer[] = CORE "m=message 7000 TCP/TLS/MSRP *\na=fingerprint:{core}\n"
                                      "m=application 0 TCP/TLS/BFCP *\n"
                                      "m=image 0 UDP/TLS/UDPTL t38\n";
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", body));
    g_autofree char *text = fixture_text(f, body);
    g_assert_true(g_str_has_prefix(text, f->body));
    fixture_expect_upstream(f, NULL);
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", answer));
    fixture_expect(f, answer);
}

/* IND-02, IND-03: the indication has no business in the session part, nor in what comes from the
 * core. */
static void test_stray_indication(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=terminating e2ae-media=bfcp",
                                CORE "a=3ge2ae:applied\na=setup:active\n"
                                     "m=message 7000 TCP/MSRP *\na=3ge2ae:applied\n"
                                     "m=message 7001 TCP/TLS/MSRP *\na=3ge2ae:requested\n"));
    fixture_expect(f, CORE "a=setup:active\nm=message 7000 TCP/MSRP *\n"
                           "m=message 7001 TCP/TLS/MSRP *\n");
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "",
                                 UE "a=3ge2ae:requested\nm=message 9 TCP/MSRP *\n"
                                    "m=message 0 TCP/TLS/MSRP *\na=3ge2ae:requested\n"));
    fixture_expect(f, UE "m=message 9 TCP/MSRP *\nm=message 0 TCP/TLS/MSRP *\n");
}

/* What rtpengine is asked with: its own lines only, and none at all when there are none. */
static void test_upstream(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                UE "a=group:BUNDLE m a\na=fingerprint:{ue}\n"
                                   "m=message 9 TCP/TLS/MSRP *\na=mid:m\na=setup:active\n"
                                   "a=3ge2ae:requested\n"
                                   "m=audio 4000 RTP/AVP 0\na=mid:a\n"
                                   "m=image 6056 UDP/TLS/UDPTL t38\na=3ge2ae:requested\n"
                                   "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n"));
    fixture_expect_upstream(f, UE "a=group:BUNDLE a\na=fingerprint:{ue}\n"
                                  "m=audio 4000 RTP/AVP 0\na=mid:a\n"
                                  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n");
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE "m=message 7000 TCP/MSRP *\na=setup:passive\n"
                                      "m=audio 6000 RTP/AVP 0\n"
                                      "m=image 5004 udptl t38\n"
                                      "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\n"));
    fixture_expect_upstream(f, CORE "m=audio 6000 RTP/AVP 0\n"
                                    "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\n");
}

/* A line that rtpengine carries needs its section in rtpengine's reply. */
static void test_short_reply(void)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                UE "m=audio 4000 RTP/AVP 0\nm=video 4002 RTP/AVP 97\n"));
    g_assert_null(session_plan_render(f->plan, SPAN(""), &error));
    g_assert_error(error, SESSION_ERROR, SESSION_ERROR_UPSTREAM);
    g_clear_error(&error);
    g_assert_null(session_plan_render(f->plan, SPAN("v=0\r\nm=audio 1 RTP/AVP 0\r\n"), &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_null(session_plan_render(f->plan, SPAN("v=0\r\nm=audio x\r\n"), &error));
    g_assert_nonnull(error);
}

/* CTLS-02, CTLS-03: TLS on both legs, each with our fingerprint and none of the other side's. */
static void test_core_tls(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating e2ae-core=tls",
                                UE "m=message 9 TCP/TLS/MSRP *\na=setup:active\n"
                                   "a=fingerprint:{ue}\na=3ge2ae:requested\n"));
    fixture_expect(f, UE_OUT "m=message 40000 TCP/TLS/MSRP *\nc=IN IP4 203.0.113.2\n"
                             "a=setup:actpass\na=fingerprint:{gw}\n");
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE "m=message 7000 TCP/TLS/MSRP *\na=setup:passive\n"
                                      "a=fingerprint:{core}\n"));
    fixture_expect(f, CORE_OUT "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\n"
                               "a=setup:passive\na=fingerprint:{gw}\n");
    const SessionStream *stream = fixture_stream(f, 0);
    g_assert_cmpint(stream->leg[SESSION_CORE].tls_role, ==, MEDIA_TLS_CLIENT);
    g_assert_cmpint(stream->leg[SESSION_ACCESS].tls_role, ==, MEDIA_TLS_SERVER);
    /* neither leg goes back to clear text */
    g_assert_true(
        fixture_offer(f, SESSION_CORE, "", CORE "m=message 7000 TCP/MSRP *\na=setup:actpass\n"));
    g_assert_true(fixture_has(f, "m=message 0 TCP/TLS/MSRP *"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(exchanges); i++) {
        g_autofree char *crlf = g_strconcat("/session/matrix/", exchanges[i].name, NULL);
        g_autofree char *lf = g_strconcat("/session/matrix-bare-lf/", exchanges[i].name, NULL);
        g_test_add_data_func(crlf, &exchanges[i], test_exchange);
        g_test_add_data_func(lf, &exchanges[i], test_exchange_bare_lf);
    }
    g_test_add_func("/session/matrix/E2E-01/E2E-03/untouched", test_untouched);
    g_test_add_func("/session/matrix/IND-02/stray-indication", test_stray_indication);
    g_test_add_func("/session/matrix/ORG-01/what-rtpengine-gets", test_upstream);
    g_test_add_func("/session/matrix/ORG-01/short-reply", test_short_reply);
    g_test_add_func("/session/matrix/CTLS-02/core-tls", test_core_tls);
    return g_test_run();
}
