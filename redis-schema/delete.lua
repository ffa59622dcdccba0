-- SPDX-License-Identifier: GPL-3.0-or-later
-- Deletes the record of a call, if the deleter owns it. Nothing of the call is left.
--
-- KEYS  1 record  2 calls of the deleter
-- ARGV  1 node-id of the deleter  2 its epoch  3 Call-ID
-- Returns {"OK"}, {"CONFLICT", owner, epoch, revision}, {"NOT_FOUND"}.

local head = redis.call('GETRANGE', KEYS[1], 0, 255)
if head == '' then
    redis.call('ZREM', KEYS[2], ARGV[3])
    return {'NOT_FOUND'}
end
local revision, owner, epoch =
    head:match('^{"schema":%d+,"minor":%d+,"revision":(%d+),"owner":"([^"]*)","epoch":(%d+),')
if not revision then
    return redis.error_reply('E2AE the record does not begin with its head: ' .. KEYS[1])
end
if owner ~= ARGV[1] or epoch ~= ARGV[2] then
    return {'CONFLICT', owner, epoch, revision}
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[3])
return {'OK'}
