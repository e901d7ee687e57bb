-- Changes to a resource
-- Who changed what: write a part of the resource's ARN between the two % signs.
SELECT
    event_time,
    resource.arn AS resource_arn,
    eventsource,
    eventname,
    coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn) AS principal,
    sourceipaddress,
    errorcode,
    requestparameters
FROM cloudtrail
CROSS JOIN UNNEST(resources) AS listed (resource)
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND readonly = false
    AND resource.arn LIKE '%%'
ORDER BY event_time DESC
LIMIT 100
