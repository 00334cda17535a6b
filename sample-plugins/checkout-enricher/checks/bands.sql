-- An order with a revenue has the band that it belongs to.
-- severity: warning
SELECT _offset, uuid, event, properties->>'revenue' AS revenue
FROM events
WHERE lower(event) IN ('purchase', 'order completed', 'order_completed', 'checkout completed')
  AND plugins::VARCHAR LIKE '%"checkout-enricher"%'
  AND TRY_CAST(properties->>'revenue' AS DOUBLE) IS NOT NULL
  AND (properties->>'revenue_band') IS NULL
  AND _offset + 50000 > (SELECT max(_offset) FROM events)
