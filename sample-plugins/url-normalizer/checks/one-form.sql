-- A page has one address: no host in capitals, no slash at its end, nothing that only says where a visitor came from.
-- severity: error
SELECT _offset, uuid, properties->>'$."$current_url"' AS url
FROM events
WHERE (properties->>'$."$plugin_url_normalized"') IS NOT NULL
  AND (
    regexp_matches(url, '^[a-z]+://[^/?#]*[A-Z]')
    OR regexp_matches(url, '^[a-z]+://[^/?#]+/([^?#]*/)?$')
    OR regexp_matches(url, '[?&](utm_[a-z]+|gclid|fbclid)=')
  )
  -- What an older version has stored does not count for ever.
  AND _offset + 50000 > (SELECT max(_offset) FROM events)
