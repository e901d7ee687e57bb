-- Blocked by rule
-- Which rules ended requests, how, and of how many addresses.
SELECT
    webaclid,
    terminatingruleid,
    action,
    count(*) AS requests,
    count(DISTINCT httprequest.clientip) AS clients
FROM waf
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND action <> 'ALLOW'
GROUP BY webaclid, terminatingruleid, action
ORDER BY requests DESC
LIMIT 50
