/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/msrp-map.h"

/* Where "msrp" ends in a URI: there the s goes or comes. */
#define SCHEME_LEN 4

typedef enum { TO_HERE, FROM_HERE, TO_THERE, FROM_THERE, TO_ALSO, N_URIS } UriIndex;

struct MsrpMap {
    MsrpMapMode mode;
    bool secure_there;
    bool bound_elsewhere;
    char *text[N_URIS];
    MsrpUri uri[N_URIS]; /* point into the texts */
    MsrpEdits edits[2];  /* by MsrpPathKind: of the last path */
};

static bool take_uri(MsrpMap *map, UriIndex index, Span text)
{
    map->text[index] = span_dup(text);
    return msrp_uri_parse((Span){map->text[index], text.len}, &map->uri[index]);
}

MsrpMap *msrp_map_new(const MsrpMapSpec *spec)
{
    g_autoptr(MsrpMap) map = g_new0(MsrpMap, 1);
    const Span *texts[] = {&spec->to_here, &spec->from_here, &spec->to_there, &spec->from_there};
    int needed = spec->mode == MSRP_MAP_KEEP ? 0 : spec->mode == MSRP_MAP_SCHEME ? 2 : 4;

    map->mode = spec->mode;
    map->secure_there = spec->secure_there;
    map->bound_elsewhere = spec->bound_elsewhere;
    for (int i = 0; i < needed; i++)
        if (!take_uri(map, (UriIndex)i, *texts[i]))
            return NULL;
    if (!spec->to_also.len)
        return g_steal_pointer(&map);
    if (needed < 4 && !take_uri(map, TO_THERE, spec->to_there))
        return NULL;
    return take_uri(map, TO_ALSO, spec->to_also) ? g_steal_pointer(&map) : NULL;
}

void msrp_map_free(MsrpMap *map)
{
    if (!map)
        return;
    for (int i = 0; i < N_URIS; i++)
        g_free(map->text[i]);
    g_free(map);
}

MsrpMapMode msrp_map_mode(const MsrpMap *map)
{
    return map->mode;
}

bool msrp_map_bound_elsewhere(const MsrpMap *map)
{
    return map->bound_elsewhere;
}

static bool same_but_scheme(MsrpUri a, MsrpUri b)
{
    a.secure = b.secure;
    return msrp_uri_eq(&a, &b);
}

/* TRK-01: one byte, and only for the two URIs that this session's SDP named. */
static bool edit_scheme(const MsrpMap *map, const MsrpUri *uri, MsrpEdit *edit)
{
    if (uri->secure == map->secure_there ||
        (!same_but_scheme(*uri, map->uri[TO_HERE]) && !same_but_scheme(*uri, map->uri[FROM_HERE])))
        return false;
    edit->at += SCHEME_LEN;
    edit->cut = map->secure_there ? 0 : 1;
    edit->put = map->secure_there ? SPAN("s") : (Span){"", 0};
    return true;
}

/* TRK-03: under its other name, from who has read another SDP than we. */
static bool edit_also(const MsrpMap *map, MsrpPathKind kind, const MsrpUri *uri, MsrpEdit *edit)
{
    if (kind != MSRP_TO_PATH || !map->text[TO_ALSO] || !msrp_uri_eq(uri, &map->uri[TO_ALSO]))
        return false;
    edit->put = span_str(map->text[TO_THERE]);
    return true;
}

/* TRK-02: the session's URI on this leg for the one on the other. */
static bool edit_aware(const MsrpMap *map, MsrpPathKind kind, const MsrpUri *uri, MsrpEdit *edit)
{
    UriIndex here = kind == MSRP_TO_PATH ? TO_HERE : FROM_HERE;
    UriIndex there = kind == MSRP_TO_PATH ? TO_THERE : FROM_THERE;

    if (!msrp_uri_eq(uri, &map->uri[here]))
        return false;
    edit->put = span_str(map->text[there]);
    return true;
}

static MsrpMapResult judge(const MsrpMap *map, MsrpPathKind kind, Span path, MsrpEdits *ret_edits)
{
    Span rest = path;
    unsigned uris = 0;

    ret_edits->n = 0;
    if (map->mode == MSRP_MAP_KEEP && !map->text[TO_ALSO])
        return MSRP_MAP_OK;
    for (Span word = span_word(&rest); word.len; word = span_word(&rest)) {
        MsrpEdit edit = {.at = (size_t)(word.p - path.p), .cut = word.len};
        bool mine = false;
        MsrpUri uri;
        if (uris++ == MSRP_PATH_MAX || !msrp_uri_parse(word, &uri))
            return MSRP_MAP_BAD;
        if (edit_also(map, kind, &uri, &edit))
            mine = true;
        else if (map->mode == MSRP_MAP_SCHEME)
            mine = edit_scheme(map, &uri, &edit);
        else if (map->mode == MSRP_MAP_AWARE)
            mine = edit_aware(map, kind, &uri, &edit);
        if (mine)
            ret_edits->edit[ret_edits->n++] = edit;
    }
    if (uris == 0)
        return MSRP_MAP_BAD;
    return map->mode == MSRP_MAP_AWARE && ret_edits->n == 0 ? MSRP_MAP_UNKNOWN : MSRP_MAP_OK;
}

MsrpMapResult msrp_map_path(MsrpMap *map, MsrpPathKind kind, Span path, const MsrpEdits **ret_edits)
{
    MsrpMapResult result = judge(map, kind, path, &map->edits[kind]);

    if (result == MSRP_MAP_OK)
        *ret_edits = &map->edits[kind];
    return result;
}
