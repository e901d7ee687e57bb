-- Rejected by port
-- What security groups and network ACLs refused, and from how many addresses it came.
SELECT
    dstaddr,
    dstport,
    protocol,
    count(*) AS flows,
    count(DISTINCT srcaddr) AS sources,
    max(event_time) AS latest
FROM vpc_flow
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND action = 'REJECT'
GROUP BY dstaddr, dstport, protocol
ORDER BY flows DESC
LIMIT 50
