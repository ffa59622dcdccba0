/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-policy.h"

bool session_interface_exists(const SessionPolicy *policy, const char *name)
{
    for (unsigned i = 0; i < policy->n_interfaces; i++)
        if (g_str_equal(policy->interfaces[i].name, name))
            return true;
    return false;
}

const SessionInterface *session_interface(const SessionPolicy *policy, const char *name,
                                          AddrFamily family)
{
    const SessionInterface *named = NULL;

    if (!name || !session_interface_exists(policy, name))
        name = policy->interfaces[0].name;
    for (unsigned i = 0; i < policy->n_interfaces; i++) {
        const SessionInterface *candidate = &policy->interfaces[i];
        if (!g_str_equal(candidate->name, name))
            continue;
        if (candidate->advertised.family == family)
            return candidate;
        if (!named)
            named = candidate;
    }
    return named;
}
