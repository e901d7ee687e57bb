-- Rows and summary compared
-- Must be empty: the summary of each day counts as many records as the day has rows. While a batch is published both change, for seconds.
SELECT
    coalesce(d.account_id, s.account_id) AS account_id,
    coalesce(d.region, s.region) AS region,
    coalesce(d.event_day, s.event_day) AS event_day,
    d.records,
    s.records AS summed
FROM (
    SELECT account_id, region, event_day, count(*) AS records
    FROM {table}
    WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    GROUP BY account_id, region, event_day
) AS d
FULL JOIN (
    SELECT account_id, region, event_day, sum(records) AS records
    FROM {table}_summary
    WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    GROUP BY account_id, region, event_day
) AS s
    ON s.account_id = d.account_id AND s.region = d.region AND s.event_day = d.event_day
WHERE d.records IS DISTINCT FROM s.records
ORDER BY event_day, account_id, region
LIMIT 1000
