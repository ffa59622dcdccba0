/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * config.h: what the operator decided, from the command line and the configuration file.
 *
 * Threads: built once in main() before any thread starts, constant afterwards.
 * Owner:   main() owns it; everybody else borrows.
 */
#pragma once

#include "base/addr.h"
#include "base/fingerprint.h"
#include "media/media-types.h"

/** An address for media, --interface=[NAME/]ADDR[!ADVERTISED]. The first one is the default. */
typedef struct ConfigInterface {
    char *name;      /* several addresses may have the same name */
    Addr address;    /* what sockets are bound to; port 0 */
    Addr advertised; /* what stands in the SDP: .address unless given; port 0 */
} ConfigInterface;

typedef struct ConfigListener {
    Addr addr;
    bool optional; /* the IPv6 half of a bare port: a host without IPv6 does without it */
} ConfigListener;

typedef struct Config {
    GArray *interfaces;    /* of ConfigInterface, at least one */
    GArray *listen_ng;     /* of ConfigListener, UDP */
    GArray *listen_tcp_ng; /* of ConfigListener; at least one in the two together */

    Addr rtpengine; /* family ADDR_NONE: there is none */
    unsigned rtpengine_timeout_ms;

    uint16_t port_min;
    uint16_t port_max;
    int max_sessions; /* -1 = no limit */
    unsigned num_threads;
    unsigned delete_delay_s;
    unsigned fork_timeout_ms;
    MediaLimits limits;

    GPtrArray
        *certificates; /* of char *, paths; as many as private_keys; none = self-signed at start */
    GPtrArray *private_keys;
    char *cluster_key; /* path; NULL = no certificate is shared in Redis */
    unsigned certificate_days;
    FpHash fingerprint_hash;
    unsigned bfcp_tls_role; /* a SessionBfcpRule */
    GArray *event_sinks;    /* of Addr, UDP */
    Addr metrics;           /* where Prometheus asks by HTTP; family ADDR_NONE: nowhere */
    char *tls_ciphers;      /* NULL = the default of the tls layer, as the next */
    char *tls_ciphersuites;
    unsigned dtls_mtu;
    bool tls_legacy_rsa_cbc;

    char
        *redis; /* as given, as the next five; plugin/config-redis.h reads them. NULL = in memory */
    char *redis_sentinel;
    char *redis_master;
    char *redis_user;
    char *redis_password_file;
    GPtrArray *rtpengine_redis; /* of char *: databases that rtpengine uses */
    bool redis_degrade;
    unsigned redis_connect_ms;
    unsigned redis_command_ms;
    char *node_id;  /* redis_node_id_valid(); NULL: none was given and the host name is not one */
    char *ha_group; /* redis_node_id_valid(); NULL = this node claims no calls by itself */
    Addr node_address; /* where other nodes reach our ng port; family ADDR_NONE: as it listens */
    unsigned heartbeat_ms;
    unsigned node_timeout_ms;

    bool foreground;
    bool log_stderr;
    int log_level;
    char *log_facility;
    char *log_name;
    char *pidfile;     /* NULL = none */
    bool show_version; /* print it and leave; nothing else was checked */
} Config;

/**
 * Reads the command line and then the configuration file. An option on the command line replaces
 * the same key of the file. @argv: NULL-terminated, borrowed, [0] is the program. @default_file:
 * read if it exists and no --config-file is given. Prints the help and exits on --help. NULL and
 * @error on anything that is not understood; the error names the option or file and key, the value,
 * and what is allowed.
 */
Config *config_new(const char *const *argv, const char *default_file, GError **error);
void config_free(Config *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

#define CONFIG_ERROR (config_error_quark())
GQuark config_error_quark(void);
typedef enum ConfigError {
    CONFIG_ERROR_OPTION, /* on the command line, or missing everywhere */
    CONFIG_ERROR_FILE,
} ConfigError;
