-- Where rows are from
-- How many rows of each object or log stream there are, and of which time.
SELECT
    log_source,
    count(*) AS records,
    min(event_time) AS earliest,
    max(event_time) AS latest
FROM {table}
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY log_source
ORDER BY records DESC
LIMIT 1000
