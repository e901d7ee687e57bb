-- Slowest paths
-- The paths on which targets spent most time in all, and what half and 95 of 100 requests stay below, in seconds.
SELECT
    request_verb,
    request_path,
    count(*) AS requests,
    approx_percentile(target_processing_time, 0.5) AS p50,
    approx_percentile(target_processing_time, 0.95) AS p95,
    sum(target_processing_time) AS seconds
FROM alb
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND target_processing_time IS NOT NULL
GROUP BY request_verb, request_path
ORDER BY seconds DESC
LIMIT 50
