-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps a sealed certificate and makes it the one for new streams of the group, unless the group has another one by
-- now: so of several nodes that make one at once, the first one's becomes everybody's.
--
-- KEYS  1 the sealed certificate  2 that of the group
-- ARGV  1 fingerprint that the group is thought to have, "" = none  2 the sealed certificate  3 its fingerprint
--       4 TTL in seconds
-- Returns {"OK"}, {"CONFLICT", fingerprint that the group has, "" = none}.

local now = redis.call('GET', KEYS[2]) or ''
if now ~= ARGV[1] and now ~= ARGV[3] then
    return {'CONFLICT', now}
end

redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[4])
redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[4])
return {'OK'}
