-- No batch is given up: the service takes everything that it is sent.
-- severity: warning
SELECT timestamp, sink, events, attempts, reason
FROM sink_failures
WHERE sink LIKE 'plugin:%:exportEvents'
