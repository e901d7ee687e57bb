-- Requests by operation
-- How many requests each bucket had, what they sent, and how long they took on average, in milliseconds; from the summary.
SELECT
    bucket,
    operation,
    sum(records) AS requests,
    sum(bytes_sent_sum) AS bytes_sent,
    cast(sum(total_time_sum) AS double) / nullif(sum(total_time_count), 0) AS mean_total_time
FROM s3_access_summary
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY bucket, operation
ORDER BY requests DESC
LIMIT 100
