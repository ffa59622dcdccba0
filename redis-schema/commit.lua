-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes the record of a call, if nobody else has written it and nobody has taken it over.
--
-- KEYS  1 record  2 calls of the writer  3 heartbeat of the writer  4 calls taken from the writer
-- ARGV  1 node-id of the writer  2 its epoch  3 revision it expects, "0" = no record yet
--       4 the new record  5 TTL in seconds  6 Call-ID
-- Returns {"OK"}, {"CONFLICT", owner, epoch, revision}, {"NOT_FOUND"}, {"FENCED", epoch}, {"NEWER", schema}.
-- CONFLICT with epoch and revision 0: taken by that owner from this life of the writer, and deleted since.

local beat = redis.call('GET', KEYS[3])
local alive = beat and beat:match('^{"schema":%d+,"minor":%d+,"epoch":(%d+),')
if alive and tonumber(alive) > tonumber(ARGV[2]) then
    return {'FENCED', alive}
end

local head = redis.call('GETRANGE', KEYS[1], 0, 255)
if head == '' then
    if ARGV[3] ~= '0' then
        local epoch, claimer = (redis.call('HGET', KEYS[4], ARGV[6]) or ''):match('^(%d+) (.*)$')
        if epoch == ARGV[2] then
            return {'CONFLICT', claimer, '0', '0'}
        end
        return {'NOT_FOUND'}
    end
else
    local schema = head:match('^{"schema":(%d+),')
    local revision, owner, epoch =
        head:match('^{"schema":%d+,"minor":%d+,"revision":(%d+),"owner":"([^"]*)","epoch":(%d+),')
    if schema and tonumber(schema) > tonumber(ARGV[4]:match('^{"schema":(%d+),')) then
        return {'NEWER', schema}
    end
    if not revision then
        return redis.error_reply('E2AE the record does not begin with its head: ' .. KEYS[1])
    end
    if owner ~= ARGV[1] or epoch ~= ARGV[2] or revision ~= ARGV[3] then
        return {'CONFLICT', owner, epoch, revision}
    end
end

redis.call('SET', KEYS[1], ARGV[4], 'EX', ARGV[5])
redis.call('ZADD', KEYS[2], 0, ARGV[6])
if redis.call('TTL', KEYS[2]) < tonumber(ARGV[5]) then
    redis.call('EXPIRE', KEYS[2], ARGV[5])
end
return {'OK'}
