/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole bodies: our own fixtures and, where it exists beside the source, a folder of bodies from
 * the field. */
#include "base/span.h"
#include "sdp/sdp-conn.h"
#include "sdp/sdp-edit.h"
#include "sdp/sdp-media-attrs.h"
#include "sdp/sdp-tls-attrs.h"

#define MIN_FIXTURES 20

/* What is to be read of one media section. */
typedef struct Facts {
    const char *file;
    unsigned sections, section; /* how many m= lines, and which one (from 1) */
    unsigned port;
    const char *proto;
    SdpConn conn;
    unsigned fingerprints, unusable, malformed;
    SdpSetup setup;
    SdpIndication indication;
    unsigned path; /* URIs in a=path */
} Facts;

#define OK        SDP_CONN_OK
#define REQUESTED SDP_INDICATION_REQUESTED
#define NO_SETUP  SDP_SETUP_NONE
#define ACTIVE    SDP_SETUP_ACTIVE
#define PASSIVE   SDP_SETUP_PASSIVE
#define ACTPASS   SDP_SETUP_ACTPASS

static const Facts own[] = {
    {"msrps-requested-cema.sdp", 1, 1, 2855, "TCP/TLS/MSRP", OK, 1, 0, 0, ACTPASS, REQUESTED, 1},
    {"msrp-core-answer.sdp", 1, 1, 7000, "TCP/MSRP", OK, 0, 0, 0, PASSIVE, 0, 1},
    {"bfcp-tls-with-audio-requested.sdp", 2, 2, 50010, "TCP/TLS/BFCP", OK, 1, 0, 0, ACTPASS,
     REQUESTED, 0},
    {"udptl-dtls-tls-id.sdp", 1, 1, 6060, "UDP/TLS/UDPTL", OK, 1, 0, 0, ACTPASS, REQUESTED, 0},
    {"blank-after-colon.sdp", 1, 1, 6060, "UDP/TLS/UDPTL", OK, 1, 0, 0, ACTIVE, REQUESTED, 0},
    {"host-name-in-connection.sdp", 1, 1, 2855, "TCP/MSRP", SDP_CONN_NAME, 0, 0, 0, NO_SETUP, 0, 1},
    {"address-out-of-range.sdp", 1, 1, 9, "TCP/MSRP", SDP_CONN_BAD, 0, 0, 0, ACTIVE, 0, 1},
    {"multicast-connection.sdp", 1, 1, 6060, "udptl", SDP_CONN_BAD, 0, 0, 0, NO_SETUP, 0, 0},
    {"bare-lf.sdp", 1, 1, 6060, "udptl", OK, 0, 0, 0, NO_SETUP, 0, 0},
    {"no-line-end-at-end.sdp", 1, 1, 2855, "TCP/MSRP", OK, 0, 0, 0, ACTPASS, 0, 1},
    {"no-session-name-no-time-capital-udptl.sdp", 2, 2, 5010, "UDPTL", OK, 0, 0, 0, NO_SETUP, 0, 0},
    {"blank-session-name-order-mixed.sdp", 1, 1, 2855, "TCP/MSRP", OK, 0, 0, 0, NO_SETUP, 0, 1},
    {"empty-lines-at-end.sdp", 1, 1, 6060, "udptl", OK, 0, 0, 0, NO_SETUP, 0, 0},
    {"session-level-tls-attributes.sdp", 2, 1, 2855, "TCP/TLS/MSRP", OK, 1, 0, 0, ACTPASS, 0, 1},
    {"session-level-tls-attributes.sdp", 2, 2, 50010, "TCP/TLS/BFCP", OK, 1, 0, 0, PASSIVE, 0, 0},
    {"several-fingerprints.sdp", 1, 1, 2855, "TCP/TLS/MSRP", OK, 3, 1, 1, ACTIVE, 0, 1},
    {"tls-without-fingerprint.sdp", 1, 1, 50010, "TCP/TLS/BFCP", OK, 0, 0, 0, ACTIVE, 0, 0},
    {"fingerprint-on-plain-msrp.sdp", 1, 1, 2855, "TCP/MSRP", OK, 1, 0, 0, ACTPASS, 0, 1},
    {"message-that-is-not-msrp.sdp", 1, 1, 5060, "sip", OK, 0, 0, 0, NO_SETUP, 0, 0},
    {"application-without-format.sdp", 3, 2, 0, "*", OK, 0, 0, 0, NO_SETUP, 0, 0},
    {"body-twice.sdp", 2, 2, 2855, "TCP/MSRP", OK, 0, 0, 0, NO_SETUP, 0, 1},
    {"path-through-relay.sdp", 1, 1, 2855, "TCP/TLS/MSRP", OK, 0, 0, 0, NO_SETUP, 0, 2},
    {"ipv6-with-media-connection.sdp", 1, 1, 2855, "TCP/TLS/MSRP", OK, 1, 0, 0, ACTPASS, REQUESTED,
     1},
    {"bundle-with-bfcp.sdp", 2, 2, 50010, "TCP/BFCP", OK, 0, 0, 0, ACTPASS, 0, 0},
    {"audio-off-fax-on.sdp", 2, 2, 49170, "udptl", OK, 0, 0, 0, NO_SETUP, 0, 0},
};

static const Facts field[] = {
    {"02-google-fi-python-client-offer-msrps.sdp", 1, 1, 9, "TCP/TLS/MSRP", OK, 1, 0, 0, ACTIVE, 0,
     1},
    {"03-samsung-ims-ue-fingerprint-on-tcp-msrp.sdp", 1, 1, 8881, "TCP/MSRP", SDP_CONN_NAME, 1, 0,
     0, ACTPASS, 0, 1},
    {"10-china-mobile-5gmsg-file-offer.sdp", 1, 1, 23922, "TCP/MSRP", OK, 0, 0, 0, ACTPASS, 0, 1},
    {"12-clearwater-chat-offer.sdp", 1, 1, 9, "TCP/MSRP", SDP_CONN_BAD, 0, 0, 0, ACTIVE, 0, 1},
    {"14-lineageos-rcs-offer-msrps-actpass.sdp", 1, 1, 7654, "TCP/TLS/MSRP", OK, 1, 0, 0, ACTPASS,
     0, 1},
    {"15-ietf-draft-audio-plus-msrps.sdp", 2, 2, 2855, "TCP/TLS/MSRP", OK, 0, 0, 0, ACTPASS, 0, 1},
    {"16-sipjs-msrp-relay-client-offer.sdp", 1, 1, 2855, "TCP/TLS/MSRP", OK, 0, 0, 0, NO_SETUP, 0,
     2},
    {"18-rtpengine-gh959-audio-plus-msrp.sdp", 2, 2, 28000, "TCP/MSRP", OK, 0, 0, 0, ACTIVE, 0, 0},
    {"20-skype-for-business-im-not-msrp.sdp", 1, 1, 5060, "sip", OK, 0, 0, 0, NO_SETUP, 0, 0},
    {"21-poly-offer-tcp-bfcp.sdp", 4, 4, 22164, "TCP/BFCP", OK, 0, 0, 0, ACTPASS, 0, 0},
    {"22-livekit-answer-tcp-bfcp.sdp", 5, 5, 20301, "TCP/BFCP", OK, 0, 0, 0, PASSIVE, 0, 0},
    {"24-bfcp-tls-c-only.sdp", 1, 1, 50000, "TCP/TLS/BFCP", OK, 0, 0, 0, ACTIVE, 0, 0},
    {"26-cisco-jabber-offer-udp-bfcp.sdp", 5, 4, 5904, "UDP/BFCP", OK, 0, 0, 0, ACTPASS, 0, 0},
    {"37-sofia-soa-two-image-lines.sdp", 2, 2, 5004, "UDPTL", OK, 0, 0, 0, NO_SETUP, 0, 0},
    {"39-3gpp-34229-audio-3ge2ae.sdp", 1, 1, 49152, "RTP/SAVP", OK, 0, 0, 0, NO_SETUP, REQUESTED,
     0},
    {"40-rfc7345-offer-udptl-dtls.sdp", 1, 1, 6056, "UDP/TLS/UDPTL", SDP_CONN_NAME, 1, 0, 0,
     ACTPASS, 0, 0},
    {"42-rfc7345-reinvite-audio-off-fax-on.sdp", 2, 1, 0, "UDP/TLS/RTP/SAVP", SDP_CONN_NAME, 0, 0,
     0, NO_SETUP, 0, 0},
    {"44-rfc8856-answer-bfcp-tls.sdp", 3, 1, 9, "TCP/TLS/BFCP", OK, 1, 0, 0, ACTIVE, 0, 0},
    {"46-rfc8122-two-fingerprints.sdp", 1, 1, 54111, "TCP/TLS", OK, 2, 0, 0, PASSIVE, 0, 0},
};

static char *read_body(const char *dir, const char *file, size_t *ret_len)
{
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    gsize len = 0;

    g_file_get_contents(path, &text, &len, &error);
    g_assert_no_error(error);
    *ret_len = len;
    return text;
}

/* Every body goes through unchanged when nothing is edited. Returns how many there were. */
static unsigned check_unchanged(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    unsigned n = 0;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autoptr(GError) error = NULL;
        size_t len;
        if (!g_str_has_suffix(name, ".sdp"))
            continue;
        g_test_message("%s", name);
        g_autofree char *text = read_body(path, name, &len);
        g_autoptr(SdpDoc) doc = sdp_doc_parse((Span){text, len}, &error);
        g_assert_no_error(error);
        g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
        g_autofree char *rendered = sdp_edit_render(edit);
        g_assert_true(span_eq(span_str(rendered), (Span){text, len}));
        n++;
    }
    return n;
}

static void check_facts(const char *dir, const Facts *f)
{
    size_t len;
    Addr addr;
    MsrpPath path = {0};

    g_test_message("%s section %u", f->file, f->section);
    g_autofree char *text = read_body(dir, f->file, &len);
    g_autoptr(SdpDoc) doc = sdp_doc_parse((Span){text, len}, NULL);
    g_assert_cmpuint(doc->n_sections - 1, ==, f->sections);
    const SdpMedia *m = &doc->sections[f->section].media;
    g_assert_cmpuint(m->port, ==, f->port);
    g_assert_true(span_eq(m->proto, span_str(f->proto)));
    g_assert_cmpint(sdp_conn_of(doc, f->section, &addr), ==, f->conn);
    SdpFingerprints fp = sdp_fingerprints(doc, f->section);
    g_assert_cmpuint(fp.set.n, ==, f->fingerprints);
    g_assert_cmpuint(fp.unusable, ==, f->unusable);
    g_assert_cmpuint(fp.malformed, ==, f->malformed);
    g_assert_cmpint(sdp_setup(doc, f->section), ==, f->setup);
    g_assert_cmpint(sdp_indication(doc, f->section), ==, f->indication);
    g_assert_cmpint(sdp_msrp_path(doc, f->section, &path), ==,
                    f->path ? SDP_VALUE_OK : SDP_VALUE_NONE);
    g_assert_cmpuint(path.n, ==, f->path);
}

static void test_own(void)
{
    g_autofree char *dir = g_test_build_filename(G_TEST_DIST, "t", "fixtures", "sdp", NULL);

    g_assert_cmpuint(check_unchanged(dir), >=, MIN_FIXTURES);
    for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
        check_facts(dir, &own[i]);
}

/* Third-party data is not part of the source; the same traits are covered by the fixtures above. */
static void test_field(void)
{
    g_autofree char *dir = g_test_build_filename(G_TEST_DIST, "..", "shared", "sdp", NULL);

    if (!g_file_test(dir, G_FILE_TEST_IS_DIR)) {
        g_test_message("no bodies from the field here");
        return;
    }
    g_assert_cmpuint(check_unchanged(dir), >, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(field); i++)
        check_facts(dir, &field[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sdp/bodies/own", test_own);
    g_test_add_func("/sdp/bodies/field", test_field);
    return g_test_run();
}
