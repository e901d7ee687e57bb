-- Most read objects
-- The objects that were read most often, and how many bytes that were.
SELECT
    bucket,
    key_decoded,
    count(*) AS requests,
    sum(bytes_sent) AS bytes_sent,
    count(DISTINCT remote_ip) AS clients
FROM s3_access
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND operation LIKE '%.GET.OBJECT'
GROUP BY bucket, key_decoded
ORDER BY requests DESC
LIMIT 50
