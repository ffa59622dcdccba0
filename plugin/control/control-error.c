/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-control-upstream.c */
#include "config.h"

#include "control/control-error.h"

G_DEFINE_QUARK(control_error, control_error)
