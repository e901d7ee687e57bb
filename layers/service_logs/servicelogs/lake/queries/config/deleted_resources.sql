-- Deleted resources
-- What was deleted, and when that was recorded.
SELECT
    event_time,
    account_id,
    coalesce(awsregion, region) AS aws_region,
    resourcetype,
    coalesce(resourcename, resourceid) AS resource,
    arn
FROM config
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND configurationitemstatus LIKE 'ResourceDeleted%'
ORDER BY event_time DESC
LIMIT 100
