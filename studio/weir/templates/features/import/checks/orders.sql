-- No order is imported twice.
SELECT properties->>'order_id' AS order_id, count(*) AS times, max(_offset) AS _offset
FROM events
WHERE event = 'order placed'
GROUP BY ALL
HAVING count(*) > 1
