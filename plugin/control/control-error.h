/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-error.h: the error domain of this folder.
 */
#pragma once

#include <glib.h>

#define CONTROL_ERROR (control_error_quark())
GQuark control_error_quark(void);

typedef enum ControlError {
    CONTROL_ERROR_SOCKET,    /* an address that cannot be bound or connected to */
    CONTROL_ERROR_NO_FAMILY, /* the same, because the host has no IPv6 (or no IPv4) */
    CONTROL_ERROR_TIMEOUT,   /* rtpengine did not answer */
    CONTROL_ERROR_TOO_LONG,  /* does not fit a datagram to rtpengine */
    CONTROL_ERROR_BUSY,      /* too many requests wait for rtpengine */
    CONTROL_ERROR_STORE,     /* a call could not be recorded */
    CONTROL_ERROR_STOPPING,  /* we are going down: the answer would be nobody's */
} ControlError;
