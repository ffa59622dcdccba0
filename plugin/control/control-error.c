/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/control-error.h"

G_DEFINE_QUARK(control_error, control_error)
