-- Failing targets
-- Targets whose health checks failed, with the reasons, and how they did the last time.
SELECT
    elb,
    target_group_id,
    target_addr,
    count_if(status = 'FAIL') AS failed,
    count(*) AS checks,
    array_join(array_sort(array_agg(DISTINCT reason_code)), ', ') AS reasons,
    max_by(status, event_time) AS last_status,
    max(event_time) AS last_check
FROM alb_health_check
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY elb, target_group_id, target_addr
HAVING count_if(status = 'FAIL') > 0
ORDER BY failed DESC
LIMIT 50
