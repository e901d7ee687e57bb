-- Denied by principal
-- Calls that were refused for want of a right, by the role or user that made them.
SELECT
    coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn) AS principal,
    eventsource,
    eventname,
    errorcode,
    count(*) AS events,
    max(event_time) AS latest
FROM cloudtrail
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND (errorcode LIKE '%AccessDenied%' OR errorcode LIKE '%UnauthorizedOperation')
GROUP BY
    coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn),
    eventsource,
    eventname,
    errorcode
ORDER BY events DESC
LIMIT 100
