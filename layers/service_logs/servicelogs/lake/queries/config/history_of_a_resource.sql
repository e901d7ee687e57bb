-- History of a resource
-- Its configuration each time it was recorded: write a part of its ARN between the two % signs.
SELECT event_time, configurationitemstatus, resourcetype, arn, configuration, tags
FROM config
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND arn LIKE '%%'
ORDER BY event_time DESC
LIMIT 100
