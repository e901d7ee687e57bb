-- Requests by status and minute
-- How many requests each load balancer answered with which status code; read from the summary.
SELECT minute, elb, elb_status_code, sum(records) AS requests
FROM clb_summary
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY minute, elb, elb_status_code
ORDER BY minute DESC, requests DESC
LIMIT 1000
