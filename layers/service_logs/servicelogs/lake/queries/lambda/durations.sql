-- Durations, cold starts and cost
-- How long each function ran, how often it began cold and what was billed, in milliseconds; read from the summary.
SELECT
    "function",
    sum(duration_ms_count) AS invocations,
    sum(duration_ms_sum) / nullif(sum(duration_ms_count), 0) AS mean_duration_ms,
    sum(init_duration_ms_count) AS cold_starts,
    sum(init_duration_ms_sum) / nullif(sum(init_duration_ms_count), 0) AS mean_init_duration_ms,
    sum(billed_duration_ms_sum) AS billed_duration_ms
FROM lambda_summary
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY "function"
HAVING sum(duration_ms_count) > 0
ORDER BY billed_duration_ms DESC
LIMIT 50
