-- Latency by target group
-- How long health checks took on average, in seconds, and how many failed; read from the summary.
SELECT
    elb,
    target_group_id,
    sum(records) AS checks,
    sum(IF(status = 'FAIL', records, 0)) AS failed,
    sum(latency_sum) / nullif(sum(latency_count), 0) AS mean_latency
FROM alb_health_check_summary
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY elb, target_group_id
ORDER BY failed DESC, mean_latency DESC
LIMIT 50
