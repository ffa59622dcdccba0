-- SPDX-License-Identifier: GPL-3.0-or-later
-- A node ends in order: others may claim its calls at once. Without calls it leaves nothing behind.
--
-- KEYS  1 heartbeat  2 nodes  3 calls of the node  4 calls taken from the node
-- ARGV  1 node-id  2 its epoch  3 its group
-- Returns {"OK"} or {"FENCED", epoch}.

local old = redis.call('GET', KEYS[1])
local theirs = old and old:match('^{"schema":%d+,"minor":%d+,"epoch":(%d+),')
if theirs and theirs ~= ARGV[2] then
    return {'FENCED', theirs}
end
redis.call('DEL', KEYS[1], KEYS[4])
if redis.call('EXISTS', KEYS[3]) == 0 then
    redis.call('ZREM', KEYS[2], ARGV[3] .. '/' .. ARGV[1])
end
return {'OK'}
