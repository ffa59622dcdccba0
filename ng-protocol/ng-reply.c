/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ng-protocol/ng-reply.h"

static NgValue *reply(const char *result)
{
    NgValue *dict = ng_dict_new();

    ng_dict_add_str(dict, "result", result);
    return dict;
}

NgValue *ng_reply_ok(void)
{
    return reply(NG_RESULT_OK);
}

NgValue *ng_reply_pong(void)
{
    return reply(NG_RESULT_PONG);
}

NgValue *ng_reply_error(const char *reason)
{
    NgValue *dict = reply(NG_RESULT_ERROR);

    ng_dict_add_str(dict, "error-reason", reason);
    return dict;
}

NgValue *ng_reply_warning(const char *text)
{
    NgValue *dict = reply(NG_RESULT_OK);

    ng_dict_add_str(dict, "warning", text);
    return dict;
}

NgValue *ng_reply_overload(const char *message)
{
    NgValue *dict = reply(NG_RESULT_LOAD_LIMIT);

    ng_dict_add_str(dict, "message", message);
    return dict;
}

NgValue *ng_reply_load_limit(bool supports)
{
    return supports ? ng_reply_overload(NG_REASON_SESSION_LIMIT)
                    : ng_reply_error(NG_REASON_SESSION_LIMIT);
}
