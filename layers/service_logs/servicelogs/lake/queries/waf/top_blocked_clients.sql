-- Top blocked clients
-- The addresses of most requests that were not let through, and what they asked for last.
SELECT
    httprequest.clientip AS client_ip,
    httprequest.country AS country,
    count(*) AS requests,
    max_by(httprequest.uri, event_time) AS last_uri,
    max_by(request.useragent, event_time) AS last_user_agent,
    max(event_time) AS latest
FROM waf
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND action <> 'ALLOW'
GROUP BY httprequest.clientip, httprequest.country
ORDER BY requests DESC
LIMIT 50
