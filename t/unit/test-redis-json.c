/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "redis-schema/redis-json.h"

static void bytes_there_and_back(void)
{
    char all[256];

    for (unsigned i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    all[255] = 0;
    g_autoptr(GString) out = g_string_new(NULL);
    redis_json_append_bytes(out, span_str(all));
    for (size_t i = 0; i < out->len; i++)
        g_assert_true(out->str[i] >= 0x20 && out->str[i] < 0x7f && out->str[i] != '\\');
    g_assert_cmpint(out->str[0], ==, '"');
    g_assert_cmpint(out->str[out->len - 1], ==, '"');
    g_string_truncate(out, out->len - 1);
    g_autofree char *back = redis_json_bytes(out->str + 1, NULL);
    g_assert_cmpstr(back, ==, all);
}

static void bytes_examples(void)
{
    static const struct {
        const char *bytes, *json;
    } rows[] = {
        {"", "\"\""},
        {"3848276298220188511@atlanta.example.com", "\"3848276298220188511@atlanta.example.com\""},
        {"100%", "\"100%25\""},
        {"say \"hi\" \\o/", "\"say %22hi%22 %5Co/\""},
        {"\xc3\xa9\r\n", "\"%C3%A9%0D%0A\""},
        {"\xff\x01\x7f", "\"%FF%01%7F\""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        redis_json_append_bytes(out, span_str(rows[i].bytes));
        g_assert_cmpstr(out->str, ==, rows[i].json);
    }
}

static void bytes_refused(void)
{
    static const char *const rows[] = {"%", "%4", "a%zz", "%4g", "%00", "%%41"};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(redis_json_bytes(rows[i], &error));
        g_assert_error(error, REDIS_ERROR, REDIS_ERROR_FIELD);
    }
    g_autofree char *lower = redis_json_bytes("%c3%A9", NULL);
    g_assert_cmpstr(lower, ==, "\xc3\xa9");
}

static void parses(void)
{
    static const char *const rows[] = {
        "{\"schema\":1}",
        " { \"schema\" : 1 , \"x\" : [ 1.5e3 , true , null , \"a\\\"b\\/\" , {} ] } \r\n",
        "{\"schema\":1,\"minor\":99,\"new\":{\"a\":[]}}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonParser) parser = redis_json_parse(span_str(rows[i]), &error);
        g_assert_no_error(error);
        g_assert_true(JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)));
    }
}

static void refuses(void)
{
    static const struct {
        const char *json;
        RedisErrorCode code;
    } rows[] = {
        {"", REDIS_ERROR_JSON},
        {" ", REDIS_ERROR_JSON},
        {"1", REDIS_ERROR_JSON},
        {"\"schema\"", REDIS_ERROR_JSON},
        {"[]", REDIS_ERROR_JSON},
        {"{\"schema\":1", REDIS_ERROR_JSON},
        {"{\"schema\":1}}", REDIS_ERROR_JSON},
        {"{\"schema\":1}{}", REDIS_ERROR_JSON},
        {"{\"schema\":1]", REDIS_ERROR_JSON},
        {"{\"schema\" 1}", REDIS_ERROR_JSON},
        {"{\"schema\":1,}", REDIS_ERROR_JSON},
        {"{\"schema\":1,\"a\":\"\\u0041\"}", REDIS_ERROR_JSON},
        {"{\"schema\":1,\"a\":\"\xc3\xa9\"}", REDIS_ERROR_JSON},
        {"{\"schema\":1,\"a\":\"\n\"}", REDIS_ERROR_JSON},
        {"{\"schema\":1,\"a\":\"\\", REDIS_ERROR_JSON},
        {"{\"schema\":1,\"a\":\"", REDIS_ERROR_JSON},
        {"{\"schema\":1/**/}", REDIS_ERROR_JSON},
        {"{'schema':1}", REDIS_ERROR_JSON},
        {"{}", REDIS_ERROR_FIELD},
        {"{\"schema\":\"1\"}", REDIS_ERROR_FIELD},
        {"{\"schema\":{}}", REDIS_ERROR_FIELD},
        {"{\"schema\":1.5}", REDIS_ERROR_FIELD},
        {"{\"schema\":0}", REDIS_ERROR_FIELD},
        {"{\"schema\":-1}", REDIS_ERROR_FIELD},
        {"{\"schema\":2}", REDIS_ERROR_SCHEMA},
        {"{\"schema\":9007199254740991}", REDIS_ERROR_SCHEMA},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(redis_json_parse(span_str(rows[i].json), &error));
        g_assert_error(error, REDIS_ERROR, (int)rows[i].code);
    }
}

static void newer_schema_is_said(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(redis_json_parse(SPAN("{\"schema\":2,\"x\":1}"), &error));
    g_assert_cmpstr(error->message, ==,
                    "written in schema 2 by a newer version; this one reads up to schema 1");
}

static void limits(void)
{
    g_autoptr(GString) deep = g_string_new("{\"schema\":1,\"x\":");
    g_autoptr(GString) many = g_string_new("{\"schema\":1,\"x\":[0");
    g_autoptr(GString) large = g_string_new("{\"schema\":1,\"x\":\"");
    GString *all[] = {deep, many, large};

    for (unsigned i = 0; i < 100000; i++)
        g_string_append(deep, "[");
    for (unsigned i = 0; i < REDIS_ITEMS_MAX; i++)
        g_string_append(many, ",0");
    g_string_append(many, "]}");
    for (unsigned i = 0; i < REDIS_VALUE_MAX; i++)
        g_string_append_c(large, 'x');
    g_string_append(large, "\"}");
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(redis_json_parse((Span){all[i]->str, all[i]->len}, &error));
        g_assert_error(error, REDIS_ERROR, REDIS_ERROR_JSON);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redis-schema/json/bytes/there-and-back", bytes_there_and_back);
    g_test_add_func("/redis-schema/json/bytes/examples", bytes_examples);
    g_test_add_func("/redis-schema/json/bytes/refused", bytes_refused);
    g_test_add_func("/redis-schema/json/parses", parses);
    g_test_add_func("/redis-schema/json/refuses", refuses);
    g_test_add_func("/redis-schema/json/newer-schema-is-said", newer_schema_is_said);
    g_test_add_func("/redis-schema/json/limits", limits);
    return g_test_run();
}
