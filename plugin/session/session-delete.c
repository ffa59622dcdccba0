/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-dialog.h"

Session *session_delete(const Session *old, const NgRequest *req, bool *ret_matched)
{
    g_autoptr(Session) next = session_copy(old);

    *ret_matched = false;
    for (unsigned i = next->dialogs->len; i-- > 0;) {
        if (!session_dialog_selected(old, next->dialogs->pdata[i], req))
            continue;
        g_ptr_array_remove_index(next->dialogs, i);
        *ret_matched = true;
    }
    return next->dialogs->len ? g_steal_pointer(&next) : NULL;
}
