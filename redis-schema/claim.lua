-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes over a call of a dead node, or of an earlier life of the claimer itself. Of several claimers
-- one wins: the others find a living owner.
--
-- KEYS  1 record  2 calls of the old owner  3 calls of the claimer
--       4 heartbeat of the old owner  5 heartbeat of the claimer
--       6 calls taken from the old owner  7 calls taken from the claimer
-- ARGV  1 node-id of the claimer  2 its epoch  3 node-id of the old owner
--       4 revision it expects, "0" = any  5 TTL in seconds  6 Call-ID  7 highest schema that it reads
--       8 TTL of the calls taken, in seconds
-- Returns {"OK", record}, {"CONFLICT", owner, epoch, revision}, {"NOT_FOUND"}, {"FENCED", epoch},
--         {"NEWER", schema}.

local function epoch_of(heartbeat)
    return heartbeat and heartbeat:match('^{"schema":%d+,"minor":%d+,"epoch":(%d+),')
end

-- Who is not alive itself must not take calls: they would be taken away from it at once.
local mine = epoch_of(redis.call('GET', KEYS[5]))
if mine ~= ARGV[2] then
    return {'FENCED', mine or '0'}
end

local record = redis.call('GET', KEYS[1])
if not record then
    redis.call('ZREM', KEYS[2], ARGV[6])
    return {'NOT_FOUND'}
end
local schema, minor, revision, owner, epoch, rest = record:match(
    '^{"schema":(%d+),"minor":(%d+),"revision":(%d+),"owner":"([^"]*)","epoch":(%d+),(.*)$')
if not schema then
    schema = record:match('^{"schema":(%d+),')
    if schema and tonumber(schema) > tonumber(ARGV[7]) then
        return {'NEWER', schema}
    end
    return redis.error_reply('E2AE the record does not begin with its head: ' .. KEYS[1])
end
if tonumber(schema) > tonumber(ARGV[7]) then
    return {'NEWER', schema}
end

-- A claim that is repeated because its reply was lost.
if owner == ARGV[1] and epoch == ARGV[2] then
    return {'OK', record}
end
if owner ~= ARGV[3] or (ARGV[4] ~= '0' and revision ~= ARGV[4]) then
    return {'CONFLICT', owner, epoch, revision}
end
-- A node that has come back restores its calls itself, so a heartbeat of any epoch keeps others off.
if owner ~= ARGV[1] and redis.call('EXISTS', KEYS[4]) == 1 then
    return {'CONFLICT', owner, epoch, revision}
end

record = string.format('{"schema":%s,"minor":%s,"revision":%.0f,"owner":"%s","epoch":%s,',
                       schema, minor, tonumber(revision) + 1, ARGV[1], ARGV[2]) .. rest
redis.call('SET', KEYS[1], record, 'EX', ARGV[5])
redis.call('ZREM', KEYS[2], ARGV[6])
redis.call('ZADD', KEYS[3], 0, ARGV[6])
if redis.call('TTL', KEYS[3]) < tonumber(ARGV[5]) then
    redis.call('EXPIRE', KEYS[3], ARGV[5])
end
-- An owner that was only frozen has to learn this even when the call has been deleted meanwhile.
if owner ~= ARGV[1] then
    redis.call('HSET', KEYS[6], ARGV[6], epoch .. ' ' .. ARGV[1])
    redis.call('EXPIRE', KEYS[6], ARGV[8])
    redis.call('HDEL', KEYS[7], ARGV[6])
end
return {'OK', record}
