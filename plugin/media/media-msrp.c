/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-msrp.c. */
#include "config.h"

#include "media/media-msrp.h"

MediaMsrp *media_msrp_new(MsrpMapMode mode, const char *const peer[2], const char *const ours[2],
                          const char *const also[2])
{
    MediaMsrp *m = g_atomic_rc_box_new0(MediaMsrp);

    m->mode = mode;
    for (int side = 0; side < 2; side++) {
        m->peer[side] = g_strdup(peer[side]);
        m->ours[side] = g_strdup(ours[side]);
        m->also[side] = also ? g_strdup(also[side]) : NULL;
    }
    return m;
}

MediaMsrp *media_msrp_ref(MediaMsrp *m)
{
    return m ? g_atomic_rc_box_acquire(m) : NULL;
}

static void clear(gpointer data)
{
    MediaMsrp *m = data;

    for (int side = 0; side < 2; side++) {
        g_free(m->peer[side]);
        g_free(m->ours[side]);
        g_free(m->also[side]);
    }
}

void media_msrp_unref(MediaMsrp *m)
{
    if (m)
        g_atomic_rc_box_release_full(m, clear);
}

bool media_msrp_eq(const MediaMsrp *a, const MediaMsrp *b)
{
    if (!a || !b)
        return a == b;
    if (a->mode != b->mode)
        return false;
    for (int side = 0; side < 2; side++)
        if (g_strcmp0(a->peer[side], b->peer[side]) != 0 ||
            g_strcmp0(a->ours[side], b->ours[side]) != 0 ||
            g_strcmp0(a->also[side], b->also[side]) != 0)
            return false;
    return true;
}
