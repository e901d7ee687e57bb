-- Top clients
-- The addresses that moved most bytes, and how long their connections lasted on average, in milliseconds.
SELECT
    client_ip,
    count(*) AS connections,
    sum(received_bytes) AS received_bytes,
    sum(sent_bytes) AS sent_bytes,
    avg(connection_time) AS mean_connection_time
FROM nlb
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY client_ip
ORDER BY sum(received_bytes) + sum(sent_bytes) DESC
LIMIT 50
