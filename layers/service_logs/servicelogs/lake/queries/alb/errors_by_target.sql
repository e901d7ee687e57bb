-- Errors by target
-- Targets behind requests that were answered with a 5xx, with the time that 95 of 100 requests stay below, in seconds.
SELECT
    target_group_arn,
    target_ip,
    target_port,
    count_if(target_status_code >= 500) AS target_5xx,
    count_if(elb_status_code >= 500) AS elb_5xx,
    count(*) AS requests,
    approx_percentile(target_processing_time, 0.95) AS p95
FROM alb
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY target_group_arn, target_ip, target_port
HAVING count_if(elb_status_code >= 500) > 0
ORDER BY elb_5xx DESC
LIMIT 50
