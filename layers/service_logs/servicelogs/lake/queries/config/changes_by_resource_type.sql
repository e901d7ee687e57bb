-- Changes by resource type
-- How many configuration items were recorded of what, and how many resources were made and deleted.
SELECT
    resourcetype,
    count(*) AS items,
    count(DISTINCT resourceid) AS resources,
    count_if(configurationitemstatus = 'ResourceDiscovered') AS discovered,
    count_if(configurationitemstatus LIKE 'ResourceDeleted%') AS deleted
FROM config
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND resourcetype IS NOT NULL
GROUP BY resourcetype
ORDER BY items DESC
LIMIT 100
