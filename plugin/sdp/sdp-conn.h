/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * sdp-conn.h: the c= line as an address. Strict: a literal unicast address of the stated family or
 * nothing, because the address is a place to connect to and no name may reach a resolver.
 *
 * Threads: any; there is no state.
 */
#pragma once

#include "base/addr.h"
#include "sdp/sdp-doc.h"

typedef enum SdpConn {
    SDP_CONN_NONE, /* no c= line counts for this section */
    SDP_CONN_OK,   /* a literal; may be 0.0.0.0 or ::, see addr_is_any() (TRK-12) */
    SDP_CONN_NAME, /* a host name */
    SDP_CONN_BAD,  /* anything else: not IN, wrong family, multicast, 888.888.888.888, several
                      different ones */
} SdpConn;

/** Parses the value of a c= line. *@ret_addr is set for SDP_CONN_OK only, with port 0. */
SdpConn sdp_conn_parse(Span value, Addr *ret_addr);

/**
 * The address of a media section: its own c= line, else that of the session part. With the port of
 * the m= line. For section 0 it is the session's own, with port 0.
 */
SdpConn sdp_conn_of(const SdpDoc *doc, unsigned section, Addr *ret_addr);
