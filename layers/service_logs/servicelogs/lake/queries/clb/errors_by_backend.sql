-- Errors by backend
-- Backends behind requests that were answered with a 5xx, with the time that 95 of 100 requests stay below, in seconds.
SELECT
    elb,
    backend_ip,
    backend_port,
    count_if(backend_status_code >= 500) AS backend_5xx,
    count_if(elb_status_code >= 500) AS elb_5xx,
    count(*) AS requests,
    approx_percentile(backend_processing_time, 0.95) AS p95
FROM clb
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY elb, backend_ip, backend_port
HAVING count_if(elb_status_code >= 500) > 0
ORDER BY elb_5xx DESC
LIMIT 50
