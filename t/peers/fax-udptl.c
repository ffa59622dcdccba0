/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "fax-udptl.h"

#define ERROR_RECOVERY_REDUNDANCY 0x00

typedef struct Reader {
    const uint8_t *at;
    size_t left;
} Reader;

typedef struct Piece {
    const uint8_t *data;
    size_t len;
} Piece;

void udptl_init(Udptl *udptl, unsigned redundancy, size_t largest)
{
    *udptl = (Udptl){.redundancy = MIN(redundancy, UDPTL_MAX_REDUNDANCY), .largest = largest};
    g_queue_init(&udptl->sent);
}

static void unref_bytes(gpointer bytes)
{
    g_bytes_unref(bytes);
}

void udptl_clear(Udptl *udptl)
{
    g_queue_clear_full(&udptl->sent, unref_bytes);
}

static void append_byte(GByteArray *to, unsigned byte)
{
    uint8_t value = (uint8_t)byte;
    g_byte_array_append(to, &value, 1);
}

/* An open type: its length as in X.691 section 10.9, then the bytes. */
static void append_open(GByteArray *to, const uint8_t *data, size_t len)
{
    if (len >= 0x80)
        append_byte(to, 0x80 | (unsigned)(len >> 8));
    append_byte(to, (unsigned)(len & 0xff));
    g_byte_array_append(to, data, (guint)len);
}

static size_t open_size(size_t len)
{
    return len + (len < 0x80 ? 1 : 2);
}

GByteArray *udptl_pack(Udptl *udptl, const uint8_t *ifp, size_t len)
{
    GByteArray *datagram = g_byte_array_new();
    unsigned copies = 0;
    size_t size = 2 + open_size(len) + 2;

    g_assert(len <= UDPTL_MAX_IFP);
    append_byte(datagram, udptl->next >> 8);
    append_byte(datagram, udptl->next & 0xff);
    append_open(datagram, ifp, len);
    append_byte(datagram, ERROR_RECOVERY_REDUNDANCY);
    for (GList *l = udptl->sent.head; l; l = l->next) {
        size += open_size(g_bytes_get_size(l->data));
        if (size > udptl->largest)
            break;
        copies++;
    }
    append_byte(datagram, copies);
    for (GList *l = udptl->sent.head; copies > 0; l = l->next, copies--) {
        size_t again;
        const uint8_t *data = g_bytes_get_data(l->data, &again);
        append_open(datagram, data, again);
    }
    udptl->next++;
    g_queue_push_head(&udptl->sent, g_bytes_new(ifp, len));
    if (udptl->sent.length > udptl->redundancy)
        g_bytes_unref(g_queue_pop_tail(&udptl->sent));
    return datagram;
}

static bool take_byte(Reader *reader, unsigned *byte)
{
    if (reader->left < 1)
        return false;
    *byte = *reader->at++;
    reader->left--;
    return true;
}

static bool take_open(Reader *reader, Piece *piece)
{
    unsigned len, low;

    if (!take_byte(reader, &len))
        return false;
    if (len & 0x80) {
        if (len & 0x40 || !take_byte(reader, &low))
            return false;
        len = (len & 0x3f) << 8 | low;
    }
    if (len > reader->left)
        return false;
    *piece = (Piece){reader->at, len};
    reader->at += len;
    reader->left -= len;
    return true;
}

/* The primary packet first, then what was sent before it, the newest first. */
static bool take_pieces(Reader *reader, Piece *pieces, unsigned *count)
{
    unsigned kind, copies;

    if (!take_open(reader, &pieces[0]) || !take_byte(reader, &kind) ||
        kind != ERROR_RECOVERY_REDUNDANCY || !take_byte(reader, &copies) || copies & 0x80)
        return false;
    for (unsigned i = 0; i < copies; i++) {
        Piece piece;
        if (!take_open(reader, &piece))
            return false;
        if (i < UDPTL_MAX_REDUNDANCY)
            pieces[1 + i] = piece;
    }
    *count = 1 + MIN(copies, UDPTL_MAX_REDUNDANCY);
    return reader->left == 0;
}

bool udptl_unpack(Udptl *udptl, const uint8_t *data, size_t len, UdptlDeliver *deliver, void *user)
{
    Reader reader = {data, len};
    Piece pieces[1 + UDPTL_MAX_REDUNDANCY];
    unsigned high, low, count;

    if (!take_byte(&reader, &high) || !take_byte(&reader, &low) ||
        !take_pieces(&reader, pieces, &count)) {
        udptl->bad++;
        return false;
    }
    udptl->received++;
    udptl->largest_seen = MAX(udptl->largest_seen, len);
    uint16_t sequence = (uint16_t)(high << 8 | low);
    int16_t gap = (int16_t)(sequence - udptl->expected);
    if (gap < 0)
        return true; /* seen */
    unsigned again = MIN((unsigned)gap, count - 1);
    udptl->recovered += again;
    udptl->missing += (unsigned)gap - again;
    for (unsigned i = again + 1; i-- > 0;)
        deliver(user, pieces[i].data, pieces[i].len, (uint16_t)(sequence - i));
    udptl->expected = (uint16_t)(sequence + 1);
    return true;
}
