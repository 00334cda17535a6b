-- An address is stored in one form: nothing around it, no capitals.
SELECT _offset, uuid, properties->>'email' AS email
FROM events
WHERE (properties->>'email_hash') IS NOT NULL
  AND (properties->>'email') <> lower(trim(properties->>'email'))
