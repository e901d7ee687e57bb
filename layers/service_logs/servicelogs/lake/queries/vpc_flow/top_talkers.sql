-- Top talkers
-- Who moves most bytes to whom, by port and protocol (6 is TCP, 17 UDP).
SELECT
    srcaddr,
    dstaddr,
    dstport,
    protocol,
    sum(bytes) AS bytes,
    sum(packets) AS packets,
    count(*) AS flows
FROM vpc_flow
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND action = 'ACCEPT'
    AND bytes IS NOT NULL
GROUP BY srcaddr, dstaddr, dstport, protocol
ORDER BY bytes DESC
LIMIT 50
