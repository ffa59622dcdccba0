/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/msrp-map.h"

#define UE_S   "msrps://ue.example.com:2855/s3Ae9;tcp"
#define UE_P   "msrp://ue.example.com:2855/s3Ae9;tcp"
#define CORE_S "msrps://198.51.100.7:7000/kQ1;tcp"
#define CORE_P "msrp://198.51.100.7:7000/kQ1;tcp"
#define AGW_S  "msrps://192.0.2.1:30000/kQ1;tcp"
#define AGW_P  "msrp://192.0.2.9:30002/s3Ae9;tcp"

/* From the UE (TLS) to the core (plain), and back. */
static const MsrpMapSpec scheme_out = {
    .mode = MSRP_MAP_SCHEME, .to_here = SPAN(CORE_S), .from_here = SPAN(UE_S)};
static const MsrpMapSpec scheme_in = {.mode = MSRP_MAP_SCHEME,
                                      .secure_there = true,
                                      .to_here = SPAN(UE_P),
                                      .from_here = SPAN(CORE_P)};
static const MsrpMapSpec aware = {.mode = MSRP_MAP_AWARE,
                                  .to_here = SPAN(AGW_S),
                                  .from_here = SPAN(UE_S),
                                  .to_there = SPAN(CORE_P),
                                  .from_there = SPAN(AGW_P)};
/* A re-offer changes between the two; the core has its peer's URI from the other SDP. */
static const MsrpMapSpec scheme_also = {.mode = MSRP_MAP_SCHEME,
                                        .secure_there = true,
                                        .to_here = SPAN(UE_P),
                                        .from_here = SPAN(CORE_P),
                                        .to_there = SPAN(UE_S),
                                        .to_also = SPAN(AGW_P)};
static const MsrpMapSpec aware_also = {.mode = MSRP_MAP_AWARE,
                                       .to_here = SPAN(AGW_P),
                                       .from_here = SPAN(CORE_P),
                                       .to_there = SPAN(UE_S),
                                       .from_there = SPAN(AGW_S),
                                       .to_also = SPAN(UE_P)};
static const MsrpMapSpec keep_also = {
    .mode = MSRP_MAP_KEEP, .to_there = SPAN(UE_S), .to_also = SPAN(AGW_P)};
static const MsrpMapSpec keep = {.mode = MSRP_MAP_KEEP};

#define RELAY "msrps://relay.example.com:9000/r;tcp"

static const struct Case {
    const char *name;
    const MsrpMapSpec *spec;
    MsrpPathKind kind;
    const char *in, *out; /* NULL: unknown; "": bad */
} cases[] = {
    {"TRK-01/to", &scheme_out, MSRP_TO_PATH, CORE_S, CORE_P},
    {"TRK-01/from", &scheme_out, MSRP_FROM_PATH, UE_S, UE_P},
    {"TRK-01/to-secure", &scheme_in, MSRP_TO_PATH, UE_P, UE_S},
    {"TRK-01/from-secure", &scheme_in, MSRP_FROM_PATH, CORE_P, CORE_S},
    {"TRK-01/already-right", &scheme_out, MSRP_TO_PATH, CORE_P, CORE_P},
    {"TRK-01/already-secure", &scheme_in, MSRP_TO_PATH, UE_S, UE_S},
    {"TRK-01/own-session-in-either-header", &scheme_out, MSRP_FROM_PATH, CORE_S, CORE_P},
    {"TRK-01/other-session-id", &scheme_out, MSRP_TO_PATH, "msrps://198.51.100.7:7000/kq1;tcp",
     "msrps://198.51.100.7:7000/kq1;tcp"},
    {"TRK-01/other-port", &scheme_out, MSRP_TO_PATH, "msrps://198.51.100.7:7001/kQ1;tcp",
     "msrps://198.51.100.7:7001/kQ1;tcp"},
    {"TRK-01/keeps-spelling", &scheme_out, MSRP_FROM_PATH,
     "MSRPS://me@UE.example.com:2855/s3Ae9;TCP;x=y", "MSRP://me@UE.example.com:2855/s3Ae9;TCP;x=y"},
    {"TRK-01/keeps-spelling-secure", &scheme_in, MSRP_TO_PATH,
     "Msrp://UE.example.com:2855/s3Ae9;TCP", "Msrps://UE.example.com:2855/s3Ae9;TCP"},
    {"TRK-02/several-uris", &scheme_out, MSRP_TO_PATH, RELAY " " CORE_S "  " RELAY,
     RELAY " " CORE_P "  " RELAY},
    {"TRK-02/all-of-the-session", &scheme_in, MSRP_TO_PATH, UE_P " " CORE_P, UE_S " " CORE_S},
    {"TRK-02/aware-to", &aware, MSRP_TO_PATH, AGW_S, CORE_P},
    {"TRK-02/aware-from", &aware, MSRP_FROM_PATH, UE_S, AGW_P},
    {"TRK-02/aware-several", &aware, MSRP_FROM_PATH, RELAY " " UE_S, RELAY " " AGW_P},
    {"MSR-04/aware-equal-not-same", &aware, MSRP_TO_PATH, "MSRPS://x@192.0.2.1:30000/kQ1;Tcp;a=b",
     CORE_P},
    {"MSR-04/aware-scheme-counts", &aware, MSRP_TO_PATH, "msrp://192.0.2.1:30000/kQ1;tcp", NULL},
    {"MSR-05/aware-unknown", &aware, MSRP_TO_PATH, CORE_S, NULL},
    {"MSR-05/aware-session-id-case", &aware, MSRP_TO_PATH, "msrps://192.0.2.1:30000/KQ1;tcp", NULL},
    {"MSR-05/aware-from-unknown", &aware, MSRP_FROM_PATH, AGW_S, NULL},
    {"TRK-03/aware-before-the-switch", &aware_also, MSRP_TO_PATH, UE_P, UE_S},
    {"TRK-03/aware-after-the-switch", &aware_also, MSRP_TO_PATH, AGW_P, UE_S},
    {"TRK-03/aware-neither", &aware_also, MSRP_TO_PATH, UE_S, NULL},
    {"TRK-03/aware-not-in-from-path", &aware_also, MSRP_FROM_PATH, UE_P, NULL},
    {"TRK-03/scheme-before-the-answer", &scheme_also, MSRP_TO_PATH, AGW_P, UE_S},
    {"TRK-03/scheme-as-ever", &scheme_also, MSRP_TO_PATH, UE_P, UE_S},
    {"TRK-03/scheme-not-in-from-path", &scheme_also, MSRP_FROM_PATH, AGW_P, AGW_P},
    {"TRK-03/keep", &keep_also, MSRP_TO_PATH, AGW_P, UE_S},
    {"TRK-03/keep-as-ever", &keep_also, MSRP_TO_PATH, CORE_S, CORE_S},
    {"bad/not-a-uri", &scheme_out, MSRP_TO_PATH, "sip:bob@example.com", ""},
    {"bad/one-of-two", &aware, MSRP_TO_PATH, AGW_S " x", ""},
    {"bad/blank", &aware, MSRP_TO_PATH, " ", ""},
    {"bad/nine", &scheme_out, MSRP_TO_PATH,
     UE_S " " UE_S " " UE_S " " UE_S " " UE_S " " UE_S " " UE_S " " UE_S " " UE_S, ""},
    {"eight", &scheme_out, MSRP_TO_PATH,
     UE_S " " UE_S " " UE_S " " UE_S " " UE_S " " UE_S " " UE_S " " UE_S,
     UE_P " " UE_P " " UE_P " " UE_P " " UE_P " " UE_P " " UE_P " " UE_P},
    {"keep/anything", &keep, MSRP_TO_PATH, "sip:bob@example.com", "sip:bob@example.com"},
};

static char *apply(Span path, const MsrpEdits *edits)
{
    GString *out = g_string_new(NULL);
    size_t at = 0;

    for (unsigned i = 0; i < edits->n; i++) {
        const MsrpEdit *e = &edits->edit[i];
        g_assert_cmpuint(e->at, >=, at);
        g_string_append_len(out, path.p + at, (gssize)(e->at - at));
        g_string_append_len(out, e->put.p, (gssize)e->put.len);
        at = e->at + e->cut;
    }
    g_string_append_len(out, path.p + at, (gssize)(path.len - at));
    return g_string_free(out, FALSE);
}

static void check(MsrpMap *map, const struct Case *c)
{
    const MsrpEdits *edits = NULL;
    MsrpMapResult result = msrp_map_path(map, c->kind, span_str(c->in), &edits);

    g_assert_cmpint(result, ==, !c->out ? MSRP_MAP_UNKNOWN : *c->out ? MSRP_MAP_OK : MSRP_MAP_BAD);
    if (result != MSRP_MAP_OK) {
        g_assert_null(edits);
        return;
    }
    g_autofree char *out = apply(span_str(c->in), edits);
    g_assert_cmpstr(out, ==, c->out);
}

static void test_case(const void *data)
{
    const struct Case *c = data;
    g_autoptr(MsrpMap) map = msrp_map_new(c->spec);

    check(map, c);
    check(map, c); /* what was remembered says the same */
}

/* One map judging everything in turn: what it remembers never leaks into another path. */
static void test_in_turn(void)
{
    const MsrpMapSpec *specs[] = {&scheme_out,  &scheme_in,  &aware,    &keep,
                                  &scheme_also, &aware_also, &keep_also};

    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        g_autoptr(MsrpMap) map = msrp_map_new(specs[i]);
        for (size_t n = 0; n < 3 * G_N_ELEMENTS(cases); n++) {
            const struct Case *c = &cases[n * 7 % G_N_ELEMENTS(cases)];
            if (c->spec == specs[i])
                check(map, c);
        }
    }
}

static void test_long_path(void)
{
    g_autofree char *params = g_strnfill(600, 'p');
    g_autofree char *in = g_strconcat(UE_S ";", params, NULL);
    g_autofree char *out = g_strconcat(UE_P ";", params, NULL);
    struct Case c = {"", &scheme_out, MSRP_FROM_PATH, in, out};
    g_autoptr(MsrpMap) map = msrp_map_new(&scheme_out);

    check(map, &c);
    in[strlen(in) - 1] = 'q';
    out[strlen(out) - 1] = 'q';
    check(map, &c);
}

static void test_needs_uris(void)
{
    MsrpMapSpec spec = aware;

    spec.from_there = SPAN("");
    g_assert_null(msrp_map_new(&spec));
    spec = scheme_out;
    spec.to_here = SPAN(RELAY " " CORE_S);
    g_assert_null(msrp_map_new(&spec));
    g_assert_null(msrp_map_new(&(MsrpMapSpec){.mode = MSRP_MAP_SCHEME}));
    spec = keep_also;
    spec.to_there = SPAN("");
    g_assert_null(msrp_map_new(&spec));
    spec = aware_also;
    spec.to_also = SPAN("x");
    g_assert_null(msrp_map_new(&spec));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strconcat("/framing/msrp/map/", cases[i].name, NULL);
        g_test_add_data_func(name, &cases[i], test_case);
    }
    g_test_add_func("/framing/msrp/map/in-turn", test_in_turn);
    g_test_add_func("/framing/msrp/map/long-path", test_long_path);
    g_test_add_func("/framing/msrp/map/MSR-12/needs-single-uris", test_needs_uris);
    return g_test_run();
}
