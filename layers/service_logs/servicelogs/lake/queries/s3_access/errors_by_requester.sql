-- Errors by requester
-- Requests that S3 refused or could not answer, by who made them.
SELECT
    bucket,
    requester,
    operation,
    http_status,
    error_code,
    count(*) AS requests,
    max(event_time) AS latest
FROM s3_access
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND http_status >= 400
GROUP BY bucket, requester, operation, http_status, error_code
ORDER BY requests DESC
LIMIT 50
