/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * fax-pages.c: the documents of the fax tests, by libtiff alone.
 *
 *   fax-pages make FILE PAGES ROWS   writes pages that look like nothing in particular, always the
 *                                    same
 *   fax-pages show FILE              prints of each page WIDTHxROWS and the SHA-256 of its pixels
 */
#include "config.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

enum {
    WIDTH = 1728, /* A4, T.4 section 2 */
    ROW_BYTES = WIDTH / 8,
    BAND = 12, /* rows that are alike, as in a line of text */
};

static void fill_row(uint8_t *row, GRand *dice)
{
    for (int i = 0; i < ROW_BYTES; i++) {
        unsigned word = g_rand_int(dice);
        /* Mostly white; the rest are short strokes and single dots. */
        row[i] = word % 8 ? 0 : (uint8_t)(word >> 8 & word >> 16);
    }
}

static bool write_page(TIFF *tiff, int number, int pages, int rows)
{
    GRand *dice = g_rand_new_with_seed((guint32)(4711 + number));
    uint8_t row[ROW_BYTES], copy[ROW_BYTES];
    bool written = true;

    TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_PAGE);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, rows);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    TIFFSetField(tiff, TIFFTAG_FILLORDER, FILLORDER_LSB2MSB);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 204.0);
    TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 98.0);
    TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
    TIFFSetField(tiff, TIFFTAG_PAGENUMBER, number, pages);
    for (int i = 0; i < rows; i++) {
        if (i % BAND == 0)
            fill_row(row, dice);
        row[i % ROW_BYTES] ^= (uint8_t)(1 << i % 8);
        memcpy(copy, row, sizeof(row)); /* libtiff may turn the bits of what it is given */
        written = written && TIFFWriteScanline(tiff, copy, (uint32_t)i, 0) == 1;
    }
    g_rand_free(dice);
    return written && TIFFWriteDirectory(tiff) == 1;
}

static int make(const char *path, int pages, int rows)
{
    TIFF *tiff = TIFFOpen(path, "w");
    bool written = tiff != NULL;

    for (int i = 0; written && i < pages; i++)
        written = write_page(tiff, i, pages, rows);
    if (tiff)
        TIFFClose(tiff);
    return written ? 0 : 1;
}

static bool show_page(TIFF *tiff)
{
    uint32_t width = 0, rows = 0;
    uint16_t bits = 0, meaning = 0;
    tmsize_t size = TIFFScanlineSize(tiff);
    g_autofree uint8_t *row = g_malloc0((size_t)size);
    g_autoptr(GChecksum) digest = g_checksum_new(G_CHECKSUM_SHA256);

    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &rows);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &meaning);
    if (bits != 1 || width % 8 != 0 || (tmsize_t)width / 8 != size) {
        fprintf(stderr, "not a page of a fax: %u pixels of %u bits\n", width, bits);
        return false;
    }
    for (uint32_t i = 0; i < rows; i++) {
        if (TIFFReadScanline(tiff, row, i, 0) != 1)
            return false;
        for (tmsize_t k = 0; meaning == PHOTOMETRIC_MINISBLACK && k < size; k++)
            row[k] = (uint8_t)~row[k];
        g_checksum_update(digest, row, (gssize)size);
    }
    printf("%ux%u %s\n", width, rows, g_checksum_get_string(digest));
    return true;
}

static int show(const char *path)
{
    TIFF *tiff = TIFFOpen(path, "r");
    bool shown = tiff != NULL;

    while (shown) {
        shown = show_page(tiff);
        if (TIFFReadDirectory(tiff) != 1)
            break;
    }
    if (tiff)
        TIFFClose(tiff);
    return shown ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0)
        return make(argv[2], atoi(argv[3]), atoi(argv[4]));
    if (argc == 3 && strcmp(argv[1], "show") == 0)
        return show(argv[2]);
    fprintf(stderr, "usage: fax-pages make FILE PAGES ROWS | fax-pages show FILE\n");
    return 2;
}
