-- SPDX-License-Identifier: GPL-3.0-or-later
-- Says that a node lives, and gives a node that has just started its epoch: a number greater than
-- that of each of its earlier lives.
--
-- KEYS  1 heartbeat  2 nodes  3 calls taken from the node
-- ARGV  1 node-id  2 its epoch, "0" = has none yet  3 the heartbeat after its epoch: '"node":...}'
--       4 head of the heartbeat: '{"schema":1,"minor":0,'  5 TTL in milliseconds
--       6 seconds that a node stays known without a heartbeat  7 its group
-- Returns {"OK", epoch, found}, where found is "1" if the last heartbeat had not expired yet, or
--         {"FENCED", epoch} if a later life of the node is there.

local old = redis.call('GET', KEYS[1])
local theirs = old and tonumber(old:match('^{"schema":%d+,"minor":%d+,"epoch":(%d+),') or 0)
local now = redis.call('TIME')
local epoch = tonumber(ARGV[2])
if epoch == 0 then
    epoch = math.max(now[1] * 1000 + math.floor(now[2] / 1000), (theirs or 0) + 1)
    redis.call('DEL', KEYS[3]) -- was for an earlier life, which is over
elseif theirs and theirs > epoch then
    return {'FENCED', string.format('%.0f', theirs)}
end

local text = string.format('%.0f', epoch)
redis.call('SET', KEYS[1], ARGV[4] .. '"epoch":' .. text .. ',' .. ARGV[3], 'PX', ARGV[5])
redis.call('ZADD', KEYS[2], now[1], ARGV[7] .. '/' .. ARGV[1])
-- A node that was last seen longer ago has no calls left: their records have expired, too.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.0f', now[1] - ARGV[6]))
if redis.call('TTL', KEYS[2]) < tonumber(ARGV[6]) then
    redis.call('EXPIRE', KEYS[2], ARGV[6])
end
return {'OK', text, theirs == epoch and '1' or '0'}
