/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fax-engine.h"

#include "fax-udptl.h"

#include <spandsp.h>
#include <stdio.h>

enum {
    SAMPLES = 8 * FAX_TICK_MS,
    RTP_HEADER = 12,
    PAYLOAD_PCMA = 8,
    PREFILL = 6, /* packets that wait before the first is played: a late one leaves no gap */
    WAITING_LIMIT = 500,
    LINGER_TICKS = 150, /* after the end: what the other side still says is part of the call */
};

struct FaxEngine {
    FaxOptions options;
    t30_state_t *t30; /* part of one of the next two */
    t38_terminal_state_t *terminal;
    fax_state_t *machine;

    Udptl udptl;
    GQueue waiting; /* GBytes, A-law that came and is not played yet */
    bool playing;
    uint64_t gaps;
    uint16_t rtp_next;
    uint32_t rtp_time;

    bool ended;
    int result;
    int linger;
};

/* ---- T.30 */

static void on_end(t30_state_t *t30, void *user, int result)
{
    FaxEngine *engine = user;

    (void)t30;
    engine->ended = true;
    engine->result = result;
    engine->linger = LINGER_TICKS;
}

static int on_page(t30_state_t *t30, void *user, int result)
{
    t30_stats_t stats;

    (void)user;
    t30_get_transfer_statistics(t30, &stats);
    printf("PAGE %s %d\n", t30_frametype((uint8_t)result), stats.pages_tx + stats.pages_rx);
    return T30_ERR_OK;
}

static void set_up_t30(FaxEngine *engine, logging_state_t *log)
{
    const FaxOptions *options = &engine->options;
    t30_state_t *t30 = engine->t30;

    t30_set_tx_ident(t30, options->caller ? "caller" : "called");
    t30_set_ecm_capability(t30, !options->no_ecm);
    t30_set_supported_modems(t30, T30_SUPPORT_V27TER | T30_SUPPORT_V29 | T30_SUPPORT_V17);
    t30_set_supported_compressions(t30, T30_SUPPORT_T4_1D_COMPRESSION |
                                            T30_SUPPORT_T4_2D_COMPRESSION |
                                            T30_SUPPORT_T6_COMPRESSION);
    t30_set_rx_encoding(t30, T4_COMPRESSION_ITU_T6);
    if (options->pages)
        t30_set_tx_file(t30, options->pages, -1, -1);
    if (options->out)
        t30_set_rx_file(t30, options->out, -1);
    t30_set_phase_d_handler(t30, on_page, engine);
    t30_set_phase_e_handler(t30, on_end, engine);
    if (options->debug) {
        span_log_set_level(log, SPAN_LOG_SHOW_TAG | SPAN_LOG_SHOW_SAMPLE_TIME | SPAN_LOG_FLOW);
        span_log_set_level(t30_get_logging_state(t30),
                           SPAN_LOG_SHOW_TAG | SPAN_LOG_SHOW_SAMPLE_TIME | SPAN_LOG_FLOW);
    }
}

/* ---- T.38 */

/* @count: how often spandsp wants an indicator to be sent; each is the same datagram. */
static int send_ifp(t38_core_state_t *core, void *user, const uint8_t *ifp, int len, int count)
{
    FaxEngine *engine = user;
    g_autoptr(GByteArray) datagram = udptl_pack(&engine->udptl, ifp, (size_t)len);

    (void)core;
    for (int i = 0; i < MAX(count, 1); i++)
        engine->options.send(engine->options.user, datagram->data, datagram->len);
    return 0;
}

static bool set_up_terminal(FaxEngine *engine)
{
    engine->terminal = t38_terminal_init(NULL, engine->options.caller, send_ifp, engine);
    if (!engine->terminal)
        return false;
    engine->t30 = t38_terminal_get_t30_state(engine->terminal);
    t38_core_state_t *core = t38_terminal_get_t38_core_state(engine->terminal);
    t38_set_t38_version(core, 0);
    t38_set_data_rate_management_method(core, T38_DATA_RATE_MANAGEMENT_TRANSFERRED_TCF);
    t38_set_redundancy_control(core, T38_PACKET_CATEGORY_INDICATOR, 3);
    t38_terminal_set_tep_mode(engine->terminal, FALSE);
    if (engine->options.no_pacing)
        t38_terminal_set_config(engine->terminal, T38_TERMINAL_OPTION_NO_PACING);
    set_up_t30(engine, t38_terminal_get_logging_state(engine->terminal));
    return true;
}

static void deliver_ifp(void *user, const uint8_t *ifp, size_t len, uint16_t sequence)
{
    FaxEngine *engine = user;

    t38_core_rx_ifp_packet(t38_terminal_get_t38_core_state(engine->terminal), ifp, (int)len,
                           sequence);
}

/* ---- G.711 in RTP */

static bool set_up_machine(FaxEngine *engine)
{
    engine->machine = fax_init(NULL, engine->options.caller);
    if (!engine->machine)
        return false;
    engine->t30 = fax_get_t30_state(engine->machine);
    fax_set_transmit_on_idle(engine->machine, TRUE);
    set_up_t30(engine, fax_get_logging_state(engine->machine));
    return true;
}

static void put_32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void send_tones(FaxEngine *engine)
{
    int16_t samples[SAMPLES] = {0};
    uint8_t packet[RTP_HEADER + SAMPLES] = {0x80, PAYLOAD_PCMA, (uint8_t)(engine->rtp_next >> 8),
                                            (uint8_t)engine->rtp_next};

    fax_tx(engine->machine, samples, SAMPLES);
    put_32(packet + 4, engine->rtp_time);
    put_32(packet + 8, engine->options.caller ? 0x0ca11e40 : 0x0ca11ed0);
    for (int i = 0; i < SAMPLES; i++)
        packet[RTP_HEADER + i] = linear_to_alaw(samples[i]);
    engine->rtp_next++;
    engine->rtp_time += SAMPLES;
    engine->options.send(engine->options.user, packet, sizeof(packet));
}

static void play(FaxEngine *engine)
{
    int16_t samples[1500];
    size_t len;

    engine->playing |= engine->waiting.length >= PREFILL;
    g_autoptr(GBytes) packet = engine->playing ? g_queue_pop_head(&engine->waiting) : NULL;
    if (!packet) {
        engine->gaps += engine->playing;
        fax_rx_fillin(engine->machine, SAMPLES);
        return;
    }
    const uint8_t *data = g_bytes_get_data(packet, &len);
    len = MIN(len, G_N_ELEMENTS(samples));
    for (size_t i = 0; i < len; i++)
        samples[i] = alaw_to_linear(data[i]);
    fax_rx(engine->machine, samples, (int)len);
}

static void receive_rtp(FaxEngine *engine, const uint8_t *data, size_t len)
{
    if (len <= RTP_HEADER || data[0] != 0x80 || (data[1] & 0x7f) != PAYLOAD_PCMA ||
        engine->waiting.length >= WAITING_LIMIT)
        return;
    engine->udptl.received++;
    g_queue_push_tail(&engine->waiting, g_bytes_new(data + RTP_HEADER, len - RTP_HEADER));
}

/* ---- both */

FaxEngine *fax_engine_new(const FaxOptions *options)
{
    FaxEngine *engine = g_new0(FaxEngine, 1);

    engine->options = *options;
    engine->result = T30_ERR_CALLDROPPED;
    udptl_init(&engine->udptl, (unsigned)MAX(options->redundancy, 0), (size_t)options->largest);
    g_queue_init(&engine->waiting);
    if (options->tones ? set_up_machine(engine) : set_up_terminal(engine))
        return engine;
    fax_engine_free(engine);
    return NULL;
}

static void unref_bytes(gpointer bytes)
{
    g_bytes_unref(bytes);
}

void fax_engine_free(FaxEngine *engine)
{
    if (engine->terminal)
        t38_terminal_free(engine->terminal);
    if (engine->machine)
        fax_free(engine->machine);
    g_queue_clear_full(&engine->waiting, unref_bytes);
    udptl_clear(&engine->udptl);
    g_free(engine);
}

void fax_engine_tick(FaxEngine *engine)
{
    if (engine->ended && engine->linger > 0)
        engine->linger--;
    if (engine->terminal) {
        t38_terminal_send_timeout(engine->terminal, SAMPLES);
        return;
    }
    play(engine);
    send_tones(engine);
}

void fax_engine_receive(FaxEngine *engine, const uint8_t *data, size_t len)
{
    if (engine->machine) {
        receive_rtp(engine, data, len);
        return;
    }
    if (engine->ended)
        engine->linger = LINGER_TICKS;
    udptl_unpack(&engine->udptl, data, len, deliver_ifp, engine);
}

bool fax_engine_over(const FaxEngine *engine)
{
    return engine->ended && engine->linger == 0;
}

bool fax_engine_report(FaxEngine *engine)
{
    const Udptl *udptl = &engine->udptl;
    t30_stats_t stats;

    t30_get_transfer_statistics(engine->t30, &stats);
    printf("ARRIVED datagrams %" G_GUINT64_FORMAT " recovered %" G_GUINT64_FORMAT
           " missing %" G_GUINT64_FORMAT " bad %" G_GUINT64_FORMAT
           " largest %zu gaps %" G_GUINT64_FORMAT "\n",
           udptl->received, udptl->recovered, udptl->missing, udptl->bad, udptl->largest_seen,
           engine->gaps);
    printf("PAGES sent %d received %d rate %d ecm %d retries %d bad-rows %d\n", stats.pages_tx,
           stats.pages_rx, stats.bit_rate, stats.error_correcting_mode,
           stats.error_correcting_mode_retries, stats.bad_rows);
    printf("FAX %d %s\n", engine->result, t30_completion_code_to_str(engine->result));
    return engine->result == T30_ERR_OK;
}
