-- Labels
-- Which labels requests were given, and what became of these.
SELECT label.name AS label, action, count(*) AS requests
FROM waf
CROSS JOIN UNNEST(labels) AS listed (label)
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY label.name, action
ORDER BY requests DESC
LIMIT 50
