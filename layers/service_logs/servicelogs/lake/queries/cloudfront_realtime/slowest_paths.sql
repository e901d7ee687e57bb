-- Slowest paths
-- The paths that viewers waited for longest in all, and what half and 95 of 100 first bytes came within, in seconds.
SELECT
    cs_host,
    cs_uri_stem,
    count(*) AS requests,
    approx_percentile(time_to_first_byte, 0.5) AS p50,
    approx_percentile(time_to_first_byte, 0.95) AS p95,
    sum(time_to_first_byte) AS seconds
FROM cloudfront_realtime
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND time_to_first_byte IS NOT NULL
GROUP BY cs_host, cs_uri_stem
ORDER BY seconds DESC
LIMIT 50
