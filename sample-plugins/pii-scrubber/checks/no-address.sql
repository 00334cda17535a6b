-- No e-mail address is stored, in whatever property it came.
-- every: 10s
SELECT _offset, uuid, event
FROM events
WHERE plugins::VARCHAR LIKE '%"pii-scrubber"%'
  AND regexp_matches(properties::VARCHAR, '[\w.+-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63})+')
  -- What was stored long ago does not count for ever.
  AND _offset + 50000 > (SELECT max(_offset) FROM events)
