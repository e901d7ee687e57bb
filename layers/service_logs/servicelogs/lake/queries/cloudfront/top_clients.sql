-- Top clients
-- The addresses that sent most requests, and what they called themselves last.
SELECT
    c_ip,
    count(*) AS requests,
    count_if(sc_status >= 400) AS errors,
    sum(sc_bytes) AS bytes,
    max_by(cs_user_agent, event_time) AS last_user_agent
FROM cloudfront
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY c_ip
ORDER BY requests DESC
LIMIT 50
