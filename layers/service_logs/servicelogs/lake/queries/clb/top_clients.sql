-- Top clients
-- The addresses that sent most requests, and how many of them failed.
SELECT
    client_ip,
    count(*) AS requests,
    count_if(elb_status_code >= 400) AS errors,
    sum(sent_bytes) AS sent_bytes,
    max_by(user_agent, event_time) AS last_user_agent
FROM clb
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY client_ip
ORDER BY requests DESC
LIMIT 50
