# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the C source of redis-scripts.h out of the *.lua files given, in the order of RedisScript.
BEGIN {
    print "/* Made by embed.awk from the *.lua files; do not edit. */"
    print "#include \"config.h\"\n"
    print "#include \"redis-schema/redis-scripts.h\"\n"
    print "static const char *const sources[] = {"
}
FNR == 1 && NR > 1 { print "    ," }
{
    gsub(/\\/, "\\\\")
    gsub(/"/, "\\\"")
    print "    \"" $0 "\\n\""
}
END {
    print "};\n"
    print "G_STATIC_ASSERT(G_N_ELEMENTS(sources) == REDIS_N_SCRIPTS);\n"
    print "const char *redis_script(RedisScript script)\n{\n    return sources[script];\n}"
}
