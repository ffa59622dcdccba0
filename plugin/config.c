/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Autoconf's, in angle brackets: in quotes it would be the one beside this file. */
#include <config.h>

#include "plugin/config.h"

#include "base/log.h"
#include "net/net-udp.h"
#include "redis-schema/redis-keys.h"

#define FILE_NONE       "none"
#define DEFAULT_SECTION "rtpengine-e2ae"

G_DEFINE_QUARK(config_error, config_error)

/* One option: a long option of the command line and a key of the file. */
typedef struct Option {
    const char *name;
    char letter;
    const char *arg; /* shown in the help; NULL for a switch */
    bool (*set)(const struct Option *o, void *field, const char *text);
    size_t offset;
    bool list;
    int64_t min; /* of a number */
    int64_t max;
    const char *preset;  /* the default as text, NULL = leave the field zero */
    const char *allowed; /* what a value may be, unless it is a number */
    const char *help;
} Option;

static bool number(const Option *o, const char *text, int64_t *ret_value)
{
    bool negative = text[0] == '-';
    uint64_t magnitude;

    if (!span_uint(span_str(text + negative), INT32_MAX, &magnitude))
        return false;
    int64_t value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    if (value < o->min || value > o->max)
        return false;
    *ret_value = value;
    return true;
}

static bool set_unsigned(const Option *o, void *field, const char *text)
{
    int64_t value;

    if (!number(o, text, &value))
        return false;
    *(unsigned *)field = (unsigned)value;
    return true;
}

static bool set_int(const Option *o, void *field, const char *text)
{
    int64_t value;

    if (!number(o, text, &value))
        return false;
    *(int *)field = (int)value;
    return true;
}

static bool set_port(const Option *o, void *field, const char *text)
{
    int64_t value;

    if (!number(o, text, &value))
        return false;
    *(uint16_t *)field = (uint16_t)value;
    return true;
}

static bool set_size(const Option *o, void *field, const char *text)
{
    int64_t value;

    if (!number(o, text, &value))
        return false;
    *(size_t *)field = (size_t)value;
    return true;
}

static bool set_switch(const Option *o, void *field, const char *text)
{
    (void)o;
    if (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "1") == 0)
        *(bool *)field = true;
    else if (strcmp(text, "false") == 0 || strcmp(text, "no") == 0 || strcmp(text, "0") == 0)
        *(bool *)field = false;
    else
        return false;
    return true;
}

static bool set_text(const Option *o, void *field, const char *text)
{
    (void)o;
    if (!text[0])
        return false;
    g_free(*(char **)field);
    *(char **)field = g_strdup(text);
    return true;
}

static bool set_texts(const Option *o, void *field, const char *text)
{
    (void)o;
    if (!text[0])
        return false;
    g_ptr_array_add(*(GPtrArray **)field, g_strdup(text));
    return true;
}

static bool set_facility(const Option *o, void *field, const char *text)
{
    return log_facility(text) >= 0 && set_text(o, field, text);
}

static bool set_hash(const Option *o, void *field, const char *text)
{
    FpHash hash = fp_hash_from_name(span_str(text));

    (void)o;
    if (hash < FP_SHA256)
        return false;
    *(FpHash *)field = hash;
    return true;
}

/* In the order of SessionBfcpRule. */
static bool set_bfcp_role(const Option *o, void *field, const char *text)
{
    static const char *const names[] = {"auto", "answerer", "setup"};

    (void)o;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        *(unsigned *)field = i;
        return true;
    }
    return false;
}

static bool set_redis_mode(const Option *o, void *field, const char *text)
{
    bool degrade = strcmp(text, "degrade") == 0;

    (void)o;
    if (!degrade && strcmp(text, "refuse") != 0)
        return false;
    *(bool *)field = degrade;
    return true;
}

static bool set_node_id(const Option *o, void *field, const char *text)
{
    return redis_node_id_valid(span_str(text)) && set_text(o, field, text);
}

static bool set_sink(const Option *o, void *field, const char *text)
{
    Addr a;

    (void)o;
    if (!g_str_has_prefix(text, "udp:") || !addr_parse(span_str(text + 4), &a) || addr_is_any(&a))
        return false;
    g_array_append_val(*(GArray **)field, a);
    return true;
}

static bool set_addr(const Option *o, void *field, const char *text)
{
    Addr a;

    (void)o;
    if (!addr_parse(span_str(text), &a) || addr_is_any(&a))
        return false;
    *(Addr *)field = a;
    return true;
}

static bool set_listener(const Option *o, void *field, const char *text)
{
    GArray *list = *(GArray **)field;
    ConfigListener l = {0};
    uint64_t port;

    (void)o;
    if (addr_parse(span_str(text), &l.addr)) {
        g_array_append_val(list, l);
        return true;
    }
    if (!span_uint(span_str(text), 65535, &port) || port == 0)
        return false;
    l.addr = (Addr){.family = ADDR_IP4, .port = (uint16_t)port};
    g_array_append_val(list, l);
    l = (ConfigListener){.addr = {.family = ADDR_IP6, .port = (uint16_t)port}, .optional = true};
    g_array_append_val(list, l);
    return true;
}

static bool set_interface(const Option *o, void *field, const char *text)
{
    GArray *list = *(GArray **)field;
    Span rest = span_str(text);
    Span name = SPAN("default");
    Addr address, advertised;

    (void)o;
    if (strchr(text, '/'))
        name = span_cut(&rest, '/');
    bool has_advertised = strchr(text, '!') != NULL;
    Span ip = rest.len ? span_cut(&rest, '!') : rest;
    if (!name.len || !addr_parse_ip(ip, &address) || addr_is_any(&address))
        return false;
    advertised = address;
    if (has_advertised && (!addr_parse_ip(rest, &advertised) || addr_is_any(&advertised) ||
                           advertised.family != address.family))
        return false;
    ConfigInterface i = {span_dup(name), address, advertised};
    g_array_append_val(list, i);
    return true;
}

#define AT(member)   offsetof(Config, member)
#define ADDR_ALLOWED "ADDRESS:PORT with a literal address, IPv6 in brackets"
#define LISTEN_ALLOWED                                                                             \
    "ADDRESS:PORT with a literal address, IPv6 in brackets, or a PORT for every address"
#define SWITCH_ALLOWED "true or false"

static const Option options[] = {
    {"interface", 'i', "[NAME/]ADDR[!ADVERTISED]", set_interface, AT(interfaces), .list = true,
     .allowed = "[NAME/]ADDRESS[!ADVERTISED] with literal addresses of one family, no wildcard",
     .help = "Address for media; the first is the default"},
    {"listen-ng", 'n', "[ADDR:]PORT", set_listener, AT(listen_ng), .list = true,
     .allowed = LISTEN_ALLOWED, .help = "Take ng requests by UDP here"},
    {"listen-tcp-ng", 0, "[ADDR:]PORT", set_listener, AT(listen_tcp_ng), .list = true,
     .allowed = LISTEN_ALLOWED, .help = "Take ng requests by TCP here"},
    {"rtpengine", 'r', "ADDR:PORT", set_addr, AT(rtpengine), .allowed = ADDR_ALLOWED,
     .help = "listen-ng address of the rtpengine behind us; without it there is none"},
    {"rtpengine-timeout", 0, "MS", set_unsigned, AT(rtpengine_timeout_ms), .min = 100, .max = 60000,
     .preset = "900", .help = "Longest wait for rtpengine's reply"},
    {"port-min", 'm', "PORT", set_port, AT(port_min), .min = 1, .max = 65535, .preset = "50000",
     .help = "Lowest port for media"},
    {"port-max", 'M', "PORT", set_port, AT(port_max), .min = 1, .max = 65535, .preset = "59999",
     .help = "Highest port for media"},
    {"max-sessions", 0, "N", set_int, AT(max_sessions), .min = -1, .max = INT32_MAX, .preset = "-1",
     .help = "Most calls at a time, -1 for no limit"},
    {"num-threads", 0, "N", set_unsigned, AT(num_threads), .max = 1024, .preset = "0",
     .help = "Media threads, 0 for one per CPU"},
    {"delete-delay", 0, "SECONDS", set_unsigned, AT(delete_delay_s), .max = 86400, .preset = "30",
     .help = "How long a deleted call stays"},
    {"fork-timeout", 0, "MS", set_unsigned, AT(fork_timeout_ms), .min = 100, .max = 600000,
     .preset = "32000", .help = "How long a refused stream waits for another callee of a fork"},
    {"certificate", 0, "FILE", set_texts, AT(certificates), .list = true,
     .allowed = "the path of a PEM file", .help = "Certificate; none: self-signed at start"},
    {"private-key", 0, "FILE", set_texts, AT(private_keys), .list = true,
     .allowed = "the path of a PEM file", .help = "Key of the certificate at the same place"},
    {"cluster-key", 0, "FILE", set_text, AT(cluster_key), .allowed = "a path",
     .help = "Share a certificate in Redis, sealed with the key in FILE"},
    {"certificate-days", 0, "DAYS", set_unsigned, AT(certificate_days), .min = 2, .max = 3650,
     .preset = "365", .help = "Validity of that certificate; half of it is its use"},
    {"fingerprint-hash", 0, "NAME", set_hash, AT(fingerprint_hash), .preset = "sha-256",
     .allowed = "sha-256, sha-384 or sha-512", .help = "Hash of the fingerprints that we signal"},
    {"bfcp-tls-role", 0, "RULE", set_bfcp_role, AT(bfcp_tls_role), .preset = "auto",
     .allowed = "auto, answerer or setup",
     .help = "Who is TLS server of BFCP, by which reading of RFC 8856"},
    {"event-sink", 0, "udp:ADDR:PORT", set_sink, AT(event_sinks), .list = true,
     .allowed = "udp:ADDRESS:PORT with a literal address, IPv6 in brackets",
     .help = "Send events of streams here, as JSON datagrams"},
    {"metrics", 0, "ADDR:PORT", set_addr, AT(metrics), .allowed = ADDR_ALLOWED,
     .help = "Answer GET /metrics of Prometheus here; if not given, nowhere"},
    {"redis", 0, "[PASSWORD@]ADDR:PORT/DB", set_text, AT(redis),
     .allowed =
         "[PASSWORD@]ADDRESS:PORT/DB, [PASSWORD@]/SOCKET/DB or, with Sentinel, [PASSWORD@]/DB",
     .help = "Keep the calls in this Redis; without it in memory"},
    {"redis-sentinel", 0, "ADDR:PORT,...", set_text, AT(redis_sentinel),
     .allowed = "a list of ADDRESS:PORT", .help = "Ask these sentinels where Redis is"},
    {"redis-master", 0, "NAME", set_text, AT(redis_master), .allowed = "a name",
     .help = "Name that the sentinels know Redis by"},
    {"redis-user", 0, "NAME", set_text, AT(redis_user), .allowed = "a name",
     .help = "User of a Redis ACL"},
    {"redis-password-file", 0, "FILE", set_text, AT(redis_password_file), .allowed = "a path",
     .help = "Its first line is the password of Redis"},
    {"rtpengine-redis", 0, "ADDR:PORT/DB", set_texts, AT(rtpengine_redis), .list = true,
     .allowed = "[PASSWORD@]ADDRESS:PORT/DB, as rtpengine has it",
     .help = "A database that rtpengine uses, to be refused as ours"},
    {"redis-mode", 0, "MODE", set_redis_mode, AT(redis_degrade), .preset = "refuse",
     .allowed = "refuse or degrade", .help = "Without Redis, refuse offers or serve from memory"},
    {"redis-connect-timeout", 0, "MS", set_unsigned, AT(redis_connect_ms), .min = 50, .max = 60000,
     .preset = "1000", .help = "Longest wait for a connection to Redis"},
    {"redis-command-timeout", 0, "MS", set_unsigned, AT(redis_command_ms), .min = 50, .max = 60000,
     .preset = "500", .help = "Longest wait for an answer of Redis"},
    {"node-id", 0, "NAME", set_node_id, AT(node_id),
     .allowed = "1 to 64 letters, digits, '.', '_' and '-'",
     .help = "Name of this node, other than that of any other; if not given, the host's"},
    {"ha-group", 0, "NAME", set_node_id, AT(ha_group),
     .allowed = "1 to 64 letters, digits, '.', '_' and '-'",
     .help = "Claim the calls of dead nodes of this group, and let it claim ours"},
    {"node-address", 0, "ADDR:PORT", set_addr, AT(node_address), .allowed = ADDR_ALLOWED,
     .help = "Where other nodes reach our ng port by UDP; if not given, the first --listen-ng"},
    {"heartbeat-interval", 0, "MS", set_unsigned, AT(heartbeat_ms), .min = 50, .max = 60000,
     .preset = "500", .help = "How often a node tells the others that it lives"},
    {"node-timeout", 0, "MS", set_unsigned, AT(node_timeout_ms), .min = 200, .max = 600000,
     .preset = "2000", .help = "A node without a heartbeat for so long is dead"},
    {"tls-ciphers", 0, "LIST", set_text, AT(tls_ciphers), .allowed = "an OpenSSL cipher list",
     .help = "Ciphers of (D)TLS 1.2"},
    {"tls-ciphersuites", 0, "LIST", set_text, AT(tls_ciphersuites),
     .allowed = "an OpenSSL list of cipher suites", .help = "Cipher suites of TLS 1.3"},
    {"tls-legacy-rsa-cbc", 0, NULL, set_switch, AT(tls_legacy_rsa_cbc), .preset = "false",
     .allowed = SWITCH_ALLOWED, .help = "Also offer TLS_RSA_WITH_AES_128_CBC_SHA"},
    {"dtls-mtu", 0, "BYTES", set_unsigned, AT(dtls_mtu), .min = 256, .max = NET_UDP_DATAGRAM_MAX,
     .preset = "1200", .help = "Longest DTLS datagram"},
    {"handshake-timeout", 0, "MS", set_unsigned, AT(limits.handshake_ms), .min = 100, .max = 600000,
     .preset = "10000", .help = "One (D)TLS handshake"},
    {"connect-timeout", 0, "MS", set_unsigned, AT(limits.connect_ms), .min = 100, .max = 600000,
     .preset = "10000", .help = "Our TCP connect"},
    {"accept-timeout", 0, "MS", set_unsigned, AT(limits.accept_ms), .min = 100, .max = 3600000,
     .preset = "30000", .help = "Wait for the peer's connection after the answer"},
    {"fingerprint-timeout", 0, "MS", set_unsigned, AT(limits.fingerprint_unknown_ms), .min = 100,
     .max = 3600000, .preset = "30000", .help = "Hold a connection whose fingerprint is unknown"},
    {"drain-timeout", 0, "MS", set_unsigned, AT(limits.drain_ms), .min = 0, .max = 600000,
     .preset = "5000", .help = "Let a half-closed stream finish"},
    {"idle-timeout", 0, "MS", set_unsigned, AT(limits.idle_ms), .max = INT32_MAX, .preset = "0",
     .help = "End an open stream without a byte, 0 for never"},
    {"peek-timeout", 0, "MS", set_unsigned, AT(limits.peek_ms), .max = 60000, .preset = "300",
     .help = "BFCP: wait for the peer's ClientHello"},
    {"max-failures", 0, "N", set_unsigned, AT(limits.max_failures), .min = 1, .max = 1000000,
     .preset = "5", .help = "Refused connections before a stream counts as failed"},
    {"max-handshakes", 0, "N", set_unsigned, AT(limits.max_handshakes), .min = 1,
     .max = MEDIA_HANDSHAKES_MAX, .preset = "2", .help = "Handshakes at a time on one port"},
    {"stream-buffer", 0, "BYTES", set_size, AT(limits.buffer), .min = MEDIA_BUFFER_MIN,
     .max = MEDIA_BUFFER_MAX, .preset = "65536", .help = "Buffer of a stream, for each direction"},
    {"foreground", 'f', NULL, set_switch, AT(foreground), .preset = "false",
     .allowed = SWITCH_ALLOWED, .help = "Stay in the foreground"},
    {"log-stderr", 'E', NULL, set_switch, AT(log_stderr), .preset = "false",
     .allowed = SWITCH_ALLOWED, .help = "Log to stderr instead of syslog"},
    {"log-level", 'L', "0-7", set_int, AT(log_level), .max = 7, .preset = "6",
     .help = "Most detailed level that is logged"},
    {"log-facility", 0, "NAME", set_facility, AT(log_facility), .preset = "daemon",
     .allowed = "a syslog facility such as daemon or local0", .help = "Syslog facility"},
    {"log-name", 0, "NAME", set_text, AT(log_name), .preset = "rtpengine-e2ae", .allowed = "a name",
     .help = "Name in syslog"},
    {"pidfile", 'p', "FILE", set_text, AT(pidfile), .allowed = "a path",
     .help = "Write the process id here"},
    {"version", 'v', NULL, set_switch, AT(show_version), .preset = "false",
     .allowed = SWITCH_ALLOWED, .help = "Print the version and exit"},
};

/* What was found where, before it is looked at. */
typedef struct Sources {
    GHashTable *command_line; /* option name -> GPtrArray of its texts */
    char *file_name;          /* NULL = none */
    char *section;
    GKeyFile *file;
} Sources;

static void sources_clear(Sources *s)
{
    g_clear_pointer(&s->command_line, g_hash_table_unref);
    g_clear_pointer(&s->file, g_key_file_unref);
    g_free(s->file_name);
    g_free(s->section);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sources, sources_clear)

static const Option *find_option(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static const Option *find_letter(char letter)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (options[i].letter == letter)
            return &options[i];
    return NULL;
}

/* GOptionArgFunc of every option: @name is "--interface" or "-i". */
static gboolean remember(const char *name, const char *value, void *data, GError **error)
{
    GHashTable *command_line = data;
    const Option *o = name[1] == '-' ? find_option(name + 2) : find_letter(name[1]);

    (void)error;
    g_assert(o);
    GPtrArray *texts = g_hash_table_lookup(command_line, o->name);
    if (!texts) {
        texts = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(command_line, (char *)o->name, texts);
    }
    g_ptr_array_add(texts, g_strdup(value ? value : "true"));
    return TRUE;
}

static void describe(const Option *o, GOptionEntry *entry, GPtrArray *texts)
{
    char *help = o->preset && o->arg ? g_strdup_printf("%s (default %s)", o->help, o->preset)
                                     : g_strdup(o->help);

    g_ptr_array_add(texts, help);
    /* FILENAME: the bytes as they are, no conversion by locale. */
    *entry = (GOptionEntry){.long_name = o->name,
                            .short_name = o->letter,
                            .flags = o->arg ? G_OPTION_FLAG_FILENAME : G_OPTION_FLAG_NO_ARG,
                            .arg = G_OPTION_ARG_CALLBACK,
                            .arg_data = (void *)remember,
                            .description = help,
                            .arg_description = o->arg};
}

static bool read_command_line(Sources *s, const char *const *argv, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    GOptionGroup *group = g_option_group_new("", "", "", s->command_line, NULL);
    g_autoptr(GPtrArray) help = g_ptr_array_new_with_free_func(g_free);
    GOptionEntry entries[G_N_ELEMENTS(options) + 3] = {
        {"config-file", 0, 0, G_OPTION_ARG_FILENAME, &s->file_name,
         "Read options from FILE, \"" FILE_NONE "\" for no file", "FILE"},
        {"config-section", 0, 0, G_OPTION_ARG_FILENAME, &s->section,
         "The section of the file (default " DEFAULT_SECTION ")", "NAME"},
    };
    g_auto(GStrv) words = g_strdupv((char **)argv);

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        describe(&options[i], &entries[i + 2], help);
    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(context, group);
    g_option_context_set_summary(
        context, "Terminates TLS and DTLS of MSRP, BFCP and T.38 in front of rtpengine.");
    g_autoptr(GError) cause = NULL;
    if (!g_option_context_parse_strv(context, &words, &cause)) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION, "%s (see --help)", cause->message);
        return false;
    }
    if (words[0] && words[1]) {
        g_autofree char *quoted = span_quote(span_str(words[1]));
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION,
                    "Unexpected argument %s: only options are allowed (see --help)", quoted);
        return false;
    }
    return true;
}

static bool check_keys(const Sources *s, GError **error)
{
    g_auto(GStrv) keys = g_key_file_get_keys(s->file, s->section, NULL, NULL);

    if (!keys) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_FILE,
                    "%s: there is no section [%s]; add it or name another with --config-section",
                    s->file_name, s->section);
        return false;
    }
    for (char **key = keys; *key; key++) {
        const Option *o = find_option(*key);
        if (!o || strcmp(o->name, "version") == 0) {
            g_autofree char *quoted = span_quote(span_str(*key));
            g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_FILE,
                        "%s: [%s] unknown key %s; a key is a long option without the dashes",
                        s->file_name, s->section, quoted);
            return false;
        }
    }
    return true;
}

/* Leaves s->file NULL when there is none to read. */
static bool read_file(Sources *s, const char *default_file, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (!s->section)
        s->section = g_strdup(DEFAULT_SECTION);
    if (!s->file_name) {
        if (!g_file_test(default_file, G_FILE_TEST_EXISTS))
            return true;
        s->file_name = g_strdup(default_file);
    }
    if (strcmp(s->file_name, FILE_NONE) == 0)
        return true;
    s->file = g_key_file_new();
    if (!g_key_file_load_from_file(s->file, s->file_name, G_KEY_FILE_NONE, &cause)) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_FILE, "%s: cannot read the configuration: %s",
                    s->file_name, cause->message);
        return false;
    }
    return check_keys(s, error);
}

/* The texts of @o in the file, trimmed; NULL without @error when it is not there. */
static GPtrArray *texts_of_file(const Sources *s, const Option *o, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_auto(GStrv) values = NULL;

    if (!s->file || !g_key_file_has_key(s->file, s->section, o->name, NULL))
        return NULL;
    if (o->list) {
        values = g_key_file_get_string_list(s->file, s->section, o->name, NULL, &cause);
    } else {
        values = g_new0(char *, 2);
        values[0] = g_key_file_get_string(s->file, s->section, o->name, &cause);
    }
    if (cause) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_FILE, "%s: [%s] %s: %s", s->file_name,
                    s->section, o->name, cause->message);
        return NULL;
    }
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    for (char **v = values; *v; v++)
        g_ptr_array_add(texts, g_strdup(g_strstrip(*v)));
    return texts;
}

static void bad_value(const Sources *s, const Option *o, const char *text, bool in_file,
                      GError **error)
{
    g_autofree char *quoted = span_quote(span_str(text));
    g_autofree char *range = g_strdup_printf(
        "a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, o->min, o->max);
    const char *allowed = o->allowed ? o->allowed : range;

    if (in_file)
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_FILE, "%s: [%s] %s=%s: allowed is %s",
                    s->file_name, s->section, o->name, quoted, allowed);
    else
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION, "--%s=%s: allowed is %s", o->name,
                    quoted, allowed);
}

static bool apply(Config *c, const Sources *s, const Option *o, GError **error)
{
    void *field = (char *)c + o->offset;
    GPtrArray *given = g_hash_table_lookup(s->command_line, o->name);
    g_autoptr(GPtrArray) of_file = NULL;
    g_autoptr(GError) cause = NULL;

    if (o->preset && !o->set(o, field, o->preset))
        g_assert_not_reached();
    if (!given)
        of_file = texts_of_file(s, o, &cause);
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    GPtrArray *texts = given ? given : of_file;
    for (guint i = 0; texts && i < texts->len; i++) {
        if (!o->set(o, field, texts->pdata[i])) {
            bad_value(s, o, texts->pdata[i], !given, error);
            return false;
        }
    }
    return true;
}

/* Would a datagram to @to arrive at one of our own listeners? Then every request would run in
 * circles. */
static const ConfigListener *find_circle(const GArray *listeners, const Addr *to)
{
    for (guint i = 0; i < listeners->len; i++) {
        const ConfigListener *l = &g_array_index(listeners, ConfigListener, i);
        bool loopback = to->family == ADDR_IP4
                            ? to->ip[0] == 127
                            : to->ip[15] == 1 && memcmp(to->ip, (uint8_t[15]){0}, 15) == 0;
        if (l->addr.port == to->port && l->addr.family == to->family &&
            (addr_ip_eq(&l->addr, to) || (addr_is_any(&l->addr) && loopback)))
            return l;
    }
    return NULL;
}

/* What only shows when all options are known. */
static bool check_together(const Config *c, GError **error)
{
    char text[ADDR_TEXT_MAX];

    if (c->interfaces->len == 0)
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION,
                    "No --interface: give at least one address for media");
    else if (c->listen_ng->len + c->listen_tcp_ng->len == 0)
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION,
                    "No --listen-ng and no --listen-tcp-ng: give at least one address for ng");
    else if (c->port_min > c->port_max)
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION,
                    "--port-min=%u is above --port-max=%u: allowed is a range of at least one port",
                    c->port_min, c->port_max);
    else if (c->certificates->len != c->private_keys->len)
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION,
                    "%u of --certificate and %u of --private-key: give one key per certificate, "
                    "in the same order",
                    c->certificates->len, c->private_keys->len);
    else if (c->rtpengine.family && find_circle(c->listen_ng, &c->rtpengine))
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION,
                    "--rtpengine=%s is our own --listen-ng: give the address of rtpengine",
                    addr_text(&c->rtpengine, text));
    else
        return true;
    return false;
}

static void interface_clear(void *item)
{
    g_free(((ConfigInterface *)item)->name);
}

static Config *config_alloc(void)
{
    Config *c = g_new0(Config, 1);

    c->interfaces = g_array_new(FALSE, FALSE, sizeof(ConfigInterface));
    g_array_set_clear_func(c->interfaces, interface_clear);
    c->listen_ng = g_array_new(FALSE, FALSE, sizeof(ConfigListener));
    c->listen_tcp_ng = g_array_new(FALSE, FALSE, sizeof(ConfigListener));
    c->event_sinks = g_array_new(FALSE, FALSE, sizeof(Addr));
    c->certificates = g_ptr_array_new_with_free_func(g_free);
    c->private_keys = g_ptr_array_new_with_free_func(g_free);
    c->rtpengine_redis = g_ptr_array_new_with_free_func(g_free);
    return c;
}

Config *config_new(const char *const *argv, const char *default_file, GError **error)
{
    g_auto(Sources) s = {.command_line = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                                               (GDestroyNotify)g_ptr_array_unref)};
    g_autoptr(Config) c = config_alloc();

    if (!read_command_line(&s, argv, error))
        return NULL;
    if (g_hash_table_contains(s.command_line, "version")) {
        c->show_version = true;
        return g_steal_pointer(&c);
    }
    if (!read_file(&s, default_file, error))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (!apply(c, &s, &options[i], error))
            return NULL;
    if (!check_together(c, error))
        return NULL;
    if (c->num_threads == 0)
        c->num_threads = g_get_num_processors();
    if (!c->node_id && redis_node_id_valid(span_str(g_get_host_name())))
        c->node_id = g_strdup(g_get_host_name());
    return g_steal_pointer(&c);
}

static void forget_secret(char *text)
{
    if (text)
        memset(text, 0, strlen(text));
    g_free(text);
}

void config_free(Config *c)
{
    if (!c)
        return;
    g_array_unref(c->interfaces);
    g_array_unref(c->listen_ng);
    g_array_unref(c->listen_tcp_ng);
    g_array_unref(c->event_sinks);
    g_ptr_array_unref(c->certificates);
    g_ptr_array_unref(c->private_keys);
    forget_secret(c->redis);
    g_free(c->redis_sentinel);
    g_free(c->redis_master);
    g_free(c->redis_user);
    g_free(c->redis_password_file);
    g_ptr_array_unref(c->rtpengine_redis);
    g_free(c->node_id);
    g_free(c->ha_group);
    g_free(c->cluster_key);
    g_free(c->tls_ciphers);
    g_free(c->tls_ciphersuites);
    g_free(c->log_facility);
    g_free(c->log_name);
    g_free(c->pidfile);
    g_free(c);
}
